//! What the stages need of workspaces, with the engine's names on one side and the workspace crate's on the other.
//! Everything that blocks runs beside the async tasks.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use divisi_model::event::{AttemptResult, Workspace as Made};
use divisi_model::limits::PORTS_PER_ATTEMPT;
use divisi_model::schedule::first_port;
use divisi_model::{AttemptId, AttemptState, Oid, TaskState};
use divisi_workspace::environment::{Place, build, describe};
use divisi_workspace::ports::PortBlock;
use divisi_workspace::{
    ArchiveError, ArchiveLimits, ArchiveRequest, DiffLimits, History, Hub, Identity, ImportLimits,
    IncludeLimits, NewWorkspace, Note, NoteKind, RepoPath, ResultRequest, Signature, SnapshotLimits,
    SnapshotRequest, Workspace, WorkspaceError, Workspaces,
};

use crate::context::{Context, blocking};
use crate::repository::{commit_id, hub, oid, repository, tree_oid};
use crate::stage::StepError;

/// How much of a file is searched for conflict markers, in bytes.
const MARKED_BYTES: u64 = 8 << 20;

/// A snapshot that was taken.
pub(crate) struct Taken {
    /// Everything.
    pub(crate) commit: Oid,
    /// Everything that the attempt's own ignore rules do not hide: what a result is made of.
    pub(crate) visible: Oid,
    pub(crate) reference: String,
    pub(crate) notes: Vec<String>,
}

/// The name of an attempt's workspace and snapshots: `t12.1`.
pub(crate) fn name(task: &TaskState, id: AttemptId) -> String {
    format!("{}.{}", task.spec.number, id.number)
}

/// Makes the workspace of an attempt, or finds the one that was made before a restart.
pub(crate) async fn create(context: &Arc<Context>, id: AttemptId) -> Result<Made, StepError> {
    let context = Arc::clone(context);
    blocking(move || {
        let task = context.task(id)?;
        let Some(attempt) = task.attempt(id.number) else {
            return Err(StepError("the attempt is gone".to_owned()));
        };
        let Some((_, slot)) = attempt.lease else {
            return Err(StepError("the attempt has no slot".to_owned()));
        };
        let project = repository(&context, task.spec.project)?;
        let hub = hub(&context, task.spec.project).map_err(|error| StepError::of(&error))?;
        let base = commit_id(&attempt.base).map_err(|error| StepError::of(&error))?;
        hub.take_base(&project, &base).map_err(|error| StepError::of(&error))?;
        let spaces = spaces(&context, &task)?;
        let mut new =
            NewWorkspace::new(name(&task, id), base).on_branch(&attempt.branch).by(person(&context, &task)?);
        new.base_branch = Some(task.spec.base.branch.clone());
        let mut space = match spaces.get(&name(&task, id)) {
            Ok(space) if space.record().complete => space,
            _ => spaces.create(&hub, &new).map_err(|error| StepError::of(&error))?,
        };
        space.include_from(&project, IncludeLimits::default()).map_err(|error| StepError::of(&error))?;
        Ok(Made {
            path: utf8(&space.path())?,
            branch: attempt.branch.clone(),
            first_port: first_port(slot),
            ports: PORTS_PER_ATTEMPT,
            kind: "checkout".to_owned(),
            setup_log: None,
            included: u32::try_from(space.record().included.len()).unwrap_or(u32::MAX),
        })
    })
    .await?
}

/// Keeps the whole workspace on a hidden ref.
pub(crate) async fn snapshot(context: &Arc<Context>, id: AttemptId, turn: u32) -> Result<Taken, StepError> {
    let context = Arc::clone(context);
    blocking(move || {
        let task = context.task(id)?;
        let (hub, space) = open(&context, &task, id)?;
        let request = SnapshotRequest {
            attempt: name(&task, id),
            number: None,
            message: format!("Turn {turn} of {}", task.handle(id.number)),
            by: signature(&context, &task, now())?,
            limits: SnapshotLimits::default(),
        };
        let taken = space.snapshot(&hub, &request).map_err(|error| StepError::of(&error))?;
        Ok(Taken {
            commit: oid(&taken.commit),
            visible: oid(&taken.visible),
            reference: taken.ref_name.clone(),
            notes: words(&taken.notes),
        })
    })
    .await?
}

