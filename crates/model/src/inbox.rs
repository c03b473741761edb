//! What waits for a person: permission requests, questions, criteria, reviews and stalls, of all agents in one list.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::ItemId;

/// One thing that waits, or waited, for a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InboxItem {
    /// Its identity.
    pub id: ItemId,
    /// The attempt that waits.
    pub attempt: u16,
    /// What is asked.
    pub ask: Ask,
    /// Since when.
    pub since: Timestamp,
    /// How it ended, once it has.
    pub answer: Option<Answer>,
    /// The person who answered it; none where a rule did, or where it was withdrawn.
    #[serde(default)]
    pub by: Option<String>,
}

/// What is asked of a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// May the agent use a tool?
    Permission {
        /// The session of the attempt, counted from 1.
        session: u32,
        /// The agent's own request id in that session: one request is one item, also after a restart.
        request: String,
        /// What it wants to do, in a line.
        title: String,
        /// The kind of tool: `edit`, `execute`, `read`, …
        tool: String,
        /// The command, diff or paths, for people.
        #[serde(default)]
        detail: String,
        /// What can be answered.
        options: Vec<AskOption>,
    },
    /// The agent asks something.
    Question {
        /// The session of the attempt, counted from 1.
        session: u32,
        /// The agent's own request id in that session.
        request: String,
        /// The question.
        text: String,
        /// Proposed answers.
        options: Vec<AskOption>,
    },
    /// A criterion that only a person can judge.
    Criterion {
        /// Which one, counted from 0.
        criterion: usize,
        /// Its words.
        text: String,
    },
    /// A result is proven and waits for review.
    Review {
        /// The commit to look at.
        commit: crate::ids::Oid,
    },
    /// The attempt cannot go on by itself.
    Stall {
        /// Why.
        why: String,
        /// What would help, as a command or a sentence.
        hint: String,
    },
}

/// One possible answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AskOption {
    /// The agent's id for it.
    pub id: String,
    /// What it says.
    pub name: String,
    /// Its effect.
    pub effect: Effect,
}

/// What an option does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Allows this once.
    AllowOnce,
    /// Allows this and what is like it, as the agent sees it.
    AllowAlways,
    /// Refuses this once.
    DenyOnce,
    /// Refuses this and what is like it.
    DenyAlways,
    /// An answer in words, neither yes nor no.
    Other,
}

/// How an item ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Yes.
    Approved {
        /// For all alike, not only once.
        #[serde(default)]
        always: bool,
    },
    /// No.
    Denied {
        /// Why, for the agent.
        #[serde(default)]
        reason: String,
    },
    /// One of the options.
    Chosen {
        /// The option's id.
        option: String,
    },
    /// Words.
    Text {
        /// The words.
        text: String,
    },
    /// Nobody needs to answer any more.
    Withdrawn {
        /// Why.
        why: String,
    },
}

impl Ask {
    /// One word for lists.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Permission { .. } => "permission",
            Self::Question { .. } => "question",
            Self::Criterion { .. } => "criterion",
            Self::Review { .. } => "review",
            Self::Stall { .. } => "stall",
        }
    }

    /// Whether both are the same request, so that one that is heard twice stays one item.
    pub fn same_request(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Permission { session: a, request: x, .. }
                | Self::Question { session: a, request: x, .. },
                Self::Permission { session: b, request: y, .. }
                | Self::Question { session: b, request: y, .. },
            ) => a == b && x == y,
            (Self::Criterion { criterion: a, .. }, Self::Criterion { criterion: b, .. }) => a == b,
            (Self::Review { commit: a }, Self::Review { commit: b }) => a == b,
            (Self::Stall { why: a, .. }, Self::Stall { why: b, .. }) => a == b,
            _ => false,
        }
    }
}
