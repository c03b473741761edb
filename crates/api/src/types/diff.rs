//! What an attempt changed.

use divisi_engine::Listed;
use divisi_model::AttemptState;
use divisi_workspace::{FileDiff, FileStatus, Hunk, Line, LineKind, LoggedCommit, RepoPath};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::{IntoParams, ToSchema};

/// The change of an attempt, or of one of its turns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct DiffView {
    /// The commit before.
    #[serde(default)]
    pub from: String,
    /// The commit afterwards.
    #[serde(default)]
    pub to: String,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
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
    /// The name of its content before, for `…/blobs/`.
    #[serde(default)]
    pub old_blob: Option<String>,
    /// The name of its content afterwards.
    #[serde(default)]
    pub new_blob: Option<String>,
    /// What is seen of it here; a mark that it was viewed holds for this alone.
    #[serde(default)]
    pub seen: String,
    /// Whether somebody marked it as viewed as it is here.
    #[serde(default)]
    pub viewed: bool,
    /// The changes, in order. Empty where only the files were asked for.
    pub hunks: Vec<HunkView>,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct DiffQuery {
    /// Which change.
    #[param(inline)]
    pub scope: DiffScope,
    /// The turn, for `scope=turn`.
    pub turn: u32,
    /// For `scope=between`: `base`, `snapshot-3`, `result-3`, `landed`, `live` or a whole commit name.
    pub from: String,
    /// The same for the other end.
    pub to: String,
    /// Passes over changes of white space alone; only where the files are asked for.
    pub ignore_whitespace: bool,
}

/// Files whose hunks are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct HunksRequest {
    /// The commit before, as `…/diff/files` names it.
    pub from: String,
    /// The commit afterwards.
    pub to: String,
    /// The files.
    pub files: Vec<DiffPathView>,
    /// Passes over changes of white space alone.
    #[serde(default)]
    pub ignore_whitespace: bool,
    /// Lines around each change; none: a few.
    #[serde(default)]
    pub context: Option<u32>,
}

/// A file of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct DiffPathView {
    /// Its path, as the comparison names it.
    pub path: String,
    /// Its path before, where it was renamed or copied.
    #[serde(default)]
    pub old_path: Option<String>,
}

/// Which lines of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct LinesQuery {
    /// The first, from 1.
    pub first: u32,
    /// The last.
    pub last: u32,
}

/// Lines of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct LinesView {
    /// The number of the first of them, from 1.
    pub first: u32,
    /// The lines without their line breaks.
    pub lines: Vec<String>,
    /// How many the file has.
    pub total: u32,
}

/// A commit of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct CommitView {
    /// The commit.
    pub commit: String,
    /// What it builds on.
    pub parent: Option<String>,
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
}

/// Which change is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum DiffScope {
    /// The result against its base; the files as they are now where there is no result yet.
    #[default]
    Result,
    /// The files as they are now against the base.
    Live,
    /// What one turn changed.
    Turn,
    /// What changed since the last verdict.
    Review,
    /// Between any two points.
    Between,
}

impl DiffView {
    /// A comparison, as those see it who have viewed files of the attempt.
    pub fn of(listed: Listed, attempt: Option<&AttemptState>) -> Self {
        let diff = listed.diff;
        Self {
            from: listed.from.to_string(),
            to: listed.to.to_string(),
            added: diff.stat.added,
            removed: diff.stat.removed,
            files: diff.files.into_iter().map(|file| DiffFileView::of(file, attempt)).collect(),
            files_dropped: diff.files_dropped,
        }
    }
}

impl DiffFileView {
    /// A file of a comparison.
    pub fn of(file: FileDiff, attempt: Option<&AttemptState>) -> Self {
        let (path, seen) = (path_text(&file.path), seen(&file));
        Self {
            viewed: attempt.is_some_and(|attempt| attempt.has_viewed(&path, &seen)),
            seen,
            old_blob: file.old_id.clone(),
            new_blob: file.new_id.clone(),
            path,
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

impl From<LoggedCommit> for CommitView {
    fn from(logged: LoggedCommit) -> Self {
        Self {
            commit: logged.commit.to_string(),
            parent: logged.parent.map(|parent| parent.to_string()),
            at: Timestamp::from_second(logged.at).unwrap_or(Timestamp::UNIX_EPOCH),
            author: logged.author,
            subject: logged.subject,
        }
    }
}

/// What is seen of a file: its content and mode on both sides, in short. Any change of the file changes it.
fn seen(file: &FileDiff) -> String {
    let side = |id: &Option<String>, mode: Option<divisi_workspace::EntryMode>| {
        let id = id.as_deref().and_then(|id| id.get(..SEEN_DIGITS)).unwrap_or("-");
        format!("{id}:{}", mode.map_or("-", |mode| mode.as_git()))
    };
    format!("{}..{}", side(&file.old_id, file.old_mode), side(&file.new_id, file.new_mode))
}

/// Digits of a content's name that a mark remembers.
const SEEN_DIGITS: usize = 20;

/// A path as git shows it: as it is, or quoted where it holds what would confuse whoever reads it.
fn path_text(path: &RepoPath) -> String {
    let confusing = |c: char| c.is_control() || matches!(c, '"' | '\\');
    match std::str::from_utf8(path.as_bytes()) {
        Ok(text) if !text.contains(confusing) => text.to_owned(),
        _ => path.quoted(),
    }
}
