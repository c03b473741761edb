//! What people look at: diffs and logs.

use std::path::PathBuf;
use std::sync::Arc;

use divisi_model::project::Project;
use divisi_model::{AttemptId, AttemptState, Oid, Refusal, TaskState};
use divisi_workspace::{BlobId, CommitId, Diff, DiffLimits, DiffPath, FileDiff, Hub, HubError, LoggedCommit};

use crate::authority::internal;
use crate::context::{Context, blocking};
use crate::repository::{commit_id, hub};
use crate::stage::StepError;
use crate::worker::Local;

/// Which change is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DiffScope {
    /// The result against its base.
    #[default]
    Result,
    /// The files as they are now, against the base; a snapshot is taken for it.
    Now,
    /// What one turn changed.
    Turn(u32),
    /// What changed since the last verdict.
    Review,
    /// Between any two points.
    Between(Point, Point),
}

/// A moment of an attempt whose files are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Point {
    /// The commit that its result is compared with.
    Base,
    /// The snapshot after a turn.
    Snapshot(u32),
    /// The result that was built after a turn.
    Result(u32),
    /// What landed.
    Landed,
    /// The files as they are now.
    Now,
    /// A commit by its name.
    Commit(Oid),
}

/// How a change is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiffOptions {
    /// Passes over changes of white space alone.
    pub ignore_whitespace: bool,
    /// Lines around each change; none: a few.
    pub context: Option<u32>,
}

/// The two commits that were compared, and what changed between them.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The one before.
    pub from: Oid,
    /// The one afterwards.
    pub to: Oid,
    /// What changed.
    pub diff: Diff,
}

/// Most lines around a change.
const CONTEXT_MAX: u32 = 100;
/// Most lines of one file that is read by itself.
const LINES_OF_ONE_FILE: usize = 100_000;

impl DiffOptions {
    fn limits(self) -> DiffLimits {
        let limits = DiffLimits { ignore_whitespace: self.ignore_whitespace, ..DiffLimits::default() };
        DiffLimits { context: self.context.unwrap_or(limits.context).min(CONTEXT_MAX), ..limits }
    }
}

/// Largest file that is handed out whole, in bytes.
const FILE_BYTES: u64 = 32 << 20;
/// Most commits of a result that are listed.
const COMMITS_MAX: usize = 200;
/// Longest log that is handed out, in bytes; of a longer one its end.
const LOG_BYTES: u64 = 16 << 20;

/// What changed, with all hunks.
pub(crate) async fn diff(context: &Arc<Context>, id: AttemptId, scope: DiffScope) -> Result<Listed, Refusal> {
    let (project, from, to) = compared(context, id, scope).await?;
    let diff = context.worker.diff(project, from.clone(), to.clone()).await;
    Ok(Listed { diff: diff.map_err(|error| internal(error.0))?, from, to })
}

/// What changed, without hunks.
pub(crate) async fn diff_files(
    context: &Arc<Context>,
    id: AttemptId,
    scope: DiffScope,
    options: DiffOptions,
) -> Result<Listed, Refusal> {
    let (project, from, to) = compared(context, id, scope).await?;
    let diff = context.worker.diff_files(project, from.clone(), to.clone(), options.limits()).await;
    Ok(Listed { diff: diff.map_err(|error| internal(error.0))?, from, to })
}

/// Some files of what changed between two commits.
pub(crate) async fn diff_some(
    context: &Arc<Context>,
    id: AttemptId,
    (from, to): (Oid, Oid),
    paths: Vec<DiffPath>,
    options: DiffOptions,
) -> Result<Vec<FileDiff>, Refusal> {
    let how = DiffLimits { lines_per_file: LINES_OF_ONE_FILE, ..options.limits() };
    let project = project(context, id)?;
    known(context, &project, &from, &to).await?;
    let some = context.worker.diff_some(project, from, to, paths, how).await;
    some.map_err(|error| internal(error.0))
}

