//! Moving a workspace onto another base, with the attempt's work in it.
//!
//! What landed meanwhile is merged into what the workspace holds, in the hub; only the paths that differ are then
//! brought into the files, with conflict markers where both sides changed the same lines. Afterwards the workspace's
//! base is the new one, so the agent's next result is a change to that, and merges.
//!
//! Nothing is lost on the way: a snapshot is taken first, and a file that is neither what the snapshot recorded nor
//! what is to be written is kept aside. No link is followed, nothing is written in a folder that an agent swapped,
//! and git never sees the agent's git directory. The intention is recorded before the first file is touched; a
//! second call after a crash carries it out to the same end.
//!
//! Files of an earlier snapshot are brought back in the same way (`rollback.rs`).

mod change;
mod compare;
mod git_dir;
mod place;
mod rollback;
mod steps;
mod transfer;

pub use rollback::{Rollback, RollbackRequest, UnfinishedRollback};

use serde::{Deserialize, Serialize};

use crate::git::GitError;
use crate::hub::HubError;
use crate::ids::{CommitId, RepoPath, TreeId};
use crate::snapshot::SnapshotError;

/// Why a workspace was not moved. Unless [`crate::Workspace::unfinished_move`] says otherwise, its files and its
/// base are as they were.
#[derive(Debug, thiserror::Error)]
pub enum MoveBaseError {
    /// The workspace's folder is missing, or another stands in its place.
    #[error("the folder of workspace {0:?} is not there")]
    Gone(String),
    /// The hub does not have the new base (see [`crate::Hub::take_base`]).
    #[error("the hub has no commit {0}")]
    NoTarget(CommitId),
    /// The merged files hold a name that is never written: a spelling of `.git`, `..`, or one that is too long.
    #[error("{0} is not a name that can be written")]
    ForbiddenName(RepoPath),
    /// The snapshot was taken on another base, and what it changed contradicts what the present base holds.
    #[error("what the snapshot changed on its own base contradicts the present one in {}", names(.0))]
    OtherBase(Vec<RepoPath>),
    /// Neither the snapshot nor the workspace has it.
    #[error("neither the snapshot nor the workspace has {0}")]
    NoSuchPath(RepoPath),
    /// Somebody kept putting something in the place of this file.
    #[error("{0} is changed again and again by something else")]
    Unsteady(RepoPath),
    /// The workspace's record cannot be understood.
    #[error("the record of the workspace is damaged")]
    BadRecord(#[source] serde_json::Error),
    /// The snapshot before the move failed.
    #[error("cannot take a snapshot of the workspace")]
    Snapshot(#[from] SnapshotError),
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
}

/// A workspace that was moved onto another base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseMove {
    /// Where both sides contradict each other, sorted. Text files have conflict markers (`<<<<<<<` the new base,
    /// `>>>>>>>` the attempt); of a binary file the new base's version is there, and where one side deleted what the
    /// other changed, the changed version.
    pub conflicts: Vec<RepoPath>,
    /// The hidden ref of the snapshot that was taken before. The workspace's own git can show it by its commit.
    pub snapshot: String,
    /// Paths at which the workspace now holds something else than before.
    pub updated: usize,
    /// What stood in the way of a file and was neither recorded nor to be written.
    pub kept: Vec<KeptFile>,
    /// Files of the attempt that the new base's ignore rules hide: still there, but part of no later result unless
    /// the attempt changes those rules.
    pub ignored: Vec<RepoPath>,
    /// True if the agent's own git directory was brought along (its branch, HEAD and index); false if it is not as
    /// Divisi made it and was left alone, wholly or in part.
    pub git_dir: bool,
}

/// Something that was moved out of the way, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFile {
    /// The file that needed its place.
    pub path: RepoPath,
    /// Its name in [`crate::Workspace::kept_dir`].
    pub name: String,
}

/// A move that was begun, as the workspace's record remembers it until it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnfinishedMove {
    /// The hidden ref of the snapshot that was taken before.
    pub snapshot: String,
    /// What the workspace held (without hidden files).
    pub from: CommitId,
    /// What it is to hold.
    pub tree: TreeId,
    /// The new base.
    pub target: CommitId,
    /// Where both sides contradict each other.
    pub conflicts: Vec<RepoPath>,
}

fn names(paths: &[RepoPath]) -> String {
    paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
