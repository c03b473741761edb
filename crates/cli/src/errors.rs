//! Everything that can go wrong, as a person and a script see it: a kind with its exit code, one sentence, a hint, and
//! the causes. Conversions from inner errors stand here, so this file reads as the list of what to try.

use divisi_api::ClientError;
use divisi_api::types::{Problem, ProblemKind};
use serde::Serialize;

/// What every command gives back.
pub(crate) type Done<T = ()> = Result<T, CommandError>;

/// A command failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandError {
    /// What kind of failure.
    pub(crate) kind: ErrorKind,
    /// One sentence.
    pub(crate) message: String,
    /// What to do; may be empty.
    pub(crate) hint: String,
    /// The causes, outermost first.
    pub(crate) causes: Vec<String>,
}

/// Kinds of failure; each has one exit code, listed in `docs/reference/exit-codes.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// Divisi itself failed.
    Failed,
    /// The call is wrong.
    Usage,
    /// There is no such thing.
    NotFound,
    /// It cannot be done in the present state.
    WrongState,
    /// A task that was waited for needs a person.
    NeedsYou,
    /// The daemon does not run or does not answer.
    Daemon,
    /// The agent cannot be used yet.
    AgentNotReady,
    /// A bound was reached.
    Limit,
    /// A configuration file is wrong.
    Config,
    /// A task that was waited for was stopped or put away.
    Stopped,
    /// Whoever read the output went away.
    BrokenPipe,
}

impl ErrorKind {
    /// All kinds with an exit code of their own, their words in JSON, and what they mean.
    pub(crate) const TABLE: [(Self, &'static str, &'static str); 10] = [
        (Self::Failed, "failed", "Divisi, git or the system failed; the message says where"),
        (
            Self::Usage,
            "usage",
            "the call is wrong: unknown option, missing argument, a value that does not fit",
        ),
        (Self::NotFound, "not_found", "there is no such task, attempt, inbox item, agent or project"),
        (
            Self::WrongState,
            "wrong_state",
            "it exists, but cannot be done now; the message names the present state",
        ),
        (
            Self::NeedsYou,
            "needs_you",
            "`run --wait` ended because a task waits for a person before it has a proven result",
        ),
        (Self::Daemon, "daemon", "the daemon does not run, does not answer, or could not be started"),
        (Self::AgentNotReady, "agent_not_ready", "the agent is not installed or not logged in"),
        (Self::Limit, "limit", "a bound was reached: too many attempts, prompts, comments or bytes"),
        (Self::Config, "config", "`divisi.toml` or the user's configuration is wrong"),
        (
            Self::Stopped,
            "stopped",
            "`run --wait` ended because a task was stopped or archived before it had a proven result",
        ),
    ];

    /// The exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::BrokenPipe => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::WrongState => 4,
            Self::NeedsYou => 5,
            Self::Daemon => 6,
            Self::AgentNotReady => 7,
            Self::Limit => 8,
            Self::Config => 9,
            Self::Stopped => 10,
        }
    }

    /// The word for programs.
    pub(crate) fn word(self) -> &'static str {
        Self::TABLE.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, word, _)| word)
    }
}

/// The form in which `--json` tells an error on standard error.
#[derive(Serialize)]
struct ErrorJson<'a> {
    error: &'a str,
    message: &'a str,
    hint: &'a str,
    causes: &'a [String],
    exit_code: u8,
}

