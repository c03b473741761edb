//! Words for an agent.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::image::Image;

/// Words for the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Its number in the attempt, from 1.
    pub id: u32,
    /// The words.
    pub text: String,
    /// The images that belong to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
    /// Where they come from.
    pub origin: Origin,
    /// When they reach the agent.
    #[serde(default)]
    pub delivery: Delivery,
}

/// Where a prompt comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The task itself.
    Task,
    /// A person's message.
    Person,
    /// A failed check.
    Check,
    /// A review.
    Review,
    /// A conflict with what landed meanwhile.
    Conflict,
    /// A usage limit that is over: what was asked before it.
    Limit,
    /// The result changed files outside of the task's scope.
    Scope,
}

/// When a message reaches an agent that is in the middle of a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// After the turn.
    #[default]
    Queue,
    /// At the next safe moment of the running turn, where the agent can; otherwise after the turn, before what is queued.
    Steer,
    /// Now: the running turn is cancelled first.
    Interrupt,
}
