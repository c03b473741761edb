//! Intake: from what a person asked for to a task with a project, a base, agents and settings.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use divisi_agent::Readiness;
use divisi_model::budget::Budget;
use divisi_model::project::Project;
use divisi_model::task::{Asked, Base, CheckedBy, Criterion, Permissions, TaskSettings, TaskSpec, title_of};
use divisi_model::{Actor, Command, Refusal, TaskNumber, TaskState};
use divisi_workspace::Scope;
use serde::{Deserialize, Serialize};

use crate::authority::internal;
use crate::context::Context;
use crate::images::{self, NamedImage};

/// The scripted agent. It is always ready, but it only plays scripts, so nobody gets it without asking for it.
const REHEARSAL: &str = "rehearsal";

/// What a person asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewTask {
    /// A folder in the project.
    pub root: PathBuf,
    /// The prompt or spec.
    pub prompt: String,
    /// The images that belong to it.
    pub images: Vec<NamedImage>,
    /// A title; else the prompt's first line.
    pub title: Option<String>,
    /// Acceptance criteria.
    pub criteria: Vec<Criterion>,
    /// Commands that must exit 0, each a criterion of its own.
    pub checks: Vec<String>,
    /// The agents; none chooses the first that is ready.
    pub agents: Vec<String>,
    /// Attempts per agent; 0 counts as 1.
    pub attempts: u16,
    /// The branch or commit to start from; none is the project's current branch.
    pub base: Option<String>,
    /// Overrides the project's setting.
    pub permissions: Option<Permissions>,
    /// Overrides the project's setting.
    pub rounds: Option<u16>,
    /// The paths that may be changed, as patterns of `.gitignore`; none: all.
    pub scope: Vec<String>,
    /// How much each attempt may use before a person is asked.
    pub budget: Option<Budget>,
    /// It is only put on the board: a person starts it later.
    pub stage: bool,
}

/// A project that is known now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The project.
    pub project: Project,
    /// Where it was, if it was found again at another place just now.
    pub moved_from: Option<String>,
}

pub(crate) async fn add_project(context: &Arc<Context>, actor: Actor, root: &Path) -> Result<Known, Refusal> {
    let top = context.worker.top(root.to_owned()).await?;
    let root = crate::repository::text(&top)?;
    let Some(moved) = moved_to(context, &top, &root).await? else {
        let project = context.authority.add_project(actor, folder_name(&top), root).await?;
        return Ok(Known { project, moved_from: None });
    };
    let moved_from = Some(moved.root);
    let project = context.authority.move_project(actor, moved.id, folder_name(&top), root).await?;
    Ok(Known { project, moved_from })
}

/// The project whose repository was moved to this folder, as far as anybody can tell: its old place is gone, and the
/// history here begins as its own does.
async fn moved_to(context: &Context, top: &Path, root: &str) -> Result<Option<Project>, Refusal> {
    let projects = context.authority.projects();
    if projects.iter().any(|project| project.root == root) {
        return Ok(None);
    }
    let mut found = None;
    // Of several the newest: ids grow.
    for project in projects {
        let moved = context.worker.has_moved(project.clone(), top.to_owned()).await;
        if moved.map_err(|error| internal(error.0))? {
            found = Some(project);
        }
    }
    Ok(found)
}

fn folder_name(top: &Path) -> String {
    top.file_name().map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned())
}

pub(crate) async fn add_task(
    context: &Arc<Context>,
    actor: Actor,
    new: NewTask,
) -> Result<Arc<TaskState>, Refusal> {
    if new.prompt.trim().is_empty() {
        return Err(Refusal::bad_input(
            "the prompt is empty",
            "say what is wanted: divisi run \"fix the parser\"",
        ));
    }
    let top = context.worker.top(new.root.clone()).await?;
    let root = crate::repository::text(&top)?;
    if let Some(moved) = moved_to(context, &top, &root).await? {
        return Err(Refusal::wrong_state(
            format!("this is {}, which was in {} and is not there any more", moved.name, moved.root),
            "divisi init takes it over, with its tasks; then give out this one",
        ));
    }
    let project = context.authority.add_project(actor.clone(), folder_name(&top), root).await?;
    let stage = new.stage;
    let spec = wanted(context, &project, new).await?;
    context.authority.add_task(actor, stage, move |number| TaskSpec { number, ..spec }).await
}

/// Changes a staged task to what is wanted now.
pub(crate) async fn edit_task(
    context: &Arc<Context>,
    actor: Actor,
    task: &TaskState,
    new: NewTask,
) -> Result<Arc<TaskState>, Refusal> {
    let project = project_of(context, task)?;
    // Only the rules can say whether it may be changed; a change of what has started looks nothing up.
    let spec = match task.staged() {
        true => wanted(context, &project, NewTask { stage: true, ..new }).await?,
        false => task.spec.clone(),
    };
    context.authority.submit(actor, task.id, Command::Edit { spec: Box::new(spec) }).await
}

