//! Putting a workspace away and bringing it back.
//!
//! An archive holds everything in the folder: tracked, untracked and ignored files, empty folders, the private git
//! directory and those of nested repositories, with modes and times. It is a commit of the hub (a manifest, and the
//! blobs that it names). The folder is removed only when every byte was read back, nothing changed meanwhile, and it
//! is the very folder that Divisi made. Left out are sockets, pipes and devices, which hold nothing, and ignored
//! folders that mark themselves as caches (`CACHEDIR.TAG`); both are named.

mod gather;
mod layered;
mod manifest;
mod put_away;
mod restore;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::git::GitError;
use crate::hub::HubError;
use crate::ids::{CommitId, RepoPath, Signature};
use crate::snapshot::Note;
use crate::space::WorkspaceError;

/// Why a workspace was not archived or restored. Its folder is then as it was.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The folder is missing.
    #[error("the folder of workspace {0:?} is not there")]
    Gone(String),
    /// The folder in its place is not the one that Divisi made.
    #[error("{} is not the folder that Divisi made, so it is left alone", .0.display())]
    NotOurs(PathBuf),
    /// Something cannot be put into the archive, and would be lost.
    #[error("{} paths cannot be archived and would be lost", .0.len())]
    WouldLose(Vec<Note>),
    /// Something was written while the archive was made: a process is still at work there.
    #[error("{0} changed while the workspace was being archived")]
    StillChanging(RepoPath),
    /// What was stored cannot be read back.
    #[error("the archived copy of {0} cannot be read back")]
    NotReadable(RepoPath),
    /// It was never archived.
    #[error("workspace {0:?} has no archive")]
    NoArchive(String),
    /// The archive is not of the form that this version writes.
    #[error("the archive of workspace {0:?} is damaged")]
    Damaged(String),
    /// A file or folder.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: RepoPath,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// Git failed.
    #[error("cannot {doing}")]
    Git {
        /// What was tried.
        doing: &'static str,
        /// Cause.
        #[source]
        source: GitError,
    },
    /// The hub failed.
    #[error("cannot use the hub")]
    Hub(#[from] HubError),
    /// The workspace's record.
    #[error("cannot use the workspace's record")]
    Workspace(#[from] WorkspaceError),
}

/// Bounds of an archive. Beyond them [`ArchiveError::WouldLose`] says what.
#[derive(Debug, Clone, Copy)]
pub struct ArchiveLimits {
    /// Largest file, in bytes.
    pub file_bytes: u64,
    /// All bytes.
    pub total_bytes: u64,
    /// Most files and folders.
    pub entries: usize,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self { file_bytes: 2 << 30, total_bytes: 12 << 30, entries: 2_000_000 }
    }
}

/// How to archive.
#[derive(Debug, Clone)]
pub struct ArchiveRequest {
    /// Who archives, and when.
    pub by: Signature,
    /// Bounds.
    pub limits: ArchiveLimits,
    /// Remove the folder although something in it could not be archived. Only for a person who was shown what.
    pub allow_loss: bool,
}

/// An archive that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archived {
    /// The commit, anchored by `refs/divisi/archives/<workspace>/<commit>`.
    pub commit: CommitId,
    /// Files and links in it.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// What is not in it.
    pub left_out: Vec<Note>,
    /// Where that is now which somebody had put into the empty folder of an overlay, where its agent did not see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<PathBuf>,
}
