//! What people ask for.

use super::{Ids, check_images, check_length, queue, require_attempt, wrong};
use crate::budget::Budget;
use crate::comment::NewComment;
use crate::event::{Delivery, Event, Origin, Prompt};
use crate::ids::{ItemId, Oid};
use crate::image::Image;
use crate::inbox::{Answer, Ask, AskOption, Effect};
use crate::limits;
use crate::refusal::Refusal;
use crate::review::Verdict;
use crate::state::{Phase, TaskState};

pub(super) fn send(
    state: &TaskState,
    number: u16,
    text: String,
    images: Vec<Image>,
    delivery: Delivery,
) -> Result<Vec<Event>, Refusal> {
    let attempt = require_attempt(state, number)?;
    not_archived(state)?;
    if text.trim().is_empty() {
        return Err(Refusal::bad_input("the message is empty", "divisi send t1 \"also update the docs\""));
    }
    check_length(&text)?;
    check_images(&images)?;
    if attempt.queue.len() >= limits::QUEUED_PROMPTS {
        let most = limits::QUEUED_PROMPTS;
        return Err(Refusal::limit(
            format!("{most} messages wait already"),
            "wait until the agent has taken some",
        ));
    }
    if matches!(attempt.phase, Phase::Landing | Phase::Landed | Phase::Undoing | Phase::RollingBack) {
        return Err(wrong(state, attempt, "given a message"));
    }
    let prompt = Prompt { id: attempt.prompts + 1, text, images, origin: Origin::Person, delivery };
    let mut events = vec![Event::PromptQueued { attempt: number, prompt }];
    if let (Delivery::Interrupt, Some(turn)) = (delivery, attempt.running_turn()) {
        events.push(Event::TurnCancelRequested { attempt: number, turn: turn.number });
    }
    Ok(events)
}

pub(super) fn cancel(state: &TaskState, number: u16) -> Result<Vec<Event>, Refusal> {
    let attempt = require_attempt(state, number)?;
    match attempt.running_turn() {
        Some(turn) if turn.cancel_requested => Ok(vec![]),
        Some(turn) => Ok(vec![Event::TurnCancelRequested { attempt: number, turn: turn.number }]),
        None if matches!(attempt.phase, Phase::Queued | Phase::Preparing | Phase::Working) => {
            let handle = state.handle(number);
            let message = format!("{handle} has no turn to cancel yet");
            Err(Refusal::wrong_state(message, format!("divisi stop {handle} ends the attempt")))
        }
        None => Err(wrong(state, attempt, "cancelled")),
    }
}

pub(super) fn answer(state: &TaskState, id: ItemId, answer: Answer) -> Result<Vec<Event>, Refusal> {
    let Some(item) = state.item(id) else {
        return Err(Refusal::not_found("there is no such inbox item", "divisi inbox lists what waits"));
    };
    if let Some(given) = &item.answer {
        if *given == answer {
            return Ok(vec![]);
        }
        return Err(Refusal::wrong_state(
            "the item was answered already",
            "divisi inbox lists what still waits",
        ));
    }
    let fits = match &item.ask {
        Ask::Permission { options, .. } => match &answer {
            Answer::Approved { .. } => has(options, &[Effect::AllowOnce, Effect::AllowAlways]),
            Answer::Denied { .. } | Answer::Withdrawn { .. } => true,
            Answer::Chosen { option } => options.iter().any(|o| o.id == *option),
            Answer::Text { .. } => false,
        },
        Ask::Question { options, .. } => match &answer {
            Answer::Chosen { option } => options.iter().any(|o| o.id == *option),
            Answer::Approved { .. } => false,
            Answer::Denied { .. } | Answer::Text { .. } | Answer::Withdrawn { .. } => true,
        },
        Ask::Criterion { .. } => matches!(answer, Answer::Approved { .. } | Answer::Denied { .. }),
        Ask::Review { .. } => {
            let handle = state.handle(item.attempt);
            let hint = format!("divisi review {handle} --approve, or --request \"file:line: comment\"");
            return Err(Refusal::bad_input("a review is answered by a verdict", hint));
        }
        Ask::Stall { .. } if matches!(answer, Answer::Withdrawn { .. }) => true,
        Ask::Stall { hint, .. } => {
            return Err(Refusal::bad_input("a stall is not answered but mended", hint.clone()));
        }
    };
    if !fits {
        return Err(Refusal::bad_input(
            "that answer does not fit the question",
            "divisi inbox shows what can be answered",
        ));
    }
    let mut events = vec![Event::ItemAnswered { item: id, answer: answer.clone() }];
    if let (Ask::Criterion { text, .. }, Answer::Denied { reason }) = (&item.ask, &answer) {
        let attempt = require_attempt(state, item.attempt)?;
        let words = format!("A person judged that this does not hold yet: {text}\n{reason}\n");
        events.push(queue(attempt, words, Origin::Review, Delivery::Queue));
    }
    Ok(events)
}

