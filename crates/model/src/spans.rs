//! Who did or waited for what when, folded from the log.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::Envelope;
use crate::fold::fold;
use crate::ids::TaskId;
use crate::state::{AttemptState, TaskState};
use crate::view::{self, Attention};

/// What an attempt did or waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Its agent worked, or its workspace was made.
    Working,
    /// Divisi checked or landed its result.
    Checking,
    /// It waited for a person.
    Person,
    /// It waited for a limit to end.
    Limit,
    /// It waited for a free slot.
    Slot,
}

/// A stretch of time in which an attempt did or waited for one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The attempt.
    pub attempt: u16,
    /// What it did.
    pub activity: Activity,
    /// Its state in a word or two, as it was at first.
    pub state: String,
    /// From when.
    pub from: Timestamp,
    /// Until when; none: it lasts.
    pub to: Option<Timestamp>,
}

/// The spans of a task's attempts, from all of its events, by when they began. Times in which an attempt was over have
/// none.
pub fn spans(task: TaskId, events: &[Envelope]) -> Vec<Span> {
    let mut state: Option<TaskState> = None;
    let mut spans: Vec<Span> = Vec::new();
    // Where the open span of each attempt stands.
    let mut open: Vec<Option<usize>> = Vec::new();
    for envelope in events {
        state = fold(state, task, envelope);
        let Some(state) = &state else { continue };
        open.resize(state.attempts.len(), None);
        for (attempt, open) in state.attempts.iter().zip(&mut open) {
            let now = activity(state, attempt);
            let before = open.and_then(|place| spans.get(place)).map(|span| span.activity);
            if before == now.as_ref().map(|(activity, _)| *activity) {
                continue;
            }
            if let Some(span) = open.take().and_then(|place| spans.get_mut(place)) {
                span.to = Some(envelope.at);
            }
            if let Some((activity, state)) = now {
                *open = Some(spans.len());
                spans.push(Span { attempt: attempt.number, activity, state, from: envelope.at, to: None });
            }
        }
    }
    spans.retain(|span| span.to != Some(span.from));
    spans
}

fn activity(task: &TaskState, attempt: &AttemptState) -> Option<(Activity, String)> {
    if attempt.prompts == 0 {
        return None;
    }
    let status = view::status(task, attempt);
    let activity = match status.attention {
        Attention::Done => return None,
        Attention::NeedsYou | Attention::InReview | Attention::ReadyToLand => Activity::Person,
        Attention::Backlog if status.until.is_some() => Activity::Limit,
        Attention::Backlog => Activity::Slot,
        Attention::Working if attempt.phase.is_checking() => Activity::Checking,
        Attention::Working => Activity::Working,
    };
    Some((activity, status.state))
}
