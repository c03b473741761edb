//! What waits for a person, of all agents in one list.

use divisi_model::inbox::InboxItem;
use divisi_model::state::TaskState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ask::{AnswerView, AskView};

/// Everything that waits for a person, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InboxView {
    /// The items.
    pub items: Vec<ItemView>,
}

/// One thing that waits, or waited, for a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
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
}

/// All items of a task, oldest first.
pub(super) fn items(task: &TaskState) -> Vec<ItemView> {
    task.items.iter().enumerate().map(|(index, item)| view(task, index, item)).collect()
}

impl InboxView {
    /// What is open in these tasks. Archived tasks wait for nobody.
    pub fn of<'a>(tasks: impl Iterator<Item = &'a TaskState>) -> Self {
        let open = |task: &'a TaskState| {
            let items = task.items.iter().enumerate();
            items.filter(|(_, item)| item.answer.is_none()).map(move |(index, item)| view(task, index, item))
        };
        let mut items: Vec<_> = tasks.filter(|task| !task.archived).flat_map(open).collect();
        items.sort_by_key(|item| item.since);
        Self { items }
    }
}

fn view(task: &TaskState, index: usize, item: &InboxItem) -> ItemView {
    let ask = AskView::from(&item.ask);
    let handle = format!("{}#{}", task.spec.number, index + 1);
    let attempt = task.handle(item.attempt).to_string();
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
    }
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
