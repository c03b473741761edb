//! What people ask for.

use super::{check_length, queue, require_attempt, wrong};
use crate::event::{Delivery, Event, Origin};
use crate::ids::{ItemId, Oid};
use crate::inbox::{Answer, Ask, AskOption, Effect};
use crate::limits;
use crate::refusal::Refusal;
use crate::review::{self, Comment, Verdict};
use crate::state::{Phase, TaskState};

pub(super) fn send(
    state: &TaskState,
    number: u16,
    text: String,
    delivery: Delivery,
) -> Result<Vec<Event>, Refusal> {
    let attempt = require_attempt(state, number)?;
    not_archived(state)?;
    if text.trim().is_empty() {
        return Err(Refusal::bad_input("the message is empty", "divisi send t1 \"also update the docs\""));
    }
    check_length(&text)?;
    if attempt.queue.len() >= limits::QUEUED_PROMPTS {
        let most = limits::QUEUED_PROMPTS;
        return Err(Refusal::limit(
            format!("{most} messages wait already"),
            "wait until the agent has taken some",
        ));
    }
    if matches!(attempt.phase, Phase::Landing | Phase::Landed | Phase::Undoing) {
        return Err(wrong(state, attempt, "given a message"));
    }
    let mut events = vec![queue(attempt, text, Origin::Person, delivery)];
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
    comments: Vec<Comment>,
    note: String,
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
    if comments.len() > limits::COMMENTS {
        let most = limits::COMMENTS;
        return Err(Refusal::limit(format!("a review has at most {most} comments"), "join some of them"));
    }
    let reviewed = Event::Reviewed {
        attempt: number,
        commit: result.commit.clone(),
        verdict,
        comments: comments.clone(),
        note: note.clone(),
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
            Ok(if attempt.phase == Phase::Approved { vec![] } else { vec![reviewed] })
        }
        Verdict::ChangesRequested => {
            if !matches!(
                attempt.phase,
                Phase::InReview | Phase::Approved | Phase::Waiting | Phase::Blocked { .. }
            ) {
                return Err(wrong(state, attempt, "sent back"));
            }
            if comments.is_empty() && note.trim().is_empty() {
                let hint = format!("divisi review {handle} --request \"src/lib.rs:12: rename this\"");
                return Err(Refusal::bad_input("a request for changes needs words", hint));
            }
            let text = review::prompt_of(&comments, &note);
            Ok(vec![reviewed, queue(attempt, text, Origin::Review, Delivery::Queue)])
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
        Phase::Landed | Phase::Undoing => Err(wrong(state, attempt, "stopped")),
        _ => Ok(vec![Event::AttemptStopped { attempt: number, why: None }]),
    }
}

pub(super) fn resume(state: &TaskState, number: u16) -> Result<Vec<Event>, Refusal> {
    let attempt = require_attempt(state, number)?;
    not_archived(state)?;
    let held = attempt.phase == Phase::Queued && attempt.held.is_some();
    if !held && !matches!(attempt.phase, Phase::Stopped | Phase::Blocked { .. } | Phase::Waiting) {
        return Err(wrong(state, attempt, "resumed"));
    }
    let mut events = vec![Event::AttemptResumed { attempt: number }];
    events.extend(super::again(attempt, Origin::Person));
    Ok(events)
}

pub(super) fn archive(state: &TaskState) -> Result<Vec<Event>, Refusal> {
    if state.archived {
        return Ok(vec![]);
    }
    if let Some(busy) = state.attempts.iter().find(|a| {
        matches!(
            a.phase,
            Phase::Preparing | Phase::Working | Phase::Checking | Phase::Landing | Phase::Undoing
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

fn not_archived(state: &TaskState) -> Result<(), Refusal> {
    if !state.archived {
        return Ok(());
    }
    let task = state.spec.number;
    Err(Refusal::wrong_state(format!("{task} is archived"), format!("divisi restore {task}")))
}
