//! Results: the commit that is built from an attempt's files, and what is said about it.

use std::collections::BTreeSet;

use divisi_model::event::AttemptResult;
use divisi_model::limits::OUTSIDE_SCOPE;
use divisi_model::project::Project;
use divisi_model::{AttemptState, Oid, TaskState};
use divisi_workspace::{
    Diff, DiffLimits, History, ImportLimits, Note, NoteKind, RepoPath, ResultRequest, Scope, SnapshotLimits,
    SnapshotRequest,
};

use super::{now, open, signature};
use crate::context::blocking;
use crate::repository::{commit_id, hub, oid, tree_oid};
use crate::stage::StepError;
use crate::worker::{Attempt, Local};

/// How much of a file is searched for conflict markers, in bytes.
const MARKED_BYTES: u64 = 8 << 20;

/// Builds the attempt's commit from its files, as they were when the turn ended.
pub(crate) async fn result(local: &Local, of: Attempt, turn: u32) -> Result<AttemptResult, StepError> {
    let local = local.clone();
    blocking(move || {
        let (task, attempt) = (&of.task, of.state()?);
        let (hub, space) = open(&local, &of)?;
        let at = attempt.turns.last().and_then(|turn| turn.ended).map_or_else(now, |ended| ended.as_second());
        let request = SnapshotRequest {
            attempt: of.name(),
            number: None,
            message: format!("Result of {}", task.handle(of.number)),
            by: signature(&local, &of.project, at)?,
            limits: SnapshotLimits::default(),
        };
        let taken = space.snapshot(&hub, &request).map_err(|error| StepError::of(&error))?;
        let who = signature(&local, &of.project, at)?;
        let recorded = space.record_result(
            &hub,
            &taken,
            &ResultRequest {
                attempt: of.name(),
                message: task.spec.title.clone(),
                trailers: trailers(task, attempt),
                author: who.clone(),
                committer: who,
                keep_history: true,
                limits: ImportLimits::default(),
            },
        );
        let recorded = recorded.map_err(|error| StepError::of(&error))?;
        let mut notes = words(&taken.notes);
        if taken.notes_dropped > 0 {
            notes.push(format!("{} more notes were dropped", taken.notes_dropped));
        }
        if let Some(History::Refused { why }) = recorded.as_ref().map(|recorded| &recorded.history) {
            notes.push(format!("the agent's own commits were left behind: {why}"));
        }
        let base = space.base().clone();
        let commit = recorded.map_or_else(|| base.clone(), |recorded| recorded.commit);
        let tree = hub.tree_of(&commit).map_err(|error| StepError::of(&error))?;
        // All of them: whatever is changed outside of the scope may be the last.
        let limits = DiffLimits { files: usize::MAX, ..DiffLimits::default() };
        let diff = hub.diff_files(&base, &commit, &limits).map_err(|error| StepError::of(&error))?;
        let outside_scope = outside_scope(task, &diff)?;
        notes.extend(outside_scope.iter().map(|path| format!("{path}: outside of the task's scope")));
        let stat = diff.stat;
        let lines = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(AttemptResult {
            turn,
            commit: oid(&commit),
            tree: tree_oid(&tree),
            base: oid(&base),
            files: stat.files,
            added: lines(stat.added),
            removed: lines(stat.removed),
            notes,
            outside_scope,
        })
    })
    .await?
}

/// The first of the files that are changed outside of the task's scope. One that was moved counts at both places.
fn outside_scope(task: &TaskState, diff: &Diff) -> Result<Vec<String>, StepError> {
    if task.spec.scope.is_empty() {
        return Ok(Vec::new());
    }
    let scope = Scope::new(&task.spec.scope).map_err(|error| StepError::of(&error))?;
    let paths = diff.files.iter().flat_map(|file| file.old_path.iter().chain([&file.path]));
    let outside: BTreeSet<_> = paths.filter(|path| !scope.allows(path)).map(ToString::to_string).collect();
    Ok(outside.into_iter().take(OUTSIDE_SCOPE).collect())
}

/// What is put under the messages of commits that Divisi makes.
pub(crate) fn trailers(task: &TaskState, attempt: &AttemptState) -> Vec<(String, String)> {
    if !task.spec.settings.trailers {
        return Vec::new();
    }
    let handle = format!("{}.{}", task.spec.number, attempt.number);
    vec![("Divisi-Task".to_owned(), handle), ("Divisi-Agent".to_owned(), attempt.agent.clone())]
}

/// What a reviewer reads of notes.
pub(crate) fn words(notes: &[Note]) -> Vec<String> {
    let words = |note: &Note| {
        let what = match note.kind {
            NoteKind::Hidden => "hidden by an ignore rule that the attempt made; kept in the snapshot only",
            NoteKind::Exposed => "ignored by the base's rules, but no longer by the attempt's",
            NoteKind::HiddenLeftOut => "hidden by an ignore rule that the attempt made, and too much to keep",
            NoteKind::Cache => "a cache by its own mark; left out",
            NoteKind::TooLarge => "too large; left out",
            NoteKind::Unreadable => "could not be read; left out",
            NoteKind::Special => "neither file, folder nor link; left out",
            NoteKind::ForbiddenName => "a spelling of .git; left out",
            NoteKind::Mount => "another file system; left out",
            NoteKind::TooDeep => "nested too deeply; left out",
            NoteKind::NestedRepository => "a repository of its own; its files are taken as ordinary files",
            NoteKind::SubmoduleContent => "files of a submodule; left out",
            NoteKind::ChangedWhileRead => "was written to while it was read",
            NoteKind::Committed => "ignored, but the agent committed it",
            NoteKind::Doubted => {
                "the machine was restarted while it was at work; what was written last before may be missing or empty"
            }
        };
        format!("{}: {what}", note.path)
    };
    notes.iter().map(words).collect()
}

/// Those of the files that still have conflict markers in a commit. Such a file merges cleanly, so nothing but a look
/// keeps it from landing.
pub(crate) async fn with_markers(
    local: &Local,
    project: Project,
    commit: Oid,
    files: Vec<String>,
) -> Result<Vec<String>, StepError> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let local = local.clone();
    blocking(move || {
        let hub = hub(&local, &project).map_err(|error| StepError::of(&error))?;
        let commit = commit_id(&commit).map_err(|error| StepError::of(&error))?;
        let mut marked = Vec::new();
        for file in files {
            let Some(path) = RepoPath::from_text(&file) else { continue };
            // A file that is larger is no text that anybody resolved by hand.
            let text = hub.file_at(&commit, &path, MARKED_BYTES).unwrap_or_default();
            let has_markers = |text: Vec<u8>| {
                let begins = |with: &[u8]| text.split(|b| *b == b'\n').any(|line| line.starts_with(with));
                begins(b"<<<<<<< ") && begins(b">>>>>>> ")
            };
            if text.is_some_and(has_markers) {
                marked.push(file);
            }
        }
        Ok(marked)
    })
    .await?
}
