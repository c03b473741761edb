//! The engine from outside: start it, ask it, follow it.

use std::path::Path;
use std::sync::Arc;

use divisi_model::comment::NewComment;
use divisi_model::event::Delivery;
use divisi_model::image::{Image, ImageHash, MediaType};
use divisi_model::project::Project;
use divisi_model::schedule::{self, Place};
use divisi_model::view::{Attention, task_status};
use divisi_model::{Actor, AttemptId, Command, Phase, Refusal, TaskId, TaskNumber, TaskState};
use divisi_store::{Store, StoreError, StoredEntry, TranscriptFeed};
use divisi_workspace::{BlobId, DiffPath, FileDiff, LoggedCommit, Terminal, TerminalSize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::authority::{Authority, internal, with_sources};
use crate::clock::{Clock, SystemClock};
use crate::context::{Context, blocking};
use crate::export::{self, Exported, NewExport};
use crate::feed::Feed;
use crate::images::{self, NamedImage};
use crate::intake::{Known, NewTask};
use crate::looks::{DiffOptions, DiffScope, Listed};
use crate::options::{AgentInfo, Options};
use crate::reviews::{self, Asked};
use crate::snapshots::SnapshotAt;
use crate::stage::StepError;
use crate::surroundings::{Resources, Standing};
use crate::terminals::Journal;
use crate::troubles::{Trouble, Troubles};
use crate::worker::{Local, Output, Worker};
use crate::{stage, stages, troubles};

/// The engine: start it with [`Engine::start`], then hold its [`Handle`].
pub struct Engine;

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder could not be made.
    #[error("cannot make the data folder {path}")]
    Data {
        /// The folder.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The log could not be opened.
    #[error("cannot open the log")]
    Store(#[from] StoreError),
    /// git cannot be used.
    #[error("cannot use git")]
    Git(#[from] divisi_workspace::GitError),
}

impl StartError {
    /// What a person can do about it; empty where there is nothing to say.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Data { .. } => "check that the folder can be written, or choose another by DIVISI_HOME",
            Self::Store(error) => error.hint(),
            Self::Git(_) => "install git 2.38 or newer, or put it into PATH",
        }
    }
}

/// Reads the whole log of a data folder and says what is wrong with it, one sentence each; none where there is no log.
///
/// # Errors
/// When the log cannot be opened, also because a daemon has it open.
pub fn look_at_log(data: &Path) -> Result<Vec<String>, StartError> {
    let log = data.join("log");
    if !log.exists() {
        return Ok(Vec::new());
    }
    let report = Store::open(&log)?.verify()?;
    Ok(report.problems.iter().map(ToString::to_string).collect())
}

/// A cheap way to ask the engine; clones share it.
#[derive(Clone)]
pub struct Handle {
    context: Arc<Context>,
    stages: Arc<tokio::sync::Mutex<JoinSet<()>>>,
    started: jiff::Timestamp,
}

/// How the engine is.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// Divisi's version.
    pub version: String,
    /// Since when it runs.
    pub started: jiff::Timestamp,
    /// The number of the last event.
    pub last_seq: u64,
    /// Tasks by column.
    pub tasks: Vec<(Attention, usize)>,
    /// Sessions whose agent lives.
    pub live_sessions: usize,
    /// Why the log cannot be written at the moment.
    pub log_trouble: Option<Trouble>,
}

impl Engine {
    /// Opens the data folder and starts the stages.
    pub async fn start(options: Options) -> Result<Handle, StartError> {
        let data = options.data.clone();
        std::fs::create_dir_all(&data).map_err(|source| StartError::Data { path: data.clone(), source })?;
        let path = options.person.variables.get("PATH").cloned().unwrap_or_default();
        let git = divisi_workspace::Git::find(path.as_ref())?;
        let store = Store::open(&data.join("log"))?;
        let worker = Arc::new(Local { git, options: options.clone() });
        Ok(Self::start_with(options, store, worker, Arc::new(SystemClock))?)
    }

