//! A command run to its end as a launch: a setup script, a check. A restart takes it up where it is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use divisi_workspace::launch::{self, EndedBy, Exit, Launch, LaunchError, Outcome, Spec, Stderr};

use crate::context::Context;
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
}

/// Most bytes that one command may write; it is ended when it writes more.
const OUTPUT_BYTES: u64 = 256 << 20;

/// Runs a command to its end, or waits for the one that was started before a restart. When the engine shuts down, the
/// command lives on and this returns `None`.
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
    tokio::select! {
        exit = launch.wait() => Ok(Some(exit)),
        () = context.stop.cancelled() => Ok(None),
    }
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
