//! Making an export while the engine is at work: snapshots of what no snapshot holds yet, one moment of the log, and
//! then everything that this moment mentions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use divisi_model::project::Project;
use divisi_model::view::status;
use divisi_model::{Event, ProjectId, Refusal, Stream, TaskId, TaskState, fold};
use divisi_store::{Store, StoreError};
use divisi_workspace::{CommitId, Workspaces};
use serde::{Deserialize, Serialize};

use super::copy::Writer;
use super::layout;
use super::manifest::{ConfigurationFile, ExportedProject, FORM, Header, Manifest, Refs, Running};
use super::mentions::Mentions;
use crate::authority::{internal, with_sources};
use crate::context::{Context, blocking};
use crate::images;
use crate::stage::StepError;
use crate::worker::{Attempt, Carried, name};
use crate::workspaces::WORKSPACES;

/// Where an export is gathered, below the data folder. What a process that died has left there is removed at the next start.
pub(crate) const GATHERED: &str = "exporting";
/// How often a snapshot is tried: the session of the attempt may take one at the same moment.
const SNAPSHOT_TRIES: u32 = 3;

/// What to export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewExport {
    /// The file, as an absolute path.
    pub file: PathBuf,
    /// A file that is there already is replaced.
    pub replace: bool,
    /// The person's own configuration, without secrets.
    pub configuration: Vec<ConfigurationFile>,
}

/// An export that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// Its size.
    pub bytes: u64,
    /// Events in it.
    pub events: u64,
    /// Tasks in it.
    pub tasks: usize,
    /// Projects in it.
    pub projects: usize,
    /// Sessions, checks and setups whose journals are in it.
    pub launches: usize,
    /// What was at work at that moment, and went on here.
    pub running: Vec<Running>,
    /// What could not be taken along, each a sentence.
    pub missing: Vec<String>,
}

/// One moment of the log, written out below a folder.
struct Moment {
    events: u64,
    tasks: BTreeMap<TaskId, TaskState>,
    projects: BTreeMap<ProjectId, Project>,
    mentions: Mentions,
}

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("the log cannot be read")]
    Store(#[from] StoreError),
    #[error("cannot {0}")]
    Io(&'static str, #[source] io::Error),
}

pub(crate) async fn export(context: &Arc<Context>, new: NewExport) -> Result<Exported, Refusal> {
    let folder = place(context, &new)?;
    let step = |error: StepError| internal(format!("the export failed: {error}"));
    let mut missing = keep_workspaces(context).await;
    let gathered = context.path(GATHERED);
    let gathered = blocking(move || {
        fs::create_dir_all(&gathered)?;
        tempfile::tempdir_in(&gathered)
    });
    let gathered = gathered.await.map_err(step)?;
    let gathered = gathered.map_err(|error| refuse(&WriteError::Io("gather the export", error)))?;
    let (store, to) = (context.authority.store().clone(), gathered.path().to_owned());
    let moment = blocking(move || Moment::write(&store, &to)).await.map_err(step)?;
    let moment = moment.map_err(|error| refuse(&error))?;
    let mut hubs = Vec::new();
    for (id, project) in &moment.projects {
        let commits = moment.mentions.commits.get(id).cloned().unwrap_or_default();
        let pack = gathered.path().join(format!("{id}.pack"));
        let carried = context.worker.carry(project.clone(), commits, pack).await.map_err(step)?;
        if !carried.missing.is_empty() {
            let (name, count) = (&project.name, carried.missing.len());
            missing.push(format!("the hub of {name} lacks {count} of the commits that the log names"));
        }
        hubs.push((project.clone(), carried));
    }
    let (data, now) = (context.options.data.clone(), context.now());
    let written = blocking(move || {
        let header = Header { divisi_export: FORM, divisi: env!("CARGO_PKG_VERSION").to_owned(), made: now };
        let parts = Parts { data: &data, gathered: gathered.path(), moment: &moment, hubs: &hubs };
        parts.write(&folder, &new, &header, missing)
    });
    written.await.map_err(step)?.map_err(|error| refuse(&error))
}

/// The folder of the file that is to be written.
fn place(context: &Context, new: &NewExport) -> Result<PathBuf, Refusal> {
    let file = new.file.display();
    if !new.file.is_absolute() || new.file.file_name().is_none() {
        return Err(Refusal::bad_input(format!("{file} is not the absolute path of a file"), ""));
    }
    let folder = new.file.parent().unwrap_or(Path::new("/")).to_owned();
    if !folder.is_dir() {
        let message = format!("there is no folder {}", folder.display());
        return Err(Refusal::not_found(message, "make it first, or name another"));
    }
    if folder.canonicalize().is_ok_and(|folder| folder.starts_with(&context.options.data)) {
        let hint = "name a file elsewhere, best on another disk";
        return Err(Refusal::bad_input(format!("{file} lies in Divisi's own data folder"), hint));
    }
    if new.file.symlink_metadata().is_ok() && (!new.replace || new.file.is_dir()) {
        return Err(Refusal::wrong_state(
            format!("{file} is there already"),
            "name another file, or replace it: --force",
        ));
    }
    Ok(folder)
}

/// Takes a snapshot of every workspace, also of those in which an agent is at work: what was done since the last one is
/// in none. What could not be kept.
async fn keep_workspaces(context: &Arc<Context>) -> Vec<String> {
    let mut missing = Vec::new();
    for task in context.authority.tasks() {
        for attempt in &task.attempts {
            if attempt.workspace.is_none() || attempt.archived_as.is_some() {
                continue;
            }
            let Ok(project) = context.project(&task) else { continue };
            let turn = attempt.turns.last().map_or(0, |turn| turn.number);
            let of = Attempt { project, task: Arc::clone(&task), number: attempt.number };
            if let Err(StepError(why)) = keep_workspace(context, &of, turn).await {
                let handle = task.handle(attempt.number);
                missing.push(format!("what {handle} changed since its last snapshot: {why}"));
            }
        }
    }
    missing
}

async fn keep_workspace(context: &Arc<Context>, of: &Attempt, turn: u32) -> Result<(), StepError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match context.worker.snapshot(of.clone(), turn).await {
            Ok(_) => return Ok(()),
            Err(_) if tries < SNAPSHOT_TRIES => {}
            Err(error) => return Err(error),
        }
    }
}