/// Starts a staged task, from where its base is now and with the project's settings as they are now.
pub(crate) async fn start_task(
    context: &Arc<Context>,
    actor: Actor,
    task: &TaskState,
) -> Result<Arc<TaskState>, Refusal> {
    let mut spec = task.spec.clone();
    if task.staged() && !task.archived {
        let project = project_of(context, task)?;
        let root = PathBuf::from(&project.root);
        choose_agents(context, &root, &spec.agents, 1, false)?;
        spec.settings = settings(context, &root, &spec.asked)?;
        // The branch that it lands on was settled when it was staged, whatever is checked out now.
        let from = spec.asked.base.clone().unwrap_or_else(|| spec.base.branch.clone());
        spec.base.commit = context.worker.base(project, Some(from)).await?.commit;
    }
    context.authority.submit(actor, task.id, Command::Start { spec: Box::new(spec) }).await
}

fn project_of(context: &Context, task: &TaskState) -> Result<Project, Refusal> {
    context.project(task).map_err(|error| internal(error.0))
}

/// What is wanted, looked up as it is now; its number is for whoever adds it.
async fn wanted(context: &Arc<Context>, project: &Project, new: NewTask) -> Result<TaskSpec, Refusal> {
    let root = PathBuf::from(&project.root);
    let asked = Asked { base: new.base, permissions: new.permissions, rounds: new.rounds };
    let settings = settings(context, &root, &asked)?;
    Scope::new(&new.scope).map_err(|error| Refusal::bad_input(error.to_string(), "--scope \"src/**\""))?;
    let agents = choose_agents(context, &root, &new.agents, new.attempts, new.stage)?;
    require_prompt_fits(context, &root, &agents, new.prompt.len())?;
    let base = context.worker.base(project.clone(), asked.base.clone()).await?;
    let images = images::named(context, new.images).await?;
    let by_command = |command: &String| Criterion {
        text: command.clone(),
        by: CheckedBy::Command { command: command.clone() },
    };
    let criteria: Vec<_> = new.criteria.iter().cloned().chain(new.checks.iter().map(by_command)).collect();
    Ok(TaskSpec {
        number: TaskNumber(0),
        project: project.id,
        title: new.title.unwrap_or_else(|| title_of(&new.prompt)),
        prompt: new.prompt,
        images,
        criteria,
        base: Base { branch: base.branch, commit: base.commit },
        agents,
        settings,
        scope: new.scope,
        budget: new.budget,
        asked,
    })
}

/// Some commands take their prompt as an argument, which holds less than a prompt may. That is told now and not when the
/// agent is to start. One that is not known yet is only staged.
fn require_prompt_fits(
    context: &Context,
    root: &Path,
    agents: &[String],
    bytes: usize,
) -> Result<(), Refusal> {
    let known = agents.iter().filter_map(|name| context.options.agents.definition(name, Some(root)).ok());
    for definition in known {
        definition.require_prompt_fits(bytes).map_err(|error| {
            let hint = "put the text in a file of the repository and name it, or choose another agent";
            Refusal::limit(error.to_string(), hint)
        })?;
    }
    Ok(())
}

fn settings(context: &Context, root: &Path, asked: &Asked) -> Result<TaskSettings, Refusal> {
    let mut settings = context.options.settings.settings(root)?;
    settings.permissions = asked.permissions.unwrap_or(settings.permissions);
    settings.rounds = asked.rounds.unwrap_or(settings.rounds);
    Ok(settings)
}

/// One agent per attempt. An agent that is not ready is refused before anything is made; one of a task that is only
/// staged may become ready until it starts.
fn choose_agents(
    context: &Context,
    root: &Path,
    agents: &[String],
    attempts: u16,
    stage: bool,
) -> Result<Vec<String>, Refusal> {
    let known = context.options.agents.agents(Some(root))?;
    let chosen = if agents.is_empty() {
        let first = known
            .iter()
            .find(|agent| agent.readiness.is_usable() && agent.name != REHEARSAL)
            .ok_or_else(|| {
                Refusal::not_ready(
                    "no agent is ready",
                    "divisi agents says what each one lacks and how to mend it",
                )
            })?;
        vec![first.name.clone()]
    } else {
        agents.to_vec()
    };
    for name in &chosen {
        let Some(agent) = known.iter().find(|agent| agent.name == *name) else {
            return Err(Refusal::not_found(
                format!("there is no agent `{name}`"),
                "divisi agents lists them",
            ));
        };
        match &agent.readiness {
            Readiness::Ready { .. } | Readiness::Unverified { .. } => {}
            _ if stage => {}
            _ => {
                return Err(Refusal::not_ready(
                    format!("the agent `{name}` is not ready"),
                    agent.hint.clone(),
                ));
            }
        }
    }
    let each = usize::from(attempts.max(1));
    Ok(chosen.into_iter().flat_map(|name| std::iter::repeat_n(name, each)).collect())
}
