//! What is asked of a person, and what was answered.

use divisi_model::inbox::{Answer, Ask, AskOption};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::words::Effect;

/// What is asked of a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AskView {
    /// May the agent use a tool?
    Permission {
        /// What it wants to do, in a line.
        title: String,
        /// The kind of tool: `edit`, `execute`, `read`, …
        tool: String,
        /// The command, diff or paths.
        detail: String,
        /// What can be answered.
        options: Vec<OptionView>,
    },
    /// The agent asks something.
    Question {
        /// The question.
        text: String,
        /// Proposed answers.
        options: Vec<OptionView>,
    },
    /// A criterion that only a person can judge.
    Criterion {
        /// Which one, from 1.
        criterion: usize,
        /// Its words.
        text: String,
    },
    /// A result is proven and waits for review.
    Review {
        /// The commit to look at.
        commit: String,
    },
    /// The attempt cannot go on by itself.
    Stall {
        /// Why.
        why: String,
        /// What would help.
        hint: String,
    },
}

/// One possible answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct OptionView {
    /// The agent's id for it.
    pub id: String,
    /// What it says.
    pub name: String,
    /// Its effect.
    pub effect: Effect,
}

/// How an item ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum AnswerView {
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

impl AskView {
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

    /// What is asked, in a line.
    pub fn line(&self) -> String {
        match self {
            Self::Permission { title, .. } => title.clone(),
            Self::Question { text, .. } | Self::Criterion { text, .. } => text.clone(),
            Self::Review { commit } => format!("look at {}", commit.get(..10).unwrap_or(commit)),
            Self::Stall { why, .. } => why.clone(),
        }
    }

    /// What can be chosen.
    pub fn options(&self) -> &[OptionView] {
        match self {
            Self::Permission { options, .. } | Self::Question { options, .. } => options,
            Self::Criterion { .. } | Self::Review { .. } | Self::Stall { .. } => &[],
        }
    }

    /// Whether it is answered by yes, no, a choice or words; a review and a stall are not.
    pub fn answerable(&self) -> bool {
        matches!(self, Self::Permission { .. } | Self::Question { .. } | Self::Criterion { .. })
    }
}

impl From<&Ask> for AskView {
    fn from(ask: &Ask) -> Self {
        let views = |options: &[AskOption]| options.iter().map(OptionView::from).collect();
        match ask {
            Ask::Permission { title, tool, detail, options, .. } => Self::Permission {
                title: title.clone(),
                tool: tool.clone(),
                detail: detail.clone(),
                options: views(options),
            },
            Ask::Question { text, options, .. } => {
                Self::Question { text: text.clone(), options: views(options) }
            }
            Ask::Criterion { criterion, text } => {
                Self::Criterion { criterion: criterion + 1, text: text.clone() }
            }
            Ask::Review { commit } => Self::Review { commit: commit.to_string() },
            Ask::Stall { why, hint } => Self::Stall { why: why.clone(), hint: hint.clone() },
        }
    }
}

impl From<&AskOption> for OptionView {
    fn from(option: &AskOption) -> Self {
        Self { id: option.id.clone(), name: option.name.clone(), effect: option.effect.into() }
    }
}

impl From<&Answer> for AnswerView {
    fn from(answer: &Answer) -> Self {
        match answer.clone() {
            Answer::Approved { always } => Self::Approved { always },
            Answer::Denied { reason } => Self::Denied { reason },
            Answer::Chosen { option } => Self::Chosen { option },
            Answer::Text { text } => Self::Text { text },
            Answer::Withdrawn { why } => Self::Withdrawn { why },
        }
    }
}