impl Moment {
    fn write(store: &Store, to: &Path) -> Result<Self, WriteError> {
        let create = |name: &str| File::create(to.join(name)).map(BufWriter::new);
        let io = |error| WriteError::Io("write the log out", error);
        let mut events = create("events").map_err(io)?;
        let mut entries = create("transcripts").map_err(io)?;
        let mut moment = Self {
            events: 0,
            tasks: BTreeMap::new(),
            projects: BTreeMap::new(),
            mentions: Mentions::default(),
        };
        store.read_all(
            |envelope| {
                json_line(&mut events, &envelope).map_err(io)?;
                moment.events += 1;
                moment.mentions.add(&envelope);
                match (envelope.stream, &envelope.event) {
                    (Stream::Project(id), Event::ProjectAdded { project }) => {
                        moment.projects.insert(id, project.clone());
                    }
                    (Stream::Task(id), _) => {
                        let folded = fold(moment.tasks.remove(&id), id, &envelope);
                        moment.tasks.extend(folded.map(|state| (id, state)));
                    }
                    (Stream::Project(_), _) => {}
                }
                Ok::<(), WriteError>(())
            },
            |attempt, stored| {
                let line = super::restored::TranscriptLine { attempt, stored };
                json_line(&mut entries, &line).map_err(io)
            },
        )?;
        events.flush().and_then(|()| entries.flush()).map_err(io)?;
        Ok(moment)
    }

    fn running(&self) -> Vec<Running> {
        let attempts = self.tasks.values().flat_map(|task| task.attempts.iter().map(move |a| (task, a)));
        let running = attempts.filter(|(task, attempt)| !task.archived && attempt.goes_on_by_itself());
        let mut running: Vec<_> = running
            .map(|(task, attempt)| {
                let (handle, state) = (task.handle(attempt.number).to_string(), status(task, attempt).state);
                ((task.spec.number, attempt.number), Running { handle, state })
            })
            .collect();
        running.sort_by_key(|(place, _)| *place);
        running.into_iter().map(|(_, running)| running).collect()
    }
}

/// Everything that goes into the file.
struct Parts<'a> {
    data: &'a Path,
    gathered: &'a Path,
    moment: &'a Moment,
    hubs: &'a [(Project, Carried)],
}

