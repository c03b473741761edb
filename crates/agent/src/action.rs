//! What a session asks its owner to do. The same for every way of driving an agent.

use divisi_model::event::{SessionStart, TurnOutcome, Usage};
use divisi_model::inbox::AskOption;
use divisi_model::transcript::{Entry, ToolCall};

/// One thing to do, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Append these bytes to the in journal, then write them to the agent's stdin.
    Send(Vec<u8>),
    /// Close the agent's stdin; nothing more will be sent.
    CloseStdin,
    /// Store this entry. One with a number that is stored already replaces it, but keeps the time stored first.
    Entry(Entry),
    /// A piece was added to the text of entry `seq`. For live views only: the entry itself comes again when it is
    /// whole, and every few kilobytes before.
    Text {
        /// The entry.
        seq: u64,
        /// The piece.
        text: String,
    },
    /// The agent gave the session its id. Store it before the first prompt.
    SessionOpened {
        /// The agent's id.
        id: String,
        /// `Resumed`: the agent knows what happened. `HandOff`: a resume was wanted but the agent has forgotten, so the
        /// first prompt must carry a hand-off (see [`crate::handoff`]).
        how: SessionStart,
    },
    /// The agent is idle and takes a prompt. May come again after a replay.
    Ready,
    /// A person, or a rule, must answer. May come again after a replay, with the same `request`.
    Asked(Asked),
    /// The request needs no answer any more.
    AskOver {
        /// The request.
        request: String,
    },
    /// The turn is over.
    TurnEnded {
        /// Its number.
        turn: u32,
        /// How it ended, as far as the agent's words and events tell; the workspace and the checks have the last word.
        outcome: TurnOutcome,
        /// What this turn used.
        usage: Usage,
    },
    /// The session cannot go on; end the agent.
    Failed(Failure),
    /// The session was closed in good order; end the agent.
    Closed,
}

/// What an agent asks a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Names the request in its session; the same after a replay.
    pub request: String,
    /// What is asked, in a line.
    pub title: String,
    /// The tool that wants permission; none for a question.
    pub tool: Option<Box<ToolCall>>,
    /// What can be answered. Empty for a question that wants words.
    pub options: Vec<AskOption>,
}

/// An answer to what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Yes; `always` only where the agent offers that, otherwise once.
    Allow {
        /// For all alike.
        always: bool,
    },
    /// No.
    Deny {
        /// For all alike.
        always: bool,
    },
    /// Exactly this option.
    Option(String),
    /// An answer in words, to a question.
    Words(String),
    /// No answer will come; the agent's tool call is cancelled.
    Withdraw,
}

/// Why a session cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which step failed.
    pub kind: FailureKind,
    /// What the agent said, or what is wrong, for people.
    pub text: String,
}

/// Which step of a session failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The agent does not speak the protocol, or not this version.
    Protocol,
    /// The agent wants a login first.
    NeedsLogin,
    /// The agent refused to open a session.
    Session,
    /// The agent's process ended before the session was open.
    ProcessEnded,
}

/// A command that does not fit the state of the session. Nothing happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The agent is in a turn, or not ready yet: keep the prompt queued until `Ready` or `TurnEnded`.
    #[error("the agent is busy")]
    Busy,
    /// The session is closed or failed.
    #[error("the session is over")]
    Over,
    /// The agent cannot take words in the middle of a turn: queue them, or cancel first.
    #[error("this agent cannot be steered in the middle of a turn")]
    CannotSteer,
    /// There is no open request of this name; it may have been answered or withdrawn.
    #[error("no request `{0}` is open")]
    NoSuchRequest(String),
    /// The request has no option that fits.
    #[error("the request offers no such answer; it offers: {offered}")]
    NoSuchOption {
        /// The ids of the options.
        offered: String,
    },
    /// The prompt is longer than [`divisi_model::limits::PROMPT_BYTES`].
    #[error("the prompt has {bytes} bytes, more than {limit}")]
    PromptTooLong {
        /// Its size.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
}