/// Builds the attempt's commit from its files, as they were when the turn ended.
pub(crate) async fn result(
    context: &Arc<Context>,
    id: AttemptId,
    turn: u32,
) -> Result<AttemptResult, StepError> {
    let context = Arc::clone(context);
    blocking(move || {
        let task = context.task(id)?;
        let Some(attempt) = task.attempt(id.number) else {
            return Err(StepError("the attempt is gone".to_owned()));
        };
        let (hub, space) = open(&context, &task, id)?;
        let at = attempt.turns.last().and_then(|turn| turn.ended).map_or_else(now, |ended| ended.as_second());
        let request = SnapshotRequest {
            attempt: name(&task, id),
            number: None,
            message: format!("Result of {}", task.handle(id.number)),
            by: signature(&context, &task, at)?,
            limits: SnapshotLimits::default(),
        };
        let taken = space.snapshot(&hub, &request).map_err(|error| StepError::of(&error))?;
        let who = signature(&context, &task, at)?;
        let recorded = space.record_result(
            &hub,
            &taken,
            &ResultRequest {
                attempt: name(&task, id),
                message: task.spec.title.clone(),
                trailers: trailers(&task, attempt),
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
        let diff =
            hub.diff_files(&base, &commit, &DiffLimits::default()).map_err(|error| StepError::of(&error))?;
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
        })
    })
    .await?
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
        };
        format!("{}: {what}", note.path)
    };
    notes.iter().map(words).collect()
}

/// The hub of an attempt's project, and its workspace.
pub(crate) fn open(
    context: &Context,
    task: &TaskState,
    id: AttemptId,
) -> Result<(Hub, Workspace), StepError> {
    let hub = hub(context, task.spec.project).map_err(|error| StepError::of(&error))?;
    let space = spaces(context, task)?.get(&name(task, id)).map_err(|error| StepError::of(&error))?;
    Ok((hub, space))
}

/// Brings the workspace onto another base. The files that conflict have markers then, and are named.
pub(crate) async fn move_base(
    context: &Arc<Context>,
    id: AttemptId,
    base: &Oid,
) -> Result<Vec<String>, StepError> {
    let (context, base) = (Arc::clone(context), base.clone());
    blocking(move || {
        let task = context.task(id)?;
        let (hub, mut space) = open(&context, &task, id)?;
        let project = repository(&context, task.spec.project)?;
        let target = commit_id(&base).map_err(|error| StepError::of(&error))?;
        hub.take_base(&project, &target).map_err(|error| StepError::of(&error))?;
        let by = signature(&context, &task, now())?;
        let moved =
            space.move_base(&hub, &target, &name(&task, id), &by).map_err(|error| StepError::of(&error))?;
        Ok(moved.conflicts.iter().map(ToString::to_string).collect())
    })
    .await?
}