    /// Starts the stages on a log, a worker and a clock that are given, as a simulation does.
    pub fn start_with(
        options: Options,
        store: Store,
        worker: Arc<dyn Worker>,
        clock: Arc<dyn Clock>,
    ) -> Result<Handle, StoreError> {
        let started = clock.now();
        let troubles: Arc<Troubles> = Arc::default();
        let authority = Arc::new(Authority::open(store, clock, troubles.log_failed.clone())?);
        let checks = Semaphore::new(usize::from(options.checks_parallel.max(1)));
        let slots = tokio::sync::Mutex::new(());
        let hosts = tokio::sync::Mutex::new(());
        let context = Arc::new(Context {
            authority,
            options,
            stop: CancellationToken::new(),
            worker,
            troubles,
            steps: Arc::default(),
            put_away: Arc::default(),
            slots,
            hosts,
            checks,
        });
        let mut running = JoinSet::new();
        running.spawn(crate::housekeeping::after_a_start(Arc::clone(&context)));
        running.spawn(troubles::watch_log(Arc::clone(&context)));
        running.spawn(stages::schedule::run(Arc::clone(&context)));
        running.spawn(stage::run(stages::prepare::Prepare, Arc::clone(&context)));
        running.spawn(stage::run(stages::work::Work, Arc::clone(&context)));
        running.spawn(stage::run(stages::check::Check, Arc::clone(&context)));
        running.spawn(stage::run(stages::land::Land, Arc::clone(&context)));
        running.spawn(stage::run(stages::archive::Archive, Arc::clone(&context)));
        running.spawn(stage::run(stages::rollback::Rollback, Arc::clone(&context)));
        let stages = Arc::new(tokio::sync::Mutex::new(running));
        Ok(Handle { context, stages, started })
    }
}

impl Handle {
    /// Makes a project known by its root folder; one that is known already is returned as it is, and one whose
    /// repository was moved here is found again.
    pub async fn add_project(&self, actor: Actor, root: &Path) -> Result<Known, Refusal> {
        crate::intake::add_project(&self.context, actor, root).await
    }

    /// All projects.
    pub fn projects(&self) -> Vec<Project> {
        self.context.authority.projects()
    }

    /// Gives out a task.
    pub async fn add_task(&self, actor: Actor, new: NewTask) -> Result<Arc<TaskState>, Refusal> {
        crate::intake::add_task(&self.context, actor, new).await
    }

    /// Stores an image for a prompt.
    pub async fn store_image(&self, bytes: Vec<u8>, name: &str) -> Result<Image, Refusal> {
        images::store(&self.context, bytes, name).await
    }

    /// An image of a prompt.
    pub async fn image(&self, hash: &ImageHash) -> Result<(MediaType, Vec<u8>), Refusal> {
        images::read(&self.context, hash).await
    }

    /// Words for an attempt's agent, with the images that belong to them.
    pub async fn send(
        &self,
        actor: Actor,
        id: AttemptId,
        words: (String, Vec<NamedImage>, Delivery),
    ) -> Result<Arc<TaskState>, Refusal> {
        let (text, named, delivery) = words;
        let (attempt, images) = (id.number, images::named(&self.context, named).await?);
        self.submit(actor, id.task, Command::Send { attempt, text, images, delivery }).await
    }

    /// Changes a staged task to what is wanted now.
    pub async fn edit_task(
        &self,
        actor: Actor,
        task: &TaskState,
        new: NewTask,
    ) -> Result<Arc<TaskState>, Refusal> {
        crate::intake::edit_task(&self.context, actor, task, new).await
    }

    /// Starts a staged task.
    pub async fn start_task(&self, actor: Actor, task: &TaskState) -> Result<Arc<TaskState>, Refusal> {
        crate::intake::start_task(&self.context, actor, task).await
    }

    /// Gives a task another place among those that wait.
    pub async fn move_task(
        &self,
        actor: Actor,
        task: TaskId,
        place: Place,
    ) -> Result<Arc<TaskState>, Refusal> {
        let tasks = self.tasks();
        let since = schedule::since_for(tasks.iter().map(AsRef::as_ref), task, place, self.context.now());
        let since = since.ok_or_else(|| {
            let hint = "divisi ls lists those that wait, in their order";
            Refusal::wrong_state("the task to stand before does not wait", hint)
        })?;
        self.context.authority.submit(actor, task, Command::Move { since }).await
    }

    /// Asks for something; the answer is the task as it is then.
    pub async fn submit(
        &self,
        actor: Actor,
        task: TaskId,
        command: Command,
    ) -> Result<Arc<TaskState>, Refusal> {
        if matches!(
            command,
            Command::Report(_)
                | Command::Ask { .. }
                | Command::SendBack { .. }
                | Command::Add { .. }
                | Command::Edit { .. }
                | Command::Start { .. }
        ) {
            return Err(Refusal::bad_input("that is not for people to say", ""));
        }
        self.context.authority.submit(actor, task, command).await
    }

