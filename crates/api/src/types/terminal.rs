//! A person's shell in a workspace, and what goes over its connection beside the bytes.

use divisi_engine::Journal;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::{IntoParams, ToSchema};

/// How large a terminal is, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct TerminalRequest {
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

/// A person's shell in a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct TerminalView {
    /// Its id; nobody can guess it.
    pub terminal: String,
    /// When it was opened.
    pub opened: Timestamp,
    /// Whether a page is connected to it. One without is ended after some minutes.
    pub connected: bool,
}

/// From where on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct FromQuery {
    /// How many bytes were seen already.
    pub from: u64,
}

/// What a page is told beside the bytes of its terminal, as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TerminalNews {
    /// The next byte is the one at `offset`; so many before it are not kept any more.
    Begins {
        /// How many bytes were written before.
        offset: u64,
        /// How many of them this page has not seen and cannot see.
        missed: u64,
    },
    /// The program ended by itself, with this code.
    Exited {
        /// The code.
        code: i32,
    },
    /// The program was ended by a signal.
    Signaled {
        /// The signal's number.
        signal: i32,
    },
}

/// What a page says beside what is typed, as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TerminalWord {
    /// The terminal is so large now.
    Size {
        /// Columns.
        columns: u16,
        /// Rows.
        rows: u16,
    },
    /// All bytes before `offset` are on the screen; more may come.
    Shown {
        /// How many bytes were written before.
        offset: u64,
    },
}

/// What the agent of a session wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct JournalView {
    /// The session's number in its attempt, from 1.
    pub session: u32,
    /// When it was opened.
    pub opened: Timestamp,
    /// Whether more may come.
    pub open: bool,
    /// How many bytes there are; nothing where they are gone.
    pub bytes: Option<u64>,
}

impl From<Journal> for JournalView {
    fn from(journal: Journal) -> Self {
        Self { session: journal.session, opened: journal.opened, open: journal.open, bytes: journal.bytes }
    }
}