fn has(options: &[AskOption], effects: &[Effect]) -> bool {
    options.iter().any(|option| effects.contains(&option.effect))
}

pub(super) fn review(
    state: &TaskState,
    number: u16,
    commit: Option<Oid>,
    verdict: Verdict,
    comments: Vec<NewComment>,
    note: String,
    ids: &mut Ids<'_>,
) -> Result<Vec<Event>, Refusal> {
    let attempt = require_attempt(state, number)?;
    not_archived(state)?;
    let handle = state.handle(number);
    let Some(result) = &attempt.result else { return Err(wrong(state, attempt, "reviewed")) };
    if commit.as_ref().is_some_and(|seen| *seen != result.commit) {
        let hint = format!("look again: divisi diff {handle}");
        return Err(Refusal::wrong_state(
            format!("{handle} has a newer result than the one you looked at"),
            hint,
        ));
    }
    let mut events = super::comments::written(attempt, comments)?;
    let reviewed = |sent| Event::Reviewed {
        attempt: number,
        commit: result.commit.clone(),
        verdict,
        comments: Vec::new(),
        note: note.clone(),
        sent,
    };
    match verdict {
        Verdict::Approved => {
            if !matches!(attempt.phase, Phase::InReview | Phase::Approved) {
                return Err(wrong(state, attempt, "approved"));
            }
            if !attempt.proven(&state.spec) {
                let hint = format!("divisi show {handle} lists the evidence");
                return Err(Refusal::wrong_state(
                    format!("{handle} has no fresh evidence for every required check"),
                    hint,
                ));
            }
            if let Some(open) = state.unjudged(number).next() {
                let text = state.spec.criteria.get(open).map_or("", |c| c.text.as_str());
                let message = format!("nobody has judged criterion {} of {handle} yet: {text}", open + 1);
                return Err(Refusal::wrong_state(
                    message,
                    "divisi inbox, then divisi approve ITEM or divisi deny ITEM",
                ));
            }
            if attempt.phase == Phase::Approved {
                return Ok(vec![]);
            }
            let sent = super::comments::numbers(&events);
            events.push(reviewed(sent));
            Ok(events)
        }
        Verdict::ChangesRequested => {
            if !matches!(
                attempt.phase,
                Phase::InReview | Phase::Approved | Phase::Waiting | Phase::Blocked { .. }
            ) {
                return Err(wrong(state, attempt, "sent back"));
            }
            let sent = super::comments::to_send(state, number, &events);
            if sent.is_empty() && note.trim().is_empty() {
                let hint = format!("divisi review {handle} --request \"src/lib.rs:12: rename this\"");
                return Err(Refusal::bad_input("a request for changes needs words", hint));
            }
            let text = crate::comment::prompt_of(&sent, &note);
            check_length(&text)?;
            events.push(reviewed(sent.iter().map(|comment| comment.number).collect()));
            events.push(queue(attempt, text, Origin::Review, Delivery::Queue));
            Ok(events)
        }
        Verdict::Withdrawn => {
            if attempt.phase != Phase::Approved {
                let status = crate::view::status(state, attempt);
                let message = format!("{handle} has no approval to take back: it is {}", status.state);
                return Err(Refusal::wrong_state(message, status.next));
            }
            events.push(reviewed(Vec::new()));
            events.push(ids.open(number, Ask::Review { commit: result.commit.clone() }));
            Ok(events)
        }
    }
}

