//! `daemon.json`: where the running daemon is.

use std::path::PathBuf;
use std::time::SystemTime;

use divisi_api::{Endpoint, Locate};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::lock::DaemonLock;
use super::start;
use crate::dirs::Dirs;
use crate::errors::{CommandError, Done};

/// What is known of a running daemon. Only its owner can read it, because it holds the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DaemonRecord {
    /// Its process.
    pub(crate) pid: u32,
    /// Where it listens.
    pub(crate) address: String,
    /// What it wants to hear.
    pub(crate) token: String,
    /// Its version.
    pub(crate) version: String,
    /// Its program, so that one that was built anew is noticed.
    pub(crate) program: ProgramStamp,
    /// When it started.
    pub(crate) started: Timestamp,
}

/// A program as it was at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProgramStamp {
    /// Its path.
    pub(crate) path: PathBuf,
    /// When it was last changed, in nanoseconds since 1970.
    pub(crate) changed: u64,
}

/// Finds the daemon again by its record.
pub(crate) struct Located(pub(crate) Dirs);

impl DaemonRecord {
    /// What is written there; none when there is no record or it cannot be read.
    pub(crate) fn load(dirs: &Dirs) -> Option<Self> {
        let text = std::fs::read(dirs.daemon_record()).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Writes it, whole or not at all.
    pub(crate) fn save(&self, dirs: &Dirs) -> Done {
        let path = dirs.daemon_record();
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        crate::dirs::write_private(&path, &text).map_err(|error| {
            CommandError::failed(format!("cannot write {}", path.display()), "").because(&error)
        })
    }

    /// Removes it, if it is still that of this process.
    pub(crate) fn remove(dirs: &Dirs) {
        if Self::load(dirs).is_some_and(|record| record.pid == std::process::id()) {
            let _ = std::fs::remove_file(dirs.daemon_record());
        }
    }

    /// Where to reach it.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint { address: self.address.clone(), token: self.token.clone() }
    }
}

impl ProgramStamp {
    /// This program as it is on the disk now.
    pub(crate) fn now() -> std::io::Result<Self> {
        let path = program()?;
        let changed = std::fs::metadata(&path).and_then(|metadata| metadata.modified()).ok();
        let since = changed.and_then(|changed| changed.duration_since(SystemTime::UNIX_EPOCH).ok());
        let changed = since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or_default();
        Ok(Self { path, changed })
    }
}

impl Locate for Located {
    /// A daemon that was ended on purpose takes its record with it. One that is gone without was killed, and is started
    /// anew for whoever waits; when several do so at once, all but one find the lock taken.
    fn locate(&self) -> Option<Endpoint> {
        let record = DaemonRecord::load(&self.0)?;
        if DaemonLock::is_free(&self.0) && Dirs::from_environment().is_ok_and(|dirs| dirs == self.0) {
            // The next look finds it, or tries again.
            let _ = start::spawn(&self.0, &[]);
        }
        Some(record.endpoint())
    }
}

/// The path of this program, also after it was replaced by a newer one, which Linux marks in the name.
pub(crate) fn program() -> std::io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    let replaced = path.to_str().and_then(|text| text.strip_suffix(" (deleted)")).map(PathBuf::from);
    Ok(replaced.filter(|path| path.exists()).unwrap_or(path))
}
