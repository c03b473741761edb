//! What an export says of itself.

use divisi_model::project::Project;
use divisi_workspace::{CommitId, HubRefs};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The form that this version writes, and the newest that it reads.
pub(super) const FORM: u32 = 1;
/// Largest part that is read into memory.
pub(super) const SMALL_BYTES: u64 = 64 << 20;

/// The first part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// The form of the export.
    pub(super) divisi_export: u32,
    /// Divisi's version.
    pub(super) divisi: String,
    /// When it was made.
    pub(super) made: Timestamp,
}

/// The last part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Every other part, in their order.
    pub(super) parts: Vec<PartSum>,
    /// Events in the log.
    pub(super) events: u64,
    /// The projects.
    pub(super) projects: Vec<ExportedProject>,
    /// What was at work at that moment.
    pub(super) running: Vec<Running>,
    /// What was missing already when it was made, each a sentence.
    pub(super) missing: Vec<String>,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartSum {
    /// Its name.
    pub(super) name: String,
    /// Its size.
    pub(super) bytes: u64,
    /// The SHA-256 of its bytes in hex.
    pub(super) sha256: String,
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ExportedProject {
    /// What is known of it.
    #[serde(flatten)]
    pub(super) project: Project,
    /// The first commits of its bases: a clone of it has at least one of them.
    pub(super) roots: Vec<CommitId>,
    /// Commits that the log names and its hub did not have.
    #[serde(default)]
    pub(super) lost: Vec<CommitId>,
}

/// The refs of a hub, as they stand in a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refs {
    /// By name.
    pub(super) refs: Vec<(String, CommitId)>,
    /// The commits at which history is cut.
    #[serde(default)]
    pub(super) shallow: Option<Vec<CommitId>>,
}

/// An attempt that was at work at the moment of an export. It went on there; where the export is imported, it has stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its handle.
    pub handle: String,
    /// What it was doing: `working`, `checking`, `queued`, …
    pub state: String,
}

/// A file of the person's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigurationFile {
    /// Its path below the configuration folder: `config.toml`, `agents/mine.toml`.
    pub path: String,
    /// Its text, without secrets.
    pub text: String,
}

impl Refs {
    pub(super) fn of(hub: &HubRefs) -> Self {
        let lines = |bytes: &Vec<u8>| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            text.lines().filter_map(|line| CommitId::parse(line).ok()).collect()
        };
        Self { refs: hub.refs.clone(), shallow: hub.shallow.as_ref().map(lines) }
    }

    pub(super) fn into_hub(self) -> HubRefs {
        let text = |commits: Vec<CommitId>| commits.iter().map(|id| format!("{id}\n")).collect::<String>();
        HubRefs {
            refs: self.refs,
            shallow: self.shallow.map(|commits| text(commits).into_bytes()),
            roots: Vec::new(),
        }
    }
}
