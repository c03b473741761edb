//! What was seen of one agent in one column.

use serde::{Deserialize, Serialize};

/// One cell of the matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// How it went.
    pub verdict: Verdict,
    /// What was seen, in one sentence; empty where there is nothing to add.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub seen: String,
    /// What Divisi does for the person instead, where the agent cannot do it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instead: String,
    /// Where the definition says otherwise than what was seen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub differs: String,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// Not as it should be.
    Fails,
    /// The agent cannot do it, and Divisi has an answer for the person.
    Cannot,
    /// The question does not arise for this agent.
    None,
}

impl Cell {
    /// As it should be.
    pub fn pass() -> Self {
        Self::of(Verdict::Pass, "")
    }

    /// As it should be, with what is worth knowing.
    pub fn noted(seen: impl Into<String>) -> Self {
        Self::of(Verdict::Pass, seen)
    }

    /// Not as it should be.
    pub fn fails(seen: impl Into<String>) -> Self {
        Self::of(Verdict::Fails, seen)
    }

    /// The agent cannot; `instead` is what Divisi does for the person.
    pub fn cannot(seen: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { instead: instead.into(), ..Self::of(Verdict::Cannot, seen) }
    }

    /// The question does not arise.
    pub fn none(seen: impl Into<String>) -> Self {
        Self::of(Verdict::None, seen)
    }

    /// Compares what a quirk of the definition says with what was seen.
    pub fn compared(mut self, quirk: &str, said: bool, seen: bool) -> Self {
        if said != seen {
            self.differs = format!("the definition says {quirk} = {said}, and it was seen to be {seen}");
        }
        self
    }

    /// Whether nothing has to be mended.
    pub fn is_well(&self) -> bool {
        self.verdict != Verdict::Fails && self.differs.is_empty()
    }

    fn of(verdict: Verdict, seen: impl Into<String>) -> Self {
        Self { verdict, seen: seen.into(), instead: String::new(), differs: String::new() }
    }
}

impl Verdict {
    /// The word in the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "yes",
            Self::Fails => "**fails**",
            Self::Cannot => "instead",
            Self::None => "–",
        }
    }
}
