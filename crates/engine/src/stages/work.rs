//! Work: every open session, and every attempt that should have one, is driven until the session is closed.

use std::sync::Arc;

use divisi_model::{AttemptId, AttemptState, Phase, TaskState};

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
}