pub(super) fn land(state: &TaskState, number: u16) -> Result<Vec<Event>, Refusal> {
    let attempt = require_attempt(state, number)?;
    not_archived(state)?;
    match attempt.phase {
        Phase::Approved => Ok(vec![Event::LandingRequested { attempt: number }]),
        Phase::Landing | Phase::Landed => Ok(vec![]),
        _ => Err(wrong(state, attempt, "landed")),
    }
}

pub(super) fn undo(state: &TaskState, number: u16) -> Result<Vec<Event>, Refusal> {
    let attempt = require_attempt(state, number)?;
    match attempt.phase {
        Phase::Landed => Ok(vec![Event::UndoRequested { attempt: number }]),
        Phase::Undoing => Ok(vec![]),
        _ => Err(wrong(state, attempt, "taken back")),
    }
}

pub(super) fn stop(state: &TaskState, number: u16) -> Result<Vec<Event>, Refusal> {
    let attempt = require_attempt(state, number)?;
    match attempt.phase {
        Phase::Stopped => Ok(vec![]),
        Phase::Landed | Phase::Undoing | Phase::RollingBack => Err(wrong(state, attempt, "stopped")),
        _ => Ok(vec![Event::AttemptStopped { attempt: number, why: None }]),
    }
}

/// An attempt that stands still goes on. One whose agent gives no sign of life in its turn is interrupted and asked again.
pub(super) fn resume(state: &TaskState, number: u16) -> Result<Vec<Event>, Refusal> {
    let attempt = require_attempt(state, number)?;
    not_archived(state)?;
    let held = attempt.phase == Phase::Queued && attempt.held.is_some();
    let stalled = state.open_items().any(|i| i.attempt == number && matches!(i.ask, Ask::Stall { .. }));
    let silent = attempt.running_turn().filter(|_| attempt.phase == Phase::Working && stalled);
    if silent.is_none()
        && !held
        && !matches!(attempt.phase, Phase::Stopped | Phase::Blocked { .. } | Phase::Waiting)
    {
        return Err(wrong(state, attempt, "resumed"));
    }
    if let Some(why) = attempt.over_budget(&attempt.usage) {
        let hint = crate::view::hint_for(&why, state, number);
        return Err(Refusal::wrong_state(why.to_string(), hint));
    }
    if let Some(turn) = silent {
        let cancel = Event::TurnCancelRequested { attempt: number, turn: turn.number };
        let cancel = Some(cancel).filter(|_| !turn.cancel_requested);
        return Ok(super::again(attempt, Origin::Person).into_iter().chain(cancel).collect());
    }
    let mut events = vec![Event::AttemptResumed { attempt: number }];
    events.extend(super::again(attempt, Origin::Person));
    Ok(events)
}

pub(super) fn set_budget(
    state: &TaskState,
    number: u16,
    budget: Option<Budget>,
) -> Result<Vec<Event>, Refusal> {
    let attempt = require_attempt(state, number)?;
    not_archived(state)?;
    Ok(if attempt.budget == budget { vec![] } else { vec![Event::BudgetSet { attempt: number, budget }] })
}

pub(super) fn archive(state: &TaskState) -> Result<Vec<Event>, Refusal> {
    if state.archived {
        return Ok(vec![]);
    }
    if let Some(busy) = state.attempts.iter().find(|a| {
        matches!(
            a.phase,
            Phase::Preparing
                | Phase::Working
                | Phase::Checking
                | Phase::Landing
                | Phase::Undoing
                | Phase::RollingBack
        )
    }) {
        let handle = state.handle(busy.number);
        return Err(Refusal::wrong_state(
            format!("{handle} is still at work"),
            format!("divisi stop {handle}, then archive it"),
        ));
    }
    let stops = state.attempts.iter().filter(|a| a.phase == Phase::Queued);
    let mut events: Vec<_> = stops.map(|a| Event::AttemptStopped { attempt: a.number, why: None }).collect();
    events.push(Event::TaskArchived);
    Ok(events)
}

pub(super) fn restore(state: &TaskState) -> Result<Vec<Event>, Refusal> {
    Ok(if state.archived { vec![Event::TaskRestored] } else { vec![] })
}

pub(super) fn not_archived(state: &TaskState) -> Result<(), Refusal> {
    if !state.archived {
        return Ok(());
    }
    let task = state.spec.number;
    Err(Refusal::wrong_state(format!("{task} is archived"), format!("divisi restore {task}")))
}
