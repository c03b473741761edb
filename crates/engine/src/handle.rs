//! The engine from outside: start it, ask it, follow it.

use std::path::Path;
use std::sync::Arc;

use divisi_model::project::Project;
use divisi_model::view::{Attention, task_status};
use divisi_model::{Actor, AttemptId, Command, Phase, Refusal, TaskId, TaskNumber, TaskState};
use divisi_store::{Store, StoreError, StoredEntry, TranscriptFeed};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::authority::{Authority, internal, with_sources};
use crate::clock::{Clock, SystemClock};
use crate::context::{Context, blocking};
use crate::export::{self, Exported, NewExport};
use crate::feed::Feed;
use crate::intake::{Known, NewTask};
use crate::looks::DiffScope;
use crate::options::{AgentInfo, Options};
use crate::stage::StepError;
use crate::troubles::{Trouble, Troubles};
use crate::worker::{Local, Worker};
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
        let context = Arc::new(Context {
            authority,
            options,
            stop: CancellationToken::new(),
            worker,
            troubles,
            steps: Arc::default(),
            put_away: Arc::default(),
            slots,
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

    /// Asks for something; the answer is the task as it is then.
    pub async fn submit(
        &self,
        actor: Actor,
        task: TaskId,
        command: Command,
    ) -> Result<Arc<TaskState>, Refusal> {
        if matches!(
            command,
            Command::Report(_) | Command::Ask { .. } | Command::SendBack { .. } | Command::Add { .. }
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

    /// Replays a transcript after revision `after`, then follows it.
    pub fn follow_transcript(&self, attempt: AttemptId, after: u64) -> TranscriptFeed {
        self.context.authority.store().transcript_feed(attempt, after)
    }

    /// What an attempt changes.
    pub async fn diff(
        &self,
        attempt: AttemptId,
        scope: DiffScope,
    ) -> Result<divisi_workspace::Diff, Refusal> {
        crate::looks::diff(&self.context, attempt, scope).await
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
