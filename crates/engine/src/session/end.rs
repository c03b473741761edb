//! The end of a live session: in good order where the agent can, and heard out to the last byte.

use std::time::Duration;

use divisi_agent::Conversation;
use divisi_agent::acp::Stage;
use divisi_agent::exec::Exited;
use divisi_model::event::Event;
use divisi_model::{AttemptState, Phase, TaskState};
use divisi_workspace::launch::{Exit, Followed, Outcome};
use tokio::time::Instant;

use super::drive::Driver;
use super::turns;
use crate::run;
use crate::stage::StepError;
use crate::worker::Output;

/// How long an agent may take to end its turn, and then to close its session in good order, before it is ended.
const CLOSE_GRACE: Duration = Duration::from_secs(2);
/// How much of the end of an agent's stderr goes into the reason of its end, in bytes.
const ERROR_BYTES: u64 = 2000;
/// Why a session is closed whose attempt has landed, was stopped or put away.
pub(super) const OVER: &str = "the attempt is over";

impl Driver {
    /// The engine shuts down: the agent lives on in its shim, unless its time is over anyway.
    pub(super) async fn leave(&mut self, follower: Box<dyn Output>) -> Result<(), StepError> {
        let task = self.context.task(self.id)?;
        match task.attempt(self.id.number).is_some_and(|attempt| is_over(&task, attempt)) {
            true => self.end(follower, OVER.to_owned()).await,
            false => self.store_entries().await,
        }
    }

    /// Ends the agent's process, takes what it still says, and records the end.
    pub(super) async fn end(&mut self, mut follower: Box<dyn Output>, why: String) -> Result<(), StepError> {
        let actions = self.conversation.cancel(self.context.now());
        self.act(actions).await?;
        self.listen(&mut follower, |stage| stage != Stage::Turn).await?;
        if self.conversation.stage() == Stage::Idle {
            let actions = self.conversation.close(self.context.now());
            self.act(actions).await?;
            self.listen(&mut follower, |stage| stage == Stage::Over).await?;
        }
        // One that was not reached would never end: the step is tried again then.
        self.launch.terminate().await.map_err(|error| StepError::of(&error))?;
        loop {
            match follower.next().await.map_err(|error| StepError::of(&error))? {
                Followed::Bytes { offset, bytes } => {
                    let actions = self.conversation.feed_out(&bytes, offset, self.context.now());
                    self.act(actions).await?;
                }
                Followed::Ended(exit) => return self.over(&exit, why).await,
            }
        }
    }

    /// Hears a protocol's agent out until its session is as `wanted`, but not for long.
    async fn listen(
        &mut self,
        follower: &mut Box<dyn Output>,
        wanted: impl Fn(Stage) -> bool,
    ) -> Result<(), StepError> {
        let until = Instant::now() + CLOSE_GRACE;
        while matches!(self.conversation, Conversation::Acp(_)) && !wanted(self.conversation.stage()) {
            let Ok(followed) = tokio::time::timeout_at(until, follower.next()).await else { break };
            match followed.map_err(|error| StepError::of(&error))? {
                Followed::Bytes { offset, bytes } => {
                    let actions = self.conversation.feed_out(&bytes, offset, self.context.now());
                    self.act(actions).await?;
                }
                Followed::Ended(_) => break,
            }
        }
        Ok(())
    }

    /// The process is gone and all it said was heard.
    pub(super) async fn over(&mut self, exit: &Exit, why: String) -> Result<(), StepError> {
        let errors = self.launch.errors(ERROR_BYTES);
        let code = match exit.outcome {
            Outcome::Exited { code } => Some(code),
            _ => None,
        };
        let mut text = format!("the agent's process {}", run::describe(exit));
        if let (Conversation::Acp(_), Some(last)) = (&self.conversation, errors.lines().last()) {
            text.push_str(&format!(": {last}"));
        }
        let actions = self.conversation.exited(&Exited { code, text, errors }, self.context.now());
        self.act(actions).await?;
        turns::abandon(self, &why).await?;
        self.report(Event::SessionClosed {
            attempt: self.id.number,
            session: self.number,
            why,
            forgotten: false,
        })
        .await
        .map(drop)
    }
}

/// Whether the attempt needs its session no more.
pub(super) fn is_over(task: &TaskState, attempt: &AttemptState) -> bool {
    task.archived || matches!(attempt.phase, Phase::Landed | Phase::Stopped)
}
