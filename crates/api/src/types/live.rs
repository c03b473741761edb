//! What a board needs to be right and to stay right.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::health::ProjectView;
use super::task::TaskSummary;

/// Everything on the board at a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct SnapshotView {
    /// The number of the last event it holds.
    pub seq: u64,
    /// When, by the daemon's clock.
    pub now: Timestamp,
    /// All projects.
    pub projects: Vec<ProjectView>,
    /// All tasks, archived ones too.
    pub tasks: Vec<TaskSummary>,
    /// What attempts at work did last.
    #[serde(default)]
    pub activity: Vec<ActivityView>,
}

/// What is different since the message before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct ChangesView {
    /// The number of the last event it holds.
    pub seq: u64,
    /// When, by the daemon's clock.
    pub now: Timestamp,
    /// Tasks that changed or are new, whole; each replaces the one of its handle.
    pub tasks: Vec<TaskSummary>,
    /// All projects, where one of them changed.
    #[serde(default)]
    pub projects: Option<Vec<ProjectView>>,
    /// What attempts at work did last.
    #[serde(default)]
    pub activity: Vec<ActivityView>,
}

/// What an attempt did last, in a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct ActivityView {
    /// The attempt's handle.
    pub attempt: String,
    /// The kind of the transcript's entry: `message`, `tool_call`, …
    pub kind: String,
    /// What it says, in a line.
    pub line: String,
    /// When it began.
    pub at: Timestamp,
}
