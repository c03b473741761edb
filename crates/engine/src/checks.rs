//! Running checks: each in its own clean checkout, several at a time, each once per tree.

use std::sync::Arc;
use std::time::Duration;

use divisi_model::event::Event;
use divisi_model::evidence::{CheckOutcome, Evidence};
use divisi_model::task::{Check, slug};
use divisi_model::{AttemptId, AttemptState, Oid, Phase, TaskState};
use divisi_workspace::launch::{EndedBy, Exit, Outcome};
use futures::future::try_join_all;

use crate::context::Context;
use crate::run::{self, Run};
use crate::stage::StepError;
use crate::workspaces;

/// What is checked.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The commit.
    pub commit: Oid,
    /// Its tree: evidence holds for it.
    pub tree: Oid,
}

/// How much of a log is searched for the counts of a test runner, in bytes of its end.
const COUNT_BYTES: usize = 64 * 1024;

/// Runs every check that has no evidence for the subject's tree yet. Whether all of it is there now: not when the
/// engine shuts down, or something else came first.
pub(crate) async fn run_missing(
    context: &Arc<Context>,
    id: AttemptId,
    task: &TaskState,
    subject: &Subject,
) -> Result<bool, StepError> {
    let Some(attempt) = task.attempt(id.number) else { return Ok(false) };
    let missing = |check: &Check| attempt.evidence_for(&check.name, &subject.tree).is_none();
    let checks: Vec<_> =
        task.spec.checks().into_iter().enumerate().filter(|(_, check)| missing(check)).collect();
    let runs =
        checks.iter().map(|(place, check)| run_one(context, id, task, attempt, (*place, check), subject));
    let done = try_join_all(runs).await?;
    Ok(done.into_iter().all(|stored| stored))
}

async fn run_one(
    context: &Arc<Context>,
    id: AttemptId,
    task: &TaskState,
    attempt: &AttemptState,
    (place, check): (usize, &Check),
    subject: &Subject,
) -> Result<bool, StepError> {
    let permit = context.checks.acquire().await.map_err(|error| StepError::of(&error))?;
    let attempt_name = workspaces::name(task, id.number);
    let run_name = format!("{}-{}-{}", subject.commit.short(), place + 1, slug(&check.name));
    let tree_name = format!("{attempt_name}-{run_name}");
    let log = format!("checks/{attempt_name}/{run_name}");
    let started = context.now();
    let project = context.project(task)?;
    let tree =
        context.worker.clean_checkout(project.clone(), subject.commit.clone(), tree_name.clone()).await;
    // That is no fault of what is checked, and nobody is sent back for it.
    let tree = tree.map_err(|StepError(why)| StepError(format!("no clean checkout: {why}")))?;
    let environment = workspaces::check_environment(context, task, attempt, &tree);
    let limit = Duration::from_secs(u64::from(check.timeout_seconds));
    let dir = context.path(&log);
    let command = check.command.clone();
    let needed_in = &[Phase::Checking, Phase::Landing];
    let run = Run { dir: dir.clone(), command, cwd: tree, environment, limit, attempt: id, needed_in };
    let Some(exit) = run::run(context, run).await? else { return Ok(false) };
    let (end, log_sha256) = context.worker.log_end(dir, COUNT_BYTES).await.unwrap_or_default();
    let stored = Evidence {
        check: check.name.clone(),
        command: check.command.clone(),
        required: check.required,
        criterion: check.criterion,
        commit: subject.commit.clone(),
        tree: subject.tree.clone(),
        outcome: outcome(&exit),
        started,
        millis: exit.ended_at_ms.saturating_sub(exit.started_at_ms),
        log_sha256,
        log,
        counts: crate::counts::counts(&end),
        environment: format!("{} {}, local", std::env::consts::OS, std::env::consts::ARCH),
    };
    drop(permit);
    let reported = context
        .try_report(id, Event::EvidenceStored { attempt: id.number, evidence: Box::new(stored) })
        .await;
    context.worker.remove_checkout(project, tree_name).await?;
    reported
}

fn outcome(exit: &Exit) -> CheckOutcome {
    match (exit.ended_by, &exit.outcome) {
        (Some(EndedBy::Timeout), _) => CheckOutcome::TimedOut,
        (Some(EndedBy::OutputLimit), _) => {
            CheckOutcome::NotRun { why: "it wrote too much output".to_owned() }
        }
        (_, Outcome::Exited { code: 0 }) => CheckOutcome::Passed,
        (_, Outcome::Exited { code }) => CheckOutcome::Failed { code: *code },
        (_, Outcome::Signaled { signal }) => CheckOutcome::Signalled { signal: *signal },
        (_, Outcome::NotStarted { error }) => CheckOutcome::NotRun { why: error.clone() },
        (_, Outcome::Lost { why }) => CheckOutcome::NotRun { why: why.clone() },
    }
}
