//! What people look at: diffs and logs.

use std::path::PathBuf;
use std::sync::Arc;

use divisi_model::project::Project;
use divisi_model::{AttemptId, AttemptState, Oid, Refusal, TaskState};
use divisi_workspace::{Diff, DiffLimits};
use serde::{Deserialize, Serialize};

use crate::authority::internal;
use crate::context::{Context, blocking};
use crate::repository::{commit_id, hub};
use crate::stage::StepError;
use crate::worker::Local;

/// Which change is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiffScope {
    /// The result against its base.
    #[default]
    Result,
    /// The files as they are now, against the base; a snapshot is taken for it.
    Now,
    /// What one turn changed.
    Turn(u32),
}

/// Longest log that is handed out, in bytes; of a longer one its end.
const LOG_BYTES: u64 = 16 << 20;

pub(crate) async fn diff(context: &Arc<Context>, id: AttemptId, scope: DiffScope) -> Result<Diff, Refusal> {
    let task = task(context, id)?;
    let attempt = attempt(&task, id)?;
    let handle = task.handle(id.number);
    let nothing = |what: &str| {
        Refusal::wrong_state(format!("{handle} has no {what} yet"), format!("divisi show {handle}"))
    };
    let (from, to) = match scope {
        DiffScope::Result => {
            let result = attempt.result.as_ref().ok_or_else(|| nothing("result"))?;
            (result.base.clone(), result.commit.clone())
        }
        DiffScope::Now => {
            if attempt.workspace.is_none() || attempt.archived_as.is_some() {
                return Err(nothing("workspace"));
            }
            let turn = attempt.turns.last().map_or(0, |turn| turn.number);
            let of = context.attempt(id).map_err(|error| internal(error.0))?;
            let taken = context.worker.snapshot(of, turn).await.map_err(|error| internal(error.0))?;
            (attempt.base.clone(), taken.visible)
        }
        DiffScope::Turn(number) => {
            let of = |number: u32| {
                attempt.turns.iter().find(|t| t.number == number).and_then(|t| t.snapshot.clone())
            };
            let (to, _) = of(number).ok_or_else(|| nothing(&format!("snapshot of turn {number}")))?;
            let before =
                number.checked_sub(1).and_then(of).map_or_else(|| attempt.base.clone(), |(commit, _)| commit);
            (before, to)
        }
    };
    let project = context.project(&task).map_err(|error| internal(error.0))?;
    context.worker.diff(project, from, to).await.map_err(|error| internal(error.0))
}

/// What changed between two commits in the hub.
pub(crate) async fn between(local: &Local, project: Project, from: Oid, to: Oid) -> Result<Diff, StepError> {
    let local = local.clone();
    let work = move || {
        let hub = hub(&local, &project).map_err(|error| StepError::of(&error))?;
        let id = |oid: &Oid| commit_id(oid).map_err(|error| StepError::of(&error));
        let diff = hub.diff(&id(&from)?, &id(&to)?, &DiffLimits::default());
        diff.map_err(|error| StepError::of(&error))
    };
    blocking(work).await?
}

pub(crate) async fn check_log(
    context: &Arc<Context>,
    id: AttemptId,
    evidence: usize,
) -> Result<Vec<u8>, Refusal> {
    let task = task(context, id)?;
    let Some(evidence) = attempt(&task, id)?.evidence.get(evidence) else {
        let handle = task.handle(id.number);
        return Err(Refusal::not_found(
            "there is no such evidence",
            format!("divisi show {handle} lists it"),
        ));
    };
    log(context, context.path(&evidence.log)).await
}

pub(crate) async fn setup_log(context: &Arc<Context>, id: AttemptId) -> Result<Vec<u8>, Refusal> {
    let task = task(context, id)?;
    let attempt = attempt(&task, id)?;
    let kept = attempt.workspace.as_ref().and_then(|workspace| workspace.setup_log.clone());
    let Some(relative) = kept.or_else(|| attempt.setup_failed.clone()) else {
        return Err(Refusal::not_found("no setup script ran", "set one in divisi.toml: setup = \"npm ci\""));
    };
    log(context, context.path(&relative)).await
}

async fn log(context: &Context, dir: PathBuf) -> Result<Vec<u8>, Refusal> {
    let read = context.worker.log(dir, LOG_BYTES).await;
    read.map_err(|error| internal(format!("the log cannot be read: {error}")))
}

fn task(context: &Context, id: AttemptId) -> Result<Arc<TaskState>, Refusal> {
    let found = context.authority.task_by_id(id.task);
    found.ok_or_else(|| Refusal::not_found("there is no such task", "divisi ls lists the tasks"))
}

fn attempt(task: &TaskState, id: AttemptId) -> Result<&AttemptState, Refusal> {
    let found = task.attempt(id.number);
    found.ok_or_else(|| Refusal::not_found(format!("{} has no attempt {}", task.spec.number, id.number), ""))
}
