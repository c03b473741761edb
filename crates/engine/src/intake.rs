//! Intake: from what a person asked for to a task with a project, a base, agents and settings.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use divisi_agent::Readiness;
use divisi_model::project::Project;
use divisi_model::task::{Base, CheckedBy, Criterion, Permissions, TaskSpec, title_of};
use divisi_model::{Actor, Refusal, TaskState};
use serde::{Deserialize, Serialize};

use crate::authority::internal;
use crate::context::Context;

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
    let root = PathBuf::from(&project.root);
    let mut settings = context.options.settings.settings(&root)?;
    settings.permissions = new.permissions.unwrap_or(settings.permissions);
    settings.rounds = new.rounds.unwrap_or(settings.rounds);
    let agents = choose_agents(context, &root, &new)?;
    let base = context.worker.base(project.clone(), new.base.clone()).await?;
    let by_command = |command: &String| Criterion {
        text: command.clone(),
        by: CheckedBy::Command { command: command.clone() },
    };
    let criteria: Vec<_> = new.criteria.iter().cloned().chain(new.checks.iter().map(by_command)).collect();
    let title = new.title.clone().unwrap_or_else(|| title_of(&new.prompt));
    let project = project.id;
    let made = move |number| TaskSpec {
        number,
        project,
        title,
        prompt: new.prompt,
        criteria,
        base: Base { branch: base.branch, commit: base.commit },
        agents,
        settings,
    };
    context.authority.add_task(actor, made).await
}

/// One agent per attempt. An agent that is not ready is refused before anything is made.
fn choose_agents(context: &Context, root: &Path, new: &NewTask) -> Result<Vec<String>, Refusal> {
    let known = context.options.agents.agents(Some(root))?;
    let chosen = if new.agents.is_empty() {
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
        new.agents.clone()
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
            _ => {
                return Err(Refusal::not_ready(
                    format!("the agent `{name}` is not ready"),
                    agent.hint.clone(),
                ));
            }
        }
    }
    let each = usize::from(new.attempts.max(1));
    Ok(chosen.into_iter().flat_map(|name| std::iter::repeat_n(name, each)).collect())
}
