//! Prepare: a leased attempt gets its workspace, its setup passes, and a workspace that lags behind what landed is
//! brought onto its new base.

use std::sync::Arc;
use std::time::Duration;

use divisi_model::event::{Event, Workspace};
use divisi_model::schedule::first_port;
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
            Some(workspace) => {
                let workspace = as_it_is(&context, id, attempt, workspace.clone()).await?;
                match workspace.setup_log {
                    Some(_) => workspace,
                    None => match setup(&context, id, &task, workspace).await? {
                        Some(workspace) => workspace,
                        None => return Ok(()),
                    },
                }
            }
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

    async fn give_up(
        &self,
        _: &Context,
        _: &TaskState,
        attempt: &AttemptState,
        why: String,
    ) -> Option<Event> {
        Some(Event::WorkspaceFailed { attempt: attempt.number, why, log: None })
    }
}

/// Makes a workspace again that was deleted by hand, and gives it the ports of the attempt's slot. An agent that is still
/// in the old folder, or knows the old ports, is ended and takes its session up again.
async fn as_it_is(
    context: &Context,
    id: AttemptId,
    attempt: &AttemptState,
    mut workspace: Workspace,
) -> Result<Workspace, StepError> {
    let slot = attempt.lease.as_ref().map(|lease| lease.1);
    let moved = slot.is_some_and(|slot| workspace.move_ports(first_port(slot)));
    let made = match attempt.archived_as {
        Some(_) => None,
        None => context.worker.bring_back(context.attempt(id)?).await?,
    };
    let again = made.is_some();
    if let Some(kind) = made {
        workspace.kind = kind;
        workspace.setup_log = None;
    }
    if let (true, Some(open)) = (again || moved, attempt.open_session()) {
        let why = if again { "its workspace was deleted and made again" } else { "its ports are others" };
        let (attempt, session, why) = (id.number, open.number, why.to_owned());
        context.report(id, Event::SessionClosed { attempt, session, why, forgotten: false }).await?;
    }
    Ok(workspace)
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
