//! Archive: workspaces of archived tasks are removed after a full snapshot, those of restored tasks come back.

use std::sync::Arc;

use divisi_model::event::Event;
use divisi_model::schedule::port_of_restored;
use divisi_model::{AttemptId, AttemptState, TaskState};

use crate::context::Context;
use crate::images;
use crate::stage::{Stage, StepError};
use crate::worker::{Back, PutAway};

/// See the module.
pub(crate) struct Archive;

impl Stage for Archive {
    const NAME: &'static str = "archive";

    fn at_once(&self) -> usize {
        2
    }

    fn waiting(&self, task: &TaskState, attempt: &AttemptState) -> bool {
        let idle = attempt.workspace.is_some() && attempt.open_session().is_none();
        idle && task.archived == attempt.archived_as.is_none()
    }

    async fn step(&self, context: Arc<Context>, id: AttemptId) -> Result<(), StepError> {
        // From before the task is looked at: whoever restores it after that look finds this.
        let put_away = context.put_away.begin(id);
        if context.task(id)?.archived {
            let PutAway { commit, reference, outside } = context.worker.archive(context.attempt(id)?).await?;
            images::put_away(&context, id).await?;
            let archived = Event::WorkspaceArchived { attempt: id.number, commit, reference, outside };
            return context.report(id, archived).await;
        }
        drop(put_away);
        let Back { path, kind } = context.worker.restore(context.attempt(id)?).await?;
        images::bring_back(&context, id).await?;
        let _slots = context.slots.lock().await;
        let tasks = context.authority.tasks();
        let first_port = port_of_restored(tasks.iter().map(AsRef::as_ref), id);
        let (attempt, kind) = (id.number, Some(kind));
        context.report(id, Event::WorkspaceRestored { attempt, path, kind, first_port }).await
    }

    /// What cannot be put away is not lost, and nobody waits for it.
    async fn give_up(&self, _: &Context, _: &TaskState, _: &AttemptState, _: String) -> Option<Event> {
        None
    }
}
