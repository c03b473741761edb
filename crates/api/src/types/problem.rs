//! The one shape of every error that goes over the wire.

use divisi_model::{Refusal, RefusalKind};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// Why a request was not carried out. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// What kind of problem; stable, for programs.
    pub kind: ProblemKind,
    /// One sentence, for people.
    pub message: String,
    /// What to do instead, often a command; may be empty.
    #[serde(default)]
    pub hint: String,
}

/// Kinds of problem; each has one HTTP status and one exit code of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// There is no such thing (404).
    NotFound,
    /// It cannot be done in the present state (409).
    WrongState,
    /// The request itself is wrong (400).
    BadInput,
    /// The agent cannot be used yet (409).
    NotReady,
    /// A bound was reached (429).
    Limit,
    /// Too many bytes (413).
    TooLarge,
    /// The token is missing or wrong (401).
    Unauthorized,
    /// A host or origin that may not ask (403).
    Forbidden,
    /// The resource does not know this method (405).
    WrongMethod,
    /// Divisi itself failed (500).
    Internal,
}

impl Problem {
    /// A problem of this kind.
    pub fn new(kind: ProblemKind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: hint.into() }
    }

    /// There is no such thing.
    pub fn not_found(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ProblemKind::NotFound, message, hint)
    }

    /// The request itself is wrong.
    pub fn bad_input(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ProblemKind::BadInput, message, hint)
    }

    /// It cannot be done now.
    pub fn wrong_state(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ProblemKind::WrongState, message, hint)
    }
}

impl ProblemKind {
    /// Its HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::BadInput => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::WrongMethod => 405,
            Self::WrongState | Self::NotReady => 409,
            Self::TooLarge => 413,
            Self::Limit => 429,
            Self::Internal => 500,
        }
    }
}

impl From<RefusalKind> for ProblemKind {
    fn from(kind: RefusalKind) -> Self {
        match kind {
            RefusalKind::NotFound => Self::NotFound,
            RefusalKind::WrongState => Self::WrongState,
            RefusalKind::BadInput => Self::BadInput,
            RefusalKind::NotReady => Self::NotReady,
            RefusalKind::Limit => Self::Limit,
            RefusalKind::Internal => Self::Internal,
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self { kind: refusal.kind.into(), message: refusal.message, hint: refusal.hint }
    }
}
