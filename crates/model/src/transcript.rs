//! What a transcript is made of: the record of one session, entry by entry.
//!
//! The bytes of an agent live in its journals, which are the truth. An entry is what Divisi understood of them: small,
//! bounded, and pointing back to the bytes it came from, so that the index of entries can be thrown away and rebuilt.
//! Entries are *upserted by `seq`*: a tool call, a plan or a message that goes on keeps its number and is stored again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::event::{Origin, TurnOutcome};
use crate::image::GivenImage;
use crate::inbox::AskOption;

mod text;
mod tool;

pub use text::Text;
pub use tool::{FileDiff, Location, ToolCall, ToolKind, ToolStatus};

/// Bounds of what an entry holds. What is longer is cut, says so, and can be read whole in the journal.
pub mod limits {
    /// A prompt, message or thought, in bytes.
    pub const MESSAGE_BYTES: usize = 64 * 1024;
    /// The output of a tool call, in bytes.
    pub const OUTPUT_BYTES: usize = 32 * 1024;
    /// One side of one diff, in bytes.
    pub const DIFF_BYTES: usize = 48 * 1024;
    /// Files in the diffs of one tool call.
    pub const DIFFS: usize = 16;
    /// Places that one tool call names.
    pub const LOCATIONS: usize = 64;
    /// Steps of a plan.
    pub const PLAN_STEPS: usize = 200;
    /// Options of a permission request or of a question.
    pub const OPTIONS: usize = 32;
    /// Titles, names, ids and paths, in bytes.
    pub const NAME_BYTES: usize = 4 * 1024;
    /// An update nobody understood, and Divisi's own words, in bytes.
    pub const RAW_BYTES: usize = 4 * 1024;
}

/// One entry of a transcript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Entry {
    /// Its place in the transcript, from 1 without gaps. An entry seen again with the same number replaces the first.
    pub seq: u64,
    /// When it was first seen. After a replay of the journals this is only near the truth: keep the time stored first.
    pub at: Timestamp,
    /// The turn it belongs to, from 1; 0 before the first prompt.
    pub turn: u32,
    /// The bytes it came from; Divisi's own entries have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub source: Option<Source>,
    /// What it is.
    #[serde(flatten)]
    pub body: EntryBody,
}

/// Where in a session's journals the bytes of an entry are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Source {
    /// Which of the two.
    pub journal: Journal,
    /// Offset of the first line, in bytes.
    pub offset: u64,
    /// Bytes from there to the end of the last line that belongs to the entry; other lines may lie between.
    pub len: u64,
}

/// The two journals of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Journal {
    /// What the agent wrote to its stdout.
    Out,
    /// What Divisi wrote to the agent's stdin.
    In,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum EntryBody {
    /// Words for the agent; they begin a turn.
    Prompt {
        /// Where they come from.
        origin: Origin,
        /// The words.
        text: Text,
        /// The images that belong to them, and how the agent was given each.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[ts(optional, as = "Option<_>")]
        images: Vec<GivenImage>,
    },
    /// Words of the agent. Pieces of one message are one entry.
    Message {
        /// The words.
        text: Text,
    },
    /// What the agent showed of its thinking.
    Thought {
        /// The words.
        text: Text,
    },
    /// The agent's plan; each new state replaces the one before it in the same turn.
    Plan {
        /// The steps in order.
        steps: Vec<PlanStep>,
    },
    /// A tool at work, in its newest state.
    ToolCall(Box<ToolCall>),
    /// The agent asks whether it may use a tool.
    PermissionRequest {
        /// Names the request in its session.
        request: String,
        /// The tool call it is about; its entry comes before this one.
        tool_call: String,
        /// What the agent wants to do, in a line.
        title: String,
        /// What can be answered.
        options: Vec<AskOption>,
    },
    /// The agent asks a person something.
    Question {
        /// Names the request in its session.
        request: String,
        /// The question.
        text: Text,
        /// Proposed answers; empty where free words are wanted.
        options: Vec<AskOption>,
    },
    /// How a permission request or a question ended.
    Answered {
        /// The request.
        request: String,
        /// How.
        answer: Answered,
    },
    /// What the turn used so far, in the agent's own numbers; one entry per turn, stored again as it grows.
    Usage(Box<ReportedUsage>),
    /// The agent works in another mode now.
    ModeChanged {
        /// The agent's id of the mode.
        mode: String,
    },
    /// Divisi's own words about the session.
    Notice {
        /// What it is about.
        notice: Notice,
        /// The words.
        text: Text,
    },
    /// The agent is idle again.
    TurnEnded {
        /// How the turn ended, as Divisi judges it.
        outcome: TurnOutcome,
        /// What the agent itself said, such as `end_turn`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        stop_reason: Option<String>,
    },
    /// An update that this version does not understand, kept as it came.
    Raw {
        /// What it calls itself.
        name: String,
        /// Its JSON.
        json: Text,
    },
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PlanStep {
    /// What is to be done.
    pub text: String,
    /// How far it is.
    pub status: StepStatus,
}

/// How far a step of a plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Not begun.
    Pending,
    /// Under way.
    InProgress,
    /// Done.
    Completed,
}

