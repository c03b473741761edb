//! The snapshots of an attempt in the order of time, each with what it changed.

use std::sync::Arc;

use divisi_model::project::Project;
use divisi_model::state::RollbackEnd;
use divisi_model::{AttemptId, AttemptState, Oid, Refusal};
use divisi_workspace::{DiffLimits, DiffStat};
use jiff::Timestamp;

use crate::authority::internal;
use crate::context::{Context, blocking};
use crate::repository::{commit_id, hub};
use crate::stage::StepError;
use crate::worker::Local;

/// Most snapshots whose changes are counted at once; of more, the newest.
const COUNTED_MAX: usize = 200;

/// One snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotAt {
    /// The commit.
    pub commit: Oid,
    /// What it was taken for.
    pub moment: Moment,
    /// When; for the base, when the attempt's task was given out.
    pub at: Timestamp,
    /// What changed since the one before; nothing for the first, and where that is not counted.
    pub changed: Option<DiffStat>,
}

/// What a snapshot was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It is what the workspace started from, or was moved onto.
    Base,
    /// The end of this turn.
    Turn(u32),
    /// What was there before a rollback, which came after this turn.
    BeforeRollback(u32),
}

pub(crate) async fn list(context: &Arc<Context>, id: AttemptId) -> Result<Vec<SnapshotAt>, Refusal> {
    let of = context.attempt(id).map_err(|error| internal(error.0))?;
    let attempt = of.state().map_err(|error| internal(error.0))?;
    let mut found = known(attempt, of.task.added);
    let first = found.len().saturating_sub(COUNTED_MAX).max(1);
    let pairs: Vec<_> =
        (first..found.len()).map(|n| (found[n - 1].commit.clone(), found[n].commit.clone())).collect();
    let counted = context.worker.count(of.project.clone(), pairs).await.map_err(|error| internal(error.0))?;
    for (snapshot, stat) in found.iter_mut().skip(first).zip(counted) {
        snapshot.changed = Some(stat);
    }
    Ok(found)
}

fn known(attempt: &AttemptState, added: Timestamp) -> Vec<SnapshotAt> {
    let at = |commit: &Oid, moment, at| SnapshotAt { commit: commit.clone(), moment, at, changed: None };
    let turns = attempt.turns.iter().filter_map(|turn| {
        let (commit, _) = turn.snapshot.as_ref()?;
        Some(at(commit, Moment::Turn(turn.number), turn.ended.unwrap_or(turn.started)))
    });
    let rollbacks = attempt.rollbacks.iter().filter_map(|rollback| match &rollback.ended {
        Some(RollbackEnd::Done { before: (commit, _), .. }) => {
            Some(at(commit, Moment::BeforeRollback(rollback.after_turn), rollback.asked))
        }
        _ => None,
    });
    let mut found: Vec<_> = turns.chain(rollbacks).collect();
    found.sort_by_key(|snapshot| snapshot.at);
    found.insert(0, at(&attempt.base, Moment::Base, added));
    found
}

/// Counts what changed between each of these pairs of commits in the hub.
pub(crate) async fn count(
    local: &Local,
    project: Project,
    pairs: Vec<(Oid, Oid)>,
) -> Result<Vec<DiffStat>, StepError> {
    let local = local.clone();
    let work = move || {
        let hub = hub(&local, &project).map_err(|error| StepError::of(&error))?;
        let id = |oid: &Oid| commit_id(oid).map_err(|error| StepError::of(&error));
        let stat = |(from, to): &(Oid, Oid)| {
            let diff = hub.diff_files(&id(from)?, &id(to)?, &DiffLimits::default());
            diff.map(|diff| diff.stat).map_err(|error| StepError::of(&error))
        };
        pairs.iter().map(stat).collect()
    };
    blocking(work).await?
}
