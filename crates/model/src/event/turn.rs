//! How a turn ended, and what it used.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How a turn ended, judged from the protocol and the process, not from an exit code alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum TurnOutcome {
    /// The agent is done and says so.
    Completed,
    /// It was cancelled.
    Cancelled,
    /// The agent's model refused.
    Refused,
    /// The agent needs a login.
    NeedsLogin {
        /// What it said.
        text: String,
        /// The exact command that logs in, where one is known.
        #[serde(default)]
        command: Option<String>,
    },
    /// A usage limit was reached that ends by itself.
    UsageLimit {
        /// What it said.
        text: String,
        /// When it ends, or is to be tried again.
        #[serde(default)]
        until: Option<Timestamp>,
        /// Nobody said when it ends: the time is Divisi's own, to try again.
        #[serde(default)]
        guessed: bool,
    },
    /// Somebody must pay before the agent goes on.
    NeedsCredit {
        /// What it said.
        text: String,
    },
    /// The agent reported an error or broke the protocol.
    AgentError {
        /// What it said.
        text: String,
    },
    /// The agent stopped in the middle of the work, at a limit of its own (tokens, requests).
    CutShort {
        /// Which limit, in the agent's words.
        text: String,
    },
    /// A permission was denied and the agent ended its turn over it instead of going on.
    Denied,
    /// The agent said it was done but neither said nor did anything, or gave no sign of life for too long.
    NoProgress,
    /// The agent's process ended in the middle of the turn.
    ProcessEnded {
        /// How.
        text: String,
    },
}

/// What a turn used, as the agent reported it and made per turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Input tokens.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// Input tokens read from a cache.
    pub cached_read: u64,
    /// Input tokens written to a cache.
    pub cached_write: u64,
    /// The input counts what was read from a cache too, in logs of 0.1.0; nothing sets it any more: that comes on top.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cached_in_input: bool,
    /// The tokens are a lower bound: the agent reports less than the turn.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub at_least: bool,
    /// Cost in millionths of a US dollar. None: not known, which is not nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_micros: Option<u64>,
    /// The cost was computed from prices; otherwise the agent reported it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    /// In a sum: the cost of some of the tokens is not known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unpriced: bool,
    /// Cost in US dollars as the agent reported it, in logs of 0.1.0; nothing sets it any more.
    pub cost_usd: Option<f64>,
}

impl Usage {
    /// Whether any tokens are known.
    pub fn counts(&self) -> bool {
        self.input + self.output + self.cached_read + self.cached_write > 0
    }

    /// Tokens of all kinds.
    pub fn tokens(&self) -> u64 {
        let parts = [self.output, self.cached_read, self.cached_write];
        parts.into_iter().fold(self.fresh_input(), u64::saturating_add)
    }

    /// Input tokens without those that were read from a cache.
    pub fn fresh_input(&self) -> u64 {
        self.input.saturating_sub(if self.cached_in_input { self.cached_read } else { 0 })
    }

    /// The cost in millionths of a US dollar, where it is known.
    pub fn cost(&self) -> Option<u64> {
        let old = self.cost_usd.filter(|cost| cost.is_finite() && (0.0..1e9).contains(cost));
        let old = old.map(|cost| (cost * 1e6).round() as u64);
        match (self.cost_micros, old) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        }
    }

    /// Whether the real cost may be higher than the one that is known.
    pub fn cost_at_least(&self) -> bool {
        self.unpriced || (self.estimated && self.at_least)
    }

    /// Adds another turn's usage.
    pub fn add(&mut self, other: &Self) {
        self.input = self.fresh_input() + other.fresh_input();
        self.cached_in_input = false;
        self.output += other.output;
        self.cached_read += other.cached_read;
        self.cached_write += other.cached_write;
        self.unpriced |= other.unpriced || (other.counts() && other.cost().is_none());
        self.at_least |= other.at_least;
        self.estimated |= other.estimated;
        self.cost_micros = match (self.cost_micros, other.cost_micros) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        };
        self.cost_usd = match (self.cost_usd, other.cost_usd) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0.0) + b.unwrap_or(0.0)),
        };
    }
}
