//! What waits for a person, of all agents in one list.

use divisi_model::event::Blocked;
use divisi_model::inbox::{Ask, InboxItem};
use divisi_model::state::{AttemptState, Phase, TaskState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ask::{AnswerView, AskView};

/// Everything that waits for a person, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct InboxView {
    /// The items.
    pub items: Vec<ItemView>,
}

/// One thing that waits, or waited, for a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct ItemView {
    /// What people call it: `t12#3`, the third item of task 12. It never changes.
    pub handle: String,
    /// Its identity.
    pub id: Uuid,
    /// The task's handle.
    pub task: String,
    /// The task's title.
    pub task_title: String,
    /// The handle of the attempt that waits.
    pub attempt: String,
    /// The agent that waits.
    pub agent: String,
    /// What is asked.
    pub ask: AskView,
    /// Since when.
    pub since: Timestamp,
    /// What a person can do, as commands.
    pub next: Vec<String>,
    /// How it ended, once it has.
    pub answered: Option<AnswerView>,
    /// The person who answered it; none where a rule did, or where it was withdrawn.
    #[serde(default)]
    pub answered_by: Option<String>,
    /// Its attempt stands still until somebody resumes it.
    #[serde(default)]
    pub held: Option<HeldView>,
}

/// What it takes for an attempt that stands still to go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct HeldView {
    /// The budget that is used up, so that it needs another one first.
    pub budget: Option<String>,
    /// As much again on top of what was used; none where nobody knows what was.
    pub again: Option<String>,
}

/// All items of a task, oldest first.
pub(super) fn items(task: &TaskState) -> Vec<ItemView> {
    task.items.iter().enumerate().map(|(index, item)| view(task, index, item)).collect()
}

/// The items of a task that wait for a person, oldest first.
pub(super) fn open_items(task: &TaskState) -> Vec<ItemView> {
    let open = task.items.iter().enumerate().filter(|(_, item)| item.answer.is_none());
    open.map(|(index, item)| view(task, index, item)).collect()
}

impl InboxView {
    /// What is open in these tasks. Archived tasks wait for nobody.
    pub fn of<'a>(tasks: impl Iterator<Item = &'a TaskState>) -> Self {
        let mut items: Vec<_> = tasks.filter(|task| !task.archived).flat_map(open_items).collect();
        items.sort_by_key(|item| item.since);
        Self { items }
    }
}

fn view(task: &TaskState, index: usize, item: &InboxItem) -> ItemView {
    let ask = AskView::from(&item.ask);
    let handle = format!("{}#{}", task.spec.number, index + 1);
    let attempt = task.handle(item.attempt).to_string();
    let held = task.attempt(item.attempt).filter(|_| matches!(item.ask, Ask::Stall { .. })).and_then(held);
    ItemView {
        next: next(&ask, &handle, &attempt),
        handle,
        id: item.id.0,
        task: task.spec.number.to_string(),
        task_title: task.spec.title.clone(),
        attempt,
        agent: task.attempt(item.attempt).map_or_else(String::new, |attempt| attempt.agent.clone()),
        ask,
        since: item.since,
        answered: item.answer.as_ref().map(AnswerView::from),
        answered_by: item.by.clone(),
        held,
    }
}

fn held(attempt: &AttemptState) -> Option<HeldView> {
    let Phase::Blocked { why } = &attempt.phase else { return None };
    let Blocked::Budget { budget, unknown } = why else {
        return Some(HeldView { budget: None, again: None });
    };
    let again = (!unknown).then(|| budget.again(&attempt.usage).to_string());
    Some(HeldView { budget: Some(budget.to_string()), again })
}

fn next(ask: &AskView, handle: &str, attempt: &str) -> Vec<String> {
    match ask {
        AskView::Permission { .. } | AskView::Criterion { .. } => {
            vec![format!("divisi approve {handle}"), format!("divisi deny {handle}")]
        }
        AskView::Question { .. } => vec![format!("divisi answer {handle} \"…\"")],
        AskView::Review { .. } => {
            vec![format!("divisi diff {attempt}"), format!("divisi review {attempt} --approve")]
        }
        AskView::Stall { hint, .. } if hint.is_empty() => vec![format!("divisi show {attempt}")],
        AskView::Stall { hint, .. } => vec![hint.clone()],
    }
}
