//! What the stages need of workspaces, with the engine's names on one side and the workspace crate's on the other.
//! Everything that blocks runs beside the async tasks.

mod checkout;
mod environment;
mod keep;
mod result;
mod rollback;

use std::path::Path;

use divisi_model::TaskState;
use divisi_model::event::Workspace as Made;
use divisi_model::limits::PORTS_PER_ATTEMPT;
use divisi_model::project::Project;
use divisi_model::schedule::first_port;
use divisi_workspace::{Hub, Identity, IncludeLimits, Kind, NewWorkspace, Signature, Workspace, Workspaces};

use crate::context::blocking;
use crate::repository::{commit_id, hub, repository};
use crate::sandbox;
use crate::stage::StepError;
use crate::worker::{Attempt, Local};

pub(crate) use checkout::{clean_checkout, remove_checkout};
pub(crate) use environment::{check_environment, environment, place_variables};
pub use keep::{Back, PutAway, Taken};
pub(crate) use keep::{SNAPSHOTS, archive, bring_back, move_base, restore, snapshot};
pub(crate) use result::{result, trailers, with_markers};
pub use rollback::RolledBack;
pub(crate) use rollback::roll_back;

/// The folder that holds the workspaces of attempts, below the data folder.
pub(crate) const WORKSPACES: &str = "workspaces";
/// The folder that holds the checkouts of checks.
pub(crate) const CHECK_TREES: &str = "check-trees";

/// The name of an attempt's workspace and snapshots: `t12.1`.
pub fn name(task: &TaskState, attempt: u16) -> String {
    format!("{}.{attempt}", task.spec.number)
}

/// Makes the workspace of an attempt, or finds the one that was made before a restart.
pub(crate) async fn create(local: &Local, of: Attempt) -> Result<Made, StepError> {
    let local = local.clone();
    blocking(move || {
        let (task, attempt) = (&of.task, of.state()?);
        let Some((_, slot)) = attempt.lease else {
            return Err(StepError("the attempt has no slot".to_owned()));
        };
        let project = repository(&local, &of.project)?;
        let hub = hub(&local, &of.project).map_err(|error| StepError::of(&error))?;
        let base = commit_id(&attempt.base).map_err(|error| StepError::of(&error))?;
        hub.take_base(&project, &base).map_err(|error| StepError::of(&error))?;
        let spaces = spaces(&local, &of.project)?;
        let mut new =
            NewWorkspace::new(of.name(), base).on_branch(&attempt.branch).by(person(&local, &of.project)?);
        new.base_branch = Some(task.spec.base.branch.clone());
        new.ignore_also = project.own_excludes();
        if sandbox::has_overlays(&local.options) {
            new.kind = Kind::Overlay;
        }
        let mut space = match spaces.get(&of.name()) {
            Ok(space) if space.record().complete => space,
            _ => spaces.create(&hub, &new).map_err(|error| StepError::of(&error))?,
        };
        space.include_from(&project, IncludeLimits::default()).map_err(|error| StepError::of(&error))?;
        Ok(Made {
            path: utf8(&space.path())?,
            branch: attempt.branch.clone(),
            first_port: first_port(slot),
            ports: PORTS_PER_ATTEMPT,
            kind: kind_of(&space),
            setup_log: None,
            included: u32::try_from(space.record().included.len()).unwrap_or(u32::MAX),
        })
    })
    .await?
}

/// How a workspace is made, as people read it.
pub(crate) fn kind_of(space: &Workspace) -> String {
    if space.overlay().is_some() { "overlay" } else { "checkout" }.to_owned()
}

/// The hub of an attempt's project, and its workspace.
pub(crate) fn open(local: &Local, of: &Attempt) -> Result<(Hub, Workspace), StepError> {
    let hub = hub(local, &of.project).map_err(|error| StepError::of(&error))?;
    let space = spaces(local, &of.project)?.get(&of.name()).map_err(|error| StepError::of(&error))?;
    Ok((hub, space))
}

/// The folder of workspaces.
pub(crate) fn spaces(local: &Local, project: &Project) -> Result<Workspaces, StepError> {
    spaces_in(local, project, WORKSPACES)
}

/// A folder of workspaces of a project.
pub(crate) fn spaces_in(local: &Local, project: &Project, folder: &str) -> Result<Workspaces, StepError> {
    let project = repository(local, project)?;
    let root = local.path(folder);
    let opened = match local.options.anywhere {
        true => Workspaces::open_anywhere(&root, &project),
        false => Workspaces::open(&root, &project),
    };
    opened.map_err(|error| StepError::of(&error))
}

/// Who Divisi's commits are by: the person, as the project's git knows them.
pub(crate) fn person(local: &Local, project: &Project) -> Result<Identity, StepError> {
    let project = repository(local, project)?;
    let known = &local.options.person.identity;
    Ok(project.identity().unwrap_or_else(|| Identity::new(known.name.clone(), known.email.clone())))
}

/// The person's signature at a moment, in seconds since 1970.
pub(crate) fn signature(local: &Local, project: &Project, at: i64) -> Result<Signature, StepError> {
    Ok(Signature::new(person(local, project)?, at))
}

pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn utf8(path: &Path) -> Result<String, StepError> {
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| StepError(format!("{} is not valid UTF-8", path.display())))
}
