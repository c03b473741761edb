//! What every stage is given.

use std::path::PathBuf;
use std::sync::Arc;

use divisi_model::{AttemptId, TaskState};
use tokio_util::sync::CancellationToken;

use crate::authority::Authority;
use crate::options::Options;
use crate::stage::StepError;

/// What every stage is given.
pub(crate) struct Context {
    pub(crate) authority: Arc<Authority>,
    pub(crate) options: Options,
    pub(crate) stop: CancellationToken,
    pub(crate) git: divisi_workspace::Git,
}

impl Context {
    /// The newest state of an attempt's task.
    pub(crate) fn task(&self, id: AttemptId) -> Result<Arc<TaskState>, StepError> {
        self.authority.task_by_id(id.task).ok_or_else(|| StepError(format!("there is no task {}", id.task)))
    }

    /// A path below the data folder.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.options.data.join(relative)
    }
}

/// Runs what blocks, such as git, beside the async tasks.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StepError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StepError(format!("a blocking step ended: {error}")))
}
