//! The plan of a launch, made from an agent's definition, and carried out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use divisi_agent::{AgentLaunch, Definition, ExecTurn, LaunchContext, ModeName};
use divisi_model::task::Permissions;
use divisi_model::{AttemptId, AttemptState, TaskState};
use divisi_workspace::launch::{Spec, State};

use crate::context::{Context, blocking};
use crate::stage::StepError;
use crate::{run, sandbox, workspaces};

/// Why an agent was not started.
pub(super) enum Cannot {
    /// For a reason that a person must know.
    Start(String),
    /// For one of Divisi's own; it is tried again.
    Step(StepError),
}

impl From<StepError> for Cannot {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

/// The attempt's agent.
pub(super) fn definition(
    context: &Context,
    task: &TaskState,
    attempt: &AttemptState,
) -> Result<Definition, Cannot> {
    let root = context.authority.project(task.spec.project).map(|project| project.root);
    let found = context.options.agents.definition(&attempt.agent, root.as_deref().map(Path::new));
    found.map_err(|refusal| Cannot::Start(refusal.to_string()))
}

/// The private home of an attempt's agent.
pub(crate) fn home(context: &Context, task: &TaskState, attempt: u16) -> PathBuf {
    context.path(&format!("homes/{}.{attempt}", task.spec.number))
}

/// What the launch of the attempt's agent in its workspace and its private home depends on.
pub(super) fn launch_context(
    context: &Context,
    id: AttemptId,
    task: &TaskState,
    attempt: &AttemptState,
    turn: Option<ExecTurn>,
) -> Result<LaunchContext, StepError> {
    let Some(workspace) = &attempt.workspace else {
        return Err(StepError("the attempt has no workspace".to_owned()));
    };
    let home = home(context, task, id.number);
    let person = &context.options.person;
    let identity = &person.identity;
    Ok(LaunchContext {
        temp: home.join("tmp"),
        home,
        workspace: workspace.path.clone().into(),
        divisi: person.divisi.clone(),
        user_home: person.home.clone(),
        variables: person.variables.clone(),
        extra: workspaces::place_variables(context, id, workspace)?,
        identity: divisi_agent::Identity { name: identity.name.clone(), email: identity.email.clone() },
        mode: match task.spec.settings.permissions {
            Permissions::All => ModeName::Auto,
            Permissions::Ask | Permissions::Edits => ModeName::Ask,
        },
        turn,
    })
}

/// Plans the launch of the attempt's agent.
pub(super) async fn plan(
    context: &Arc<Context>,
    definition: &Definition,
    launch: &LaunchContext,
) -> Result<AgentLaunch, Cannot> {
    let facts = {
        let (agents, definition) = (Arc::clone(&context.options.agents), definition.clone());
        blocking(move || agents.facts(&definition)).await?
    };
    definition.launch(&facts, launch).map_err(|error| Cannot::Start(error.to_string()))
}

/// Furnishes the private home and says how to start the agent there.
pub(super) async fn furnish(
    context: &Arc<Context>,
    plan: AgentLaunch,
    task: &TaskState,
    workspace: &Path,
    dir: &Path,
) -> Result<Spec, Cannot> {
    let project = context.project(task)?;
    let spec = context.worker.furnish(plan, workspace.to_owned(), dir.to_owned()).await;
    let mut spec =
        spec.map_err(|error| Cannot::Start(format!("its private home cannot be made: {error}")))?;
    let visible = sandbox::for_project(&context.options, &project).visible;
    spec.sandbox.get_or_insert_default().visible.extend(visible);
    Ok(spec)
}

/// Starts the agent, or the relay to the one that it shares.
pub(super) async fn start(context: &Arc<Context>, spec: Spec, dir: &Path) -> Result<(), Cannot> {
    match run::start_or_attach(context, dir, || spec).await {
        Ok(_) => Ok(()),
        // One that runs whatever was said of its start is taken: let go of, it would run on unseen.
        Err(StepError(text)) => match context.worker.attach(dir.to_owned()).await? {
            Some(launch) if !matches!(launch.status().state, State::Ended(_)) => Ok(()),
            _ => Err(Cannot::Start(text)),
        },
    }
}
