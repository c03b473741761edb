//! The one place that appends events. A command is decided against the newest state of its task, appended with the
//! version it was decided on, and folded; commands for one task go one after the other, those of different tasks side
//! by side, so that the store can commit them together.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use divisi_model::event::Event;
use divisi_model::project::Project;
use divisi_model::task::TaskSpec;
use divisi_model::{
    Actor, AttemptId, Command, ProjectId, Refusal, Stream, TaskId, TaskNumber, TaskState, decide, fold,
};
use divisi_store::{AppendError, Store, Sync};
use tokio::sync::Mutex;

use crate::changes::{Changes, Watcher};
use crate::clock::Clock;
use crate::troubles::of_log;

/// The state of all tasks and the right to change it.
pub(crate) struct Authority {
    store: Store,
    tasks: RwLock<BTreeMap<TaskId, Arc<Slot>>>,
    projects: RwLock<BTreeMap<ProjectId, Project>>,
    /// Held while a task or project is added, so that numbers and roots stay unique.
    adding: Mutex<()>,
    /// Counts what was folded into the state here. The store's own count runs ahead of it: an event is durable a moment
    /// before it can be seen in [`Authority::task`].
    folded: Changes,
    /// Tells that the log could not be written.
    log_failed: Changes,
    clock: Arc<dyn Clock>,
}

/// One task: its newest state, and the lock that orders its commands.
struct Slot {
    order: Mutex<()>,
    state: RwLock<Arc<TaskState>>,
}

impl Slot {
    fn new(state: TaskState) -> Arc<Self> {
        Arc::new(Self { order: Mutex::new(()), state: RwLock::new(Arc::new(state)) })
    }

    fn state(&self) -> Arc<TaskState> {
        Arc::clone(&read(&self.state))
    }
}

