//! A tool call of an agent.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Text;

/// A tool that the agent uses, in its newest state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct ToolCall {
    /// The agent's id for it, unique in its session.
    pub id: String,
    /// What it does, in a line.
    pub title: String,
    /// What kind of tool it is, as far as the agent says.
    pub kind: ToolKind,
    /// How far it is.
    pub status: ToolStatus,
    /// The agent's own name of the tool, where it gives one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
    /// What it was called with, as JSON, where the agent shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub input: Option<Text>,
    /// Files it looks at or changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub locations: Vec<Location>,
    /// What it changes, as the agent tells it. The truth is in the workspace.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub diffs: Vec<FileDiff>,
    /// What it gave back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub output: Option<Text>,
    /// Files that it names but that are not listed here, because there are too many or their path is too long. A rule
    /// must not decide about a call that it cannot see whole.
    #[serde(skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub left_out: u32,
}

/// What kind of tool it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ToolKind {
    /// Reads files.
    Read,
    /// Changes or makes files.
    Edit,
    /// Removes files.
    Delete,
    /// Moves files.
    Move,
    /// Searches.
    Search,
    /// Runs a command.
    Execute,
    /// Thinks.
    Think,
    /// Gets something from the network.
    Fetch,
    /// Changes the agent's mode.
    SwitchMode,
    /// Anything else, and everything of agents that do not say.
    #[default]
    Other,
}

/// How far a tool call is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ToolStatus {
    /// Announced, perhaps waiting for a permission.
    #[default]
    Pending,
    /// Under way.
    InProgress,
    /// Done.
    Completed,
    /// It failed, or was refused.
    Failed,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Location {
    /// The path as the agent wrote it.
    pub path: String,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub line: Option<u32>,
}

/// A change of one file, as the agent tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FileDiff {
    /// The path as the agent wrote it.
    pub path: String,
    /// What was there; none for a new file, and where the agent does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub old: Option<Text>,
    /// What is there now; for some agents only the replaced part.
    pub new: Text,
}

impl ToolCall {
    /// A call of which only the id is known.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        matches!(self.status, ToolStatus::Completed | ToolStatus::Failed)
    }
}

impl ToolKind {
    /// The word of the stored form: `edit`, `execute`, …
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Edit => "edit",
            Self::Delete => "delete",
            Self::Move => "move",
            Self::Search => "search",
            Self::Execute => "execute",
            Self::Think => "think",
            Self::Fetch => "fetch",
            Self::SwitchMode => "switch_mode",
            Self::Other => "other",
        }
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}
