//! The files that the settings are in.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// Whose settings a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum SettingsKind {
    /// The person's own, for all projects.
    User,
    /// Those of a project, which come with its repository.
    Project,
    /// The definition of one agent.
    Agent,
    /// What the person chose for the dashboard, as JSON.
    Dashboard,
}

/// The settings and where they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct SettingsView {
    /// The files; those that do not exist yet can be written too.
    pub files: Vec<SettingsFileView>,
    /// Attempts that work at once on this machine.
    pub parallel: u16,
    /// Checks that run at once on this machine.
    pub checks_parallel: u16,
}

/// A file with settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct SettingsFileView {
    /// Names it in paths: `user`, `dashboard`, `project-ID`, `agent-NAME`.
    pub id: String,
    /// Whose settings it holds.
    pub kind: SettingsKind,
    /// The name of the project or agent; empty for the person's own files.
    pub name: String,
    /// Where it lies.
    pub path: String,
    /// Whether it is there.
    pub exists: bool,
}

/// The text of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct SettingsTextView {
    /// Which file.
    pub id: String,
    /// All of it; empty where there is no file.
    pub text: String,
    /// Its hash, to be sent back with a change; empty where there is no file.
    pub hash: String,
    /// What is wrong with it.
    pub check: SettingsCheckView,
}

/// What is wrong with a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct SettingsCheckView {
    /// Why it cannot be used.
    #[serde(default)]
    pub problem: Option<SettingsProblemView>,
    /// What is no error but should be known, such as keys that nobody reads.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// Why a text cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct SettingsProblemView {
    /// One sentence.
    pub message: String,
    /// What to do about it; may be empty.
    pub hint: String,
    /// The line it is in, counted from 1, where that is known.
    #[serde(default)]
    pub line: Option<u32>,
}

/// A text to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct SettingsCheckRequest {
    /// All of it.
    pub text: String,
}

/// A file is to be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct SettingsTextRequest {
    /// All of its text.
    pub text: String,
    /// The hash of the text that was changed; a file that is another by now is left alone. Empty for a new file.
    pub hash: String,
}
