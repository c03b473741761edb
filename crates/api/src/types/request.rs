//! What the daemon is asked.

use divisi_model::review::Comment;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::{IntoParams, ToSchema};

use super::ask::AnswerView;
use super::image::ImageRequest;
use super::words::{Delivery, Permissions, Verdict};

/// A task to give out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    /// A folder in the project, as an absolute path.
    pub root: String,
    /// The prompt or spec in Markdown.
    pub prompt: String,
    /// The images that belong to it, stored before.
    #[serde(default)]
    pub images: Vec<ImageRequest>,
    /// One line for people; else the first line of the prompt.
    #[serde(default)]
    pub title: Option<String>,
    /// Acceptance criteria.
    #[serde(default)]
    pub criteria: Vec<CriterionRequest>,
    /// Commands that must exit 0, each a criterion of its own.
    #[serde(default)]
    pub checks: Vec<String>,
    /// The agents; empty takes the project's, or the first one that is ready.
    #[serde(default)]
    pub agents: Vec<String>,
    /// Attempts per agent; 0 counts as 1.
    #[serde(default)]
    pub attempts: u16,
    /// The branch or commit to start from; none is the project's current branch.
    #[serde(default)]
    pub base: Option<String>,
    /// Overrides the project's setting.
    #[serde(default)]
    pub permissions: Option<Permissions>,
    /// How often failing checks send it back; overrides the project's setting.
    #[serde(default)]
    pub rounds: Option<u16>,
    /// The paths that may be changed, as patterns of `.gitignore`; empty: all.
    #[serde(default)]
    pub scope: Vec<String>,
    /// How much each attempt may use before a person is asked: `2.50` dollars, `200k` tokens.
    #[serde(default)]
    pub budget: Option<String>,
    /// It is only put on the board: a person starts it later.
    #[serde(default)]
    pub stage: bool,
}

/// Another budget for an attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct BudgetRequest {
    /// How much it may use in all: `2.50` dollars, `200k` tokens; none: it has no limit.
    #[serde(default)]
    pub budget: Option<String>,
}

/// Which files are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct FilesQuery {
    /// The root of a known project.
    pub root: String,
    /// The branch or commit; none is the project's current branch.
    pub base: Option<String>,
    /// A few letters of the path.
    pub query: String,
}

/// Another place among the tasks that wait; neither puts the task after all others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct MoveRequest {
    /// Before all others.
    #[serde(default)]
    pub first: bool,
    /// Before this task.
    #[serde(default)]
    pub before: Option<String>,
}

/// One acceptance criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct CriterionRequest {
    /// What must hold, in words.
    pub text: String,
    /// The command that proves it; none: a person judges.
    #[serde(default)]
    pub command: Option<String>,
}

/// A project to make known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct NewProject {
    /// A folder in it, as an absolute path.
    pub root: String,
}

/// Words for the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct SendRequest {
    /// The words.
    pub text: String,
    /// The images that belong to them, stored before.
    #[serde(default)]
    pub images: Vec<ImageRequest>,
    /// When they reach the agent.
    #[serde(default = "queue")]
    pub delivery: Delivery,
}

/// A verdict on a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ReviewRequest {
    /// The commit that was looked at; refused when there is a newer one. None: the newest.
    #[serde(default)]
    pub commit: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Comments.
    #[serde(default)]
    pub comments: Vec<CommentText>,
    /// Words on the whole.
    #[serde(default)]
    pub note: String,
}

/// A comment as people write it: `src/lib.rs:12: please rename`, `src/lib.rs: too long`, or words alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(transparent)]
pub struct CommentText(pub String);

/// Attempts to land, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct LandRequest {
    /// Their handles.
    pub handles: Vec<String>,
}

/// An answer to an inbox item.
pub type AnswerRequest = AnswerView;

/// Where to follow on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AfterQuery {
    /// Only what came after this number; `Last-Event-ID` says the same. Without either, only what comes from now on.
    pub after: Option<u64>,
}

/// Which part of a transcript.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct TranscriptQuery {
    /// Only entries that changed after this revision.
    pub after: u64,
    /// At most so many entries; 0 is as many as are given at once.
    pub limit: usize,
    /// The last so many entries in their order, instead of those after a revision.
    pub last: usize,
    /// With `last`: of those that stand before this entry, named as `SESSION.SEQ`.
    pub before: Option<String>,
}

/// Which project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RootQuery {
    /// A folder in the project, as an absolute path.
    pub root: Option<String>,
}

impl CommentText {
    /// Reads it; an empty comment is none.
    pub fn read(&self) -> Option<Comment> {
        self.0.parse().ok()
    }
}

fn queue() -> Delivery {
    Delivery::Queue
}