impl Parts<'_> {
    /// Writes the file beside its place, and puts it there when it is whole.
    fn write(
        &self,
        folder: &Path,
        new: &NewExport,
        header: &Header,
        mut missing: Vec<String>,
    ) -> Result<Exported, WriteError> {
        let io = |error| WriteError::Io("write the export", error);
        let file = tempfile::Builder::new().prefix(".divisi-export-").tempfile_in(folder).map_err(io)?;
        let seconds = u64::try_from(header.made.as_second()).unwrap_or_default();
        let mut writer = Writer::new(file, seconds);
        let mut launches = 0;
        let mut write = || -> io::Result<()> {
            writer.bytes(layout::HEADER, &json(header)?)?;
            for (part, file) in [(layout::EVENTS, "events"), (layout::TRANSCRIPTS, "transcripts")] {
                let path = self.gathered.join(file);
                writer.file(part, &path, path.metadata()?.len())?;
            }
            for (project, carried) in self.hubs {
                let id = project.id.0;
                writer.bytes(&layout::refs(id), &json(&Refs::of(&carried.hub))?)?;
                let path = self.gathered.join(format!("{id}.pack"));
                writer.file(&layout::pack(id), &path, path.metadata()?.len())?;
            }
            self.workspaces(&mut writer)?;
            launches = self.launches(&mut writer)?;
            missing.extend(self.images(&mut writer)?);
            for file in &new.configuration {
                writer.bytes(&format!("configuration/{}", file.path), file.text.as_bytes())?;
            }
            Ok(())
        };
        write().map_err(io)?;
        let project = |(project, carried): &(Project, Carried)| ExportedProject {
            project: project.clone(),
            roots: carried.hub.roots.clone(),
            lost: carried.missing.clone(),
        };
        let manifest = Manifest {
            parts: writer.parts().to_vec(),
            events: self.moment.events,
            projects: self.hubs.iter().map(project).collect(),
            running: self.moment.running(),
            missing,
        };
        let finish = || -> io::Result<u64> {
            writer.bytes(layout::MANIFEST, &json(&manifest)?)?;
            let file = writer.finish()?;
            file.as_file().sync_all()?;
            let bytes = file.as_file().metadata()?.len();
            match new.replace {
                true => file.persist(&new.file),
                false => file.persist_noclobber(&new.file),
            }
            .map_err(|error| error.error)?;
            File::open(folder)?.sync_all()?;
            Ok(bytes)
        };
        Ok(Exported {
            bytes: finish().map_err(io)?,
            events: self.moment.events,
            tasks: self.moment.tasks.len(),
            projects: self.hubs.len(),
            launches,
            running: manifest.running,
            missing: manifest.missing,
        })
    }

    fn workspaces<W: io::Write>(&self, writer: &mut Writer<W>) -> io::Result<()> {
        let root = self.data.join(WORKSPACES);
        for task in self.moment.tasks.values() {
            for attempt in &task.attempts {
                let name = name(task, attempt.number);
                let record = Workspaces::recorded(&root, &name).map_err(io::Error::other)?;
                if let Some(record) = record.filter(|record| record.complete) {
                    writer.bytes(&layout::workspace(&name), &json(&record)?)?;
                }
            }
        }
        Ok(())
    }

    /// Those that tasks refer to; which could not be had.
    fn images<W: io::Write>(&self, writer: &mut Writer<W>) -> io::Result<Vec<String>> {
        let hashes: BTreeSet<_> = self.moment.tasks.values().flat_map(images::of_task).collect();
        let mut missing = Vec::new();
        for hash in hashes {
            match fs::read(self.data.join(images::IMAGES).join(hash.as_str())) {
                Ok(bytes) => writer.bytes(&layout::image(&hash), &bytes)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    missing.push(format!("an image of a prompt is gone: {hash}"));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(missing)
    }

    /// Journals only grow, so as much of each is taken as there is when its turn comes.
    fn launches<W: io::Write>(&self, writer: &mut Writer<W>) -> io::Result<usize> {
        let mut launches = 0;
        for folder in &self.moment.mentions.launches {
            let mut found = false;
            for file in layout::LAUNCH_FILES {
                let path = self.data.join(folder).join(file);
                match path.symlink_metadata() {
                    Ok(there) if there.is_file() => {
                        writer.file(&format!("{folder}/{file}"), &path, there.len())?;
                        found = true;
                    }
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
            launches += usize::from(found);
        }
        Ok(launches)
    }
}

/// What a worker gathers of a project's hub: see [`crate::worker::Worker::carry`].
pub(crate) async fn carry(
    local: &crate::worker::Local,
    project: Project,
    commits: BTreeSet<CommitId>,
    pack: PathBuf,
) -> Result<Carried, StepError> {
    let local = local.clone();
    blocking(move || {
        let hub = crate::repository::hub(&local, &project).map_err(|error| StepError::of(&error))?;
        let carry = || -> Result<Carried, divisi_workspace::HubError> {
            let refs = hub.refs_to_carry()?;
            let missing = hub.missing(commits.iter())?;
            Ok(Carried { hub: refs, missing })
        };
        let carried = carry().map_err(|error| StepError::of(&error))?;
        let mut file = File::create(&pack).map_err(|error| StepError::of(&error))?;
        hub.write_pack(&carried.hub, &mut file).map_err(|error| StepError::of(&error))?;
        Ok(carried)
    })
    .await?
}

fn json(value: &impl Serialize) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(value)?)
}

fn json_line(to: &mut impl io::Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *to, value)?;
    to.write_all(b"\n")
}

fn refuse(error: &WriteError) -> Refusal {
    match error {
        WriteError::Io(_, cause) if cause.kind() == io::ErrorKind::StorageFull => Refusal::internal(
            "there is no room for the export",
            "free some space, or name a file on another disk; nothing was written",
        ),
        WriteError::Io(doing, cause) if cause.kind() == io::ErrorKind::PermissionDenied => Refusal::internal(
            format!("cannot {doing}: {cause}"),
            "name a file in a folder that you may write to",
        ),
        WriteError::Io(..) => Refusal::internal(with_sources(error), "nothing was written"),
        WriteError::Store(cause) => Refusal::internal(with_sources(error), cause.hint()),
    }
}
