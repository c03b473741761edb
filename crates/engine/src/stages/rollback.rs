//! Rollback: files of a workspace are brought back as an earlier snapshot has them.

use std::sync::Arc;

use divisi_model::event::Event;
use divisi_model::{AttemptId, AttemptState, Phase, TaskState};

use crate::context::Context;
use crate::stage::{Stage, StepError};
use crate::worker::RolledBack;

/// See the module.
pub(crate) struct Rollback;

impl Stage for Rollback {
    const NAME: &'static str = "rollback";

    fn at_once(&self) -> usize {
        2
    }

    fn waiting(&self, _task: &TaskState, attempt: &AttemptState) -> bool {
        attempt.phase == Phase::RollingBack
    }

    async fn step(&self, context: Arc<Context>, id: AttemptId) -> Result<(), StepError> {
        let task = context.task(id)?;
        let Some(attempt) = task.attempt(id.number) else { return Ok(()) };
        let Some(asked) = attempt.open_rollback() else { return Ok(()) };
        let number = u32::try_from(attempt.rollbacks.len()).unwrap_or(u32::MAX);
        context.worker.bring_back(context.attempt(id)?).await?;
        let (to, paths) = (asked.to.clone(), asked.paths.clone());
        let attempt = id.number;
        let event = match context.worker.roll_back(context.attempt(id)?, number, to, paths).await? {
            RolledBack::Yes { before, reference, files, kept } => {
                Event::RolledBack { attempt, before, reference, files, kept }
            }
            RolledBack::Refused { text } => Event::RollbackFailed { attempt, why: text },
        };
        context.report(id, event).await
    }

    async fn give_up(
        &self,
        _: &Context,
        _: &TaskState,
        attempt: &AttemptState,
        why: String,
    ) -> Option<Event> {
        Some(Event::RollbackFailed { attempt: attempt.number, why })
    }
}