impl CommandError {
    /// An error of this kind.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: hint.into(), causes: Vec::new() }
    }

    /// The call is wrong.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message, hint)
    }

    /// Something failed.
    pub(crate) fn failed(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message, hint)
    }

    /// There is no such thing.
    pub(crate) fn not_found(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message, hint)
    }

    /// Adds an error and its sources as causes.
    #[must_use]
    pub(crate) fn because(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.causes.push(error.to_string());
            next = error.source();
        }
        self
    }

    /// What is printed on standard error.
    pub(crate) fn show(&self, json: bool) -> String {
        if json {
            let form = ErrorJson {
                error: self.kind.word(),
                message: &self.message,
                hint: &self.hint,
                causes: &self.causes,
                exit_code: self.kind.code(),
            };
            return serde_json::to_string(&form).unwrap_or_default();
        }
        let mut text = format!("{}: {}", crate::render::style::bad("error"), self.message);
        for cause in &self.causes {
            text.push_str(&format!("\n  because {cause}"));
        }
        if !self.hint.is_empty() {
            text.push_str(&format!("\n{}: {}", crate::render::style::strong("hint"), self.hint));
        }
        text
    }
}

impl From<ClientError> for CommandError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Problem(problem) => problem.into(),
            ClientError::Answer { .. } => {
                let hint = "divisi stop --daemon, so that the next command starts this version's own";
                Self::new(ErrorKind::Daemon, "the daemon speaks another language", hint).because(&error)
            }
            ClientError::Unreachable(_) | ClientError::Broken(_) | ClientError::Gone(_) => {
                let hint = "divisi doctor looks at the daemon; its log is in Divisi's state folder";
                Self::new(ErrorKind::Daemon, "the daemon cannot be reached", hint).because(&error)
            }
            ClientError::Request(_) | ClientError::Set(_) | ClientError::EventTooLong(_) => {
                Self::failed("the daemon could not be asked", "").because(&error)
            }
        }
    }
}

impl From<Problem> for CommandError {
    fn from(problem: Problem) -> Self {
        let kind = match problem.kind {
            ProblemKind::NotFound => ErrorKind::NotFound,
            ProblemKind::WrongState => ErrorKind::WrongState,
            ProblemKind::BadInput => ErrorKind::Usage,
            ProblemKind::NotReady => ErrorKind::AgentNotReady,
            ProblemKind::Limit | ProblemKind::TooLarge => ErrorKind::Limit,
            ProblemKind::Unauthorized | ProblemKind::Forbidden | ProblemKind::WrongMethod => {
                ErrorKind::Daemon
            }
            ProblemKind::Internal => ErrorKind::Failed,
        };
        Self::new(kind, problem.message, problem.hint)
    }
}

/// A failure to write to standard output: whoever read it may have gone away, as `head` does.
pub(crate) fn output(error: &std::io::Error) -> CommandError {
    let kind = match error.kind() {
        std::io::ErrorKind::BrokenPipe => ErrorKind::BrokenPipe,
        _ => ErrorKind::Failed,
    };
    CommandError::new(kind, "cannot write to standard output", "").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_code_and_the_page_lists_it() {
        let page = include_str!("../../../docs/reference/exit-codes.md");
        for (kind, word, meaning) in ErrorKind::TABLE {
            let row = format!("| {} | `{word}` | {meaning} |", kind.code());
            assert!(page.contains(&row), "docs/reference/exit-codes.md lacks this row:\n{row}");
        }
        let mut codes: Vec<_> = ErrorKind::TABLE.iter().map(|(kind, ..)| kind.code()).collect();
        codes.dedup();
        assert_eq!(codes.len(), ErrorKind::TABLE.len());
    }

    #[test]
    fn causes_are_told_once_each_and_the_hint_last() {
        let inner = std::io::Error::other("disk full");
        let error = CommandError::failed("cannot write x", "make room").because(&inner);
        let text = anstream::adapter::strip_str(&error.show(false)).to_string();
        assert_eq!(text, "error: cannot write x\n  because disk full\nhint: make room");
    }

    #[test]
    fn an_error_can_be_read_by_a_program() {
        let error = CommandError::not_found("no t9", "divisi ls");
        let json: serde_json::Value = serde_json::from_str(&error.show(true)).unwrap();
        assert_eq!(json["error"], "not_found");
        assert_eq!(json["exit_code"], 3);
    }
}
