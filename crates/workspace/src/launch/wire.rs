//! What the daemon and a shim say to each other on `shim.sock`.
//!
//! Lines of JSON in both directions; a request may be followed by `len` bytes of payload. A daemon must be able to
//! speak to the shims of older versions, which go on running over an upgrade: fields and requests are only added,
//! unknown fields and events are passed over, and an unknown request is refused by name. The shim says its version
//! first.

use serde::{Deserialize, Serialize};

use super::Pause;

/// The version of what is said here.
pub const WIRE_VERSION: u32 = 1;
/// Longest line in either direction, in bytes.
pub(super) const LINE_BYTES_MAX: usize = 16 << 10;
/// Longest payload of one request, in bytes; up to here a write counts whole or not at all.
pub(super) const PAYLOAD_BYTES_MAX: usize = 8 << 20;

/// A line from the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Request {
    /// Given back in the answer.
    pub(super) id: u64,
    /// Bytes that follow the line.
    #[serde(default)]
    pub(super) len: usize,
    /// What is wanted.
    #[serde(flatten)]
    pub(super) op: Op,
}

/// What can be asked of a shim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "op")]
pub(super) enum Op {
    /// Send the progress now and whenever it changes.
    Subscribe,
    /// Give the payload to the child's standard input, as what follows `offset` bytes.
    Write { offset: u64 },
    /// End standard input after `offset` bytes.
    CloseStdin { offset: u64 },
    /// SIGTERM, and SIGKILL after the grace; without one, after that of the spec.
    Terminate {
        #[serde(default)]
        grace_ms: Option<u64>,
    },
    /// SIGKILL to everything, now.
    Kill,
    /// Let the journal grow to this many bytes.
    Cap { bytes: u64 },
    /// Something that a newer daemon may ask.
    #[serde(other)]
    Unknown,
}

/// A line from the shim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub(super) enum Line {
    /// The first line of a connection.
    Hello { version: u32, shim_pid: u32 },
    /// Where the launch stands.
    Progress(Progress),
    /// The request was done; `stdin_len` is the accepted length after it.
    Done { id: u64, stdin_len: u64 },
    /// The request was not done.
    Refused { id: u64, why: Refusal },
    /// Something that a newer shim may say.
    #[serde(other)]
    Unknown,
}

/// Where a launch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Progress {
    /// Bytes in `out.journal`.
    pub(super) journal_len: u64,
    /// Bytes in `err.log`.
    pub(super) err_len: u64,
    /// Bytes accepted for standard input.
    pub(super) stdin_len: u64,
    /// Whether more may be written.
    pub(super) stdin_open: bool,
    /// Why output waits.
    pub(super) paused: Option<Pause>,
    /// All processes are gone and all output is in the journal.
    pub(super) ended: bool,
}

/// Why a shim did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(super) enum Refusal {
    /// The offset is not where the input stands.
    Offset { stdin_len: u64 },
    /// Standard input is closed, or was never open.
    Closed { stdin_len: u64 },
    /// It cannot be stored.
    Full { why: String },
    /// The launch has ended.
    Ended,
    /// This shim does not know the request.
    Unknown,
    /// Anything else that failed.
    #[serde(untagged)]
    Other { why: String },
}

/// A line with its end.
pub(super) fn encode<T: Serialize>(line: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(line).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_on_the_wire_does_not_change() {
        let write = Request { id: 7, len: 3, op: Op::Write { offset: 5 } };
        assert_eq!(encode(&write), b"{\"id\":7,\"len\":3,\"op\":\"write\",\"offset\":5}\n");
        let refused = Line::Refused { id: 7, why: Refusal::Offset { stdin_len: 9 } };
        let text = r#"{"is":"refused","id":7,"why":{"kind":"offset","stdin_len":9}}"#;
        assert_eq!(encode(&refused), format!("{text}\n").into_bytes());
        assert_eq!(serde_json::from_str::<Line>(text).unwrap(), refused);
    }

    #[test]
    fn what_is_newer_is_passed_over_or_named() {
        let newer = r#"{"id":1,"op":"freeze","deeply":{"x":1}}"#;
        assert_eq!(serde_json::from_str::<Request>(newer).unwrap().op, Op::Unknown);
        let newer = r#"{"is":"weather","rain":true}"#;
        assert_eq!(serde_json::from_str::<Line>(newer).unwrap(), Line::Unknown);
        let newer = r#"{"is":"progress","journal_len":4,"mood":"good"}"#;
        let expected = Line::Progress(Progress { journal_len: 4, ..Progress::default() });
        assert_eq!(serde_json::from_str::<Line>(newer).unwrap(), expected);
        let newer = r#"{"is":"refused","id":1,"why":{"kind":"tired","why":"x"}}"#;
        assert!(matches!(
            serde_json::from_str::<Line>(newer).unwrap(),
            Line::Refused { why: Refusal::Other { .. }, .. }
        ));
    }
}
