//! The lock that makes two daemons at once impossible. The kernel gives it up when its holder ends, however it ends.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::dirs::Dirs;
use crate::errors::{CommandError, Done};

/// Held by the daemon as long as it lives.
pub(crate) struct DaemonLock {
    _file: File,
}

impl DaemonLock {
    /// Takes the lock; none when somebody else holds it.
    pub(crate) fn take(dirs: &Dirs) -> Done<Option<Self>> {
        let path = dirs.daemon_lock();
        let cannot = |error: &dyn std::error::Error| {
            CommandError::failed(format!("cannot lock {}", path.display()), crate::dirs::KEPT_THERE)
                .because(error)
        };
        crate::dirs::make_private(&dirs.state)?;
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(&path).map_err(|error| cannot(&error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(cannot(&error)),
        }
    }

    /// Whether nobody holds it.
    pub(crate) fn is_free(dirs: &Dirs) -> bool {
        matches!(Self::take(dirs), Ok(Some(_)))
    }
}
