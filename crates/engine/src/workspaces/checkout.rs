//! Clean checkouts of a commit, for checks.

use std::path::PathBuf;

use divisi_model::Oid;
use divisi_model::project::Project;
use divisi_workspace::{NewWorkspace, WorkspaceError};

use super::{CHECK_TREES, spaces_in};
use crate::context::blocking;
use crate::repository::{commit_id, hub};
use crate::stage::StepError;
use crate::worker::Local;

/// A clean checkout of a commit in the hub, for a check.
pub(crate) async fn clean_checkout(
    local: &Local,
    project: Project,
    commit: Oid,
    checkout: String,
) -> Result<PathBuf, StepError> {
    let local = local.clone();
    blocking(move || {
        let hub = hub(&local, &project).map_err(|error| StepError::of(&error))?;
        let spaces = spaces_in(&local, &project, CHECK_TREES)?;
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
    local: &Local,
    project: Project,
    checkout: String,
) -> Result<(), StepError> {
    let local = local.clone();
    blocking(move || {
        let spaces = spaces_in(&local, &project, CHECK_TREES)?;
        match spaces.get(&checkout) {
            Ok(space) => spaces.discard(&space).map_err(|error| StepError::of(&error)),
            Err(WorkspaceError::Unknown(_)) => Ok(()),
            Err(error) => Err(StepError::of(&error)),
        }
    })
    .await?
}
