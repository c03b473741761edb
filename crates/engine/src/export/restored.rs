//! Making a data folder out of the parts of an export. Nothing of it is visible yet.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use divisi_model::event::Event;
use divisi_model::project::Project;
use divisi_model::{
    Actor, AttemptId, AttemptState, Command, Envelope, Oid, ProjectId, Stream, TaskState, decide,
};
use divisi_store::{EVENT_BYTES_MAX, Store, StoreError, StoredEntry, Sync};
use divisi_workspace::{CommitId, Git, Hub, Record, Workspaces};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::ImportError;
use super::layout;
use super::manifest::{ExportedProject, Refs};
use super::mentions::Mentions;
use super::take_in::{Folders, Taken, parse, small};
use crate::worker::name;
use crate::workspaces::{SNAPSHOTS, WORKSPACES};

/// Why nothing goes on by itself after an import.
const STAYED: &str = "it was exported while it was under way, and what ran stayed on the other machine";
/// Longest line of a log: an event of the greatest size, and what stands around it.
const LINE_BYTES: u64 = EVENT_BYTES_MAX as u64 + 64 * 1024;
/// How many lines are stored at once.
const LINES_AT_ONCE: usize = 1000;

/// An entry of a transcript as a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TranscriptLine {
    #[serde(flatten)]
    pub(super) attempt: AttemptId,
    #[serde(flatten)]
    pub(super) stored: StoredEntry,
}

/// What came in.
#[derive(Debug)]
pub(super) struct Restored {
    pub(super) events: u64,
    pub(super) tasks: usize,
    /// Handles of the attempts that have stopped.
    pub(super) stopped: Vec<String>,
}

/// Builds everything below `folders.new`. `roots` are the folders of the projects that were found here.
pub(super) fn restore(
    git: &Git,
    folders: &Folders,
    taken: &Taken,
    roots: &BTreeMap<ProjectId, String>,
) -> Result<Restored, ImportError> {
    let store = Store::open(&folders.new.join("log")).map_err(ImportError::Log)?;
    let (events, mentions) = log(&store, folders, taken)?;
    transcripts(&store, folders)?;
    let mut kept = BTreeMap::new();
    for project in &taken.manifest.projects {
        kept.extend(hub(git, folders, project, &mentions)?);
    }
    workspaces(folders, taken)?;
    let stopped = settle(&store, &kept, roots)?;
    let report = store.verify().map_err(ImportError::Log)?;
    if let Some(problem) = report.problems.first() {
        return Err(ImportError::Unsound(problem.to_string()));
    }
    Ok(Restored { events, tasks: report.tasks, stopped })
}

fn log(store: &Store, folders: &Folders, taken: &Taken) -> Result<(u64, Mentions), ImportError> {
    let (mut mentions, mut events) = (Mentions::default(), 0);
    lines(&folders.part(layout::EVENTS), layout::EVENTS, |envelopes: Vec<Envelope>| {
        envelopes.iter().for_each(|envelope| mentions.add(envelope));
        events += envelopes.len() as u64;
        store.append_copies(envelopes).map_err(|error| ImportError::Unsound(error.to_string()))
    })?;
    let known = store.projects().map_err(ImportError::Log)?;
    let same = |project: &Project| taken.manifest.projects.iter().any(|known| known.project == *project);
    if events != taken.manifest.events
        || known.len() != taken.manifest.projects.len()
        || !known.iter().all(same)
    {
        return Err(ImportError::Unsound("it does not fit the manifest".to_owned()));
    }
    Ok((events, mentions))
}

fn transcripts(store: &Store, folders: &Folders) -> Result<(), ImportError> {
    lines(&folders.part(layout::TRANSCRIPTS), layout::TRANSCRIPTS, |lines: Vec<TranscriptLine>| {
        // Entries of the same session that follow on each other are stored together.
        for run in lines.chunk_by(|a, b| (a.attempt, a.stored.session) == (b.attempt, b.stored.session)) {
            let entries: Vec<_> = run.iter().map(|line| line.stored.entry.clone()).collect();
            let put = store.put_entries(run[0].attempt, run[0].stored.session, &entries);
            put.map_err(ImportError::Log)?;
        }
        Ok(())
    })
}

/// A project's hub; the newest snapshot of each of its workspaces by the workspace's name.
fn hub(
    git: &Git,
    folders: &Folders,
    project: &ExportedProject,
    mentions: &Mentions,
) -> Result<BTreeMap<String, (Oid, String)>, ImportError> {
    let id = project.project.id;
    let failed = |source| ImportError::Hub { project: project.project.name.clone(), source };
    let name = layout::refs(id.0);
    let refs: Refs = parse(&small(File::open(folders.part(&name)), &name)?, &name)?;
    let dir = folders.new.join(format!("projects/{id}/hub.git"));
    let hub = Hub::open(git, &dir).map_err(failed)?;
    let pack = folders.part(&layout::pack(id.0));
    if !refs.refs.is_empty() {
        hub.read_pack(&refs.clone().into_hub(), &pack).map_err(failed)?;
    }
    let wanted = mentions.commits.get(&id).into_iter().flatten();
    let missing = hub.missing(wanted.filter(|commit| !project.lost.contains(commit))).map_err(failed)?;
    if let Some(commit) = missing.first() {
        let name = &project.project.name;
        return Err(ImportError::Unsound(format!("it names commit {commit} of {name}, which is not there")));
    }
    let _ = std::fs::remove_file(pack);
    Ok(newest_snapshots(&refs.refs))
}

