//! A command run to its end as a launch: a setup script, a check. A restart takes it up where it is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use divisi_model::{AttemptId, Phase};
use divisi_workspace::launch::{self, EndedBy, Exit, Launch, LaunchError, Outcome, Spec, Stderr};

use crate::context::{Context, blocking};
use crate::stage::StepError;

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

/// Runs a command to its end, or waits for the one that was started before a restart. `None` when the engine shuts
/// down, and the command lives on, or when nobody needs it any more, and it was ended.
pub(crate) async fn run(context: &Context, run: Run) -> Result<Option<Exit>, StepError> {
    let launch = start_or_attach(context, &run.dir, || {
        let mut spec = Spec::new(["sh", "-c", &run.command], &run.cwd);
        spec.env = run.environment.iter().map(|(k, v)| (k.into(), v.into())).collect();
        spec.stderr = Stderr::Journal;
        spec.timeout_ms = Some(u64::try_from(run.limit.as_millis()).unwrap_or(u64::MAX));
        spec.journal_cap = OUTPUT_BYTES;
        spec.on_cap = launch::OnCap::End;
        spec
    })
    .await?;
    let mut changes = context.authority.changes();
    loop {
        changes.borrow_and_update();
        if !is_needed(context, &run) {
            drop(launch.terminate(None).await);
            launch.wait().await;
            remove(&run.dir).await?;
            return Ok(None);
        }
        tokio::select! {
            exit = launch.wait() => {
                if says_something(&exit) {
                    return Ok(Some(exit));
                }
                remove(&run.dir).await?;
                return Err(StepError(format!("`{}` {}; it is run again", run.command, describe(&exit))));
            }
            () = context.stop.cancelled() => return Ok(None),
            _ = changes.changed() => {}
        }
    }
}

fn is_needed(context: &Context, run: &Run) -> bool {
    let task = context.authority.task_by_id(run.attempt.task);
    task.is_some_and(|task| {
        task.attempt(run.attempt.number).is_some_and(|attempt| run.needed_in.contains(&attempt.phase))
    })
}

/// Whether an exit is the command's own: not when the machine was switched off under it, or Divisi ended it.
fn says_something(exit: &Exit) -> bool {
    !matches!(exit.outcome, Outcome::Lost { .. })
        && !matches!(exit.ended_by, Some(EndedBy::Terminate | EndedBy::Kill))
}

async fn remove(dir: &Path) -> Result<(), StepError> {
    let dir = dir.to_owned();
    blocking(move || std::fs::remove_dir_all(dir)).await?.map_err(|error| StepError::of(&error))
}

/// Takes up the launch of a folder, or starts it if it never was.
pub(crate) async fn start_or_attach(
    context: &Context,
    dir: &Path,
    spec: impl FnOnce() -> Spec,
) -> Result<Launch, StepError> {
    let shim = &context.options.shim;
    match Launch::attach(dir, shim).await {
        Ok(launch) => return Ok(launch),
        Err(LaunchError::NotALaunch(_) | LaunchError::NeverStarted(_)) => {}
        Err(error) => return Err(StepError::of(&error)),
    }
    Launch::start(dir, &spec(), shim).await.map_err(|error| StepError::of(&error))
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

/// The end of a file as text.
pub(crate) fn end_of(path: &Path, bytes: u64) -> std::io::Result<String> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(bytes)))?;
    let mut end = Vec::new();
    file.take(bytes).read_to_end(&mut end)?;
    Ok(String::from_utf8_lossy(&end).into_owned())
}

/// The end of what a launch wrote, at most `bytes`, and its SHA-256 over all of it.
pub(crate) fn journal_end(dir: &Path, bytes: usize) -> std::io::Result<(String, String)> {
    use sha2::Digest as _;
    use std::io::Read as _;
    let mut file = std::fs::File::open(dir.join(launch::OUT_JOURNAL))?;
    let mut hash = sha2::Sha256::new();
    let mut end = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            break;
        }
        hash.update(&piece[..read]);
        end.extend_from_slice(&piece[..read]);
        if end.len() > 2 * bytes {
            end.drain(..end.len() - bytes);
        }
    }
    let cut = end.len().saturating_sub(bytes);
    let text = String::from_utf8_lossy(&end[cut..]).into_owned();
    Ok((text, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}
