//! Everything in one file.

use divisi_engine::export::{ConfigurationFile, Exported, NewExport, Running};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// Where everything is to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ExportRequest {
    /// The file, as an absolute path on the daemon's machine.
    pub file: String,
    /// A file that is there already is replaced.
    #[serde(default)]
    pub replace: bool,
    /// The person's own configuration, without secrets: the daemon takes it along as it is given here.
    #[serde(default)]
    pub configuration: Vec<ConfigurationRequest>,
}

/// A file of the person's own configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationRequest {
    /// Its path below the configuration folder: `config.toml` or `agents/NAME.toml`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// An export that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct ExportView {
    /// The size of the file.
    pub bytes: u64,
    /// Events in it.
    pub events: u64,
    /// Tasks in it.
    pub tasks: usize,
    /// Projects in it.
    pub projects: usize,
    /// Sessions, checks and setups whose journals are in it.
    pub launches: usize,
    /// Attempts that were at work at that moment, and went on.
    pub running: Vec<RunningView>,
    /// What could not be taken along, each a sentence.
    pub missing: Vec<String>,
}

/// An attempt at work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct RunningView {
    /// Its handle.
    pub handle: String,
    /// What it was doing.
    pub state: String,
}

impl From<ExportRequest> for NewExport {
    fn from(request: ExportRequest) -> Self {
        let file = |ConfigurationRequest { path, text }| ConfigurationFile { path, text };
        Self {
            file: request.file.into(),
            replace: request.replace,
            configuration: request.configuration.into_iter().map(file).collect(),
        }
    }
}

impl From<Exported> for ExportView {
    fn from(made: Exported) -> Self {
        let running = |Running { handle, state }| RunningView { handle, state };
        let Exported { bytes, events, tasks, projects, launches, missing, .. } = made;
        let running = made.running.into_iter().map(running).collect();
        Self { bytes, events, tasks, projects, launches, running, missing }
    }
}
