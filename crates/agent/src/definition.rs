//! An agent is data. This file is the form of a definition, in TOML; the shipped ones lie in `definitions/`.

use std::collections::BTreeMap;

use divisi_model::transcript::UsageScope;
use serde::{Deserialize, Serialize};

use crate::errors::ErrorRule;

/// Everything Divisi knows about an agent before it starts it.
///
/// In arguments, environment values and file contents these places are filled in: `{home}` the private home,
/// `{workspace}` the workspace, `{divisi}` the path of this program, `{session}` the session to resume, `{prompt}` and
/// `{prompt_file}` the prompt (exec only), `{model}`, and with a custom endpoint `{base_url}` (without `/v1`),
/// `{base_url_origin}`, `{base_url_path}` (no slash in front, one at its end unless empty) and `{api_key}`.
/// What names a place that has no value is left out: a group of arguments, a variable, a line of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What people call it on the command line.
    pub name: String,
    /// Its full name.
    pub title: String,
    /// Which protocol it is driven by.
    pub drive: Drive,
    /// Program and arguments. The program is looked up in `PATH` unless it is a path or `{divisi}`.
    pub command: Vec<Arg>,
    /// Whether the tests of Divisi run this definition against the real program.
    #[serde(default)]
    pub verified: bool,
    /// What people should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Arguments that make the program print its version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub version_args: Vec<String>,
    /// The exact command that installs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<String>,
    /// The exact command that logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_in: Option<String>,
    /// Ways to be logged in, best first. None listed: no login is needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub login: Vec<Login>,
    /// Variables that are always set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// The user's own variables that the agent may see besides the few that every agent sees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pass: Vec<String>,
    /// Files that are always written into the private home.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileTemplate>,
    /// The model, unless the agent's own default is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The address of a model server to use instead of the vendor's, with or without `/v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The variable that holds the key for `base_url`; without it a placeholder is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_variable: Option<String>,
    /// What is different when `base_url` is set. Then no login is needed and none is handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// How the agent is told to ask first, and to work on its own.
    #[serde(default)]
    pub modes: Modes,
    /// For agents driven by ACP.
    #[serde(default)]
    pub acp: Acp,
    /// For agents driven as one-shot commands.
    #[serde(default)]
    pub exec: Exec,
    /// What is peculiar about it.
    #[serde(default)]
    pub quirks: Quirks,
    /// Prices by model, for agents that report tokens but no cost.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prices: BTreeMap<String, Price>,
}

/// The protocol an agent is driven by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drive {
    /// The Agent Client Protocol on stdin and stdout; one process for a session, or for several ([`Acp::sessions`]).
    Acp,
    /// A command per turn.
    Exec,
}

/// An argument, or several that stand and fall together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Arg {
    /// One.
    One(String),
    /// A group, such as `["--model", "{model}"]`.
    Group(Vec<String>),
}

/// A way to be logged in: all of these must be there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Login {
    /// What it is called.
    pub title: String,
    /// Files in the user's home that hold the login; they and nothing else are handed over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Files that are handed over too where they exist.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Variables of the user that hold the login.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<String>,
    /// How files are handed over.
    pub how: HandOver,
    /// The login method to name after `initialize`, for agents that want it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticate: Option<String>,
    /// Variables that are set with this login.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Files that are written with this login.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<FileTemplate>,
}

/// How a login file gets into the private home.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandOver {
    /// By a symbolic link, so that a token the agent renews is renewed for the user too.
    #[default]
    Link,
    /// By a copy, for what the agent never renews.
    Copy,
}

/// A file in the private home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileTemplate {
    /// Where, relative to the private home.
    pub path: String,
    /// What, with places to fill in; values are escaped for the quotes of JSON and TOML.
    pub content: String,
}

/// What is different with a custom model endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Endpoint {
    /// The model where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Variables.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Arguments at the end of the command.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Arg>,
    /// Files; one with the path of another takes its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileTemplate>,
}

/// How much the agent may do unasked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Modes {
    /// Asks before it changes anything or runs a command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<ModeSetting>,
    /// Works on its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto: Option<ModeSetting>,
    /// Only reads and plans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<ModeSetting>,
}

