//! Bringing a result together with its target, in the hub and without any work tree or editor.
//!
//! The outcome is a commit that can be checked before anything moves, or a typed conflict.

mod combine;
mod merge_tree;

pub(crate) use merge_tree::{Merged, merge_since};
use serde::{Deserialize, Serialize};

use crate::hub::HubError;
use crate::ids::{CommitId, RepoPath, Signature};

/// Most conflicted files whose content is handed out.
pub const MAX_CONFLICT_TEXTS: usize = 100;
/// Largest conflicted content that is handed out, in bytes.
pub const MAX_CONFLICT_BYTES: u64 = 256 << 10;

/// How a result becomes part of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LandMode {
    /// A merge commit with the target and the result as parents. (Onto a rewritten target: with one commit of the
    /// result's change in the result's place, so that the dropped history does not come back.)
    #[default]
    Merge,
    /// One commit on the target.
    Squash,
    /// The result's commits, one by one, on the target.
    Rebase,
}

/// What to bring together.
#[derive(Debug, Clone)]
pub struct IntegrateRequest {
    /// Anchors the outcome as `refs/divisi/integrations/<label>`, for example the task's handle.
    pub label: String,
    /// Where the target branch is; nothing if it is unborn.
    pub target: Option<CommitId>,
    /// What the result is a change to. If the target was rewritten and has it no longer in its history, only what the
    /// result changed since then is brought over: what the rewrite dropped stays dropped.
    pub base: CommitId,
    /// The result, a descendant of `base`. The hub must have all three (see [`crate::Hub::take_base`]).
    pub result: CommitId,
    /// How.
    pub mode: LandMode,
    /// Message of the commit that is made; with [`LandMode::Rebase`] the commits keep their own.
    pub message: String,
    /// Trailers of the last commit.
    pub trailers: Vec<(String, String)>,
    /// Author of a merge or squash commit.
    pub author: Signature,
    /// Committer of all commits that are made.
    pub committer: Signature,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Integration {
    /// This commit is what the target would become.
    Ready {
        /// The commit.
        commit: CommitId,
        /// Commits that the target would gain on its first-parent line.
        commits: usize,
    },
    /// The target has it all already.
    Nothing,
    /// They cannot be brought together without a person or an agent.
    Conflicts(Conflicts),
}

/// Where two changes contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflicts {
    /// The commit that could not be replayed ([`LandMode::Rebase`] only).
    pub at: Option<CommitId>,
    /// The files.
    pub files: Vec<Conflict>,
    /// What git says about them, one sentence each.
    pub messages: Vec<String>,
}

/// One conflicted file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Where.
    pub path: RepoPath,
    /// The common ancestor has it.
    pub in_base: bool,
    /// The target has it.
    pub in_target: bool,
    /// The result has it.
    pub in_result: bool,
    /// The merged text with conflict markers; nothing if it is binary, gone or too large.
    pub text: Option<String>,
}

/// Whether two commits would merge, for the overlap of running attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum TrialMerge {
    /// Without a conflict.
    Clean,
    /// With conflicts.
    Conflicts(Conflicts),
}

impl crate::Hub {
    /// Merges two commits without recording anything.
    pub fn trial_merge(&self, ours: &CommitId, theirs: &CommitId) -> Result<TrialMerge, HubError> {
        Ok(match merge_tree::merge(self, ours, theirs)? {
            merge_tree::Merged::Clean(_) => TrialMerge::Clean,
            merge_tree::Merged::Conflicts(_, conflicts) => TrialMerge::Conflicts(conflicts),
        })
    }
}
