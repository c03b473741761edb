//! Nothing is lost: snapshots, archive, restore, and the move onto another base.

use std::sync::Arc;

use divisi_model::{AttemptId, Oid, TaskState};
use divisi_workspace::{ArchiveError, ArchiveLimits, ArchiveRequest, SnapshotLimits, SnapshotRequest};

use super::result::words;
use super::{name, now, open, signature, spaces, utf8};
use crate::context::{Context, blocking};
use crate::repository::{commit_id, hub, oid, repository};
use crate::stage::StepError;

/// A snapshot that was taken.
pub(crate) struct Taken {
    /// Everything.
    pub(crate) commit: Oid,
    /// Everything that the attempt's own ignore rules do not hide: what a result is made of.
    pub(crate) visible: Oid,
    pub(crate) reference: String,
    pub(crate) notes: Vec<String>,
}

/// Keeps the whole workspace on a hidden ref.
pub(crate) async fn snapshot(context: &Arc<Context>, id: AttemptId, turn: u32) -> Result<Taken, StepError> {
    let context = Arc::clone(context);
    blocking(move || {
        let task = context.task(id)?;
        let (hub, space) = open(&context, &task, id)?;
        let request = SnapshotRequest {
            attempt: name(&task, id),
            number: None,
            message: format!("Turn {turn} of {}", task.handle(id.number)),
            by: signature(&context, &task, now())?,
            limits: SnapshotLimits::default(),
        };
        let taken = space.snapshot(&hub, &request).map_err(|error| StepError::of(&error))?;
        Ok(Taken {
            commit: oid(&taken.commit),
            visible: oid(&taken.visible),
            reference: taken.ref_name.clone(),
            notes: words(&taken.notes),
        })
    })
    .await?
}

/// Brings the workspace onto another base. The files that conflict have markers then, and are named.
pub(crate) async fn move_base(
    context: &Arc<Context>,
    id: AttemptId,
    base: &Oid,
) -> Result<Vec<String>, StepError> {
    let (context, base) = (Arc::clone(context), base.clone());
    blocking(move || {
        let task = context.task(id)?;
        let (hub, mut space) = open(&context, &task, id)?;
        let project = repository(&context, task.spec.project)?;
        let target = commit_id(&base).map_err(|error| StepError::of(&error))?;
        hub.take_base(&project, &target).map_err(|error| StepError::of(&error))?;
        let by = signature(&context, &task, now())?;
        let moved =
            space.move_base(&hub, &target, &name(&task, id), &by).map_err(|error| StepError::of(&error))?;
        Ok(moved.conflicts.iter().map(ToString::to_string).collect())
    })
    .await?
}

/// Keeps everything on a hidden ref, then removes the workspace. The commit and the ref. Of a workspace that was deleted
/// by hand the snapshot after its last turn is all there is.
pub(crate) async fn archive(context: &Arc<Context>, id: AttemptId) -> Result<(Oid, String), StepError> {
    let context = Arc::clone(context);
    blocking(move || {
        let task = context.task(id)?;
        let (hub, space) = open(&context, &task, id)?;
        let by = signature(&context, &task, now())?;
        let request = ArchiveRequest { by, limits: ArchiveLimits::default(), allow_loss: false };
        match spaces(&context, &task)?.archive(&hub, &space, &request) {
            Ok(archived) => {
                let reference = format!("refs/divisi/archives/{}/{}", name(&task, id), archived.commit);
                Ok((oid(&archived.commit), reference))
            }
            Err(ArchiveError::Gone(_)) => last_snapshot(&task, id),
            Err(error) => Err(StepError::of(&error)),
        }
    })
    .await?
}

fn last_snapshot(task: &TaskState, id: AttemptId) -> Result<(Oid, String), StepError> {
    let snapshots = task.attempt(id.number).into_iter().flat_map(|attempt| attempt.turns.iter().rev());
    let last = snapshots.into_iter().find_map(|turn| turn.snapshot.clone());
    last.ok_or_else(|| StepError("the workspace is gone, and no turn of it was snapshotted".to_owned()))
}

/// Brings an archived workspace back. Its path.
pub(crate) async fn restore(context: &Arc<Context>, id: AttemptId) -> Result<String, StepError> {
    let context = Arc::clone(context);
    blocking(move || {
        let task = context.task(id)?;
        let hub = hub(&context, task.spec.project).map_err(|error| StepError::of(&error))?;
        let (spaces, name) = (spaces(&context, &task)?, name(&task, id));
        let space = match spaces.restore(&hub, &name) {
            Err(ArchiveError::NoArchive(_)) => {
                let (snapshot, _) = last_snapshot(&task, id)?;
                let snapshot = commit_id(&snapshot).map_err(|error| StepError::of(&error))?;
                spaces.recreate(&hub, &name, &snapshot)
            }
            restored => restored,
        };
        utf8(&space.map_err(|error| StepError::of(&error))?.path())
    })
    .await?
}
