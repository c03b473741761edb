//! The files of a launch directory, and how the small ones are read and replaced.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, FlockOperation, fallocate, flock};
use rustix::io::Errno;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What is launched ([`Spec`](super::Spec)).
pub const SPEC: &str = "spec.json";
/// Every byte of the child's standard output.
pub const OUT_JOURNAL: &str = "out.journal";
/// The child's standard error.
pub const ERR_LOG: &str = "err.log";
/// What `err.log` held before it was rotated.
pub const ERR_OLD_LOG: &str = "err.old.log";
/// Every byte given to the child's standard input.
pub const IN_JOURNAL: &str = "in.journal";
/// How many bytes of `in.journal` are accepted; what lies beyond is half a message of a dead shim.
pub const IN_LENGTH: &str = "in.length";
/// Present when standard input ends after the accepted bytes.
pub const IN_EOF: &str = "in.eof";
/// How to end: the grace and the reason of the last request.
pub const END: &str = "end.json";
/// The bound of `out.journal` in bytes, if it was changed since the start.
pub const CAP: &str = "journal.cap";
/// How it ended ([`Exit`](super::Exit)).
pub const EXIT: &str = "exit.json";
/// Who it is ([`Identity`](super::Identity)).
pub const IDENTITY: &str = "identity.json";
/// Where the shim listens.
pub const SOCKET: &str = "shim.sock";
/// The child's standard output.
pub const STDOUT_FIFO: &str = "stdout.fifo";
/// The child's standard error.
pub const STDERR_FIFO: &str = "stderr.fifo";
/// What the shim itself has to complain about.
pub const SHIM_LOG: &str = "shim.log";

/// No small file of a launch directory is larger; a larger one is not ours.
const JSON_BYTES_MAX: u64 = 4 << 20;
/// Set aside for a file that must be written even on a full disk.
const RESERVE_BYTES: u64 = 4096;

/// Why a small file of a launch directory cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file system refuses.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The content is not what Divisi writes there.
    #[error("{path} is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where it goes wrong.
        source: serde_json::Error,
    },
    /// Too large to be one of ours.
    #[error("{path} has {bytes} bytes, too many for what belongs there")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
}

/// Whether a replaced file has to be on the disk before going on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sync {
    /// It must survive a power cut.
    Disk,
    /// It means nothing after a restart of the machine.
    No,
}

pub(super) fn read_json<T: DeserializeOwned>(dir: &Path, name: &str) -> Result<Option<T>, ReadError> {
    let path = dir.join(name);
    let size = match fs::symlink_metadata(&path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ReadError::Io { path, source }),
    };
    if size > JSON_BYTES_MAX {
        return Err(ReadError::TooLarge { path, bytes: size });
    }
    match fs::read(&path) {
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(value) => Ok(Some(value)),
            Err(source) => Err(ReadError::Damaged { path, source }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ReadError::Io { path, source }),
    }
}

pub(super) fn write_json<T: Serialize>(dir: &Path, name: &str, value: &T, sync: Sync) -> io::Result<()> {
    replace(dir, name, &serde_json::to_vec(value)?, sync)
}

/// Puts `bytes` at `name` so that a reader sees the old content or the new, never half of one.
pub(super) fn replace(dir: &Path, name: &str, bytes: &[u8], sync: Sync) -> io::Result<()> {
    let temporary = dir.join(format!("{name}.tmp"));
    // Not truncated before: the space that `reserve` has set aside must not be given back first.
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&temporary)?;
    file.write_all_at(bytes, 0)?;
    file.set_len(bytes.len() as u64)?;
    if sync == Sync::Disk {
        file.sync_all()?;
    }
    fs::rename(&temporary, dir.join(name))?;
    if sync == Sync::Disk {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// Sets space aside, so that `replace` can write `name` on a full disk too.
pub(super) fn reserve(dir: &Path, name: &str) -> io::Result<()> {
    let temporary = dir.join(format!("{name}.tmp"));
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&temporary)?;
    match fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES) {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Opens a file of the launch for reading and appending at a position of our own, never following a link.
pub(super) fn open_journal(path: &Path) -> io::Result<File> {
    // O_APPEND is left out because splice refuses it.
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32)
        .open(path)
}

/// Takes the lock of the one process that may write to the journal; `None` if another has it.
pub(super) fn lock_journal(dir: &Path) -> io::Result<Option<File>> {
    let journal = open_journal(&dir.join(OUT_JOURNAL))?;
    match flock(&journal, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(journal)),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
