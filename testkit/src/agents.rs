//! The real agents that tests drive, as `cargo xtask install-agents` left them.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::target_folder;

/// What the installer writes beside the agents it installed.
const LIST: &str = "installed.json";

/// An agent command line in the target folder.
#[derive(Debug, Clone, Deserialize)]
pub struct InstalledAgent {
    /// What `divisi --agent` calls it.
    pub name: String,
    /// Its version, as pinned in `xtask/agents.toml`.
    pub version: String,
    /// The program to start.
    pub program: PathBuf,
}

impl InstalledAgent {
    /// The folder to put on `PATH`.
    pub fn program_folder(&self) -> &Path {
        self.program.parent().expect("a program lies in a folder")
    }
}

/// An installed agent by name.
///
/// # Panics
/// If it is not installed, with the sentence that says how to get it. A test never passes without its agent.
#[track_caller]
pub fn require_agent(name: &str) -> InstalledAgent {
    let folder = match std::env::var_os("DIVISI_TEST_AGENTS") {
        Some(folder) => PathBuf::from(folder),
        None => target_folder().join("agents"),
    };
    let how = "run `cargo xtask install-agents` (`cargo xtask test` does it first), which installs it with npm \
               into the target folder";
    let Ok(text) = std::fs::read(folder.join(LIST)) else {
        panic!("this test drives the agent {name}, but {} holds no agents: {how}", folder.display())
    };
    let agents: Vec<InstalledAgent> = serde_json::from_slice(&text)
        .unwrap_or_else(|error| panic!("{} is damaged ({error}): {how}", folder.join(LIST).display()));
    agents.into_iter().find(|agent| agent.name == name && agent.program.exists()).unwrap_or_else(|| {
        panic!("this test drives the agent {name}, which is not in {}: {how}", folder.display())
    })
}
