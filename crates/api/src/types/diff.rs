//! What an attempt changed.

use divisi_workspace::{Diff, FileDiff, FileStatus, Hunk, Line, LineKind, RepoPath};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The change of an attempt, or of one of its turns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiffView {
    /// Lines added in all files.
    pub added: u64,
    /// Lines removed in all files.
    pub removed: u64,
    /// The changed files, by path.
    pub files: Vec<DiffFileView>,
    /// Changed files that are not shown because there are too many.
    pub files_dropped: usize,
}

/// One changed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiffFileView {
    /// Its path in the project; quoted where it is not plain text.
    pub path: String,
    /// Its path before, where it was renamed or copied.
    pub old_path: Option<String>,
    /// What happened to it.
    pub change: FileChange,
    /// Its mode before, as git writes it: `100644`, `100755`, `120000`.
    pub old_mode: Option<String>,
    /// Its mode afterwards.
    pub new_mode: Option<String>,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
    /// Whether it is not text.
    pub binary: bool,
    /// Whether lines are missing because there are too many.
    pub truncated: bool,
    /// The changes, in order.
    pub hunks: Vec<HunkView>,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileChange {
    /// New.
    Added,
    /// Gone.
    Deleted,
    /// Other content or mode.
    Modified,
    /// Moved, perhaps changed too.
    Renamed,
    /// Copied from another one.
    Copied,
    /// A file became a link, or the like.
    TypeChanged,
}

/// One stretch of change with its context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HunkView {
    /// First line before, from 1 (0 if there are none).
    pub old_start: u32,
    /// Lines before.
    pub old_lines: u32,
    /// First line afterwards, from 1 (0 if there are none).
    pub new_start: u32,
    /// Lines afterwards.
    pub new_lines: u32,
    /// The function or heading above, if any.
    pub section: String,
    /// The lines.
    pub lines: Vec<LineView>,
}

/// One line of a hunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineView {
    /// Which side it is on.
    pub kind: LineSide,
    /// Its text without the line break.
    pub text: String,
    /// Whether the file ends here without a line break.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_newline: bool,
}

/// Which side a line is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineSide {
    /// On both.
    Context,
    /// Only afterwards.
    Added,
    /// Only before.
    Removed,
}

/// Which change is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct DiffQuery {
    /// Which change.
    #[param(inline)]
    pub scope: DiffScope,
    /// The turn, for `scope=turn`.
    pub turn: u32,
}

/// Which change is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiffScope {
    /// The result against its base; the files as they are now where there is no result yet.
    #[default]
    Result,
    /// The files as they are now against the base.
    Live,
    /// What one turn changed.
    Turn,
}

impl From<Diff> for DiffView {
    fn from(diff: Diff) -> Self {
        Self {
            added: diff.stat.added,
            removed: diff.stat.removed,
            files: diff.files.into_iter().map(DiffFileView::from).collect(),
            files_dropped: diff.files_dropped,
        }
    }
}

impl From<FileDiff> for DiffFileView {
    fn from(file: FileDiff) -> Self {
        Self {
            path: path_text(&file.path),
            old_path: file.old_path.as_ref().map(path_text),
            change: match file.status {
                FileStatus::Added => FileChange::Added,
                FileStatus::Deleted => FileChange::Deleted,
                FileStatus::Modified => FileChange::Modified,
                FileStatus::Renamed => FileChange::Renamed,
                FileStatus::Copied => FileChange::Copied,
                FileStatus::TypeChanged => FileChange::TypeChanged,
            },
            old_mode: file.old_mode.map(|mode| mode.as_git().to_owned()),
            new_mode: file.new_mode.map(|mode| mode.as_git().to_owned()),
            added: file.added,
            removed: file.removed,
            binary: file.binary,
            truncated: file.truncated,
            hunks: file.hunks.into_iter().map(HunkView::from).collect(),
        }
    }
}

impl From<Hunk> for HunkView {
    fn from(hunk: Hunk) -> Self {
        Self {
            old_start: hunk.old_start,
            old_lines: hunk.old_lines,
            new_start: hunk.new_start,
            new_lines: hunk.new_lines,
            section: hunk.section,
            lines: hunk.lines.into_iter().map(LineView::from).collect(),
        }
    }
}

impl From<Line> for LineView {
    fn from(line: Line) -> Self {
        let kind = match line.kind {
            LineKind::Context => LineSide::Context,
            LineKind::Added => LineSide::Added,
            LineKind::Removed => LineSide::Removed,
        };
        Self { kind, text: line.text, no_newline: line.no_newline }
    }
}

/// A path as git shows it: as it is, or quoted where it holds what would confuse whoever reads it.
fn path_text(path: &RepoPath) -> String {
    let confusing = |c: char| c.is_control() || matches!(c, '"' | '\\');
    match std::str::from_utf8(path.as_bytes()) {
        Ok(text) if !text.contains(confusing) => text.to_owned(),
        _ => path.quoted(),
    }
}
