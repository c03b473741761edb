//! What the stages need of workspaces, with the engine's names on one side and the workspace crate's on the other.
//! Everything that blocks runs beside the async tasks.

mod checkout;
mod environment;
mod keep;
mod result;

use std::path::Path;
use std::sync::Arc;

use divisi_model::event::Workspace as Made;
use divisi_model::limits::PORTS_PER_ATTEMPT;
use divisi_model::schedule::first_port;
use divisi_model::{AttemptId, ProjectId, TaskState};
use divisi_workspace::{Hub, Identity, IncludeLimits, NewWorkspace, Signature, Workspace, Workspaces};

use crate::context::{Context, blocking};
use crate::repository::{commit_id, hub, repository};
use crate::stage::StepError;

pub(crate) use checkout::{clean_checkout, remove_checkout};
pub(crate) use environment::{check_environment, environment, place_variables};
pub(crate) use keep::{archive, move_base, restore, snapshot};
pub(crate) use result::{result, trailers, with_markers};

/// The folder that holds the workspaces of attempts, below the data folder.
pub(crate) const WORKSPACES: &str = "workspaces";
/// The folder that holds the checkouts of checks.
pub(crate) const CHECK_TREES: &str = "check-trees";

/// The name of an attempt's workspace and snapshots: `t12.1`.
pub(crate) fn name(task: &TaskState, id: AttemptId) -> String {
    format!("{}.{}", task.spec.number, id.number)
}

/// Makes the workspace of an attempt, or finds the one that was made before a restart.
pub(crate) async fn create(context: &Arc<Context>, id: AttemptId) -> Result<Made, StepError> {
    let context = Arc::clone(context);
    blocking(move || {
        let task = context.task(id)?;
        let Some(attempt) = task.attempt(id.number) else {
            return Err(StepError("the attempt is gone".to_owned()));
        };
        let Some((_, slot)) = attempt.lease else {
            return Err(StepError("the attempt has no slot".to_owned()));
        };
        let project = repository(&context, task.spec.project)?;
        let hub = hub(&context, task.spec.project).map_err(|error| StepError::of(&error))?;
        let base = commit_id(&attempt.base).map_err(|error| StepError::of(&error))?;
        hub.take_base(&project, &base).map_err(|error| StepError::of(&error))?;
        let spaces = spaces(&context, &task)?;
        let mut new =
            NewWorkspace::new(name(&task, id), base).on_branch(&attempt.branch).by(person(&context, &task)?);
        new.base_branch = Some(task.spec.base.branch.clone());
        new.ignore_also = project.own_excludes();
        let mut space = match spaces.get(&name(&task, id)) {
            Ok(space) if space.record().complete => space,
            _ => spaces.create(&hub, &new).map_err(|error| StepError::of(&error))?,
        };
        space.include_from(&project, IncludeLimits::default()).map_err(|error| StepError::of(&error))?;
        Ok(Made {
            path: utf8(&space.path())?,
            branch: attempt.branch.clone(),
            first_port: first_port(slot),
            ports: PORTS_PER_ATTEMPT,
            kind: "checkout".to_owned(),
            setup_log: None,
            included: u32::try_from(space.record().included.len()).unwrap_or(u32::MAX),
        })
    })
    .await?
}

/// The hub of an attempt's project, and its workspace.
pub(crate) fn open(
    context: &Context,
    task: &TaskState,
    id: AttemptId,
) -> Result<(Hub, Workspace), StepError> {
    let hub = hub(context, task.spec.project).map_err(|error| StepError::of(&error))?;
    let space = spaces(context, task)?.get(&name(task, id)).map_err(|error| StepError::of(&error))?;
    Ok((hub, space))
}

/// The folder of workspaces.
pub(crate) fn spaces(context: &Context, task: &TaskState) -> Result<Workspaces, StepError> {
    spaces_in(context, task.spec.project, WORKSPACES)
}

/// A folder of workspaces of a project.
pub(crate) fn spaces_in(
    context: &Context,
    project: ProjectId,
    folder: &str,
) -> Result<Workspaces, StepError> {
    let project = repository(context, project)?;
    let root = context.path(folder);
    let opened = match context.options.anywhere {
        true => Workspaces::open_anywhere(&root, &project),
        false => Workspaces::open(&root, &project),
    };
    opened.map_err(|error| StepError::of(&error))
}

/// Who Divisi's commits are by: the person, as the project's git knows them.
pub(crate) fn person(context: &Context, task: &TaskState) -> Result<Identity, StepError> {
    let project = repository(context, task.spec.project)?;
    let known = &context.options.person.identity;
    Ok(project.identity().unwrap_or_else(|| Identity::new(known.name.clone(), known.email.clone())))
}

/// The person's signature at a moment, in seconds since 1970.
pub(crate) fn signature(context: &Context, task: &TaskState, at: i64) -> Result<Signature, StepError> {
    Ok(Signature::new(person(context, task)?, at))
}

pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn utf8(path: &Path) -> Result<String, StepError> {
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| StepError(format!("{} is not valid UTF-8", path.display())))
}
