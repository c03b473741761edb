//! Where a launch stands, and why it did not do what it was asked.

use super::exit::Exit;
use super::journal::Pause;
use super::link::{LinkState, View};
use super::wire::Refusal;

/// Where a launch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether it runs.
    pub state: State,
    /// Bytes in `out.journal`.
    pub journal_len: u64,
    /// Bytes in `err.log`.
    pub err_len: u64,
    /// Bytes accepted for standard input; the offset of the next write.
    pub stdin_len: u64,
    /// Whether standard input takes more.
    pub stdin_open: bool,
    /// Why the output waits, if it does.
    pub paused: Option<Pause>,
}

/// Whether a launch runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// There are processes, or output on its way to the journal.
    Running,
    /// It runs, but its shim cannot be replaced at the moment. Tried again without end.
    Unreachable(String),
    /// Everything is gone, and all output is in the journal.
    Ended(Exit),
}

/// Why a running launch did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Something was written that the caller does not know of; `stdin_len` is where the input stands.
    #[error("standard input stands at byte {stdin_len}, not where this was to be written")]
    Offset {
        /// The offset of the next write.
        stdin_len: u64,
    },
    /// Standard input was closed, or never open.
    #[error("the standard input is closed")]
    Closed,
    /// It cannot be stored.
    #[error("the input cannot be stored: {0}")]
    Full(String),
    /// The launch has ended.
    #[error("the launch has ended")]
    Ended,
    /// The shim is of an older version and cannot do it.
    #[error("the shim of this launch is too old for that")]
    Unknown,
    /// The shim was lost and could not be replaced in time.
    #[error("the launch cannot be reached{}", .0.as_ref().map(|why| format!(": {why}")).unwrap_or_default())]
    Unreachable(Option<String>),
}

impl Status {
    pub(super) fn of(View { progress, link }: View) -> Status {
        let state = match link {
            LinkState::Live | LinkState::Broken(None) => State::Running,
            LinkState::Broken(Some(why)) => State::Unreachable(why),
            LinkState::Ended(exit) => State::Ended(exit),
        };
        Status {
            state,
            journal_len: progress.journal_len,
            err_len: progress.err_len,
            stdin_len: progress.stdin_len,
            stdin_open: progress.stdin_open,
            paused: progress.paused,
        }
    }
}

impl From<Refusal> for RequestError {
    fn from(why: Refusal) -> RequestError {
        match why {
            Refusal::Offset { stdin_len } => RequestError::Offset { stdin_len },
            Refusal::Closed { .. } => RequestError::Closed,
            Refusal::Full { why } => RequestError::Full(why),
            Refusal::Ended => RequestError::Ended,
            Refusal::Unknown => RequestError::Unknown,
            Refusal::Other { why } => RequestError::Unreachable(Some(why)),
        }
    }
}