/// How a permission request or a question ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Answered {
    /// One of the options was chosen.
    Chosen {
        /// The option's id.
        option: String,
    },
    /// It was answered in words.
    Words {
        /// The words.
        text: Text,
    },
    /// A person declined to answer the question.
    Declined,
    /// The turn was cancelled first, or ended, or the agent took the request back.
    Withdrawn,
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// The agent took up its earlier session.
    Resumed,
    /// The agent could not, and was told what happened so far.
    HandOff,
    /// The agent's process was started or ended.
    Process,
    /// The agent wrote something that is not of its protocol.
    Protocol,
    /// The turn is being cancelled.
    Cancel,
    /// The agent reported something for people.
    Agent,
}

/// What an agent said about its use of tokens and money. Its scope differs between agents and between fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct ReportedUsage {
    /// Tokens, where reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tokens: Option<Tokens>,
    /// What the token numbers cover.
    pub scope: UsageScope,
    /// Tokens now in the model's context.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub context_used: Option<u64>,
    /// Tokens that fit into the model's context.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub context_size: Option<u64>,
    /// The cost of the whole session, where reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub cost: Option<ReportedCost>,
}

/// Token counts. What is not known is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Tokens {
    /// Input.
    pub input: u64,
    /// Output.
    pub output: u64,
    /// Input read from a cache.
    pub cached_read: u64,
    /// Input written to a cache.
    pub cached_write: u64,
    /// Thinking.
    pub reasoning: u64,
    /// The input counts what was read from a cache too, in transcripts of 0.1.0; nothing sets it any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<_>")]
    pub cached_in_input: bool,
}

/// What a number of tokens covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum UsageScope {
    /// This turn.
    #[default]
    Turn,
    /// The session since its beginning.
    Session,
    /// Only the last request to the model, so less than the turn.
    LastCall,
}

/// Money as an agent reported it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ReportedCost {
    /// How much.
    pub amount: f64,
    /// Of what: `USD`, `EUR`, `credits`.
    pub currency: String,
}

impl Entry {
    /// One word for lists and searches.
    pub fn kind(&self) -> &'static str {
        self.body.kind()
    }
}

impl EntryBody {
    /// One word for lists and searches; the same as in the stored form.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Prompt { .. } => "prompt",
            Self::Message { .. } => "message",
            Self::Thought { .. } => "thought",
            Self::Plan { .. } => "plan",
            Self::ToolCall(_) => "tool_call",
            Self::PermissionRequest { .. } => "permission_request",
            Self::Question { .. } => "question",
            Self::Answered { .. } => "answered",
            Self::Usage(_) => "usage",
            Self::ModeChanged { .. } => "mode_changed",
            Self::Notice { .. } => "notice",
            Self::TurnEnded { .. } => "turn_ended",
            Self::Raw { .. } => "raw",
        }
    }
}

impl Tokens {
    /// Adds other counts.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.input, other.input),
            (&mut self.output, other.output),
            (&mut self.cached_read, other.cached_read),
            (&mut self.cached_write, other.cached_write),
            (&mut self.reasoning, other.reasoning),
        ] {
            *mine = mine.saturating_add(theirs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_the_tag_of_the_stored_form() {
        let bodies = [
            EntryBody::Prompt { origin: Origin::Person, text: "hi".into(), images: vec![] },
            EntryBody::ToolCall(Box::new(ToolCall::new("c1"))),
            EntryBody::Usage(Box::default()),
            EntryBody::Answered { request: "1".into(), answer: Answered::Withdrawn },
            EntryBody::Notice { notice: Notice::Resumed, text: "again".into() },
            EntryBody::TurnEnded { outcome: TurnOutcome::Cancelled, stop_reason: None },
        ];
        for body in bodies {
            let entry = Entry { seq: 1, at: Timestamp::UNIX_EPOCH, turn: 1, source: None, body };
            let json = serde_json::to_value(&entry).unwrap();
            assert_eq!(json["entry"], entry.kind());
            assert_eq!(serde_json::from_value::<Entry>(json).unwrap(), entry);
        }
    }
}
