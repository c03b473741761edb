//! What the stages tell. A report that no longer fits is refused or gives no event, so that a stage may repeat itself.

use super::{Ids, block, require_attempt, wrong};
use crate::event::{Blocked, Event, TurnOutcome};
use crate::inbox::{Answer, Ask, AskOption, Effect, InboxItem};
use crate::refusal::Refusal;
use crate::state::{AttemptState, Phase, TaskState};

pub(super) fn report(state: &TaskState, event: Event, ids: &mut Ids<'_>) -> Result<Vec<Event>, Refusal> {
    let Some(number) = crate::fold::attempt_of(&event) else {
        return Err(Refusal::bad_input("only what concerns an attempt is reported", ""));
    };
    let attempt = require_attempt(state, number)?;
    let fits = |ok: bool| if ok { Ok(()) } else { Err(wrong(state, attempt, "reported on like that")) };
    match &event {
        Event::AttemptLeased { .. } => {
            fits(attempt.phase == Phase::Queued && attempt.archived_as.is_none())?;
            // All ways back lead through here, so nothing begins that may not be paid for.
            if let Some(why) = attempt.over_budget(&attempt.usage) {
                return Ok(block(state, number, why, ids));
            }
        }
        Event::WorkspaceReady { .. } => fits(attempt.phase == Phase::Preparing)?,
        Event::WorkspaceFailed { why, .. } => {
            fits(attempt.phase == Phase::Preparing)?;
            let why = Blocked::Workspace { why: why.clone() };
            return Ok([vec![event], block(state, number, why, ids)].concat());
        }
        Event::BaseMoved { .. } => fits(matches!(attempt.phase, Phase::Preparing | Phase::Working))?,
        Event::SessionOpened { session, .. } => {
            fits(attempt.phase == Phase::Working && attempt.open_session().is_none())?;
            fits(*session == attempt.sessions.len() as u32 + 1)?;
        }
        Event::SessionNamed { session, agent_session, .. } => {
            let known = attempt.sessions.iter().find(|s| s.number == *session);
            fits(known.is_some())?;
            if known.and_then(|s| s.agent_session.as_deref()) == Some(agent_session) {
                return Ok(vec![]);
            }
        }
        Event::SessionClosed { session, .. } => {
            if attempt.sessions.iter().all(|s| s.number != *session || s.closed.is_some()) {
                return Ok(vec![]);
            }
        }
        Event::TurnStarted { turn, prompts, .. } => {
            fits(attempt.phase == Phase::Working && attempt.running_turn().is_none())?;
            fits(*turn == attempt.turns.len() as u32 + 1 && !prompts.is_empty())?;
            // Those that were taken back meanwhile are not given.
            fits(prompts.iter().any(|id| attempt.queue.iter().any(|queued| queued.id == *id)))?;
            // The budget may have been lowered since the attempt got its slot.
            if let Some(why) = attempt.over_budget(&attempt.usage) {
                return Ok(block(state, number, why, ids));
            }
        }
        Event::PromptGiven { turn, prompt, .. } => {
            fits(attempt.running_turn().is_some_and(|running| running.number == *turn))?;
            if attempt.queue.iter().all(|queued| queued.id != *prompt) {
                return Ok(vec![]);
            }
        }
        Event::SnapshotTaken { turn, .. } => {
            let taken = attempt.turns.iter().find(|t| t.number == *turn);
            fits(taken.is_some())?;
            if taken.is_some_and(|t| t.snapshot.is_some()) {
                return Ok(vec![]);
            }
        }
        Event::TurnEnded { turn, outcome, usage, .. } => {
            let Some(running) = attempt.running_turn().filter(|t| t.number == *turn) else {
                return Ok(vec![]);
            };
            debug_assert_eq!(running.number, *turn);
            let mut used = attempt.usage;
            used.add(usage);
            // Work that is done costs nothing more; another turn would.
            let goes_on = *outcome != TurnOutcome::Completed || !attempt.queue.is_empty();
            let why = blocked_by(outcome).or_else(|| attempt.over_budget(&used).filter(|_| goes_on));
            let mut events = vec![event];
            if let (Some(why), Phase::Working) = (why, &attempt.phase) {
                events.extend(block(state, number, why, ids));
            }
            return Ok(events);
        }
        Event::ResultMade { result, .. } => {
            fits(attempt.phase == Phase::Checking)?;
            let empty = result.files == 0;
            let mut events = vec![event];
            if empty {
                events.extend(block(state, number, Blocked::NoChange, ids));
            }
            return Ok(events);
        }
        Event::EvidenceStored { evidence, .. } => {
            // While it lands, only the combination is checked: what proved the result itself is not asked again.
            let of_result = attempt.result.as_ref().is_some_and(|result| result.tree == evidence.tree);
            fits(match attempt.phase {
                Phase::Checking => of_result,
                Phase::Landing => !of_result,
                _ => false,
            })?;
            if attempt.evidence.contains(evidence) {
                return Ok(vec![]);
            }
        }
        Event::ChecksEnded { commit, passed, .. } => {
            return checks_ended(state, attempt, commit, *passed, event.clone(), ids);
        }
        Event::ItemOpened { ask, .. } => {
            let known = state.items.iter().any(|item| item.attempt == number && item.ask.same_request(ask));
            let asks_again = matches!(ask, Ask::Stall { .. } | Ask::Criterion { .. } | Ask::Review { .. });
            let open = state.open_items().any(|item| item.attempt == number && item.ask.same_request(ask));
            if open || (known && !asks_again) {
                return Ok(vec![]);
            }
        }
        Event::LandingPrepared { .. } | Event::Landed { .. } => fits(attempt.phase == Phase::Landing)?,
        Event::LandingFailed { .. } => fits(attempt.phase == Phase::Landing)?,
        Event::LandingUndone { .. } | Event::UndoFailed { .. } => fits(attempt.phase == Phase::Undoing)?,
        Event::RolledBack { .. } | Event::RollbackFailed { .. } => fits(attempt.phase == Phase::RollingBack)?,
        Event::AttemptHeld { until, .. } => {
            fits(attempt.phase == Phase::Queued)?;
            if attempt.held.as_ref().is_some_and(|held| held.until == *until) {
                return Ok(vec![]);
            }
        }
        Event::LimitOver { .. } => {
            let blocked = matches!(attempt.phase, Phase::Blocked { why: Blocked::UsageLimit { .. } });
            let held = attempt.phase == Phase::Queued && attempt.held.is_some();
            fits((blocked || held) && !state.archived)?;
            let mut events = vec![event];
            events.extend(super::again(attempt, crate::event::Origin::Limit));
            return Ok(events);
        }
        Event::AttemptBlocked { why, .. } => {
            if attempt.ended() || matches!(attempt.phase, Phase::Blocked { .. }) {
                return Ok(vec![]);
            }
            let running = attempt.running_turn().filter(|turn| !turn.cancel_requested);
            let cancel = running.filter(|_| matches!(why, Blocked::Budget { .. }));
            let cancel = cancel.map(|turn| Event::TurnCancelRequested { attempt: number, turn: turn.number });
            return Ok(cancel.into_iter().chain(block(state, number, why.clone(), ids)).collect());
        }
        // Facts, also when the person has changed their mind meanwhile: the stage then goes the other way.
        Event::WorkspaceArchived { .. } => fits(attempt.archived_as.is_none())?,
        Event::WorkspaceRestored { .. } => fits(attempt.archived_as.is_some())?,
        _ => return Err(Refusal::bad_input("that is not for a stage to say", "")),
    }
    Ok(vec![event])
}

