//! Turns, what they were given and what they used.

use divisi_model::event::{Prompt, TurnOutcome, Usage};
use divisi_model::state::TurnState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::image::ImageView;
use super::words::{Delivery, Origin};

/// One prompt, or several given together, and everything until the agent was idle again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct TurnView {
    /// Its number in the attempt, from 1.
    pub number: u32,
    /// The session it belongs to, from 1.
    pub session: u32,
    /// What the agent was given.
    pub prompts: Vec<PromptView>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How it ended, in a word: `completed`, `cancelled`, `agent_error`, …
    pub outcome: Option<String>,
    /// What the agent said about its end, where it said something.
    pub outcome_text: Option<String>,
    /// Whether a person asked to end it.
    pub cancel_requested: bool,
    /// The commit of the snapshot taken after it.
    pub snapshot: Option<String>,
    /// What it used.
    pub usage: UsageView,
}

/// Words for the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct PromptView {
    /// Its number in the attempt, from 1.
    pub id: u32,
    /// The words.
    pub text: String,
    /// The images that belong to them.
    #[serde(default)]
    pub images: Vec<ImageView>,
    /// Where they come from.
    pub origin: Origin,
    /// When they reach the agent.
    pub delivery: Delivery,
}

/// Tokens, and money as the agent reported it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct UsageView {
    /// Input tokens.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// Input tokens read from a cache.
    pub cached_read: u64,
    /// Input tokens written to a cache.
    pub cached_write: u64,
    /// US dollars, as reported or computed from prices; the number for people is `cost_micros`.
    pub cost_usd: Option<f64>,
    /// Always false: the input is counted without what was read from a cache, whatever the vendor counts.
    #[serde(default)]
    pub cached_in_input: bool,
    /// The tokens are a lower bound.
    #[serde(default)]
    pub at_least: bool,
    /// Cost in millionths of a US dollar; none: not known.
    #[serde(default)]
    pub cost_micros: Option<u64>,
    /// The cost was computed from prices rather than reported by the agent.
    #[serde(default)]
    pub estimated: bool,
    /// The real cost may be higher.
    #[serde(default)]
    pub cost_at_least: bool,
}

impl From<&TurnState> for TurnView {
    fn from(turn: &TurnState) -> Self {
        Self {
            number: turn.number,
            session: turn.session,
            prompts: turn.prompts.iter().map(PromptView::from).collect(),
            started: turn.started,
            ended: turn.ended,
            outcome: turn.outcome.as_ref().map(|outcome| word_of(outcome).to_owned()),
            outcome_text: turn.outcome.as_ref().and_then(text_of).map(str::to_owned),
            cancel_requested: turn.cancel_requested,
            snapshot: turn.snapshot.as_ref().map(|(commit, _)| commit.to_string()),
            usage: turn.usage.into(),
        }
    }
}

impl From<&Prompt> for PromptView {
    fn from(prompt: &Prompt) -> Self {
        Self {
            id: prompt.id,
            text: prompt.text.clone(),
            images: prompt.images.iter().map(ImageView::from).collect(),
            origin: prompt.origin.into(),
            delivery: prompt.delivery.into(),
        }
    }
}

impl From<Usage> for UsageView {
    fn from(usage: Usage) -> Self {
        Self {
            input: usage.fresh_input(),
            output: usage.output,
            cached_read: usage.cached_read,
            cached_write: usage.cached_write,
            cost_usd: usage.cost().map(|micros| micros as f64 / 1e6),
            cached_in_input: false,
            at_least: usage.at_least,
            cost_micros: usage.cost(),
            estimated: usage.estimated,
            cost_at_least: usage.cost_at_least(),
        }
    }
}

fn word_of(outcome: &TurnOutcome) -> &'static str {
    match outcome {
        TurnOutcome::Completed => "completed",
        TurnOutcome::Cancelled => "cancelled",
        TurnOutcome::Refused => "refused",
        TurnOutcome::NeedsLogin { .. } => "needs_login",
        TurnOutcome::UsageLimit { .. } => "usage_limit",
        TurnOutcome::NeedsCredit { .. } => "needs_credit",
        TurnOutcome::AgentError { .. } => "agent_error",
        TurnOutcome::CutShort { .. } => "cut_short",
        TurnOutcome::Denied => "denied",
        TurnOutcome::NoProgress => "no_progress",
        TurnOutcome::ProcessEnded { .. } => "process_ended",
    }
}

fn text_of(outcome: &TurnOutcome) -> Option<&str> {
    match outcome {
        TurnOutcome::NeedsLogin { text, .. }
        | TurnOutcome::NeedsCredit { text }
        | TurnOutcome::UsageLimit { text, .. }
        | TurnOutcome::AgentError { text }
        | TurnOutcome::CutShort { text }
        | TurnOutcome::ProcessEnded { text } => Some(text),
        TurnOutcome::Completed
        | TurnOutcome::Cancelled
        | TurnOutcome::Refused
        | TurnOutcome::Denied
        | TurnOutcome::NoProgress => None,
    }
}
