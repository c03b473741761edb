//! Finding the daemon, and starting or replacing it where need be.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use divisi_api::Client;

use super::lock::DaemonLock;
use super::record::{DaemonRecord, Located, ProgramStamp};
use super::start;
use crate::dirs::Dirs;
use crate::env_vars;
use crate::errors::{CommandError, Done, ErrorKind};

/// How long a daemon may take to be there, or to be gone.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(30);
/// How long a daemon that lives may take to say so; whoever is silent for longer is none.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// The longest pause between two looks.
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// What a look for the daemon found.
pub(crate) enum Found {
    /// It runs, and it is this program's.
    Ours(Client, DaemonRecord),
    /// It runs, but it is of another version, or its program was built anew since.
    Other(Client, DaemonRecord),
    /// It does not run, or does not answer.
    Nobody,
}

/// Looks for the daemon without starting it.
pub(crate) async fn find(dirs: &Dirs) -> Found {
    let Some(record) = DaemonRecord::load(dirs) else { return Found::Nobody };
    let Ok(client) = Client::new(record.endpoint()) else { return Found::Nobody };
    // The record may be left over, and another program may listen there now: only who knows the token is the daemon.
    match tokio::time::timeout(ANSWER_MAX, client.health()).await {
        Ok(Ok(health)) if health.pid == record.pid => {
            let program = ProgramStamp::now().ok();
            let rebuilt = program.is_some_and(|now| now.path == record.program.path && now != record.program);
            let client = client.with_locate(Arc::new(Located(dirs.clone())));
            if record.version != env!("CARGO_PKG_VERSION") || rebuilt {
                Found::Other(client, record)
            } else {
                Found::Ours(client, record)
            }
        }
        _ => Found::Nobody,
    }
}

/// Speaks with the daemon. One that does not run is started; one of another version is replaced, which its agents do
/// not notice, because they live in shims of their own.
pub(crate) async fn connect(dirs: &Dirs) -> Done<Client> {
    match find(dirs).await {
        Found::Ours(client, _) => return Ok(client),
        Found::Other(client, record) => {
            tracing::debug!(version = record.version, "another version of the daemon is replaced");
            stop(dirs, &client).await?;
        }
        Found::Nobody => {}
    }
    start::start(dirs).await
}

/// Starts a daemon that has everything of its own below one folder, for a demonstration.
pub(crate) async fn start_in(root: &Path) -> Done<(Dirs, Client)> {
    let dirs = Dirs::below(Dirs::from_environment()?.home, root);
    let also = [(env_vars::DIVISI_HOME, root.as_os_str()), (env_vars::DIVISI_ANYWHERE, OsStr::new("1"))];
    let client = start::start_with(&dirs, &also).await?;
    Ok((dirs, client))
}

/// Asks the daemon to end and waits until it has.
pub(crate) async fn stop(dirs: &Dirs, client: &Client) -> Done {
    client.shutdown().await?;
    let gone = wait(|| DaemonLock::is_free(dirs).then_some(())).await;
    gone.ok_or_else(|| {
        let message = format!("the daemon did not end within {} seconds", WAIT_MAX.as_secs());
        CommandError::new(ErrorKind::Daemon, message, "its log is in Divisi's state folder: daemon.log")
    })
}

/// Waits until something is so; none when it is not within [`WAIT_MAX`].
pub(super) async fn wait<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(2);
    while started.elapsed() < WAIT_MAX {
        if let Some(found) = look() {
            return Some(found);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
    None
}
