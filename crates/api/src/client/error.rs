//! What can go wrong between a client and its daemon.

use crate::types::Problem;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The daemon refused it.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// Nobody answers there.
    #[error("the daemon does not answer")]
    Unreachable(#[source] reqwest::Error),
    /// The connection broke in the middle of an answer.
    #[error("the connection to the daemon broke")]
    Broken(#[source] reqwest::Error),
    /// Something answers that is not this version of Divisi.
    #[error("the daemon's answer (status {status}) is not understood")]
    Answer {
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A request has no JSON form.
    #[error("cannot write the request")]
    Request(#[source] serde_json::Error),
    /// The HTTP client could not be made.
    #[error("cannot set up the HTTP client")]
    Set(#[source] reqwest::Error),
    /// An event of a feed is longer than any of ours.
    #[error("an event of the feed is longer than {0} bytes")]
    EventTooLong(usize),
    /// The daemon went away and did not come back.
    #[error("the daemon went away and did not come back within {0} tries")]
    Gone(u32),
}

impl ClientError {
    /// What the daemon said, where it was the daemon that refused.
    pub fn problem(&self) -> Option<&Problem> {
        if let Self::Problem(problem) = self { Some(problem) } else { None }
    }
}
