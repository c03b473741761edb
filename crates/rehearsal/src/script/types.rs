//! What a script is made of.

use std::time::Duration;

use agent_client_protocol_schema::v1::{PermissionOptionKind, PlanEntryStatus, StopReason, ToolKind};

/// A whole script: turns in the order in which they were written.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// Never empty: steps before the first header belong to the first turn.
    pub turns: Vec<Turn>,
}

/// What is performed in answer to one prompt.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Turn {
    /// Set for `when prompt contains "…"`: the turn answers a prompt that holds this text.
    pub when: Option<String>,
    /// The steps in order.
    pub steps: Vec<Step>,
}

/// One step and the line of the script on which it stands (from 1).
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Line in the script text.
    pub line: usize,
    /// What is done.
    pub action: Action,
}

/// What a step does. Paths are as written: relative ones start at the workspace.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// A message to the person.
    Say(String),
    /// A thought, shown apart from messages.
    Think(String),
    /// The whole plan, replacing an earlier one.
    Plan(Vec<PlanItem>),
    /// Reads a file.
    Read(String),
    /// Writes a file, making its folders.
    Write {
        /// The file.
        path: String,
        /// Its whole text.
        text: String,
    },
    /// Adds text at the end of a file, making it where it is missing.
    Append {
        /// The file.
        path: String,
        /// The text to add.
        text: String,
    },
    /// Replaces text that must be there.
    Edit {
        /// The file.
        path: String,
        /// In the order in which they are made; never empty.
        replacements: Vec<Replacement>,
    },
    /// Deletes a file.
    Delete(String),
    /// Renames a file.
    Move {
        /// The file.
        from: String,
        /// Its new name.
        to: String,
    },
    /// Runs a shell command in the workspace.
    Run(String),
    /// Calls a tool by its exact name with a JSON object as arguments.
    Tool {
        /// Exactly as it is offered.
        name: String,
        /// A JSON object.
        arguments: serde_json::Value,
    },
    /// Asks for permission and goes on according to the answer.
    Ask {
        /// What kind of tool asks.
        kind: ToolKind,
        /// What is to be allowed.
        title: String,
        /// Offered answers; never empty.
        options: Vec<PermissionOptionKind>,
        /// Steps after a yes.
        allowed: Vec<Step>,
        /// Steps after a no.
        rejected: Vec<Step>,
    },
    /// Asks the person something.
    Question(Question),
    /// Says which images the prompt has, and fails the turn where they are not this many.
    Images(usize),
    /// Reports tokens and cost as used.
    Usage(Tokens),
    /// Commits everything in the workspace with git.
    Commit(String),
    /// Waits, by the wall clock.
    Sleep(Duration),
    /// Never goes on by itself.
    Hang,
    /// Ends the process at once, without an answer.
    Crash(Crash),
    /// Puts out much.
    Flood(Flood),
    /// Puts out a line that is not JSON (model server: a tool call with broken JSON).
    Garbage(String),
    /// From here on a cancel has no effect in this turn.
    IgnoreCancel,
    /// From here on every word of a message takes this long.
    Slow(Duration),
    /// Fails as a model provider would.
    Error(Fault),
    /// Cuts the connection in the middle (model server: of its answer).
    Cut,
    /// Starts a process that outlives the agent.
    Stray(String),
    /// Ends the turn with this stop reason.
    End(StopReason),
    /// Performs steps several times.
    Repeat {
        /// How often.
        times: u32,
        /// What; never empty.
        steps: Vec<Step>,
    },
}

/// One line of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanItem {
    /// What is to be done.
    pub text: String,
    /// How far it is.
    pub status: PlanEntryStatus,
}

/// One replacement of an `edit` step.
#[derive(Debug, Clone, PartialEq)]
pub struct Replacement {
    /// Text that must occur; its first occurrence is replaced.
    pub old: String,
    /// What stands there afterwards.
    pub new: String,
}

/// A question to the person and what follows its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The question.
    pub text: String,
    /// Offered answers; empty for a free one.
    pub choices: Vec<String>,
    /// Steps for an answer that contains a text, in order of preference.
    pub answers: Vec<(String, Vec<Step>)>,
    /// Steps for every other answer, and for none.
    pub otherwise: Vec<Step>,
}

/// Tokens and money, as one step reports them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tokens {
    /// Fresh input tokens.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// Input tokens read from a cache.
    pub cached_read: u64,
    /// Input tokens written to a cache.
    pub cached_write: u64,
    /// Tokens of thought.
    pub thought: u64,
    /// US dollars.
    pub cost: Option<f64>,
}

/// How a crash looks from outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Crash {
    /// Exits with this code.
    Code(u8),
    /// Dies of this signal number.
    Signal(i32),
}

/// How much a flood puts out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Flood {
    /// Many short messages.
    Lines(u64),
    /// This many bytes, in messages of a bounded size.
    Bytes(u64),
    /// This many bytes in one single message.
    OneLine(u64),
}

/// A failure of the model provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Which one.
    pub kind: FaultKind,
    /// What it says; a usual sentence where the script gives none.
    pub message: String,
    /// How long a client is told to wait.
    pub retry_after: Option<Duration>,
    /// How many requests fail before one succeeds; none: all of them.
    pub times: Option<u32>,
}

/// Kinds of provider failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Not logged in (401).
    Unauthorized,
    /// The plan's allowance is used up (429 without a quick retry).
    UsageLimit,
    /// Too many requests (429).
    RateLimit,
    /// Busy (529).
    Overloaded,
    /// Broken (500).
    Internal,
}
