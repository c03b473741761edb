//! What is around an attempt at this moment: what its processes use, where its workspace stands, who listens on its
//! ports. Looked at when somebody asks, and never by itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use divisi_model::{AttemptId, AttemptState, Oid, Refusal};
use divisi_workspace::launch::{self, Listener, Usage};
use divisi_workspace::{DiskUse, Presence};

use crate::authority::internal;
use crate::context::{Context, blocking};
use crate::repository::{commit_id, oid, repository};
use crate::stage::StepError;
use crate::worker::{Attempt, Local};
use crate::workspaces;

/// What an attempt uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// What its agent and everything that this started use; nothing while no agent lives.
    pub usage: Option<Usage>,
    /// What its workspace takes; nothing while it has none.
    pub disk: Option<DiskUse>,
}

/// Where an attempt's workspace stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The commit that its work is compared with.
    pub base: Oid,
    /// Where the target branch is now; nothing if it is gone.
    pub target: Option<Oid>,
    /// Commits of its result that the base does not have.
    pub ahead: u64,
    /// Commits of the target that the base does not have; nothing if that cannot be told.
    pub behind: Option<u64>,
    /// Files that differ from the base now; nothing while there is no workspace.
    pub changed: Option<usize>,
    /// Its ports, and who listens there.
    pub ports: Vec<(u16, Option<Listener>)>,
}

pub(crate) async fn resources(context: &Arc<Context>, id: AttemptId) -> Result<Resources, Refusal> {
    let (of, launch) = known(context, id)?;
    context.worker.resources(of, launch).await.map_err(|error| internal(error.0))
}

pub(crate) async fn standing(context: &Arc<Context>, id: AttemptId) -> Result<Standing, Refusal> {
    let (of, launch) = known(context, id)?;
    context.worker.standing(of, launch).await.map_err(|error| internal(error.0))
}

/// The attempt, and the launch of its agent while one lives.
fn known(context: &Arc<Context>, id: AttemptId) -> Result<(Attempt, Option<PathBuf>), Refusal> {
    let of = context.attempt(id).map_err(|error| internal(error.0))?;
    let session = of.state().map_err(|error| internal(error.0))?.open_session();
    let launch = session.map(|session| context.path(&session.launch));
    Ok((of, launch))
}

/// What an attempt uses on this machine.
pub(crate) async fn used(
    local: &Local,
    of: Attempt,
    launch: Option<PathBuf>,
) -> Result<Resources, StepError> {
    let local = local.clone();
    blocking(move || {
        let usage = match &launch {
            Some(dir) => launch::usage(dir).map_err(|error| StepError::of(&error))?,
            None => None,
        };
        let is_here = |attempt: &AttemptState| attempt.workspace.is_some() && attempt.archived_as.is_none();
        let disk = match is_here(of.state()?) {
            true => Some(workspaces::open(&local, &of)?.1.disk_use()),
            false => None,
        };
        Ok(Resources { usage, disk })
    })
    .await?
}

/// Where a workspace on this machine stands.
pub(crate) async fn stands(
    local: &Local,
    of: Attempt,
    launch: Option<PathBuf>,
) -> Result<Standing, StepError> {
    let local = local.clone();
    blocking(move || {
        let attempt = of.state()?;
        let project = repository(&local, &of.project)?;
        let base = commit_id(&attempt.base).map_err(|error| StepError::of(&error))?;
        let target = project.branch(&of.task.spec.base.branch).map_err(|error| StepError::of(&error))?;
        let behind = target.as_ref().and_then(|target| project.commits_between(&base, target).ok());
        let mut standing = Standing {
            base: attempt.base.clone(),
            target: target.as_ref().map(oid),
            ahead: 0,
            behind,
            changed: None,
            ports: Vec::new(),
        };
        let Some(made) = attempt.workspace.as_ref().filter(|_| attempt.archived_as.is_none()) else {
            return Ok(standing);
        };
        let (hub, space) = workspaces::open(&local, &of)?;
        if let Some(result) = &attempt.result {
            let result = commit_id(&result.commit).map_err(|error| StepError::of(&error))?;
            standing.ahead = hub.commits_between(&base, &result).map_err(|error| StepError::of(&error))?;
        }
        if space.presence() == Presence::Present {
            standing.changed = Some(space.changed(&hub).map_err(|error| StepError::of(&error))?.len());
        }
        let ports: Vec<u16> = (made.first_port..made.first_port.saturating_add(made.ports)).collect();
        let dirs: Vec<&Path> = launch.iter().map(PathBuf::as_path).collect();
        let mut listening = launch::listeners(&dirs, &ports).map_err(|error| StepError::of(&error))?;
        standing.ports = ports.into_iter().map(|port| (port, listening.remove(&port))).collect();
        Ok(standing)
    })
    .await?
}
