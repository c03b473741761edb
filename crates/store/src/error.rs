//! What can go wrong, with a hint for people where there is something they can do.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use divisi_model::{Stream, TaskNumber};
use rusqlite::ErrorCode;

/// A cause that several requests of one group can share.
type Cause = Arc<dyn Error + Send + Sync>;

/// The store could not do what it was asked to. Nothing was half done.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or a file in it could not be made or opened.
    #[error("cannot make or open {}", path.display())]
    Folder {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: Arc<std::io::Error>,
    },
    /// Another process has this folder open.
    #[error("the data folder is in use by {}", pid.map_or("another process".to_owned(), |pid| format!("process {pid}")))]
    InUse {
        /// Which process, where it could be read.
        pid: Option<u32>,
    },
    /// The log was written by a newer program.
    #[error("the log has version {found}, and this program knows only versions up to {known}")]
    Newer {
        /// The log's version.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The file is a database, but not a log of Divisi.
    #[error("{} is a database of another program", path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
    },
    /// The file system cannot hold a write-ahead log.
    #[error("the file system of the data folder cannot hold a write-ahead log (`{found}` instead)")]
    NoWal {
        /// The journal mode that it has instead.
        found: String,
    },
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull(#[source] Cause),
    /// The log cannot be written.
    #[error("the log cannot be written")]
    ReadOnly(#[source] Cause),
    /// The file cannot be opened (any more).
    #[error("the log cannot be opened")]
    Unopenable(#[source] Cause),
    /// The file is damaged.
    #[error("the log is damaged")]
    Corrupt(#[source] Cause),
    /// The disk reported an error.
    #[error("the disk reported an error")]
    Disk(#[source] Cause),
    /// Another program holds the log.
    #[error("another program holds the log")]
    Held(#[source] Cause),
    /// Something stored cannot be understood.
    #[error("{what} cannot be understood")]
    Unreadable {
        /// What.
        what: String,
        /// Why.
        source: Cause,
    },
    /// The database refused for another reason.
    #[error("the database refused")]
    Database(#[source] Cause),
    /// The store is closed, or its writer has ended.
    #[error("the store is closed")]
    Closed,
}

/// Events were not appended, none of them.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else appended to the stream first: decide again on its newest state.
    #[error("{stream} is at version {found}, not {expected}")]
    Stale {
        /// The stream.
        stream: Stream,
        /// The version that the writer decided on.
        expected: u64,
        /// The version that the stream has.
        found: u64,
    },
    /// Another task has this number already.
    #[error("the number {number} is taken")]
    NumberTaken {
        /// The number.
        number: TaskNumber,
    },
    /// The event does not belong at this place of this stream.
    #[error("`{kind}` does not belong at version {version} of {stream}")]
    Misplaced {
        /// The stream.
        stream: Stream,
        /// The version that it would have had.
        version: u64,
        /// The event's kind.
        kind: String,
    },
    /// The events do not follow on the last one of the log.
    #[error("event {found} comes where {expected} should")]
    OutOfOrder {
        /// The number that should have come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// More than the store takes at once.
    #[error("{what} is more than the limit of {limit}")]
    TooLarge {
        /// What and how much.
        what: String,
        /// The limit.
        limit: usize,
    },
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AppendError {
    /// The failure of a whole group because one of its events was refused.
    pub(crate) fn into_store(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            refused => StoreError::unreadable(|| "an event of the other log".to_owned())(refused),
        }
    }
}

impl StoreError {
    /// What a person can do about it; empty where there is nothing to say.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Folder { source, .. } => match source.kind() {
                std::io::ErrorKind::StorageFull => "free some space; nothing that was acknowledged is lost",
                std::io::ErrorKind::ReadOnlyFilesystem => {
                    "make its disk writable, or choose another data folder: DIVISI_HOME"
                }
                _ => "check that the folder exists and belongs to you",
            },
            Self::InUse { .. } => "stop the other process first, or choose another data folder",
            Self::Newer { .. } => "install the newer version of divisi that wrote it",
            Self::NotALog { .. } => "choose another data folder",
            Self::NoWal { .. } => "put the data folder on a local disk",
            Self::DiskFull(_) => "free some space; nothing that was acknowledged is lost",
            Self::ReadOnly(_) => {
                "check the permissions of the data folder and that its disk is not mounted read-only"
            }
            Self::Unopenable(_) => {
                "check that the data folder still exists, its permissions, and the limit of open files"
            }
            Self::Corrupt(_) | Self::Disk(_) => "check the disk, and restore the data folder from a backup",
            Self::Held(_) => "close the program that has the log open",
            Self::Unreadable { .. } => "divisi doctor says which parts of the log are affected",
            Self::Database(_) | Self::Closed => "",
        }
    }

    pub(crate) fn folder(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Folder { path, source: Arc::new(source) }
    }

    pub(crate) fn unreadable<E>(what: impl FnOnce() -> String) -> impl FnOnce(E) -> Self
    where
        E: Error + Send + Sync + 'static,
    {
        move |source| Self::Unreadable { what: what(), source: Arc::new(source) }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error_code();
        let cause: Cause = Arc::new(error);
        match code {
            Some(ErrorCode::DiskFull) => Self::DiskFull(cause),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly(cause),
            Some(ErrorCode::CannotOpen) => Self::Unopenable(cause),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(cause),
            Some(ErrorCode::SystemIoFailure) => Self::Disk(cause),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Held(cause),
            _ => Self::Database(cause),
        }
    }
}
