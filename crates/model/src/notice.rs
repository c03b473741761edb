//! What is worth telling a person who looks elsewhere: what began to wait for them, and how landings ended.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::ids::ItemId;
use crate::inbox::Ask;
use crate::state::{Phase, TaskState};

/// What a notice is about, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// An agent asks for a permission.
    Permission,
    /// An agent asks something, or a criterion waits for a person's judgement.
    Question,
    /// A result waits for review.
    Review,
    /// An attempt cannot go on by itself.
    Stall,
    /// A result is on its target branch.
    Landed,
    /// A result could not land.
    Failed,
}

impl NoticeKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Permission, Self::Question, Self::Review, Self::Stall, Self::Landed, Self::Failed];

    /// Those that are told unless the person says otherwise: what needs them.
    pub const USUAL: [Self; 5] = [Self::Permission, Self::Question, Self::Review, Self::Stall, Self::Failed];
}

/// What an event may be worth a notice for. It is looked up in the task again and again, because it may be settled
/// before anybody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// An inbox item was opened.
    Item(ItemId),
    /// This attempt landed.
    Landed(u16),
    /// This attempt could not land.
    Failed(u16),
}

/// What a person is told. It names the task and what is wanted of the person, and repeats nothing that an agent said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The same for the same thing.
    pub id: String,
    /// What it is about.
    pub kind: NoticeKind,
    /// What people call what it is about: the task, or the attempt that landed.
    pub handle: String,
    /// The task's title.
    pub title: String,
    /// Where the dashboard shows it.
    pub path: String,
    /// Since when.
    pub since: Timestamp,
}

impl Occasion {
    /// What an event may be worth a notice for.
    pub fn of(event: &Event) -> Option<Self> {
        match event {
            Event::ItemOpened { item, .. } => Some(Self::Item(*item)),
            Event::Landed { attempt, .. } => Some(Self::Landed(*attempt)),
            Event::LandingFailed { attempt, .. } => Some(Self::Failed(*attempt)),
            _ => None,
        }
    }
}

/// The notice for an occasion; none when it is settled, or its task is put away.
pub fn notice(task: &TaskState, occasion: Occasion) -> Option<Notice> {
    if task.archived {
        return None;
    }
    let number = task.spec.number;
    let make = |id: String, kind, attempt: u16, handle: String, since| {
        let screen = if kind == NoticeKind::Review { "review" } else { "tasks" };
        let path = format!("/{screen}/{}", task.handle(attempt));
        Notice { id, kind, handle, title: task.spec.title.clone(), path, since }
    };
    match occasion {
        Occasion::Item(item) => {
            let index = task.items.iter().position(|one| one.id == item)?;
            let item = task.items.get(index).filter(|item| item.answer.is_none())?;
            let kind = match &item.ask {
                Ask::Permission { .. } => NoticeKind::Permission,
                Ask::Question { .. } | Ask::Criterion { .. } => NoticeKind::Question,
                Ask::Review { .. } => NoticeKind::Review,
                Ask::Stall { .. } => NoticeKind::Stall,
            };
            Some(make(format!("{number}#{}", index + 1), kind, item.attempt, number.to_string(), item.since))
        }
        Occasion::Landed(attempt) | Occasion::Failed(attempt) => {
            let state = task.attempt(attempt)?;
            let (kind, word, holds) = match occasion {
                Occasion::Landed(_) => (NoticeKind::Landed, "landed", state.phase == Phase::Landed),
                _ => {
                    let failed = state.phase == Phase::Approved && state.landing_failure.is_some();
                    (NoticeKind::Failed, "failed", failed)
                }
            };
            let handle = task.handle(attempt).to_string();
            let id = format!("{handle} {word} {}", state.since);
            holds.then(|| make(id, kind, attempt, handle, state.since))
        }
    }
}
