//! What rollbacks, and words that were taken back, leave an attempt at.

use crate::event::{Envelope, TurnOutcome};
use crate::ids::Oid;
use crate::state::{AttemptState, Phase, RollbackEnd, RollbackState};

pub(super) fn requested(attempt: &mut AttemptState, to: &Oid, paths: &[String], envelope: &Envelope) {
    attempt.rollbacks.push(RollbackState {
        to: to.clone(),
        paths: paths.to_vec(),
        after_turn: attempt.turns.last().map_or(0, |turn| turn.number),
        asked: envelope.at,
        by: envelope.actor.to_string(),
        from: attempt.phase.clone(),
        ended: None,
    });
    attempt.phase = Phase::RollingBack;
}

/// Words came for an attempt whose files are brought back: they wait until that is over.
pub(super) fn then_queued(attempt: &mut AttemptState) {
    if let Some(open) = attempt.rollbacks.last_mut().filter(|rollback| rollback.ended.is_none()) {
        open.from = Phase::Queued;
    }
}

/// Other files make another result, which is checked and reviewed anew. An attempt that was stopped, or that has words
/// waiting for its agent, goes on from where it was.
pub(super) fn ended(attempt: &mut AttemptState, end: RollbackEnd) {
    let Some(open) = attempt.rollbacks.last_mut().filter(|rollback| rollback.ended.is_none()) else { return };
    let changed = matches!(end, RollbackEnd::Done { files: 1.., .. });
    open.ended = Some(end);
    let from = open.from.clone();
    let checks = changed && attempt.queue.is_empty() && !attempt.turns.is_empty() && from != Phase::Stopped;
    if checks {
        attempt.result = None;
        attempt.rounds = 0;
    }
    attempt.phase = match from {
        _ if checks => Phase::Checking,
        Phase::Queued if attempt.queue.is_empty() => without_words(attempt),
        from => from,
    };
}

/// Where an attempt is whose last waiting words were taken back: what it had handed back is shown again, and one that
/// had not waits for other words.
pub(super) fn without_words(attempt: &AttemptState) -> Phase {
    let completed = attempt.turns.last().is_some_and(|turn| turn.outcome == Some(TurnOutcome::Completed));
    let changed = attempt.result.as_ref().is_none_or(|result| result.files > 0);
    if completed && changed { Phase::Checking } else { Phase::Waiting }
}