    /// All tasks by number, archived ones too.
    pub fn tasks(&self) -> Vec<Arc<TaskState>> {
        self.context.authority.tasks()
    }

    /// The task with this number.
    pub fn task(&self, number: TaskNumber) -> Option<Arc<TaskState>> {
        self.context.authority.task(number)
    }

    /// Replays the log after `after`, then follows it.
    pub fn feed(&self, after: u64) -> Feed {
        Feed::new(&self.context.authority, after)
    }

    /// The number of the last event.
    pub fn last_seq(&self) -> u64 {
        *self.context.authority.store().changes().borrow()
    }

    /// Entries of a transcript that changed after revision `after`, at most `limit`.
    pub async fn transcript(
        &self,
        attempt: AttemptId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, Refusal> {
        let store = self.context.authority.store().clone();
        let entries =
            blocking(move || store.entries(attempt, after, limit)).await.map_err(|e| internal(e.0))?;
        entries.map_err(|error| internal(with_sources(&error)))
    }

    /// The last entries of a transcript, in its order: of all, or of those before an entry, by session and number.
    pub async fn transcript_tail(
        &self,
        attempt: AttemptId,
        before: Option<(u32, u64)>,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, Refusal> {
        let store = self.context.authority.store().clone();
        let entries = blocking(move || store.entries_before(attempt, before, limit)).await;
        entries.map_err(|e| internal(e.0))?.map_err(|error| internal(with_sources(&error)))
    }

    /// The newest revision of all transcripts together, as it changes.
    pub fn transcript_changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.context.authority.store().transcript_changes()
    }

    /// Replays a transcript after revision `after`, then follows it.
    pub fn follow_transcript(&self, attempt: AttemptId, after: u64) -> TranscriptFeed {
        self.context.authority.store().transcript_feed(attempt, after)
    }

    /// What an attempt changes.
    pub async fn diff(&self, attempt: AttemptId, scope: DiffScope) -> Result<Listed, Refusal> {
        crate::looks::diff(&self.context, attempt, scope).await
    }

    /// Which files an attempt changes, without hunks.
    pub async fn diff_files(
        &self,
        attempt: AttemptId,
        scope: DiffScope,
        options: DiffOptions,
    ) -> Result<Listed, Refusal> {
        crate::looks::diff_files(&self.context, attempt, scope, options).await
    }

    /// Some files of what changed between two commits, with their hunks.
    pub async fn diff_some(
        &self,
        attempt: AttemptId,
        commits: (divisi_model::Oid, divisi_model::Oid),
        paths: Vec<DiffPath>,
        options: DiffOptions,
    ) -> Result<Vec<FileDiff>, Refusal> {
        crate::looks::diff_some(&self.context, attempt, commits, paths, options).await
    }

    /// The bytes of a file of some commit.
    pub async fn file(&self, attempt: AttemptId, blob: BlobId) -> Result<Vec<u8>, Refusal> {
        crate::looks::file(&self.context, attempt, blob).await
    }

    /// The commits of an attempt's result, newest first.
    pub async fn commits(&self, attempt: AttemptId) -> Result<Vec<LoggedCommit>, Refusal> {
        crate::looks::commits(&self.context, attempt).await
    }

    /// Writes a comment, which is a draft until a verdict sends it. What its lines say is read here.
    pub async fn comment(
        &self,
        actor: Actor,
        attempt: AttemptId,
        comment: NewComment,
    ) -> Result<Arc<TaskState>, Refusal> {
        reviews::comment(&self.context, actor, attempt, comment).await
    }

    /// Gives a verdict, with every comment that waits.
    pub async fn review(
        &self,
        actor: Actor,
        attempt: AttemptId,
        asked: Asked,
    ) -> Result<Arc<TaskState>, Refusal> {
        reviews::review(&self.context, actor, attempt, asked).await
    }

    /// The snapshots of an attempt in the order of time.
    pub async fn snapshots(&self, attempt: AttemptId) -> Result<Vec<SnapshotAt>, Refusal> {
        crate::snapshots::list(&self.context, attempt).await
    }

    /// What an attempt uses at this moment.
    pub async fn resources(&self, attempt: AttemptId) -> Result<Resources, Refusal> {
        crate::surroundings::resources(&self.context, attempt).await
    }

    /// Where an attempt's workspace stands.
    pub async fn standing(&self, attempt: AttemptId) -> Result<Standing, Refusal> {
        crate::surroundings::standing(&self.context, attempt).await
    }

    /// Opens a shell for the person in the workspace of an attempt. It ends when it is dropped, which blocks for up to half a
    /// second.
    pub async fn terminal(&self, attempt: AttemptId, size: TerminalSize) -> Result<Terminal, Refusal> {
        crate::terminals::open(&self.context, attempt, size).await
    }

    /// What the agents of an attempt's sessions wrote, in the order of the sessions.
    pub async fn journals(&self, attempt: AttemptId) -> Result<Vec<Journal>, Refusal> {
        crate::terminals::journals(&self.context, attempt).await
    }

    /// Follows what the agent of a session wrote, from a byte of it on.
    pub async fn follow_journal(
        &self,
        attempt: AttemptId,
        session: u32,
        from: u64,
    ) -> Result<Box<dyn Output>, Refusal> {
        crate::terminals::follow(&self.context, attempt, session, from).await
    }

    /// Files of a known project's base whose paths fit a few letters, the best first.
    pub async fn files(&self, root: &str, base: Option<String>, words: &str) -> Result<Vec<String>, Refusal> {
        crate::looks::files(&self.context, root, base, words).await
    }

    /// The tasks that something happened to since then, with what their attempts did.
    pub async fn work(&self, from: jiff::Timestamp) -> Result<Vec<crate::fleet::Work>, Refusal> {
        crate::fleet::work(&self.context, from).await
    }

    /// This machine as it is now.
    pub fn machine(&self) -> crate::fleet::Machine {
        crate::fleet::machine(&self.context.options.data)
    }

    /// The whole log of a check: `evidence` counts the attempt's evidence from 0.
    pub async fn check_log(&self, attempt: AttemptId, evidence: usize) -> Result<Vec<u8>, Refusal> {
        crate::looks::check_log(&self.context, attempt, evidence).await
    }

    /// The whole log of the setup script that ran last.
    pub async fn setup_log(&self, attempt: AttemptId) -> Result<Vec<u8>, Refusal> {
        crate::looks::setup_log(&self.context, attempt).await
    }

    /// Writes everything to one file, while the engine goes on.
    pub async fn export(&self, new: NewExport) -> Result<Exported, Refusal> {
        export::export(&self.context, new).await
    }

    /// All agents with their readiness.
    pub fn agents(&self, root: Option<&Path>) -> Result<Vec<AgentInfo>, Refusal> {
        self.context.options.agents.agents(root)
    }

    fn log_trouble(&self) -> Option<Trouble> {
        self.context.authority.store().trouble().as_ref().map(troubles::of_log)
    }

    /// What holds an attempt up at the moment that would go on by itself.
    pub fn trouble(&self, attempt: AttemptId) -> Option<Trouble> {
        self.log_trouble().or_else(|| self.context.troubles.of(attempt))
    }

    /// Whether an attempt was stopped, and what it started has yet to end.
    pub fn is_ending(&self, attempt: AttemptId) -> bool {
        let Some(task) = self.context.authority.task_by_id(attempt.task) else { return false };
        task.attempt(attempt.number).is_some_and(|state| {
            state.phase == Phase::Stopped
                && (state.open_session().is_some() || self.context.steps.has(attempt))
        })
    }

    /// How the engine is.
    pub fn health(&self) -> Health {
        let tasks = self.tasks();
        let mut by_column = std::collections::BTreeMap::new();
        for status in tasks.iter().filter_map(|task| task_status(task)) {
            *by_column.entry(status.attention).or_insert(0) += 1;
        }
        let sessions = tasks.iter().flat_map(|task| &task.attempts).filter(|a| a.open_session().is_some());
        Health {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.started,
            last_seq: self.last_seq(),
            tasks: by_column.into_iter().collect(),
            live_sessions: sessions.count(),
            log_trouble: self.log_trouble(),
        }
    }

    /// Ends the stages and closes the log, whoever still holds this handle. Agents, setup scripts and checks live on with
    /// their shims and are taken up at the next start.
    pub async fn shutdown(&self) {
        self.context.stop.cancel();
        let mut stages = self.stages.lock().await;
        while stages.join_next().await.is_some() {}
        let store = self.context.authority.store().clone();
        if let Err(StepError(why)) = blocking(move || store.close()).await {
            tracing::warn!(why, "the log could not be closed in good order");
        }
    }
}
