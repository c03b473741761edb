//! The environment of what runs in a workspace.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use divisi_model::event::Workspace as Made;
use divisi_model::{AttemptId, AttemptState, TaskState};
use divisi_workspace::environment::{Place, build, describe};
use divisi_workspace::ports::PortBlock;

use super::name;
use crate::context::Context;
use crate::stage::StepError;

/// The whole environment of a setup script in the workspace.
pub(crate) fn environment(
    context: &Context,
    id: AttemptId,
    made: &Made,
) -> Result<Vec<(String, String)>, StepError> {
    let task = context.task(id)?;
    Ok(place(context, &task, id, made, Path::new(&made.path), true))
}

/// The whole environment of a check: that of the attempt, but in its own checkout.
pub(crate) fn check_environment(
    context: &Context,
    task: &TaskState,
    attempt: &AttemptState,
    tree: &Path,
) -> Vec<(String, String)> {
    let id = AttemptId { task: task.id, number: attempt.number };
    match &attempt.workspace {
        Some(made) => place(context, task, id, made, tree, true),
        None => Vec::new(),
    }
}

/// The variables that tell an agent where it is.
pub(crate) fn place_variables(
    context: &Context,
    id: AttemptId,
    made: &Made,
) -> Result<BTreeMap<String, String>, StepError> {
    let task = context.task(id)?;
    Ok(place(context, &task, id, made, Path::new(&made.path), false).into_iter().collect())
}

fn place(
    context: &Context,
    task: &TaskState,
    id: AttemptId,
    made: &Made,
    at: &Path,
    whole: bool,
) -> Vec<(String, String)> {
    let root = context.authority.project(task.spec.project).map(|project| project.root).unwrap_or_default();
    let handle = name(task, id.number);
    let place = Place {
        root_path: Path::new(&root),
        workspace_path: at,
        branch: &made.branch,
        task: &handle,
        ports: Some(PortBlock { first: made.first_port, count: made.ports }),
    };
    let person = &context.options.person;
    let variables = match whole {
        false => describe(&place),
        true => {
            let inherited: Vec<(OsString, OsString)> =
                person.variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
            let also = &task.spec.settings.pass_environment;
            build(&inherited, also, Some(&person.home), &place)
        }
    };
    let text = |text: OsString| text.into_string().ok();
    variables.into_iter().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect()
}
