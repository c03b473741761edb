//! The plan of a launch: what an agent's private home holds, which variables it sees, what is started. An immutable
//! value that the engine carries out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::definition::{HandOver, ModeName};

/// Variables of the user that every agent may see, if they are set.
pub const PASSED: &[&str] = &[
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "USER",
    "LOGNAME",
    "SHELL",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
];
/// Sent as the key to an endpoint that wants none; many programs refuse to start without any.
pub const NO_KEY: &str = "no-key-needed";
/// Longest prompt that is given as an argument; the kernel allows 128 KiB for one.
pub const ARGUMENT_BYTES: usize = 120 * 1024;

/// What a launch needs to know besides the definition.
#[derive(Clone, Debug, Default)]
pub struct LaunchContext {
    /// The private home: one per session, kept as long as the session may be resumed.
    pub home: PathBuf,
    /// The workspace.
    pub workspace: PathBuf,
    /// A folder for temporary files of this attempt.
    pub temp: PathBuf,
    /// The path of this program.
    pub divisi: PathBuf,
    /// The user's real home.
    pub user_home: PathBuf,
    /// The user's environment, of which only what is allowed is used.
    pub variables: BTreeMap<String, String>,
    /// Variables of the attempt: ports and whatever `divisi.toml` sets.
    pub extra: BTreeMap<String, String>,
    /// Name and mail address for commits of the agent.
    pub identity: Identity,
    /// How much the agent may do unasked.
    pub mode: ModeName,
    /// For exec agents: the turn to start.
    pub turn: Option<ExecTurn>,
}

/// Name and mail address for commits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The mail address.
    pub email: String,
}

/// A turn of an agent that is started anew for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecTurn {
    /// The prompt, with a hand-off in front if the agent does not remember.
    pub prompt: String,
    /// The session to resume, or the name of the new one where Divisi names it.
    pub session: Option<String>,
    /// Whether there was a turn before that this one goes on from.
    pub resume: bool,
}

/// A launch, ready to be carried out: make the home, write the files, link the logins, start the program in the
/// workspace with exactly this environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentLaunch {
    /// The agent's name.
    pub agent: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its whole environment.
    pub environment: BTreeMap<String, String>,
    /// Names of variables whose values must not be shown or logged.
    pub secrets: BTreeSet<String>,
    /// The private home.
    pub home: PathBuf,
    /// Files to write below it, with mode 0600 in folders of 0700. One that exists is replaced.
    pub files: Vec<HomeFile>,
    /// Login files to hand over. One that exists in the private home stays.
    pub logins: Vec<LoginFile>,
    /// What to write to its stdin; then stdin is closed. None for ACP, which keeps it open; empty for exec agents
    /// that must see the end of it, as some wait for it for ever.
    pub stdin: Option<String>,
    /// The mode to set by the protocol before the first prompt.
    pub mode_id: Option<String>,
    /// The login method to name by the protocol after `initialize`.
    pub authenticate: Option<String>,
    /// Where the login comes from, for people.
    pub login: String,
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeFile {
    /// Relative to the private home.
    pub path: String,
    /// Its content.
    pub content: String,
}

/// A login file to hand over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginFile {
    /// The user's file.
    pub from: PathBuf,
    /// Relative to the private home.
    pub to: String,
    /// How.
    pub how: HandOver,
}

/// A launch that cannot be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaunchError {
    /// The program was not found.
    #[error("`{program}` is not installed")]
    NotInstalled {
        /// As the definition writes it.
        program: String,
    },
    /// There is no login and no endpoint.
    #[error("`{agent}` is not logged in")]
    NotLoggedIn {
        /// The agent.
        agent: String,
    },
    /// The agent does not have the mode.
    #[error("`{agent}` has no mode in which it {what}")]
    NoMode {
        /// The agent.
        agent: String,
        /// What the mode would do.
        what: &'static str,
    },
    /// The prompt does not fit into an argument.
    #[error(
        "the prompt has {bytes} bytes, and `{agent}` takes it as an argument of at most {ARGUMENT_BYTES}"
    )]
    PromptTooLong {
        /// The agent.
        agent: String,
        /// The prompt's size.
        bytes: usize,
    },
}

impl Default for Identity {
    fn default() -> Self {
        Self { name: "Divisi agent".into(), email: "agent@divisi.invalid".into() }
    }
}
