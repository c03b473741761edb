//! Prepare: a leased attempt gets its workspace, its setup passes, and a workspace that lags behind what landed is
//! brought onto its new base.

use std::sync::Arc;
use std::time::Duration;

use divisi_model::event::{Event, Workspace};
use divisi_model::{AttemptId, AttemptState, Phase, TaskState};

use crate::context::Context;
use crate::run::{Run, run};
use crate::stage::{Stage, StepError};
use crate::workspaces;

/// How much of a failed setup's log goes into the reason, in bytes.
const REASON_BYTES: usize = 600;

/// See the module.
pub(crate) struct Prepare;

impl Stage for Prepare {
    const NAME: &'static str = "prepare";

    fn waiting(&self, _task: &TaskState, attempt: &AttemptState) -> bool {
        attempt.phase == Phase::Preparing
    }

    async fn step(&self, context: Arc<Context>, id: AttemptId) -> Result<(), StepError> {
        let task = context.task(id)?;
        let Some(attempt) = task.attempt(id.number) else { return Ok(()) };
        let workspace = match &attempt.workspace {
            Some(workspace) => match brought_back(&context, id, attempt).await? {
                None => workspace.clone(),
                Some(kind) => {
                    let again = Workspace { kind, ..workspace.clone() };
                    match setup(&context, id, &task, again).await? {
                        Some(workspace) => workspace,
                        None => return Ok(()),
                    }
                }
            },
            None => {
                let made = match context.worker.create(context.attempt(id)?).await {
                    Ok(made) => made,
                    Err(StepError(why)) => {
                        let why = format!("the workspace could not be made: {why}");
                        return context
                            .report(id, Event::WorkspaceFailed { attempt: id.number, why, log: None })
                            .await;
                    }
                };
                match setup(&context, id, &task, made).await? {
                    Some(workspace) => workspace,
                    None => return Ok(()),
                }
            }
        };
        if let Some(base) = &attempt.move_base_to {
            let conflicts = context.worker.move_base(context.attempt(id)?, base.clone()).await?;
            context
                .report(id, Event::BaseMoved { attempt: id.number, base: base.clone(), conflicts })
                .await?;
        }
        context.report(id, Event::WorkspaceReady { attempt: id.number, workspace }).await
    }

    fn give_up(&self, attempt: &AttemptState, why: String) -> Option<Event> {
        Some(Event::WorkspaceFailed { attempt: attempt.number, why, log: None })
    }
}

/// Makes a workspace again that was deleted by hand, and says how it is made now. An agent that is still in the old folder is ended, and takes its
/// session up in the new one.
async fn brought_back(
    context: &Context,
    id: AttemptId,
    attempt: &AttemptState,
) -> Result<Option<String>, StepError> {
    if attempt.archived_as.is_some() {
        return Ok(None);
    }
    let Some(kind) = context.worker.bring_back(context.attempt(id)?).await? else { return Ok(None) };
    if let Some(open) = attempt.open_session() {
        let why = "its workspace was deleted and made again".to_owned();
        context
            .report(
                id,
                Event::SessionClosed { attempt: id.number, session: open.number, why, forgotten: false },
            )
            .await?;
    }
    Ok(Some(kind))
}

/// Runs the setup script; its log stays. `None`: it failed, which is reported, or the engine shuts down.
async fn setup(
    context: &Context,
    id: AttemptId,
    task: &TaskState,
    mut workspace: Workspace,
) -> Result<Option<Workspace>, StepError> {
    let Some(command) = task.spec.settings.setup.clone() else { return Ok(Some(workspace)) };
    // The moment at which preparing began names the run: the same after a restart, another when it is tried again.
    let since = task.attempt(id.number).map_or(0, |attempt| attempt.since.as_millisecond());
    let relative = format!("setups/{}.{}/{since}", task.spec.number, id.number);
    let dir = context.path(&relative);
    let environment = workspaces::environment(context, id, &workspace)?;
    let limit = Duration::from_secs(u64::from(task.spec.settings.setup_timeout_seconds));
    let cwd = workspace.path.clone().into();
    let needed_in = &[Phase::Preparing];
    let setup = Run { dir: dir.clone(), command, cwd, environment, limit, attempt: id, needed_in };
    let Some(exit) = run(context, setup).await? else { return Ok(None) };
    if exit.success() {
        workspace.setup_log = Some(relative);
        return Ok(Some(workspace));
    }
    let (end, _) = context.worker.log_end(dir, REASON_BYTES).await.unwrap_or_default();
    let why = format!("the setup script {}:\n{}", crate::run::describe(&exit), end.trim_end());
    context.report(id, Event::WorkspaceFailed { attempt: id.number, why, log: Some(relative) }).await?;
    Ok(None)
}
