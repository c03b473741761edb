//! What becomes of a task on another machine than the one it was exported from. Its processes, its workspaces and what
//! its agents remember stayed there; everything that Divisi itself keeps came along.

use std::collections::BTreeMap;

use crate::event::{Event, TurnOutcome, Usage};
use crate::ids::Oid;
use crate::state::{AttemptState, Phase, TaskState};

pub(super) fn import(state: &TaskState, why: &str, kept: &BTreeMap<u16, (Oid, String)>) -> Vec<Event> {
    state
        .attempts
        .iter()
        .flat_map(|attempt| attempt_events(attempt, why, kept.get(&attempt.number)))
        .collect()
}

fn attempt_events(attempt: &AttemptState, why: &str, kept: Option<&(Oid, String)>) -> Vec<Event> {
    let number = attempt.number;
    let mut events = Vec::new();
    if let Some(turn) = attempt.running_turn() {
        let outcome = TurnOutcome::ProcessEnded { text: why.to_owned() };
        events.push(Event::TurnEnded {
            attempt: number,
            turn: turn.number,
            outcome,
            usage: Usage::default(),
        });
    }
    for session in attempt.sessions.iter().filter(|s| s.closed.is_none() || s.agent_session.is_some()) {
        let (session, why) = (session.number, why.to_owned());
        events.push(Event::SessionClosed { attempt: number, session, why, forgotten: true });
    }
    match &attempt.phase {
        Phase::Undoing => events.push(Event::UndoFailed { attempt: number, why: why.to_owned() }),
        Phase::RollingBack => {
            events.push(Event::RollbackFailed { attempt: number, why: why.to_owned() });
        }
        _ if attempt.goes_on_by_itself() => {
            events.push(Event::AttemptStopped { attempt: number, why: Some(why.to_owned()) });
        }
        _ => {}
    }
    if let (Some((commit, reference)), None, Some(_)) = (kept, &attempt.archived_as, &attempt.workspace) {
        let (commit, reference) = (commit.clone(), reference.clone());
        events.push(Event::WorkspaceArchived { attempt: number, commit, reference, outside: None });
    }
    events
}
