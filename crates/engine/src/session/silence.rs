//! An agent that is silent: too long idle, without room on its disk, or without a sign of life in a turn.

use std::time::Duration;

use divisi_agent::acp::Stage;
use divisi_model::event::Blocked;
use divisi_model::inbox::Ask;
use divisi_model::{AttemptState, Phase, TaskState};
use divisi_workspace::launch::Pause;
use tokio::time::Instant;

use super::asks;
use super::drive::Driver;
use crate::stage::StepError;

/// How long an idle agent is kept for a follow-up; later ones resume the session in a new process.
const KEEP_IDLE: Duration = Duration::from_secs(10 * 60);
/// What is said of an agent that waits for room.
const NO_SPACE: &str = "the disk is full, so the agent waits; it goes on by itself when there is room";

impl Driver {
    /// Closes an agent that has long been idle, and tells a person of one that stands still in a turn; or no longer does.
    pub(super) async fn look_at_silence(
        &mut self,
        task: &TaskState,
        attempt: &AttemptState,
    ) -> Result<(), StepError> {
        let busy = matches!(attempt.phase, Phase::Queued | Phase::Preparing | Phase::Working);
        if busy || self.conversation.stage() == Stage::Turn {
            self.idle_since = None;
        } else if self.idle_since.get_or_insert_with(Instant::now).elapsed() > KEEP_IDLE {
            self.close("the agent was idle");
        }
        let told = task.open_items().find(|i| i.attempt == attempt.number && i.ask.kind() == "stall");
        let stands = self.stands_still(task, attempt);
        match (told, stands) {
            (None, Some(ask)) if matches!(&ask, Ask::Stall { why, .. } if why == NO_SPACE) => {
                // Where the log has no room either, the next look says it.
                if let Err(error) = asks::open(self, ask).await {
                    tracing::warn!(attempt = %self.id, %error, "a full disk could not be told");
                }
                Ok(())
            }
            (None, Some(ask)) => asks::open(self, ask).await,
            // What blocks an attempt is not over because its agent still says something.
            (Some(item), None) if attempt.phase == Phase::Working && attempt.running_turn().is_some() => {
                // A daemon that has just begun has heard nothing yet, which says nothing of the agent.
                let had_no_room = matches!(&item.ask, Ask::Stall { why, .. } if why == NO_SPACE);
                if self.heard || had_no_room {
                    asks::withdraw(self, item.id, "the agent goes on").await?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Why the agent stands still, if it does. Silence is measured by a clock that nobody sets.
    fn stands_still(&self, task: &TaskState, attempt: &AttemptState) -> Option<Ask> {
        if self.launch.status().paused == Some(Pause::NoSpace) {
            let hint = "make room; divisi doctor shows how much there is".to_owned();
            return Some(Ask::Stall { why: NO_SPACE.to_owned(), hint });
        }
        let minutes = task.spec.settings.stall_minutes;
        let silent = minutes > 0 && self.active.elapsed() >= Duration::from_secs(u64::from(minutes) * 60);
        let waits = !self.conversation.open_requests().is_empty();
        if attempt.running_turn().is_none() || !silent || waits {
            return None;
        }
        let why = Blocked::Stalled { minutes };
        let hint = divisi_model::view::hint_for(&why, task, attempt.number);
        Some(Ask::Stall { why: why.to_string(), hint })
    }
}
