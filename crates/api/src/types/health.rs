//! The daemon itself and the projects it knows.

use divisi_engine::Trouble;
use divisi_model::project::Project;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

use super::words::Attention;

/// That the daemon lives. All that is told without the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct AliveView {
    /// Always `ok`.
    pub status: String,
    /// Divisi's version.
    pub version: String,
}

/// How the daemon is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct HealthView {
    /// Divisi's version.
    pub version: String,
    /// The daemon's process.
    pub pid: u32,
    /// Since when it runs.
    pub started: Timestamp,
    /// The number of the last event.
    pub last_seq: u64,
    /// Tasks by column.
    pub tasks: Vec<CountView>,
    /// Sessions whose agent lives.
    pub live_sessions: usize,
    /// Why the log cannot be written at the moment, and what mends it.
    #[serde(default)]
    pub log_trouble: Option<TroubleView>,
}

/// Something that holds Divisi up until it is mended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct TroubleView {
    /// What, in a sentence.
    pub reason: String,
    /// What a person can do about it.
    pub hint: String,
}

/// How many tasks are in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct CountView {
    /// The column.
    pub attention: Attention,
    /// How many.
    pub tasks: usize,
}

/// A git repository that Divisi works on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct ProjectView {
    /// Its identity.
    pub id: Uuid,
    /// The folder name.
    pub name: String,
    /// The top folder of the user's checkout.
    pub root: String,
    /// Where it was, if it was found again at another place by this very request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
}

impl From<Trouble> for TroubleView {
    fn from(trouble: Trouble) -> Self {
        Self { reason: trouble.reason, hint: trouble.hint }
    }
}

impl From<&Project> for ProjectView {
    fn from(project: &Project) -> Self {
        Self { id: project.id.0, name: project.name.clone(), root: project.root.clone(), moved_from: None }
    }
}
