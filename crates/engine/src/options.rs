//! What the engine is given by whoever composes it, and the ports it needs filled.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use divisi_agent::{Definition, Facts, Readiness};
use divisi_model::Refusal;
use divisi_model::task::TaskSettings;
use divisi_workspace::launch::ShimCommand;
use serde::{Deserialize, Serialize};

/// Everything the engine is given.
#[derive(Clone)]
pub struct Options {
    /// Divisi's data folder. Everything durable lies below it.
    pub data: PathBuf,
    /// How to start the shim: this program with its hidden subcommands.
    pub shim: ShimCommand,
    /// The agents.
    pub agents: Arc<dyn AgentSource>,
    /// The settings of projects.
    pub settings: Arc<dyn SettingsSource>,
    /// Attempts that work at once.
    pub parallel: u16,
    /// Checks that run at once.
    pub checks_parallel: u16,
    /// The person whose machine this is.
    pub person: Person,
    /// What keeps agents, setup scripts and checks in their place.
    pub sandbox: SandboxOptions,
    /// Several sessions may share one process of their agent, where its definition says that it can.
    pub share_agents: bool,
    /// Workspaces may lie where the system cleans up: only for a demonstration or a test that is thrown away.
    pub anywhere: bool,
}

/// What keeps agents, setup scripts and checks in their place.
#[derive(Clone, Debug, Default)]
pub struct SandboxOptions {
    /// How much of it is wanted.
    pub mode: SandboxMode,
    /// Files and folders that all of them may write besides their own. What is not there is passed over.
    pub writable: Vec<PathBuf>,
    /// Files and folders that none of them may see; Divisi's data folder is hidden anyway.
    pub hidden: Vec<PathBuf>,
    /// How new workspaces are made.
    pub workspaces: WorkspaceMode,
}

/// How new workspaces are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum WorkspaceMode {
    /// As overlays over a template of their base, where there is a sandbox that can mount them; else as checkouts.
    #[default]
    Auto,
    /// As checkouts with all files of their own.
    Checkout,
}

/// How much of a sandbox is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SandboxMode {
    /// As much as this machine allows.
    #[default]
    Auto,
    /// None.
    Off,
    /// Namespaces; where they cannot be had nothing is started.
    Require,
}

/// The person whose machine this is.
#[derive(Clone, Debug)]
pub struct Person {
    /// Name and e-mail for commits, where the project does not say otherwise.
    pub identity: Identity,
    /// The real home, where agents keep their logins.
    pub home: PathBuf,
    /// The whole environment. Setup scripts, agents and checks get only what is allowed of it.
    pub variables: BTreeMap<String, String>,
    /// The path of this program.
    pub divisi: PathBuf,
}

/// A name and an e-mail address, as git wants them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}

/// Where the settings of a project come from.
pub trait SettingsSource: Send + Sync {
    /// The settings of the project with this root. Wrong settings are refused, never half taken.
    fn settings(&self, root: &Path) -> Result<TaskSettings, Refusal>;
}

/// Where agents come from.
pub trait AgentSource: Send + Sync {
    /// All agents with their readiness, those that are ready first.
    fn agents(&self, root: Option<&Path>) -> Result<Vec<AgentInfo>, Refusal>;

    /// One agent's definition.
    fn definition(&self, name: &str, root: Option<&Path>) -> Result<Definition, Refusal>;

    /// What is found on this machine of what the definition asks for.
    fn facts(&self, definition: &Definition) -> Facts;
}

/// An agent as people see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentInfo {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// How it is driven: `acp` or `exec`.
    pub driven: String,
    /// Its version, where it was found.
    pub version: Option<String>,
    /// Whether it can be used, and if not, why.
    pub readiness: Readiness,
    /// What mends it; empty when it is ready.
    pub hint: String,
}
