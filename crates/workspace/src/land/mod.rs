//! Landing: moving a branch of the user's repository, and the only place that writes there.
//!
//! The branch moves by compare-and-swap: only if it is still where the caller thinks. Where it is checked out, the
//! files and the index of that checkout move with it, or nothing moves: what would overwrite a change of the user's
//! is found out before. Order: objects, checks, the index lock, the branch, the files, the index. If writing a file
//! or the index fails, all of it is put back; if that fails too, or the process dies in between,
//! [`crate::Hub::recover_landings`] finishes it.
//!
//! The user's hooks, filters (Git LFS among them) and file-system monitor never run. Files that a filter would have
//! to write are therefore refused with [`LandError::NeedsFilter`].

mod checkout;
mod files;
mod intent;
mod steps;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::git::GitError;
use crate::hub::HubError;
use crate::ids::{CommitId, RepoPath, Signature};
use crate::project::ProjectError;

/// Why a branch was not moved. The branch, the files and the index are as they were; where not even that could be had,
/// which is told as what failed last, [`crate::Hub::recover_landings`] brings all of it to where the branch is.
#[derive(Debug, thiserror::Error)]
pub enum LandError {
    /// The branch is not where the caller thought.
    #[error("branch {branch} has moved to {}", found.as_ref().map_or("nothing", CommitId::short))]
    Moved {
        /// The branch.
        branch: String,
        /// Where it was thought to be; nothing: unborn.
        expected: Option<CommitId>,
        /// Where it is.
        found: Option<CommitId>,
    },
    /// The branch is checked out, and files that would change have changes of the user's.
    #[error("{} has changes of your own in files that this would change", checkout.display())]
    Dirty {
        /// The checkout.
        checkout: PathBuf,
        /// The files.
        files: Vec<DirtyFile>,
    },
    /// The branch is checked out, and files that would change go through a filter such as Git LFS.
    #[error("{} uses filters for files that this would change, and Divisi runs no filters", checkout.display())]
    NeedsFilter {
        /// The checkout.
        checkout: PathBuf,
        /// The files.
        files: Vec<RepoPath>,
    },
    /// Something is under way in a checkout of the branch: a merge, a rebase, another git command.
    #[error("{} is busy: {what}", checkout.display())]
    Busy {
        /// The checkout.
        checkout: PathBuf,
        /// What is under way.
        what: String,
    },
    /// The branch's name stands for another branch.
    #[error("branch {0} is a symbolic ref")]
    Symbolic(String),
    /// The new commit does not have the old one in its history, so landing it would lose commits.
    #[error("the new commit does not descend from branch {0}")]
    NotForward(String),
    /// Writing the files failed; everything was put back.
    #[error("cannot update the files of {}; everything was put back", checkout.display())]
    PutBack {
        /// The checkout.
        checkout: PathBuf,
        /// Cause.
        #[source]
        source: Box<LandError>,
    },
    /// A file or folder.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
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
    /// The user's repository cannot be read.
    #[error("cannot read the project")]
    Project(#[from] ProjectError),
    /// The hub failed.
    #[error("cannot use the hub")]
    Hub(#[from] HubError),
    /// A record of an unfinished landing cannot be understood.
    #[error("the record of an unfinished landing is damaged")]
    BadIntent(#[source] serde_json::Error),
}

/// A file of the user's checkout that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DirtyFile {
    /// Which.
    pub path: RepoPath,
    /// How.
    pub why: Dirty,
}

/// How a file stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dirty {
    /// It has changes in the index.
    Staged,
    /// It has changes that are not in the index.
    Modified,
    /// It is not tracked, but the landing brings a file of this name.
    Untracked,
}

/// A branch to move forward.
#[derive(Debug, Clone)]
pub struct LandRequest {
    /// Short name of the branch, for example `main`.
    pub branch: String,
    /// Where it has to be; nothing: it does not exist yet.
    pub expected: Option<CommitId>,
    /// Where it goes: a commit of the hub that descends from `expected`.
    pub new: CommitId,
    /// Who moves it, and when, for the reflog.
    pub by: Signature,
    /// Text for the reflog, for example `divisi: land t12`.
    pub reason: String,
}

/// A landing that happened. [`crate::Hub::undo`] takes it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landed {
    /// The branch.
    pub branch: String,
    /// Where it was.
    pub old: Option<CommitId>,
    /// Where it is.
    pub new: CommitId,
    /// Checkouts whose files moved with it.
    pub checkouts: Vec<PathBuf>,
}
