//! Work: every open session, and every attempt that should have one, is driven until the session is closed.

use std::sync::Arc;

use divisi_model::event::Blocked;
use divisi_model::{AttemptId, AttemptState, Event, Phase, TaskState};

use crate::context::Context;
use crate::stage::{Stage, StepError};

/// See the module.
pub(crate) struct Work;

impl Stage for Work {
    const NAME: &'static str = "work";

    fn waiting(&self, _task: &TaskState, attempt: &AttemptState) -> bool {
        attempt.phase == Phase::Working || attempt.open_session().is_some()
    }

    async fn step(&self, context: Arc<Context>, attempt: AttemptId) -> Result<(), StepError> {
        crate::session::drive(context, attempt).await
    }

    async fn give_up(
        &self,
        _: &Context,
        _: &TaskState,
        attempt: &AttemptState,
        text: String,
    ) -> Option<Event> {
        let blocked = Event::AttemptBlocked { attempt: attempt.number, why: Blocked::Agent { text } };
        (attempt.phase == Phase::Working).then_some(blocked)
    }
}
