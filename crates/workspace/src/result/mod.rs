//! The result of an attempt: the commit that is checked, reviewed and landed.
//!
//! Divisi makes it from a snapshot; the agent need not commit. If the agent did, and its history is sound, its
//! commits are kept below.

mod agent_head;
mod import;
mod record;

pub(crate) use agent_head::agent_head;
pub(crate) use import::committed;
use serde::{Deserialize, Serialize};

use crate::git::GitError;
use crate::hub::HubError;
use crate::ids::{CommitId, Signature};

pub use import::ImportLimits;

/// Why a result could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum ResultError {
    /// The hub failed.
    #[error("cannot use the hub")]
    Hub(#[from] HubError),
    /// The agent's commits could not be looked at, for a reason that is not their fault.
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
}

/// What to record.
#[derive(Debug, Clone)]
pub struct ResultRequest {
    /// The attempt's handle, for example `t12.1`.
    pub attempt: String,
    /// Subject and body.
    pub message: String,
    /// Trailers, for example `("Divisi-Task", "t12")`.
    pub trailers: Vec<(String, String)>,
    /// Who wrote the change: the agent, as a person should read it.
    pub author: Signature,
    /// Who recorded it.
    pub committer: Signature,
    /// Keep the agent's own commits where they are sound. If not, or if this is false, the result is one commit on
    /// the base.
    pub keep_history: bool,
    /// Bounds of what is taken from the agent's repository.
    pub limits: ImportLimits,
}

/// A recorded result. It stays anchored by `refs/divisi/results/<attempt>/<commit>` for as long as the hub lives;
/// `refs/divisi/attempts/<attempt>` leads to the newest one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptResult {
    /// The commit.
    pub commit: CommitId,
    /// What became of the agent's own commits.
    pub history: History,
}

/// What became of the agent's own commits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum History {
    /// It made none, or they were not asked for.
    None,
    /// They are part of the result.
    Kept {
        /// How many.
        commits: usize,
    },
    /// They were left behind; the result is one commit on the base with the same files.
    Refused {
        /// Why, for a person.
        why: String,
    },
}
