//! A command run to its end as a launch: a setup script, a check. A restart takes it up where it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use divisi_model::{AttemptId, Phase};
use divisi_workspace::launch::{EndedBy, Exit, OnCap, Outcome, Spec, Stderr};

use crate::context::Context;
use crate::sandbox;
use crate::stage::StepError;
use crate::worker::Launch;

/// What is to be run.
pub(crate) struct Run {
    /// The launch folder.
    pub(crate) dir: PathBuf,
    /// Run by `sh -c`.
    pub(crate) command: String,
    /// Where.
    pub(crate) cwd: PathBuf,
    /// Its whole environment.
    pub(crate) environment: Vec<(String, String)>,
    /// How long it may take.
    pub(crate) limit: Duration,
    /// The attempt it is run for; when that no longer needs it, it is ended.
    pub(crate) attempt: AttemptId,
    /// The phases in which the attempt needs it.
    pub(crate) needed_in: &'static [Phase],
}

/// Most bytes that one command may write; it is ended when it writes more.
const OUTPUT_BYTES: u64 = 256 << 20;

/// Pause before a command that could not be told to end is told again.
const TELL_AGAIN: Duration = Duration::from_secs(1);

/// Runs a command to its end, or waits for the one that was started before a restart. `None` when the engine shuts
/// down, and the command lives on, or when nobody needs it any more, and it was ended.
pub(crate) async fn run(context: &Context, run: Run) -> Result<Option<Exit>, StepError> {
    let project = context.project(&*context.task(run.attempt)?)?;
    let launch = start_or_attach(context, &run.dir, || {
        let mut spec = Spec::new(["sh", "-c", &run.command], &run.cwd);
        spec.env = run.environment.iter().map(|(k, v)| (k.into(), v.into())).collect();
        spec.stderr = Stderr::Journal;
        spec.timeout_ms = Some(u64::try_from(run.limit.as_millis()).unwrap_or(u64::MAX));
        spec.journal_cap = OUTPUT_BYTES;
        spec.on_cap = OnCap::End;
        spec.sandbox = Some(sandbox::for_project(&context.options, &project));
        spec
    })
    .await?;
    let mut changes = context.authority.changes();
    loop {
        changes.mark_seen();
        if !is_needed(context, &run) {
            // One that was not reached would go on with nobody looking: the attempt waits for its end no longer.
            while let Err(error) = launch.terminate().await {
                tracing::warn!(attempt = %run.attempt, %error, "a command could not be told to end");
                tokio::select! {
                    biased;
                    () = context.stop.cancelled() => return Ok(None),
                    () = tokio::time::sleep(TELL_AGAIN) => {}
                }
            }
            launch.wait().await;
            context.worker.remove(run.dir).await?;
            return Ok(None);
        }
        tokio::select! {
            biased;
            exit = launch.wait() => {
                if says_something(&exit) {
                    return Ok(Some(exit));
                }
                context.worker.remove(run.dir).await?;
                return Err(StepError(format!("`{}` {}; it is run again", run.command, describe(&exit))));
            }
            () = context.stop.cancelled() => return Ok(None),
            () = changes.changed() => {}
        }
    }
}

fn is_needed(context: &Context, run: &Run) -> bool {
    let task = context.authority.task_by_id(run.attempt.task);
    task.is_some_and(|task| {
        task.attempt(run.attempt.number).is_some_and(|attempt| run.needed_in.contains(&attempt.phase))
    })
}

/// Whether an exit is the command's own: not when its shell could not be started, the machine was switched off under it,
/// or Divisi ended it.
fn says_something(exit: &Exit) -> bool {
    !matches!(exit.outcome, Outcome::Lost { .. } | Outcome::NotStarted { .. })
        && !matches!(exit.ended_by, Some(EndedBy::Terminate | EndedBy::Kill))
}

/// Takes up the launch of a folder, or starts it if it never was.
pub(crate) async fn start_or_attach(
    context: &Context,
    dir: &Path,
    spec: impl FnOnce() -> Spec,
) -> Result<Arc<dyn Launch>, StepError> {
    match context.worker.attach(dir.to_owned()).await? {
        Some(launch) => Ok(launch),
        None => context.worker.start(dir.to_owned(), spec()).await,
    }
}

/// How a process ended, for people.
pub(crate) fn describe(exit: &Exit) -> String {
    match (exit.ended_by, &exit.outcome) {
        (Some(EndedBy::Timeout), _) => "was ended at its time limit".to_owned(),
        (Some(EndedBy::OutputLimit), _) => "was ended because it wrote too much".to_owned(),
        (_, Outcome::Exited { code }) => format!("ended with exit code {code}"),
        (_, Outcome::Signaled { signal }) => format!("was ended by signal {signal}"),
        (_, Outcome::NotStarted { error }) => format!("could not be started: {error}"),
        (_, Outcome::Lost { why }) => format!("is gone: {why}"),
    }
}