/// Those of the files that still have conflict markers in a commit. Such a file merges cleanly, so nothing but a look
/// keeps it from landing.
pub(crate) async fn with_markers(
    context: &Arc<Context>,
    task: &TaskState,
    commit: &Oid,
    files: &[String],
) -> Result<Vec<String>, StepError> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let (context, project, commit, files) =
        (Arc::clone(context), task.spec.project, commit.clone(), files.to_vec());
    blocking(move || {
        let hub = hub(&context, project).map_err(|error| StepError::of(&error))?;
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

/// Keeps everything on a hidden ref, then removes the workspace. The commit and the ref. Of a workspace that was deleted
/// by hand the snapshot after its last turn is all there is.
pub(crate) async fn archive(context: &Arc<Context>, id: AttemptId) -> Result<(Oid, String), StepError> {
    let context = Arc::clone(context);
    blocking(move || {
        let task = context.task(id)?;
        let (hub, space) = open(&context, &task, id)?;
        let by = signature(&context, &task, now())?;
        let request = ArchiveRequest { by, limits: ArchiveLimits::default(), allow_loss: false };
        match spaces(&context, &task)?.archive(&hub, &space, &request) {
            Ok(archived) => {
                let reference = format!("refs/divisi/archives/{}/{}", name(&task, id), archived.commit);
                Ok((oid(&archived.commit), reference))
            }
            Err(ArchiveError::Gone(_)) => last_snapshot(&task, id),
            Err(error) => Err(StepError::of(&error)),
        }
    })
    .await?
}

fn last_snapshot(task: &TaskState, id: AttemptId) -> Result<(Oid, String), StepError> {
    let snapshots = task.attempt(id.number).into_iter().flat_map(|attempt| attempt.turns.iter().rev());
    let last = snapshots.into_iter().find_map(|turn| turn.snapshot.clone());
    last.ok_or_else(|| StepError("the workspace is gone, and no turn of it was snapshotted".to_owned()))
}

/// Brings an archived workspace back. Its path.
pub(crate) async fn restore(context: &Arc<Context>, id: AttemptId) -> Result<String, StepError> {
    let context = Arc::clone(context);
    blocking(move || {
        let task = context.task(id)?;
        let hub = hub(&context, task.spec.project).map_err(|error| StepError::of(&error))?;
        let (spaces, name) = (spaces(&context, &task)?, name(&task, id));
        let space = match spaces.restore(&hub, &name) {
            Err(ArchiveError::NoArchive(_)) => {
                let (snapshot, _) = last_snapshot(&task, id)?;
                let snapshot = commit_id(&snapshot).map_err(|error| StepError::of(&error))?;
                spaces.recreate(&hub, &name, &snapshot)
            }
            restored => restored,
        };
        utf8(&space.map_err(|error| StepError::of(&error))?.path())
    })
    .await?
}

/// The folder of workspaces.
pub(crate) fn spaces(context: &Context, task: &TaskState) -> Result<Workspaces, StepError> {
    spaces_in(context, task, "workspaces")
}

fn spaces_in(context: &Context, task: &TaskState, folder: &str) -> Result<Workspaces, StepError> {
    let project = repository(context, task.spec.project)?;
    let root = context.path(folder);
    let opened = match context.options.anywhere {
        true => Workspaces::open_anywhere(&root, &project),
        false => Workspaces::open(&root, &project),
    };
    opened.map_err(|error| StepError::of(&error))
}

/// A clean checkout of a commit in the hub, for a check.
pub(crate) async fn clean_checkout(
    context: &Arc<Context>,
    task: &TaskState,
    commit: &Oid,
    checkout: &str,
) -> Result<PathBuf, StepError> {
    let (context, project, commit) = (Arc::clone(context), task.clone(), commit.clone());
    let checkout = checkout.to_owned();
    blocking(move || {
        let hub = hub(&context, project.spec.project).map_err(|error| StepError::of(&error))?;
        let spaces = spaces_in(&context, &project, "check-trees")?;
        match spaces.get(&checkout) {
            Ok(space) if space.record().complete => return Ok(space.path()),
            Ok(_) | Err(WorkspaceError::Unknown(_)) => {}
            Err(error) => return Err(StepError::of(&error)),
        }
        let new = NewWorkspace::new(checkout, commit_id(&commit).map_err(|error| StepError::of(&error))?);
        let made = spaces.create(&hub, &new).map_err(|error| StepError::of(&error))?;
        Ok(made.path())
    })
    .await?
}

/// Removes a checkout that a check ran in.
pub(crate) async fn remove_checkout(
    context: &Arc<Context>,
    task: &TaskState,
    checkout: &str,
) -> Result<(), StepError> {
    let (context, task, checkout) = (Arc::clone(context), task.clone(), checkout.to_owned());
    blocking(move || {
        let spaces = spaces_in(&context, &task, "check-trees")?;
        match spaces.get(&checkout) {
            Ok(space) => spaces.discard(&space).map_err(|error| StepError::of(&error)),
            Err(WorkspaceError::Unknown(_)) => Ok(()),
            Err(error) => Err(StepError::of(&error)),
        }
    })
    .await?
}

/// The whole environment of a setup script in the workspace.
pub(crate) fn environment(
    context: &Context,
    id: AttemptId,
    made: &Made,
) -> Result<Vec<(String, String)>, StepError> {
    let task = context.task(id)?;
    Ok(place(context, &task, id, made, Path::new(&made.path), true))
}

/// The whole environment of a check: that of the attempt, but in its own checkout.
pub(crate) fn check_environment(
    context: &Context,
    task: &TaskState,
    attempt: &AttemptState,
    tree: &Path,
) -> Vec<(String, String)> {
    let id = AttemptId { task: task.id, number: attempt.number };
    match &attempt.workspace {
        Some(made) => place(context, task, id, made, tree, true),
        None => Vec::new(),
    }
}

/// The variables that tell an agent where it is.
pub(crate) fn place_variables(
    context: &Context,
    id: AttemptId,
    made: &Made,
) -> Result<BTreeMap<String, String>, StepError> {
    let task = context.task(id)?;
    Ok(place(context, &task, id, made, Path::new(&made.path), false).into_iter().collect())
}

fn place(
    context: &Context,
    task: &TaskState,
    id: AttemptId,
    made: &Made,
    at: &Path,
    whole: bool,
) -> Vec<(String, String)> {
    let root = context.authority.project(task.spec.project).map(|project| project.root).unwrap_or_default();
    let handle = name(task, id);
    let place = Place {
        root_path: Path::new(&root),
        workspace_path: at,
        branch: &made.branch,
        task: &handle,
        ports: Some(PortBlock { first: made.first_port, count: made.ports }),
    };
    let person = &context.options.person;
    let variables = match whole {
        false => describe(&place),
        true => {
            let inherited: Vec<(OsString, OsString)> =
                person.variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
            let also = &task.spec.settings.pass_environment;
            build(&inherited, also, Some(&person.home), &place)
        }
    };
    let text = |text: OsString| text.into_string().ok();
    variables.into_iter().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect()
}

/// Who Divisi's commits are by: the person, as the project's git knows them.
pub(crate) fn person(context: &Context, task: &TaskState) -> Result<Identity, StepError> {
    let project = repository(context, task.spec.project)?;
    let known = &context.options.person.identity;
    Ok(project.identity().unwrap_or_else(|| Identity::new(known.name.clone(), known.email.clone())))
}

/// The person's signature at a moment, in seconds since 1970.
pub(crate) fn signature(context: &Context, task: &TaskState, at: i64) -> Result<Signature, StepError> {
    Ok(Signature::new(person(context, task)?, at))
}

pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn utf8(path: &Path) -> Result<String, StepError> {
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| StepError(format!("{} is not valid UTF-8", path.display())))
}
