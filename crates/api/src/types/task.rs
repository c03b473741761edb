//! Tasks, in short for lists and whole for a page of their own.

use divisi_engine::Trouble;
use divisi_model::project::Project;
use divisi_model::state::{AttemptState, TaskState};
use divisi_model::task::Asked;
use divisi_model::view::{self, Status};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

use super::attempt::{AttemptView, ResultView};
use super::check::{self, CheckBrief, CheckState, CriterionView};
use super::health::ProjectView;
use super::image::ImageView;
use super::inbox::{self, ItemView};
use super::turn::UsageView;
use super::words::{Attention, LandingMode, Permissions};

/// A task in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct TaskSummary {
    /// What people call it: `t12`.
    pub handle: String,
    /// Its number.
    pub number: u32,
    /// Its identity.
    pub id: Uuid,
    /// One line for people.
    pub title: String,
    /// The project's name.
    pub project: String,
    /// The project's root folder.
    pub root: String,
    /// Its state, explained: that of the attempt which needs a person most, or is furthest.
    pub status: StatusView,
    /// Its attempts.
    pub attempts: Vec<AttemptSummary>,
    /// How many of its items wait for a person.
    pub open_items: usize,
    /// It is only on the board and has no attempts yet: a person starts it.
    #[serde(default)]
    pub staged: bool,
    /// The agents that try it or will, one per attempt.
    #[serde(default)]
    pub agents: Vec<String>,
    /// Its place among the tasks that wait: what waits since an earlier time, or was moved as if it did, comes first.
    #[serde(default)]
    pub waits_since: Timestamp,
    /// Those items, oldest first.
    #[serde(default)]
    pub items: Vec<ItemView>,
    /// How many criteria it has.
    #[serde(default)]
    pub criteria: usize,
    /// The branch that the result lands on.
    #[serde(default)]
    pub target: String,
    /// Whether it is put away.
    pub archived: bool,
    /// When it was added.
    pub added: Timestamp,
    /// When something last happened to it.
    pub changed: Timestamp,
}

/// An attempt in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct AttemptSummary {
    /// What people call it.
    pub handle: String,
    /// The agent that tries.
    pub agent: String,
    /// Its state, explained.
    pub status: StatusView,
    /// What it handed back last.
    pub result: Option<ResultView>,
    /// What its turns used.
    #[serde(default)]
    pub usage: UsageView,
    /// How many of the task's criteria hold for its result.
    #[serde(default)]
    pub criteria_holding: usize,
    /// All checks, and whether they hold for its result.
    #[serde(default)]
    pub checks: Vec<CheckBrief>,
    /// Whether its result is on the target branch.
    #[serde(default)]
    pub landed: bool,
}

/// A task with all that happened to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct TaskView {
    /// What people call it: `t12`.
    pub handle: String,
    /// Its number.
    pub number: u32,
    /// Its identity.
    pub id: Uuid,
    /// One line for people.
    pub title: String,
    /// The prompt or spec in Markdown.
    pub prompt: String,
    /// The images that belong to it.
    #[serde(default)]
    pub images: Vec<ImageView>,
    /// Its project.
    pub project: ProjectView,
    /// The branch that the result lands on.
    pub target: String,
    /// The commit that attempts start from.
    pub base: String,
    /// Its state, explained.
    pub status: StatusView,
    /// Its attempts.
    pub attempts: Vec<AttemptView>,
    /// What must hold for it to be done.
    pub criteria: Vec<CriterionView>,
    /// Everything that waited or waits for a person, oldest first.
    pub items: Vec<ItemView>,
    /// Which permissions are given without asking.
    pub permissions: Permissions,
    /// How results land.
    pub landing_mode: LandingMode,
    /// It is only on the board and has no attempts yet: a person starts it.
    #[serde(default)]
    pub staged: bool,
    /// The agents that try it or will, one per attempt.
    #[serde(default)]
    pub agents: Vec<String>,
    /// How often failing checks send it back before a person is asked.
    #[serde(default)]
    pub rounds: u16,
    /// The paths that may be changed, as patterns of `.gitignore`; empty: all.
    #[serde(default)]
    pub scope: Vec<String>,
    /// How much each attempt may use before a person is asked, as it was given out.
    #[serde(default)]
    pub budget: Option<String>,
    /// What was asked for in place of the project's own.
    #[serde(default)]
    pub asked: AskedView,
    /// Whether it is put away.
    pub archived: bool,
    /// When it was added.
    pub added: Timestamp,
    /// When something last happened to it.
    pub changed: Timestamp,
}

/// What was asked for in place of the project's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct AskedView {
    /// The branch or commit to start from.
    pub base: Option<String>,
    /// Which permissions are given without asking.
    pub permissions: Option<Permissions>,
    /// How often failing checks send it back.
    pub rounds: Option<u16>,
}

/// A state that explains itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct StatusView {
    /// The column.
    pub attention: Attention,
    /// The state in a word or two: `working`, `waiting for permission`.
    pub state: String,
    /// Why, in a sentence.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// What a person can do next, as a command where there is one.
    pub next: String,
    /// When it goes on by itself, where it waits for a time.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// The handle of an attempt, for people.
pub fn attempt_handle(task: &TaskState, attempt: &AttemptState) -> String {
    task.handle(attempt.number).to_string()
}