fn newest_snapshots(refs: &[(String, CommitId)]) -> BTreeMap<String, (Oid, String)> {
    let mut newest: BTreeMap<String, (u32, (Oid, String))> = BTreeMap::new();
    for (reference, commit) in refs {
        let parts = reference.strip_prefix(SNAPSHOTS).and_then(|rest| rest.split_once('/'));
        let Some((workspace, Ok(number))) = parts.map(|(name, number)| (name, number.parse::<u32>())) else {
            continue;
        };
        if newest.get(workspace).is_none_or(|(known, _)| *known < number) {
            let kept = (Oid(commit.as_str().to_owned()), reference.clone());
            newest.insert(workspace.to_owned(), (number, kept));
        }
    }
    newest.into_iter().map(|(workspace, (_, kept))| (workspace, kept)).collect()
}

fn workspaces(folders: &Folders, taken: &Taken) -> Result<(), ImportError> {
    let root = folders.new.join(WORKSPACES);
    for name in &taken.workspaces {
        let record: Record = parse(&small(File::open(folders.part(name)), name)?, name)?;
        if *name != layout::workspace(&record.name) {
            return Err(ImportError::Damaged(format!("{name} is of another workspace")));
        }
        Workspaces::adopt(&root, &record).map_err(ImportError::Workspace)?;
    }
    Ok(())
}

/// Says in the log what is different here: where the projects are, what has stopped, where workspaces are kept.
fn settle(
    store: &Store,
    kept: &BTreeMap<String, (Oid, String)>,
    roots: &BTreeMap<ProjectId, String>,
) -> Result<Vec<String>, ImportError> {
    for project in store.projects().map_err(ImportError::Log)? {
        let Some(root) = roots.get(&project.id).filter(|root| **root != project.root) else { continue };
        let moved = moved(project, root.clone());
        let stream = Stream::Project(moved.id);
        let version = store.read_stream(stream, 0, usize::MAX).map_err(ImportError::Log)?.len() as u64;
        append(store, stream, version, vec![Event::ProjectAdded { project: moved }])?;
    }
    let mut stopped = Vec::new();
    for task in store.tasks().map_err(ImportError::Log)? {
        let here = task.attempts.iter().filter(|a| a.workspace.is_some() && a.archived_as.is_none());
        let kept = here.map(|attempt| (attempt.number, kept_as(&task, attempt, kept))).collect();
        let command = Command::Import { why: STAYED.to_owned(), kept };
        let events = decide(Some(&task), command, &mut Uuid::now_v7);
        let events = events.map_err(|refusal| ImportError::Unsound(refusal.to_string()))?;
        let stops = task.attempts.iter().filter(|attempt| attempt.goes_on_by_itself());
        stopped.extend(stops.map(|attempt| task.handle(attempt.number).to_string()));
        if !events.is_empty() {
            append(store, Stream::Task(task.id), task.version, events)?;
        }
    }
    Ok(stopped)
}

/// The snapshot that holds a workspace; where none was ever taken, it is as its base.
fn kept_as(
    task: &TaskState,
    attempt: &AttemptState,
    kept: &BTreeMap<String, (Oid, String)>,
) -> (Oid, String) {
    let newest = kept.get(&name(task, attempt.number)).cloned();
    newest.unwrap_or_else(|| (attempt.base.clone(), format!("refs/divisi/base/{}", attempt.base)))
}

/// A project at another place.
pub(crate) fn moved(project: Project, root: String) -> Project {
    let folder = Path::new(&root).file_name().map(|name| name.to_string_lossy().into_owned());
    Project { name: folder.unwrap_or(project.name), root, ..project }
}

fn append(store: &Store, stream: Stream, version: u64, events: Vec<Event>) -> Result<(), ImportError> {
    let appended =
        store.append_blocking(stream, version, Actor::Divisi, Timestamp::now(), events, Sync::Full);
    appended.map(drop).map_err(|error| ImportError::Unsound(error.to_string()))
}

/// Reads a file of lines and gives them to `take`, some at a time.
fn lines<T: DeserializeOwned>(
    path: &Path,
    name: &str,
    mut take: impl FnMut(Vec<T>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(ImportError::Cut),
        opened => opened.map_err(ImportError::io("read", path))?,
    };
    let mut file = BufReader::new(file);
    let (mut line, mut read) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        let length = file.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line);
        let length = length.map_err(ImportError::io("read", path))?;
        if length > 0 {
            if line.last() != Some(&b'\n') {
                return Err(ImportError::Damaged(format!("a line of {name} has no end")));
            }
            read.push(parse(&line, &format!("a line of {name}"))?);
        }
        if length == 0 || read.len() >= LINES_AT_ONCE {
            take(std::mem::take(&mut read))?;
        }
        if length == 0 {
            return Ok(());
        }
    }
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Log(error)
    }
}
