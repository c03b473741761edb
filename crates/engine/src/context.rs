//! What every stage is given.

use std::path::PathBuf;
use std::sync::Arc;

use divisi_model::project::Project;
use divisi_model::{Actor, AttemptId, Command, Event, RefusalKind, TaskState};
use jiff::Timestamp;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::authority::Authority;
use crate::options::Options;
use crate::stage::StepError;
use crate::troubles::Troubles;
use crate::under_way::UnderWay;
use crate::worker::{Attempt, Worker};

/// What every stage is given.
pub(crate) struct Context {
    pub(crate) authority: Arc<Authority>,
    pub(crate) options: Options,
    pub(crate) stop: CancellationToken,
    /// Where attempts run.
    pub(crate) worker: Arc<dyn Worker>,
    /// What holds attempts up at the moment.
    pub(crate) troubles: Arc<Troubles>,
    /// Whose steps are under way.
    pub(crate) steps: Arc<UnderWay>,
    /// Whose workspaces are on their way into the archive, also when their task was restored meanwhile.
    pub(crate) put_away: Arc<UnderWay>,
    /// Held while a slot is chosen, until the choice is in the log.
    pub(crate) slots: Mutex<()>,
    /// Held while a host is chosen for a session, until the choice is in the session's folder.
    pub(crate) hosts: Mutex<()>,
    /// One permit per check that may run at once.
    pub(crate) checks: Semaphore,
}

impl Context {
    /// The newest state of an attempt's task.
    pub(crate) fn task(&self, id: AttemptId) -> Result<Arc<TaskState>, StepError> {
        self.authority.task_by_id(id.task).ok_or_else(|| StepError(format!("there is no task {}", id.task)))
    }

    /// What a worker is told of an attempt, as it is now.
    pub(crate) fn attempt(&self, id: AttemptId) -> Result<Attempt, StepError> {
        let task = self.task(id)?;
        Ok(Attempt { project: self.project(&task)?, task, number: id.number })
    }

    /// The project of a task.
    pub(crate) fn project(&self, task: &TaskState) -> Result<Project, StepError> {
        let id = task.spec.project;
        self.authority.project(id).ok_or_else(|| StepError(format!("there is no project {id}")))
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.authority.clock().now()
    }

    /// Says what a step did or saw. What no longer fits the state of the task is not an error: something else came first.
    pub(crate) async fn report(&self, id: AttemptId, event: Event) -> Result<(), StepError> {
        self.try_report(id, event).await.map(drop)
    }

    /// As [`Context::report`], and whether it fitted.
    pub(crate) async fn try_report(&self, id: AttemptId, event: Event) -> Result<bool, StepError> {
        self.try_submit(id, Command::Report(event)).await
    }

    /// Asks for something in Divisi's own name; what no longer fits is not an error.
    pub(crate) async fn submit(&self, id: AttemptId, command: Command) -> Result<(), StepError> {
        self.try_submit(id, command).await.map(drop)
    }

    async fn try_submit(&self, id: AttemptId, command: Command) -> Result<bool, StepError> {
        match self.authority.submit(Actor::Divisi, id.task, command).await {
            Ok(_) => Ok(true),
            Err(refusal) if refusal.kind == RefusalKind::WrongState => {
                tracing::debug!(attempt = %id, %refusal, "something else came first");
                Ok(false)
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// A path below the data folder.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.options.data.join(relative)
    }
}

/// Runs what blocks, such as git, beside the async tasks. A runtime of one thread is a simulation's: there it runs in
/// its place, so that nothing depends on the moment at which another thread is done.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StepError> {
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| StepError(format!("a blocking step ended: {error}")))
}