/// An agent asks. What a rule allows is opened and answered at once, or answered where it is open already.
pub(super) fn asked(
    state: &TaskState,
    number: u16,
    ask: Ask,
    allowed: bool,
    ids: &mut Ids<'_>,
) -> Result<Vec<Event>, Refusal> {
    let allows = |option: &AskOption| matches!(option.effect, Effect::AllowOnce | Effect::AllowAlways);
    let allowed = allowed && matches!(&ask, Ask::Permission { options, .. } if options.iter().any(allows));
    let same = |item: &&InboxItem| item.attempt == number && item.ask.same_request(&ask);
    let open = state.open_items().find(same).map(|item| item.id);
    let mut events = report(state, ids.open(number, ask), ids)?;
    let opened = events.iter().find_map(|event| match event {
        Event::ItemOpened { item, .. } => Some(*item),
        _ => None,
    });
    if let (true, Some(item)) = (allowed, opened.or(open)) {
        events.push(Event::ItemAnswered { item, answer: Answer::Approved { always: false } });
    }
    Ok(events)
}

fn blocked_by(outcome: &TurnOutcome) -> Option<Blocked> {
    match outcome {
        TurnOutcome::Completed | TurnOutcome::Cancelled | TurnOutcome::Denied => None,
        TurnOutcome::Refused => Some(Blocked::Agent { text: "the model refused".to_owned() }),
        TurnOutcome::NeedsLogin { text, command } => {
            Some(Blocked::Login { text: text.clone(), command: command.clone() })
        }
        TurnOutcome::UsageLimit { text, until, guessed } => {
            Some(Blocked::UsageLimit { text: text.clone(), until: *until, guessed: *guessed })
        }
        TurnOutcome::NeedsCredit { text } => Some(Blocked::Credit { text: text.clone() }),
        TurnOutcome::NoProgress => Some(Blocked::Agent { text: "the agent did nothing".to_owned() }),
        TurnOutcome::AgentError { text }
        | TurnOutcome::CutShort { text }
        | TurnOutcome::ProcessEnded { text } => Some(Blocked::Agent { text: text.clone() }),
    }
}

/// Passed checks open the review and the criteria that a person judges.
fn checks_ended(
    state: &TaskState,
    attempt: &AttemptState,
    commit: &crate::ids::Oid,
    passed: bool,
    event: Event,
    ids: &mut Ids<'_>,
) -> Result<Vec<Event>, Refusal> {
    let current = attempt.result.as_ref().is_some_and(|result| result.commit == *commit);
    if attempt.phase != Phase::Checking || !current {
        return Err(wrong(state, attempt, "reported on like that"));
    }
    if passed && !attempt.proven(&state.spec) {
        return Err(Refusal::bad_input("the stored evidence does not prove the result", ""));
    }
    let mut events = vec![event];
    if passed {
        let criteria = state.unjudged(attempt.number).map(|criterion| {
            let text = state.spec.criteria.get(criterion).map(|c| c.text.clone()).unwrap_or_default();
            Ask::Criterion { criterion, text }
        });
        // What was asked before a person's words were queued and taken back again is still open.
        let open: Vec<_> = state.open_items().filter(|item| item.attempt == attempt.number).collect();
        let asks = criteria.chain([Ask::Review { commit: commit.clone() }]);
        let new = asks.filter(|ask| open.iter().all(|item| !item.ask.same_request(ask)));
        events.extend(new.map(|ask| ids.open(attempt.number, ask)));
    }
    Ok(events)
}
