//! Agents as people see them.

use divisi_agent::Readiness;
use divisi_engine::AgentInfo;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// A configured agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct AgentView {
    /// What `--agent` calls it.
    pub name: String,
    /// Its title.
    pub title: String,
    /// How it is driven: `acp` or `exec`.
    pub driven: String,
    /// Its version, where it was found.
    pub version: Option<String>,
    /// Whether it can be used.
    pub readiness: ReadinessView,
    /// What mends it; empty when it is ready.
    pub hint: String,
}

/// Whether an agent can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct ReadinessView {
    /// In a word, for programs.
    pub state: AgentState,
    /// In words, for people.
    pub words: String,
    /// Whether a task may be given to it.
    pub usable: bool,
    /// Where its login comes from, where it is usable.
    pub login: Option<String>,
}

/// Whether an agent can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// It can.
    Ready,
    /// Everything is there, but Divisi's builders never ran it.
    Unverified,
    /// The program is there, the login is not.
    NotLoggedIn,
    /// The program is not there.
    NotInstalled,
}

impl From<&AgentInfo> for AgentView {
    fn from(agent: &AgentInfo) -> Self {
        Self {
            name: agent.name.clone(),
            title: agent.title.clone(),
            driven: agent.driven.clone(),
            version: agent.version.clone(),
            readiness: ReadinessView::from(&agent.readiness),
            hint: agent.hint.clone(),
        }
    }
}

impl From<&Readiness> for ReadinessView {
    fn from(readiness: &Readiness) -> Self {
        let (state, login) = match readiness {
            Readiness::Ready { login } => (AgentState::Ready, Some(login.clone())),
            Readiness::Unverified { login } => (AgentState::Unverified, Some(login.clone())),
            Readiness::NotLoggedIn { .. } => (AgentState::NotLoggedIn, None),
            Readiness::NotInstalled { .. } => (AgentState::NotInstalled, None),
        };
        Self { state, words: readiness.words().to_owned(), usable: readiness.is_usable(), login }
    }
}
