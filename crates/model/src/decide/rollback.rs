//! Bringing files back as a snapshot has them.

use super::{people, require_attempt, wrong};
use crate::event::Event;
use crate::ids::Oid;
use crate::limits;
use crate::refusal::Refusal;
use crate::state::{Phase, TaskState};

/// Only between turns: an agent at work would write over it, and would not know.
pub(super) fn roll_back(
    state: &TaskState,
    number: u16,
    to: Oid,
    paths: Vec<String>,
) -> Result<Vec<Event>, Refusal> {
    let attempt = require_attempt(state, number)?;
    people::not_archived(state)?;
    let handle = state.handle(number);
    if paths.len() > limits::ROLLBACK_PATHS {
        let most = limits::ROLLBACK_PATHS;
        return Err(Refusal::limit(
            format!("at most {most} paths at once"),
            "name a folder, or nothing for the whole workspace",
        ));
    }
    if let Some(turn) = attempt.running_turn() {
        return Err(Refusal::wrong_state(
            format!("{handle} is in turn {}, and its agent writes the files", turn.number),
            format!("divisi cancel {handle} ends the turn; then roll back"),
        ));
    }
    if attempt.workspace.is_none() || attempt.archived_as.is_some() {
        return Err(Refusal::wrong_state(
            format!("{handle} has no workspace"),
            format!("divisi show {handle} says what it waits for"),
        ));
    }
    match attempt.phase {
        Phase::Stopped if attempt.open_session().is_some() => {
            return Err(Refusal::wrong_state(
                format!("what {handle} started has not ended yet"),
                "try again in a moment",
            ));
        }
        Phase::Queued
        | Phase::InReview
        | Phase::Approved
        | Phase::Waiting
        | Phase::Blocked { .. }
        | Phase::Stopped => {}
        _ => return Err(wrong(state, attempt, "rolled back")),
    }
    if !attempt.has_snapshot(&to) {
        return Err(Refusal::not_found(
            format!("{handle} has no snapshot {}", to.short()),
            format!("divisi snapshots {handle} lists them"),
        ));
    }
    Ok(vec![Event::RollbackRequested { attempt: number, to, paths }])
}
