//! Starting the daemon in the background.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::process::Child;
use std::time::{Duration, Instant};

use divisi_api::Client;

use super::connect::{Found, WAIT_MAX, find};
use super::record;
use crate::dirs::{self, Dirs};
use crate::errors::{CommandError, Done, ErrorKind};

/// A log that is longer is put aside before the next start.
const LOG_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// How much of the log is shown when the daemon did not start.
const LOG_TAIL_BYTES: u64 = 2 * 1024;
/// Pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Starts `divisi serve` in a session of its own and waits until it answers. When several do so at once, all but one
/// of the new daemons find the lock taken and end, and everybody speaks with the one that is left.
pub(super) async fn start(dirs: &Dirs) -> Done<Client> {
    start_with(dirs, &[]).await
}

/// The same with further environment variables for the daemon.
pub(super) async fn start_with(dirs: &Dirs, also: &[(&str, &OsStr)]) -> Done<Client> {
    let (mut child, from) = spawn(dirs, also)?;
    let started = Instant::now();
    let mut ended = None;
    while started.elapsed() < WAIT_MAX {
        if let Found::Ours(client, _) = find(dirs).await {
            return Ok(client);
        }
        if ended.is_none() {
            ended = child.try_wait().ok().flatten();
        }
        // Code 0 means that another daemon was there first; it may not be ready yet.
        if let Some(status) = ended.filter(|status| !status.success()) {
            let mut error = cannot("the daemon did not start");
            error.causes.push(format!("it ended with {status}"));
            error.causes.extend(tail(dirs, from));
            return Err(error);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let mut error = cannot(&format!("the daemon was not ready within {} seconds", WAIT_MAX.as_secs()));
    error.causes.extend(tail(dirs, from));
    Err(error)
}

/// Starts the process and does not wait for it. Also gives where in its log it begins to speak.
pub(super) fn spawn(dirs: &Dirs, also: &[(&str, &OsStr)]) -> Done<(Child, u64)> {
    dirs::make_private(&dirs.state)?;
    let log = open_log(dirs)?;
    let from = log.metadata().map(|metadata| metadata.len()).unwrap_or_default();
    let program =
        record::program().map_err(|error| cannot("this program cannot be found").because(&error))?;
    let args = ["serve".into(), "--detached".into()];
    let also = also.iter().map(|(name, value)| (OsString::from(name), (*value).to_owned()));
    let variables = std::env::vars_os().chain(also);
    let child = divisi_workspace::start_detached(&program, &args, variables, &dirs.state, log);
    Ok((child.map_err(|error| cannot("the daemon cannot be started").because(&error))?, from))
}

fn open_log(dirs: &Dirs) -> Done<File> {
    let path = dirs.daemon_log();
    if std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LOG_BYTES_MAX) {
        // The one before it is given up; failing to do so only makes the log longer.
        let _ = std::fs::rename(&path, path.with_extension("log.old"));
    }
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
    file.map_err(|error| {
        let message = format!("cannot write {}", path.display());
        CommandError::new(ErrorKind::Daemon, message, dirs::KEPT_THERE).because(&error)
    })
}

/// What the daemon said since it was started.
fn tail(dirs: &Dirs, from: u64) -> Option<String> {
    let mut file = File::open(dirs.daemon_log()).ok()?;
    let end = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(from.max(end.saturating_sub(LOG_TAIL_BYTES)))).ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    let text = crate::render::clean::text(String::from_utf8_lossy(&bytes).trim());
    (!text.is_empty()).then(|| text.replace('\n', "\n    "))
}

fn cannot(message: &str) -> CommandError {
    CommandError::new(
        ErrorKind::Daemon,
        message,
        "divisi serve runs it in the foreground and shows what is wrong",
    )
}