/// The bytes of a file.
pub(crate) async fn file(context: &Arc<Context>, id: AttemptId, blob: BlobId) -> Result<Vec<u8>, Refusal> {
    let found = context.worker.blob(project(context, id)?, blob, FILE_BYTES).await;
    let found = found.map_err(|error| {
        Refusal::limit(format!("the file cannot be shown: {}", error.0), "open it in the workspace")
    });
    found?.ok_or_else(|| Refusal::not_found("there is no such file", "…/diff/files names those there are"))
}

/// The commits of the result, newest first.
pub(crate) async fn commits(context: &Arc<Context>, id: AttemptId) -> Result<Vec<LoggedCommit>, Refusal> {
    let (project, from, to) = compared(context, id, DiffScope::Result).await?;
    context.worker.commits(project, from, to, COMMITS_MAX).await.map_err(|error| internal(error.0))
}

/// Two commits that the hub has; a name that it does not know is a fault of whoever asks.
async fn known(context: &Context, project: &Project, from: &Oid, to: &Oid) -> Result<(), Refusal> {
    let looked = context.worker.commits(project.clone(), from.clone(), to.clone(), 1).await;
    let hint = "…/diff/files names the two commits that it compares";
    looked.map(drop).map_err(|_| Refusal::not_found("there is no such commit", hint))
}

async fn compared(
    context: &Arc<Context>,
    id: AttemptId,
    scope: DiffScope,
) -> Result<(Project, Oid, Oid), Refusal> {
    let task = task(context, id)?;
    let attempt = attempt(&task, id)?;
    let handle = task.handle(id.number);
    let nothing = |what: &str| {
        Refusal::wrong_state(format!("{handle} has no {what} yet"), format!("divisi show {handle}"))
    };
    let project = context.project(&task).map_err(|error| internal(error.0))?;
    let (from, to) = match scope {
        DiffScope::Result => {
            let result = attempt.result.as_ref().ok_or_else(|| nothing("result"))?;
            return Ok((project, result.base.clone(), result.commit.clone()));
        }
        DiffScope::Now => (Point::Base, Point::Now),
        DiffScope::Turn(turn) => (Point::Snapshot(turn.saturating_sub(1)), Point::Snapshot(turn)),
        DiffScope::Review => {
            let seen = attempt.reviews.last().ok_or_else(|| nothing("verdict"))?.commit.clone();
            let result = attempt.result.as_ref().ok_or_else(|| nothing("result"))?;
            return Ok((project, seen, result.commit.clone()));
        }
        DiffScope::Between(from, to) => (from, to),
    };
    let mut both = Vec::new();
    for point in [from, to] {
        let of = |number: u32| attempt.turns.iter().find(|t| t.number == number);
        both.push(match point {
            Point::Base | Point::Snapshot(0) => attempt.base.clone(),
            Point::Snapshot(number) => {
                let kept = of(number).and_then(|turn| turn.snapshot.clone());
                kept.ok_or_else(|| nothing(&format!("snapshot of turn {number}")))?.0
            }
            Point::Result(number) => {
                let made = attempt.results.iter().rev().find(|result| result.turn == number);
                made.ok_or_else(|| nothing(&format!("result of turn {number}")))?.commit.clone()
            }
            Point::Landed => attempt.landing.as_ref().ok_or_else(|| nothing("landing"))?.after.clone(),
            Point::Now => {
                if attempt.workspace.is_none() || attempt.archived_as.is_some() {
                    return Err(nothing("workspace"));
                }
                let turn = attempt.turns.last().map_or(0, |turn| turn.number);
                let of = context.attempt(id).map_err(|error| internal(error.0))?;
                context.worker.snapshot(of, turn).await.map_err(|error| internal(error.0))?.visible
            }
            Point::Commit(commit) => {
                known(context, &project, &commit, &commit).await?;
                commit
            }
        });
    }
    let to = both.pop().ok_or_else(|| nothing("commit"))?;
    let from = both.pop().ok_or_else(|| nothing("commit"))?;
    Ok((project, from, to))
}