impl Authority {
    /// Takes up what the store holds.
    pub(crate) fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        log_failed: Changes,
    ) -> Result<Self, divisi_store::StoreError> {
        let tasks = store.tasks()?.into_iter().map(|task| (task.id, Slot::new(task))).collect();
        let projects = store.projects()?.into_iter().map(|project| (project.id, project)).collect();
        Ok(Self {
            store,
            tasks: RwLock::new(tasks),
            projects: RwLock::new(projects),
            adding: Mutex::new(()),
            folded: Changes::default(),
            log_failed,
            clock,
        })
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn tasks(&self) -> Vec<Arc<TaskState>> {
        let mut tasks: Vec<_> = read(&self.tasks).values().map(|slot| slot.state()).collect();
        tasks.sort_by_key(|task| task.spec.number);
        tasks
    }

    pub(crate) fn task(&self, number: TaskNumber) -> Option<Arc<TaskState>> {
        read(&self.tasks).values().map(|slot| slot.state()).find(|task| task.spec.number == number)
    }

    pub(crate) fn task_by_id(&self, id: TaskId) -> Option<Arc<TaskState>> {
        self.slot(id).map(|slot| slot.state())
    }

    pub(crate) fn projects(&self) -> Vec<Project> {
        read(&self.projects).values().cloned().collect()
    }

    pub(crate) fn project(&self, id: ProjectId) -> Option<Project> {
        read(&self.projects).get(&id).cloned()
    }

    /// Changes whenever the state seen here does.
    pub(crate) fn changes(&self) -> Watcher {
        self.folded.watch()
    }

    /// Wakes whoever waits for a change.
    pub(crate) fn tell(&self) {
        self.folded.tell();
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Whether an event can be seen in the state here.
    pub(crate) fn has(&self, envelope: &divisi_model::Envelope) -> bool {
        match envelope.stream {
            Stream::Project(id) => self.project(id).is_some(),
            Stream::Task(id) => self.task_by_id(id).is_some_and(|task| task.version >= envelope.version),
        }
    }

    fn slot(&self, id: TaskId) -> Option<Arc<Slot>> {
        read(&self.tasks).get(&id).cloned()
    }

    /// Makes a project known by its root; one that is known already is returned as it is.
    pub(crate) async fn add_project(
        &self,
        actor: Actor,
        name: String,
        root: String,
    ) -> Result<Project, Refusal> {
        let _adding = self.adding.lock().await;
        if let Some(known) = read(&self.projects).values().find(|project| project.root == root) {
            return Ok(known.clone());
        }
        let project = Project { id: ProjectId(self.clock.id()), name, root };
        let stream = Stream::Project(project.id);
        let events = vec![Event::ProjectAdded { project: project.clone() }];
        self.append(stream, 0, actor, events).await?;
        write(&self.projects).insert(project.id, project.clone());
        self.folded.tell();
        Ok(project)
    }

    /// Says that a project is in another folder now.
    pub(crate) async fn move_project(
        &self,
        actor: Actor,
        id: ProjectId,
        name: String,
        root: String,
    ) -> Result<Project, Refusal> {
        let _adding = self.adding.lock().await;
        let stream = Stream::Project(id);
        let known = self.store.read_stream(stream, 0, usize::MAX);
        let version = known.map_err(|error| internal(with_sources(&error)))?.len() as u64;
        let project = Project { id, name, root };
        let events = vec![Event::ProjectAdded { project: project.clone() }];
        self.append(stream, version, actor, events).await?;
        write(&self.projects).insert(id, project.clone());
        self.folded.tell();
        Ok(project)
    }

    /// Adds a task; `make` gets the number that it will have. Not undone when the caller goes away in the middle.
    pub(crate) async fn add_task(
        self: &Arc<Self>,
        actor: Actor,
        stage: bool,
        make: impl FnOnce(TaskNumber) -> TaskSpec + Send + 'static,
    ) -> Result<Arc<TaskState>, Refusal> {
        let this = Arc::clone(self);
        let done = tokio::spawn(async move { this.add_task_whole(actor, stage, make).await });
        done.await.unwrap_or_else(|error| Err(internal(format!("the task was not added: {error}"))))
    }

    async fn add_task_whole(
        &self,
        actor: Actor,
        stage: bool,
        make: impl FnOnce(TaskNumber) -> TaskSpec,
    ) -> Result<Arc<TaskState>, Refusal> {
        let _adding = self.adding.lock().await;
        let last = self.tasks().last().map_or(0, |task| task.spec.number.0);
        let spec = make(TaskNumber(last + 1));
        let id = TaskId(self.clock.id());
        let events = decide(None, Command::Add { spec: Box::new(spec), stage }, &mut || self.clock.id())?;
        let envelopes = self.append(Stream::Task(id), 0, actor, events).await?;
        let state = envelopes.iter().fold(None, |state, envelope| fold(state, id, envelope));
        let state = state.ok_or_else(|| internal("the task could not be folded".to_owned()))?;
        let slot = Slot::new(state);
        write(&self.tasks).insert(id, Arc::clone(&slot));
        self.folded.tell();
        Ok(slot.state())
    }

    /// Decides a command and makes it so. Not undone when the caller goes away in the middle.
    pub(crate) async fn submit(
        self: &Arc<Self>,
        actor: Actor,
        task: TaskId,
        command: Command,
    ) -> Result<Arc<TaskState>, Refusal> {
        let this = Arc::clone(self);
        let done = tokio::spawn(async move { this.submit_whole(actor, task, command).await });
        done.await.unwrap_or_else(|error| Err(internal(format!("the command was not carried out: {error}"))))
    }

    async fn submit_whole(
        &self,
        actor: Actor,
        task: TaskId,
        command: Command,
    ) -> Result<Arc<TaskState>, Refusal> {
        let slot = self
            .slot(task)
            .ok_or_else(|| Refusal::not_found("there is no such task", "divisi ls lists them"))?;
        let _order = slot.order.lock().await;
        let state = slot.state();
        let events = decide(Some(&state), command, &mut || self.clock.id())?;
        if events.is_empty() {
            return Ok(state);
        }
        let envelopes = self.append(Stream::Task(task), state.version, actor, events).await?;
        let folded =
            envelopes.iter().try_fold((*state).clone(), |state, envelope| fold(Some(state), task, envelope));
        let folded = Arc::new(folded.ok_or_else(|| internal("the events could not be folded".to_owned()))?);
        *write(&slot.state) = Arc::clone(&folded);
        self.folded.tell();
        Ok(folded)
    }

    /// Says for a stage what it did or saw.
    pub(crate) async fn report(
        self: &Arc<Self>,
        attempt: AttemptId,
        event: Event,
    ) -> Result<Arc<TaskState>, Refusal> {
        self.submit(Actor::Divisi, attempt.task, Command::Report(event)).await
    }

    async fn append(
        &self,
        stream: Stream,
        version: u64,
        actor: Actor,
        events: Vec<Event>,
    ) -> Result<Vec<divisi_model::Envelope>, Refusal> {
        let by_person = matches!(actor, Actor::Person { .. });
        let sync = if by_person || events.iter().any(is_decision) { Sync::Full } else { Sync::Normal };
        let appended = self.store.append(stream, version, actor, self.clock.now(), events, sync).await;
        appended.map_err(|error| match &error {
            AppendError::Store(cause) if self.store.trouble().is_some() => {
                self.log_failed.tell();
                let trouble = of_log(cause);
                Refusal::internal(trouble.reason, trouble.hint)
            }
            _ => internal(with_sources(&error)),
        })
    }
}

/// What must survive a power cut before anybody is told, besides all that a person asks for: what changes the user's
/// repository, what holds the only copy of a workspace, and what an agent must be taken up by.
fn is_decision(event: &Event) -> bool {
    matches!(
        event,
        Event::TaskAdded { .. }
            | Event::TaskEdited { .. }
            | Event::ItemAnswered { .. }
            | Event::Reviewed { .. }
            | Event::LandingRequested { .. }
            | Event::LandingPrepared { .. }
            | Event::Landed { .. }
            | Event::UndoRequested { .. }
            | Event::LandingUndone { .. }
            | Event::RolledBack { .. }
            | Event::WorkspaceArchived { .. }
            | Event::SessionNamed { .. }
    )
}

/// An error with all its causes in a line.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// A failure of Divisi's own, not of the request.
pub(crate) fn internal(message: String) -> Refusal {
    let hint = hint_of(&message, "divisi doctor looks for the cause; the daemon's log has the details");
    Refusal::internal(message, hint)
}

/// What helps where a step failed with these words: room, if that is what it lacked.
pub(crate) fn hint_of<'a>(why: &str, otherwise: &'a str) -> &'a str {
    // Git and the kernel say it in the same words; git is always run in this language.
    match why.contains("No space left on device") {
        true => "make room on the disk; divisi doctor shows how much there is",
        false => otherwise,
    }
}

/// A poisoned lock means that a thread died while it held it; what it protects is replaced whole, so it is still good.
fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(std::sync::PoisonError::into_inner)
}
