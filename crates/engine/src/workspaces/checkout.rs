//! Clean checkouts of a commit, for checks.

use std::path::PathBuf;
use std::sync::Arc;

use divisi_model::{Oid, TaskState};
use divisi_workspace::{NewWorkspace, WorkspaceError};

use super::{CHECK_TREES, spaces_in};
use crate::context::{Context, blocking};
use crate::repository::{commit_id, hub};
use crate::stage::StepError;

/// A clean checkout of a commit in the hub, for a check.
pub(crate) async fn clean_checkout(
    context: &Arc<Context>,
    task: &TaskState,
    commit: &Oid,
    checkout: &str,
) -> Result<PathBuf, StepError> {
    let (context, project, commit) = (Arc::clone(context), task.clone(), commit.clone());
    let checkout = checkout.to_owned();
    blocking(move || {
        let hub = hub(&context, project.spec.project).map_err(|error| StepError::of(&error))?;
        let spaces = spaces_in(&context, project.spec.project, CHECK_TREES)?;
        match spaces.get(&checkout) {
            Ok(space) if space.record().complete => return Ok(space.path()),
            Ok(_) | Err(WorkspaceError::Unknown(_)) => {}
            Err(error) => return Err(StepError::of(&error)),
        }
        let new = NewWorkspace::new(checkout, commit_id(&commit).map_err(|error| StepError::of(&error))?);
        let made = spaces.create(&hub, &new).map_err(|error| StepError::of(&error))?;
        Ok(made.path())
    })
    .await?
}

/// Removes a checkout that a check ran in.
pub(crate) async fn remove_checkout(
    context: &Arc<Context>,
    task: &TaskState,
    checkout: &str,
) -> Result<(), StepError> {
    let (context, task, checkout) = (Arc::clone(context), task.clone(), checkout.to_owned());
    blocking(move || {
        let spaces = spaces_in(&context, task.spec.project, CHECK_TREES)?;
        match spaces.get(&checkout) {
            Ok(space) => spaces.discard(&space).map_err(|error| StepError::of(&error)),
            Err(WorkspaceError::Unknown(_)) => Ok(()),
            Err(error) => Err(StepError::of(&error)),
        }
    })
    .await?
}
