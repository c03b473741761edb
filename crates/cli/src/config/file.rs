//! The form of a configuration file.

use std::collections::BTreeMap;

use divisi_engine::{SandboxMode, WorkspaceMode};
use divisi_model::task::{LandingMode, Permissions};
use schemars::JsonSchema;
use serde::Deserialize;

/// A configuration of Divisi: `divisi.toml` in a project, or the user's own `config.toml`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(title = "divisi.toml")]
pub(crate) struct ConfigFile {
    /// The command that makes a new workspace ready, run by `sh -c` before its agent starts.
    pub(crate) setup: Option<String>,
    /// How long setup may take: `90s`, `20m`, `1h`.
    pub(crate) setup_timeout: Option<String>,
    /// The checks that every result must pass, run by Divisi in a clean checkout of the commit.
    pub(crate) gates: Option<Vec<GateConfig>>,
    /// How a result is put on its target branch.
    pub(crate) landing: Option<LandingConfig>,
    /// Which permission requests are answered without a person. `all` is taken from the user's own configuration only.
    pub(crate) permissions: Option<PermissionsConfig>,
    /// How often failing checks or conflicts send an attempt back before a person is asked.
    pub(crate) rounds: Option<u16>,
    /// Put before the names of the branches that Divisi makes.
    pub(crate) branch_prefix: Option<String>,
    /// Names of environment variables passed on to setup, agents and checks.
    pub(crate) pass_environment: Option<Vec<String>>,
    /// Minutes without a sign of life in a turn until a person is asked; 0 is never.
    pub(crate) stall_minutes: Option<u32>,
    /// Whether the commits that Divisi makes name their task and agent in trailers.
    pub(crate) trailers: Option<bool>,
    /// The agents that are taken when `divisi run` names none; one attempt by each.
    pub(crate) default_agents: Option<Vec<String>>,
    /// Attempts that work at once on this machine. Only in the user's own configuration.
    pub(crate) parallel: Option<u16>,
    /// Checks that run at once on this machine. Only in the user's own configuration.
    pub(crate) checks_parallel: Option<u16>,
    /// The port at which the daemon listens; without it 4519, or another where that is taken. Only in the user's own
    /// configuration.
    pub(crate) port: Option<u16>,
    /// Lets other machines reach the daemon, such as a phone. Only in the user's own configuration.
    pub(crate) remote: Option<RemoteConfig>,
    /// Whether the dashboard opens terminals in workspaces, for browsers of yours on this machine and never for paired ones; true
    /// unless said otherwise. Only in the user's own configuration.
    pub(crate) terminal: Option<bool>,
    /// Notices to browsers whose page is closed. Only in the user's own configuration.
    pub(crate) push: Option<PushConfig>,
    /// What keeps agents, setup and checks in their place. Only in the user's own configuration.
    pub(crate) sandbox: Option<SandboxConfig>,
    /// How new workspaces are made. Only in the user's own configuration.
    pub(crate) workspace: Option<WorkspaceConfig>,
    /// Files and folders that they may write besides their own: absolute, or `~/…`. Only in the user's own configuration.
    pub(crate) sandbox_writable: Option<Vec<String>>,
    /// Sessions of one project may share a process of their agent, where it can hold several; false unless said otherwise. Without
    /// a sandbox only. Only in the user's own configuration.
    pub(crate) share_agents: Option<bool>,
    /// Agents of one's own, or changes to shipped ones, by name. Only in the user's own configuration.
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    pub(crate) agents: Option<BTreeMap<String, toml::Table>>,
}

/// A check that every result must pass.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) struct GateConfig {
    /// Its name, unique in the project.
    pub(crate) name: String,
    /// The command, run by `sh -c`; it passes if it exits 0.
    pub(crate) command: String,
    /// Whether a failure sends the attempt back; otherwise it is only shown.
    #[serde(default = "yes")]
    pub(crate) required: bool,
    /// How long it may take: `90s`, `30m`, `1h`.
    #[serde(default)]
    pub(crate) timeout: Option<String>,
}

/// How other machines reach the daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct RemoteConfig {
    /// The address at which it listens; 127.0.0.1 where a proxy on this machine stands in front.
    pub(crate) host: Option<String>,
    /// Where browsers reach it: `https://divisi.example.net`. Links for paired devices lead to the first.
    pub(crate) origins: Vec<String>,
    /// Plain HTTP may leave this machine.
    pub(crate) insecure_http: bool,
}

/// Notices to browsers whose page is closed (web push). Nothing is sent before a browser has subscribed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct PushConfig {
    /// Whether browsers may subscribe, and are sent notices.
    pub(crate) enabled: bool,
    /// Whom a push service may turn to, `mailto:ada@example.net` or `https://…`. It is told to the service with each notice;
    /// the usual one says nothing about you.
    pub(crate) subject: String,
    /// Push services may be asked that lie in this machine's own networks, also without HTTPS. For a service of one's own.
    pub(crate) local_services: bool,
}

/// How a result is put on its target branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LandingConfig {
    /// A merge commit, always.
    Merge,
    /// One commit.
    Squash,
    /// The result's commits, replayed.
    Rebase,
}

/// Which permission requests are answered without a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PermissionsConfig {
    /// None: every request waits for a person.
    Ask,
    /// Reading, searching, and editing files inside the workspace.
    Edits,
    /// Everything.
    All,
}

/// What keeps agents, setup and checks in their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SandboxConfig {
    /// As much of a sandbox as this machine allows; `divisi doctor` says how much that is.
    Auto,
    /// Nothing: they may do all that you may.
    Off,
    /// A sandbox of namespaces; where it cannot be had nothing is started.
    Require,
}

/// How new workspaces are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WorkspaceConfig {
    /// As overlays that share the files of their base, in milliseconds; where the sandbox of this machine has none, as
    /// checkouts. `divisi doctor` says which.
    Auto,
    /// As checkouts with all files of their own.
    Checkout,
}

impl Default for PushConfig {
    fn default() -> Self {
        Self { enabled: true, subject: "mailto:nobody@example.com".to_owned(), local_services: false }
    }
}

impl From<WorkspaceConfig> for WorkspaceMode {
    fn from(value: WorkspaceConfig) -> Self {
        match value {
            WorkspaceConfig::Auto => Self::Auto,
            WorkspaceConfig::Checkout => Self::Checkout,
        }
    }
}

impl From<SandboxConfig> for SandboxMode {
    fn from(value: SandboxConfig) -> Self {
        match value {
            SandboxConfig::Auto => Self::Auto,
            SandboxConfig::Off => Self::Off,
            SandboxConfig::Require => Self::Require,
        }
    }
}

impl From<LandingConfig> for LandingMode {
    fn from(value: LandingConfig) -> Self {
        match value {
            LandingConfig::Merge => Self::Merge,
            LandingConfig::Squash => Self::Squash,
            LandingConfig::Rebase => Self::Rebase,
        }
    }
}

impl From<PermissionsConfig> for Permissions {
    fn from(value: PermissionsConfig) -> Self {
        match value {
            PermissionsConfig::Ask => Self::Ask,
            PermissionsConfig::Edits => Self::Edits,
            PermissionsConfig::All => Self::All,
        }
    }
}

fn yes() -> bool {
    true
}
