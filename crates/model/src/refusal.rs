//! Why a command was not carried out.

use serde::{Deserialize, Serialize};

/// A command was refused: nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What kind of refusal.
    pub kind: RefusalKind,
    /// One sentence.
    pub message: String,
    /// What to do instead; may be empty.
    pub hint: String,
}

/// Kinds of refusal; each has its own exit code and HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// There is no such thing.
    NotFound,
    /// It cannot be done in the present state.
    WrongState,
    /// The request itself is wrong.
    BadInput,
    /// A bound was reached.
    Limit,
    /// An agent is missing, not logged in, or at its usage limit.
    NotReady,
    /// Divisi itself failed.
    Internal,
}

impl Refusal {
    /// There is no such thing.
    pub fn not_found(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind: RefusalKind::NotFound, message: message.into(), hint: hint.into() }
    }

    /// It cannot be done now.
    pub fn wrong_state(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind: RefusalKind::WrongState, message: message.into(), hint: hint.into() }
    }

    /// The request itself is wrong.
    pub fn bad_input(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind: RefusalKind::BadInput, message: message.into(), hint: hint.into() }
    }

    /// An agent cannot be used yet.
    pub fn not_ready(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind: RefusalKind::NotReady, message: message.into(), hint: hint.into() }
    }

    /// Divisi itself failed: the disk is full, git is missing.
    pub fn internal(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind: RefusalKind::Internal, message: message.into(), hint: hint.into() }
    }

    /// A bound was reached.
    pub fn limit(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind: RefusalKind::Limit, message: message.into(), hint: hint.into() }
    }
}
