//! What differs between two commits, compared tree against tree in the hub.
//!
//! No file of a workspace and no attribute is asked, so nothing that an agent can write decides what a reviewer
//! sees. Symbolic links are shown as their text, submodules as their commit.

mod follow;
mod patch;
mod read;
mod some;

pub use follow::{Follow, Followed};
pub use some::DiffPath;

use serde::{Deserialize, Serialize};

use crate::ids::RepoPath;
use crate::listing::EntryMode;

/// How a diff is made, and its bounds. What lies beyond is marked, never silently left out.
#[derive(Debug, Clone, Copy)]
pub struct DiffLimits {
    /// Most files; more are counted in [`Diff::files_dropped`].
    pub files: usize,
    /// Most bytes of patch text in all; later files are then [`FileDiff::truncated`].
    pub patch_bytes: u64,
    /// Most lines of one file's patch.
    pub lines_per_file: usize,
    /// Longest line, in bytes; the rest is cut off and marked by `…`.
    pub line_bytes: usize,
    /// Lines of context around a change.
    pub context: u32,
    /// Most files that rename detection compares with each other.
    pub rename_candidates: u32,
    /// Passes over changes of white space alone, and over files in which nothing else changed.
    pub ignore_whitespace: bool,
}

impl Default for DiffLimits {
    fn default() -> Self {
        Self {
            files: 5_000,
            patch_bytes: 32 << 20,
            lines_per_file: 20_000,
            line_bytes: 4_000,
            context: 3,
            rename_candidates: 1_000,
            ignore_whitespace: false,
        }
    }
}

/// Counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffStat {
    /// Changed files.
    pub files: u32,
    /// Added lines.
    pub added: u64,
    /// Removed lines.
    pub removed: u64,
}

/// A whole comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// Counts over all files, also the dropped ones.
    pub stat: DiffStat,
    /// The files, by path.
    pub files: Vec<FileDiff>,
    /// Files beyond [`DiffLimits::files`].
    pub files_dropped: usize,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileStatus {
    /// New.
    Added,
    /// Gone.
    Deleted,
    /// Other content or mode.
    Modified,
    /// Moved from [`FileDiff::old_path`], perhaps changed too.
    Renamed,
    /// Copied from [`FileDiff::old_path`].
    Copied,
    /// A file became a link, or the like.
    TypeChanged,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDiff {
    /// Its path afterwards (before, if it was deleted).
    pub path: RepoPath,
    /// Its path before, if it was renamed or copied.
    pub old_path: Option<RepoPath>,
    /// What happened.
    pub status: FileStatus,
    /// What it was; nothing if it is new.
    pub old_mode: Option<EntryMode>,
    /// What it is; nothing if it is gone.
    pub new_mode: Option<EntryMode>,
    /// Its blob before, 40 hex digits.
    pub old_id: Option<String>,
    /// Its blob afterwards. The same path with the same id has not changed since it was reviewed.
    pub new_id: Option<String>,
    /// Added lines; 0 for a binary file.
    pub added: u32,
    /// Removed lines.
    pub removed: u32,
    /// Not text: there are no hunks.
    pub binary: bool,
    /// The changes in order. Empty where only the files were asked for.
    pub hunks: Vec<Hunk>,
    /// Hunks or lines are missing because of a limit.
    pub truncated: bool,
}

/// One stretch of change with its context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hunk {
    /// First line before, from 1 (0 if there are none).
    pub old_start: u32,
    /// Lines before.
    pub old_lines: u32,
    /// First line afterwards, from 1 (0 if there are none).
    pub new_start: u32,
    /// Lines afterwards.
    pub new_lines: u32,
    /// The function or heading that git found above, if any.
    pub section: String,
    /// The lines.
    pub lines: Vec<Line>,
}

/// One line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which side it is on.
    pub kind: LineKind,
    /// Its text without the line break; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// The file ends here without a line break.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_newline: bool,
}

/// Which side a line is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// On both.
    Context,
    /// Only afterwards.
    Added,
    /// Only before.
    Removed,
}