impl TaskSummary {
    /// A task of a project.
    pub fn of(task: &TaskState, project: Option<&Project>) -> Self {
        let attempt = |attempt: &AttemptState| AttemptSummary {
            handle: attempt_handle(task, attempt),
            agent: attempt.agent.clone(),
            status: view::status(task, attempt).into(),
            result: attempt.result.as_ref().map(ResultView::from),
            usage: attempt.usage.into(),
            criteria_holding: check::criteria(task, Some(attempt))
                .iter()
                .filter(|criterion| criterion.state == CheckState::Holds)
                .count(),
            checks: check::checks(task, attempt).into_iter().map(CheckBrief::from).collect(),
            landed: attempt.landing.is_some(),
        };
        Self {
            handle: task.spec.number.to_string(),
            number: task.spec.number.0,
            id: task.id.0,
            title: task.spec.title.clone(),
            project: project.map_or_else(String::new, |project| project.name.clone()),
            root: project.map_or_else(String::new, |project| project.root.clone()),
            status: status_of(task),
            attempts: task.attempts.iter().map(attempt).collect(),
            staged: task.staged(),
            agents: task.spec.agents.clone(),
            waits_since: task.waits_since(),
            open_items: if task.archived { 0 } else { task.open_items().count() },
            items: if task.archived { Vec::new() } else { inbox::open_items(task) },
            criteria: task.spec.criteria.len(),
            target: task.spec.base.branch.clone(),
            archived: task.archived,
            added: task.added,
            changed: task.changed,
        }
    }
}

impl TaskView {
    /// A task of a project.
    pub fn of(task: &TaskState, project: Option<&Project>) -> Self {
        let unknown = || ProjectView {
            id: task.spec.project.0,
            name: String::new(),
            root: String::new(),
            moved_from: None,
        };
        Self {
            handle: task.spec.number.to_string(),
            number: task.spec.number.0,
            id: task.id.0,
            title: task.spec.title.clone(),
            prompt: task.spec.prompt.clone(),
            images: task.spec.images.iter().map(ImageView::from).collect(),
            project: project.map_or_else(unknown, ProjectView::from),
            target: task.spec.base.branch.clone(),
            base: task.spec.base.commit.to_string(),
            status: status_of(task),
            attempts: task.attempts.iter().map(|attempt| AttemptView::of(task, attempt)).collect(),
            criteria: check::criteria(task, None),
            items: inbox::items(task),
            permissions: task.spec.settings.permissions.into(),
            landing_mode: task.spec.settings.landing.into(),
            staged: task.staged(),
            agents: task.spec.agents.clone(),
            rounds: task.spec.settings.rounds,
            scope: task.spec.scope.clone(),
            budget: task.spec.budget.map(|budget| budget.to_string()),
            asked: AskedView::from(&task.spec.asked),
            archived: task.archived,
            added: task.added,
            changed: task.changed,
        }
    }
}

impl TaskSummary {
    /// The same with what is not in the log: what holds attempts up at the moment, by their numbers.
    #[must_use]
    pub fn with(mut self, held_up: impl Fn(u16) -> Option<Trouble>) -> Self {
        for (number, attempt) in (1..).zip(&mut self.attempts) {
            if let Some(trouble) = held_up(number) {
                attempt.status.hold_up(&trouble, &mut self.status);
            }
        }
        self
    }
}

impl TaskView {
    /// The same with what is not in the log: what holds attempts up at the moment, and whether what they started has yet
    /// to end, by their numbers.
    #[must_use]
    pub fn with(mut self, held_up: impl Fn(u16) -> Option<Trouble>, ending: impl Fn(u16) -> bool) -> Self {
        for attempt in &mut self.attempts {
            attempt.ending = ending(attempt.number);
            if let Some(trouble) = held_up(attempt.number) {
                attempt.status.hold_up(&trouble, &mut self.status);
            }
        }
        self
    }
}

impl StatusView {
    /// What goes on by itself does not while this lasts. The status of its task is the same where it was this one's.
    fn hold_up(&mut self, trouble: &Trouble, of_task: &mut Self) {
        if !matches!(self.attention, Attention::Working | Attention::Backlog) {
            return;
        }
        let same = *self == *of_task;
        self.attention = Attention::NeedsYou;
        "held up".clone_into(&mut self.state);
        self.reason.clone_from(&trouble.reason);
        self.next.clone_from(&trouble.hint);
        if same || of_task.attention != Attention::NeedsYou {
            of_task.clone_from(self);
        }
    }
}

impl From<&Asked> for AskedView {
    fn from(asked: &Asked) -> Self {
        let permissions = asked.permissions.map(Into::into);
        Self { base: asked.base.clone(), permissions, rounds: asked.rounds }
    }
}

impl From<Status> for StatusView {
    fn from(status: Status) -> Self {
        Self {
            attention: status.attention.into(),
            state: status.state,
            reason: status.reason,
            since: status.since,
            next: status.next,
            until: status.until,
        }
    }
}

/// A task has attempts or is staged; a log that says otherwise still shows.
fn status_of(task: &TaskState) -> StatusView {
    view::task_status(task).map_or_else(
        || StatusView {
            attention: Attention::Done,
            state: "empty".to_owned(),
            reason: "it has no attempts".to_owned(),
            since: task.changed,
            next: String::new(),
            until: None,
        },
        StatusView::from,
    )
}
