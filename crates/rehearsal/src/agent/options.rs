//! The command line of the rehearsal agent.

use std::io::Read;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// An agent that plays a script: no model, no key, no network.
///
/// It speaks the Agent Client Protocol on standard input and output, or runs once with --exec.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "divisi rehearsal-agent",
    version,
    after_help = "Examples:\n  \
        divisi rehearsal-agent --pace 1                     speaks the protocol, at a pace that can be watched\n  \
        divisi rehearsal-agent --exec 'Add a note'          makes a small edit in this folder and ends\n  \
        divisi rehearsal-agent --exec-file task.md          plays the script in that file\n\n\
        A script stands in the prompt, between ```rehearsal and ```. docs/guides/rehearsal.md describes it."
)]
pub struct Options {
    /// Script for prompts that hold none.
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// Folder of scripts NAME.rehearsal, for prompts that say rehearsal:NAME.
    #[arg(long, value_name = "DIR")]
    pub scripts: Option<PathBuf>,
    /// Where sessions are kept [default: $HOME/.divisi-rehearsal].
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Share of a human pace at which it thinks and types: 0 waits for nothing, 1 can be watched.
    #[arg(long, default_value_t = 0.0)]
    pub pace: f64,
    /// Seed of its waiting times.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Mode in which sessions start: ask before every change, or ask only where the script does.
    #[arg(long, value_enum, default_value_t = Mode::Auto)]
    pub mode: Mode,
    /// Runs once for this prompt, in plain text, in the current folder (- reads the prompt from standard input).
    #[arg(long, value_name = "PROMPT", conflicts_with = "exec_file")]
    pub exec: Option<String>,
    /// Like --exec with the prompt in a file.
    #[arg(long, value_name = "FILE")]
    pub exec_file: Option<PathBuf>,
    /// Behaves like an agent that cannot load a session.
    #[arg(long)]
    pub no_load: bool,
    /// Behaves like an agent that cannot resume a session.
    #[arg(long)]
    pub no_resume: bool,
    /// Behaves like an agent that loses a session by loading it.
    #[arg(long)]
    pub load_once: bool,
    /// Behaves like an agent that cannot be shown images.
    #[arg(long)]
    pub no_images: bool,
    /// Behaves like an agent without modes.
    #[arg(long)]
    pub no_modes: bool,
    /// Ends the turn as cancelled when a permission is refused, instead of going on.
    #[arg(long)]
    pub reject_ends_turn: bool,
    /// Says provider errors as a message and ends the turn as if all were well.
    #[arg(long)]
    pub errors_as_end_turn: bool,
    /// Stays alive when its standard input is closed.
    #[arg(long)]
    pub ignore_eof: bool,
    /// Refuses sessions until the file `login` is in its state folder.
    #[arg(long)]
    pub require_login: bool,
}

/// How much a session asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Before every change and command.
    Ask,
    /// Only where the script asks.
    Auto,
}

impl Mode {
    /// The mode's id on the wire.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Auto => "auto",
        }
    }

    pub(super) fn from_id(id: &str) -> Option<Self> {
        [Self::Ask, Self::Auto].into_iter().find(|mode| mode.id() == id)
    }
}

impl Options {
    /// Where sessions are kept.
    pub(super) fn state_dir(&self) -> PathBuf {
        let home = || std::env::var_os("HOME").map_or_else(std::env::temp_dir, PathBuf::from);
        self.state.clone().unwrap_or_else(|| home().join(".divisi-rehearsal"))
    }

    /// The prompt of a single run, if one is wanted.
    pub(super) fn prompt(&self) -> std::io::Result<Option<String>> {
        match (&self.exec, &self.exec_file) {
            (Some(dash), _) if dash == "-" => {
                let mut prompt = String::new();
                std::io::stdin().lock().read_to_string(&mut prompt)?;
                Ok(Some(prompt))
            }
            (Some(prompt), _) => Ok(Some(prompt.clone())),
            (None, Some(file)) => std::fs::read_to_string(file).map(Some),
            (None, None) => Ok(None),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::parse_from(["divisi rehearsal-agent"])
    }
}
