//! What a session is begun with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use divisi_model::event::Origin;
use divisi_model::image::{GivenImage, told};
use serde::{Deserialize, Serialize};

use crate::definition::Quirks;

/// All that a session needs to know. Store it with the launch: a replay takes the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// The workspace, as the agent sees it.
    pub cwd: PathBuf,
    /// A new session or an earlier one.
    pub open: Open,
    /// MCP servers for the agent.
    #[serde(default)]
    pub mcp_servers: Vec<McpServer>,
    /// The mode to set before the first prompt; none leaves the agent's own.
    #[serde(default)]
    pub mode: Option<String>,
    /// The login method to name after `initialize`, for agents that want it said.
    #[serde(default)]
    pub authenticate: Option<String>,
    /// Whether the agent may ask questions by forms.
    #[serde(default)]
    pub elicitation: bool,
    /// Seconds until an agent whose session is not open is given up; none is the usual time.
    #[serde(default)]
    pub start_seconds: Option<u32>,
    /// What is peculiar about the agent.
    #[serde(default)]
    pub quirks: Quirks,
    /// The IANA name of the time zone in which the agent writes clock times; UTC if unknown.
    #[serde(default)]
    pub zone: Option<String>,
    /// What earlier turns of the session used that is taken up.
    #[serde(default)]
    pub counted: crate::usage::Counted,
    /// The number of the first entry.
    pub first_seq: u64,
    /// The turn before the first one of this session.
    #[serde(default)]
    pub turn: u32,
}

/// Which session to open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Open {
    /// A new one.
    New,
    /// The one with this id, if the agent still can; a new one otherwise.
    Resume(String),
}

/// An MCP server for the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum McpServer {
    /// A program that the agent starts.
    Stdio {
        /// Its name.
        name: String,
        /// The program.
        command: PathBuf,
        /// Its arguments.
        args: Vec<String>,
        /// Its environment.
        env: BTreeMap<String, String>,
    },
    /// A server that the agent calls.
    Http {
        /// Its name.
        name: String,
        /// Its address.
        url: String,
        /// Headers for every call.
        headers: BTreeMap<String, String>,
    },
}

/// A part of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptPart {
    /// Where the words come from.
    pub origin: Origin,
    /// The words.
    pub text: String,
    /// The images that belong to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<PartImage>,
}

/// An image of a part of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartImage {
    /// The image, and the way in which the agent is given it.
    #[serde(flatten)]
    pub given: GivenImage,
    /// Its bytes in base64, where it is shown. They are in the journal then, and nowhere else.
    #[serde(skip)]
    pub data: String,
}

impl PromptPart {
    /// Words alone.
    pub fn words(origin: Origin, text: impl Into<String>) -> Self {
        Self { origin, text: text.into(), images: Vec::new() }
    }

    /// Its images, and how the agent is given each.
    pub fn given(&self) -> Vec<GivenImage> {
        self.images.iter().map(|image| image.given.clone()).collect()
    }

    /// What the agent reads: the words, and which files belong to them.
    pub fn read(&self) -> String {
        format!("{}{}", self.text, told(&self.given()))
    }
}