/// How an agent is put into a mode.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModeSetting {
    /// Its id in the protocol, set before the first prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Arguments at the end of the command.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Arg>,
    /// Variables.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}

/// Which mode is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModeName {
    /// Asks first.
    #[default]
    Ask,
    /// On its own.
    Auto,
    /// Reads and plans.
    Plan,
}

/// What only ACP agents have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Acp {
    /// The login method to name after `initialize`, whatever the login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticate: Option<String>,
    /// Offer questions by forms (`elicitation/create`).
    pub questions: bool,
    /// Seconds that the program may take until its session is open; two minutes unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_seconds: Option<u32>,
    /// Sessions that one process may hold at once, each with a workspace of its own; one unless set. More than one only
    /// where the person allows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<u16>,
}

/// What only one-shot commands have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exec {
    /// How the prompt gets to the command.
    pub prompt: PromptBy,
    /// What the command writes.
    pub output: Output,
    /// Arguments at the end of the command that take up the session `{session}`. Empty: it cannot resume.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resume: Vec<Arg>,
    /// Arguments at the end of the command for a first turn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<Arg>,
    /// The session is named by Divisi (`{session}` is known from the start) rather than by the agent.
    pub names_session: bool,
}

/// How a prompt gets to a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptBy {
    /// As the argument that says `{prompt}`, or the last one.
    #[default]
    Argument,
    /// On its stdin.
    Stdin,
    /// In the file `{prompt_file}`.
    File,
}

/// What a command writes to its stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Words for people.
    #[default]
    Text,
    /// JSON lines of any agent that is known; other lines are taken as words.
    Json,
}

/// What is peculiar about an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quirks {
    /// A denied permission ends the turn; others tell the model and go on.
    pub reject_ends_turn: bool,
    /// What the token numbers at the end of a turn cover.
    pub usage_scope: UsageScope,
    /// Errors come as the text of a turn that ended well.
    pub errors_as_end_turn: bool,
    /// How a line of such an error begins, besides what is known of all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub error_texts: Vec<String>,
    /// How such errors look exactly, and what they are about. They count whether or not the agent is known to do so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorRule>,
    /// Does not end when its stdin is closed: signal it at once.
    pub eof_does_not_exit: bool,
    /// Can take up a session only once and then forgets it; so Divisi does not try.
    pub load_once: bool,
    /// Its launcher ignores or outlives signals: signal the whole process group.
    pub needs_group_kill: bool,
    /// Leaves a process behind that leaves its group: end it by the sub-reaper or the cgroup.
    pub leaves_daemon: bool,
    /// Files it leaves in the workspace that are not work; patterns as in `.gitignore`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub litter: Vec<String>,
    /// Its own sandbox keeps it from writing into the repository's git folder.
    pub cannot_commit: bool,
}

/// Prices in US dollars per million tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Price {
    /// Input.
    pub input: f64,
    /// Output.
    pub output: f64,
    /// Input read from a cache; as other input where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_read: Option<f64>,
    /// Input written to a cache; as other input where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_write: Option<f64>,
    /// The page that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The day on which that was looked up: `2026-11-21`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
}

impl Quirks {
    /// How the lines of errors begin that come as the text of a good turn.
    pub(crate) fn hidden_beginnings(&self) -> &[String] {
        if self.errors_as_end_turn { &self.error_texts } else { &[] }
    }
}

impl Definition {
    /// How the mode is set; none if the agent does not have it.
    pub fn mode(&self, name: ModeName) -> Option<&ModeSetting> {
        match name {
            ModeName::Ask => self.modes.ask.as_ref(),
            ModeName::Auto => self.modes.auto.as_ref(),
            ModeName::Plan => self.modes.plan.as_ref(),
        }
    }

    /// The program as written, the first word of the command.
    pub fn program(&self) -> &str {
        match self.command.first() {
            Some(Arg::One(program)) => program,
            Some(Arg::Group(group)) => group.first().map_or("", String::as_str),
            None => "",
        }
    }

    /// Whether a session can go on in a new process, as far as the definition knows.
    pub fn can_resume(&self) -> bool {
        match self.drive {
            Drive::Acp => !self.quirks.load_once,
            Drive::Exec => !self.exec.resume.is_empty(),
        }
    }
}