/// Files of a project's base whose paths fit the words, the best first.
pub(crate) async fn files(
    context: &Arc<Context>,
    root: &str,
    base: Option<String>,
    words: &str,
) -> Result<Vec<String>, Refusal> {
    let project = context.authority.projects().into_iter().find(|project| project.root == root);
    let project = project.ok_or_else(|| {
        Refusal::not_found(
            format!("no project is known in {root}"),
            "divisi init in its folder makes it known",
        )
    })?;
    let base = context.worker.base(project.clone(), base).await?;
    let paths = context.worker.paths(project, base.commit).await.map_err(|error| internal(error.0))?;
    Ok(crate::fits::best(paths, words))
}

/// The paths of all files in a commit.
pub(crate) async fn paths(local: &Local, project: Project, commit: Oid) -> Result<Vec<String>, StepError> {
    let local = local.clone();
    let work = move || {
        let hub = hub(&local, &project).map_err(|error| StepError::of(&error))?;
        let commit = commit_id(&commit).map_err(|error| StepError::of(&error))?;
        let paths = hub.paths(&commit).map_err(|error| StepError::of(&error))?;
        Ok(paths.iter().map(ToString::to_string).collect())
    };
    blocking(work).await?
}

/// Asks the hub about two commits.
pub(crate) async fn between<T: Send + 'static>(
    local: &Local,
    project: Project,
    from: Oid,
    to: Oid,
    ask: impl FnOnce(&Hub, &CommitId, &CommitId) -> Result<T, HubError> + Send + 'static,
) -> Result<T, StepError> {
    let local = local.clone();
    let work = move || {
        let hub = hub(&local, &project).map_err(|error| StepError::of(&error))?;
        let id = |oid: &Oid| commit_id(oid).map_err(|error| StepError::of(&error));
        ask(&hub, &id(&from)?, &id(&to)?).map_err(|error| StepError::of(&error))
    };
    blocking(work).await?
}

/// Reads a file out of the hub.
pub(crate) async fn blob(
    local: &Local,
    project: Project,
    blob: BlobId,
    max: u64,
) -> Result<Option<Vec<u8>>, StepError> {
    let local = local.clone();
    let work = move || {
        let hub = hub(&local, &project).map_err(|error| StepError::of(&error))?;
        hub.blob(&blob, max).map_err(|error| StepError::of(&error))
    };
    blocking(work).await?
}

pub(crate) async fn check_log(
    context: &Arc<Context>,
    id: AttemptId,
    evidence: usize,
) -> Result<Vec<u8>, Refusal> {
    let task = task(context, id)?;
    let Some(evidence) = attempt(&task, id)?.evidence.get(evidence) else {
        let handle = task.handle(id.number);
        return Err(Refusal::not_found(
            "there is no such evidence",
            format!("divisi show {handle} lists it"),
        ));
    };
    log(context, context.path(&evidence.log)).await
}

pub(crate) async fn setup_log(context: &Arc<Context>, id: AttemptId) -> Result<Vec<u8>, Refusal> {
    let task = task(context, id)?;
    let attempt = attempt(&task, id)?;
    let kept = attempt.workspace.as_ref().and_then(|workspace| workspace.setup_log.clone());
    let Some(relative) = kept.or_else(|| attempt.setup_failed.clone()) else {
        return Err(Refusal::not_found("no setup script ran", "set one in divisi.toml: setup = \"npm ci\""));
    };
    log(context, context.path(&relative)).await
}

async fn log(context: &Context, dir: PathBuf) -> Result<Vec<u8>, Refusal> {
    let read = context.worker.log(dir, LOG_BYTES).await;
    read.map_err(|error| internal(format!("the log cannot be read: {error}")))
}

fn project(context: &Context, id: AttemptId) -> Result<Project, Refusal> {
    let task = task(context, id)?;
    context.project(&task).map_err(|error| internal(error.0))
}

fn task(context: &Context, id: AttemptId) -> Result<Arc<TaskState>, Refusal> {
    let found = context.authority.task_by_id(id.task);
    found.ok_or_else(|| Refusal::not_found("there is no such task", "divisi ls lists the tasks"))
}

fn attempt(task: &TaskState, id: AttemptId) -> Result<&AttemptState, Refusal> {
    let found = task.attempt(id.number);
    found.ok_or_else(|| Refusal::not_found(format!("{} has no attempt {}", task.spec.number, id.number), ""))
}
