//! How a launch ended: the content of `exit.json`.

use serde::{Deserialize, Serialize};

/// The end of a launch, written once, when no process of it is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Layout version, 1.
    pub version: u32,
    /// What became of the child.
    pub outcome: Outcome,
    /// Who ended it, if it did not end by itself.
    #[serde(default)]
    pub ended_by: Option<EndedBy>,
    /// When the child was started, in milliseconds since 1970.
    pub started_at_ms: u64,
    /// When it was over, in milliseconds since 1970.
    pub ended_at_ms: u64,
    /// Processes that the child left behind and that were ended after it.
    #[serde(default)]
    pub strays_ended: u32,
    /// Processes that not even SIGKILL ended in time (uninterruptible sleep).
    #[serde(default)]
    pub strays_left: u32,
}

/// What became of the child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Outcome {
    /// It returned this code, 0 to 255.
    Exited {
        /// The code.
        code: i32,
    },
    /// A signal ended it.
    Signaled {
        /// The signal's number.
        signal: i32,
    },
    /// It could not be started; nothing has run.
    NotStarted {
        /// Why not, in one sentence.
        error: String,
    },
    /// Nobody saw its end: the machine or the init process was ended under it.
    Lost {
        /// What is known, in one sentence.
        why: String,
    },
}

/// Why Divisi ended a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// It was asked to end, with time to do so.
    Terminate,
    /// It was ended at once.
    Kill,
    /// It ran longer than its time-out.
    Timeout,
    /// It wrote more than its journal may hold.
    OutputLimit,
}

impl Exit {
    /// Whether the child returned 0 by itself.
    pub fn success(&self) -> bool {
        self.outcome == Outcome::Exited { code: 0 } && self.ended_by.is_none()
    }

    pub(super) fn without_start(outcome: Outcome) -> Exit {
        let now = super::os::now_ms();
        Exit {
            version: 1,
            outcome,
            ended_by: None,
            started_at_ms: now,
            ended_at_ms: now,
            strays_ended: 0,
            strays_left: 0,
        }
    }
}
