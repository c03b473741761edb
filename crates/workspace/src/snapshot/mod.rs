//! Snapshots: the whole workspace at a moment, as a commit on a hidden ref of the hub.
//!
//! Divisi reads the files itself, without following a link, and hands their bytes to git; git never opens the
//! workspace, and the agent's own index, configuration, HEAD, excludes and attributes are not asked. Bytes are
//! recorded as they are (no line-ending conversion, no clean filter): what was checked is what lands, and no
//! attribute file that an agent can write decides what is recorded.
//!
//! What counts as ignored is decided by the base's `.gitignore` files. What only the attempt's own rules hide is
//! recorded all the same, and reported; see [`Snapshot`] for the two commits that this gives.

mod changed;
mod dot_files;
mod doubt;
mod read_file;
mod take;
mod walk;

pub use changed::ChangedFile;
pub(crate) use dot_files::{is_cache_tag, rules_of};
pub(crate) use take::temporary_ref;

use serde::{Deserialize, Serialize};

use crate::git::GitError;
use crate::hub::HubError;
use crate::ids::{CommitId, RepoPath, Signature};
use crate::result::ResultError;

/// Most notes of one snapshot; more are counted in [`Snapshot::notes_dropped`].
pub const MAX_NOTES: usize = 500;

impl From<ResultError> for SnapshotError {
    fn from(error: ResultError) -> Self {
        match error {
            ResultError::Hub(source) => Self::Hub(source),
            ResultError::Io { doing, source } => Self::Io { doing, source },
            ResultError::Git { doing, source } => Self::Git { doing, source },
        }
    }
}

/// Why a snapshot could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The workspace's folder is missing, or another stands in its place.
    #[error("the folder of workspace {0:?} is not there")]
    Gone(String),
    /// More files than can be recorded.
    #[error("the workspace holds more than {0} files")]
    TooManyFiles(usize),
    /// A file or folder outside of what can be left out with a note.
    #[error("cannot {doing}")]
    Io {
        /// What was tried.
        doing: &'static str,
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
}

/// Bounds of a snapshot. What lies beyond is left out with a note, never silently.
#[derive(Debug, Clone, Copy)]
pub struct SnapshotLimits {
    /// Largest file, in bytes; one that is larger in the base already has no limit but the next.
    pub file_bytes: u64,
    /// Most new bytes in one snapshot.
    pub total_bytes: u64,
    /// Most files; a workspace with more cannot be recorded at all.
    pub files: usize,
    /// Most files that only the attempt's own ignore rules hide.
    pub hidden_files: usize,
    /// Most bytes of those.
    pub hidden_bytes: u64,
}

impl Default for SnapshotLimits {
    fn default() -> Self {
        Self {
            file_bytes: 100 << 20,
            total_bytes: 4 << 30,
            files: 1_000_000,
            hidden_files: 5_000,
            hidden_bytes: 64 << 20,
        }
    }
}

/// What to take.
#[derive(Debug, Clone)]
pub struct SnapshotRequest {
    /// The attempt's handle, for example `t12.1`: letters, digits, `.`, `_`, `-`.
    pub attempt: String,
    /// Number of the snapshot; nothing takes the next free one. A number that is taken is refused.
    pub number: Option<u32>,
    /// The commit's message, for example `turn 3 of t12.1`.
    pub message: String,
    /// Who takes it, and when.
    pub by: Signature,
    /// Bounds.
    pub limits: SnapshotLimits,
}

impl SnapshotRequest {
    /// The next snapshot of an attempt, within the default limits.
    pub fn new(attempt: impl Into<String>, message: impl Into<String>, by: Signature) -> Self {
        let (attempt, message) = (attempt.into(), message.into());
        Self { attempt, number: None, message, by, limits: SnapshotLimits::default() }
    }
}

/// A snapshot that was taken. `commit` holds everything. `visible` holds everything but the files that only the
/// attempt's own ignore rules hide: what the agent's own `git add` would have taken, and what a result is made of.
/// When nothing is hidden the two are the same; otherwise `visible` is the parent of `commit`. The parent of
/// `visible` is the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Where it is anchored: `refs/divisi/snapshots/<attempt>/<number>`.
    pub ref_name: String,
    /// Its number.
    pub number: u32,
    /// Everything.
    pub commit: CommitId,
    /// Everything that is not hidden.
    pub visible: CommitId,
    /// True if nothing differs from the base.
    pub unchanged: bool,
    /// Files in it.
    pub files: usize,
    /// Files whose bytes had to be read; the others were known to be unchanged.
    pub files_read: usize,
    /// Bytes that were read.
    pub bytes_read: u64,
    /// What a reviewer should know.
    pub notes: Vec<Note>,
    /// Notes beyond [`MAX_NOTES`].
    pub notes_dropped: usize,
}

impl Snapshot {
    /// True if something that would have to be kept was left out.
    pub fn is_partial(&self) -> bool {
        self.notes_dropped > 0 || self.notes.iter().any(|note| note.kind.is_loss())
    }
}

/// Something about one path of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Where.
    pub path: RepoPath,
    /// What.
    pub kind: NoteKind,
}

/// What a note says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// Recorded, although the attempt's own ignore rules hide it: a file, or everything below a folder.
    Hidden,
    /// The base's rules ignore it, the attempt's no longer do: recorded.
    Exposed,
    /// The rules of base and attempt ignore it, but the agent committed it: recorded. A file, or what was committed below
    /// a folder.
    Committed,
    /// Left out: hidden by the attempt's own rules, and beyond the limits for such files.
    HiddenLeftOut,
    /// Left out: a folder that marks itself as a cache (`CACHEDIR.TAG`) and that the attempt's own rules hide.
    Cache,
    /// Left out: larger than the limit.
    TooLarge,
    /// Left out: it could not be read.
    Unreadable,
    /// Left out: a FIFO, socket or device.
    Special,
    /// Left out: its name is a spelling of `.git`.
    ForbiddenName,
    /// Left out: another file system is mounted there.
    Mount,
    /// Left out: nested too deeply.
    TooDeep,
    /// A repository inside the workspace: its files are recorded as ordinary files, its `.git` is not entered.
    NestedRepository,
    /// Files in the folder of a submodule: left out, the submodule's commit stays as in the base.
    SubmoduleContent,
    /// It was written to while it was read.
    ChangedWhileRead,
    /// The machine was restarted while the workspace was at work, and it is not as its last snapshot has it: what was
    /// written last before may be missing or empty.
    Doubted,
}

impl NoteKind {
    /// True if content that belongs to the workspace is missing from the snapshot.
    pub fn is_loss(self) -> bool {
        match self {
            Self::HiddenLeftOut
            | Self::TooLarge
            | Self::Unreadable
            | Self::Special
            | Self::ForbiddenName
            | Self::Mount
            | Self::TooDeep
            | Self::SubmoduleContent => true,
            Self::Hidden
            | Self::Exposed
            | Self::Committed
            | Self::Cache
            | Self::NestedRepository
            | Self::ChangedWhileRead
            | Self::Doubted => false,
        }
    }
}
