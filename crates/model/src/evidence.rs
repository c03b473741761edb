//! Proof: the stored result of a check, bound to the commit and tree it was run on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::Oid;

/// The result of one check on one commit, run by Divisi in a clean checkout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The check's name.
    pub check: String,
    /// The command that ran.
    pub command: String,
    /// Whether its failure sends the attempt back.
    pub required: bool,
    /// The criterion it proves, counted from 0.
    #[serde(default)]
    pub criterion: Option<usize>,
    /// The commit that was checked out.
    pub commit: Oid,
    /// Its tree. Evidence holds for every commit with this tree, and for no other.
    pub tree: Oid,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// When it started.
    pub started: Timestamp,
    /// How long it ran.
    pub millis: u64,
    /// SHA-256 of the whole log, in hex.
    pub log_sha256: String,
    /// Where the log is, relative to Divisi's data folder.
    pub log: String,
    /// Tests counted in the log, where a known runner said so.
    #[serde(default)]
    pub counts: Option<Counts>,
    /// What it ran on: operating system, architecture, and who launched it.
    #[serde(default)]
    pub environment: String,
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum CheckOutcome {
    /// Exit code 0.
    Passed,
    /// Another exit code.
    Failed {
        /// The code.
        code: i32,
    },
    /// Ended by a signal.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// Ended at its time limit.
    TimedOut,
    /// It could not be started; never counts as passed.
    NotRun {
        /// Why.
        why: String,
    },
}

/// What a test runner counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Tests that passed.
    pub passed: u32,
    /// Tests that failed.
    pub failed: u32,
    /// Tests that were left out.
    pub skipped: u32,
}

impl Evidence {
    /// Whether the check held.
    pub fn passed(&self) -> bool {
        self.outcome == CheckOutcome::Passed
    }

    /// Whether it says nothing about this tree any more.
    pub fn stale(&self, tree: &Oid) -> bool {
        self.tree != *tree
    }
}

impl std::fmt::Display for CheckOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Failed { code } => write!(f, "failed with exit code {code}"),
            Self::Signalled { signal } => write!(f, "ended by signal {signal}"),
            Self::TimedOut => f.write_str("ended at its time limit"),
            Self::NotRun { why } => write!(f, "could not run: {why}"),
        }
    }
}
