//! What can go wrong at the door.

use std::io;
use std::time::Duration;

/// A git call that did not give what was asked. `command` names the arguments without the fixed settings.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// No `git` in the search path that was handed in.
    #[error("git was not found in the search path")]
    NotFound,
    /// Present, but lacks what is needed (`merge-tree --write-tree` came with 2.38).
    #[error("git {found} is too old: {needed} or newer is needed")]
    TooOld {
        /// What `git version` said.
        found: String,
        /// The oldest version that works.
        needed: &'static str,
    },
    /// The process could not be started, or its confinement could not be set up.
    #[error("cannot start git {command}")]
    Start {
        /// Arguments.
        command: String,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// Reading from or writing to the process failed.
    #[error("{}", lost(command, source))]
    Pipe {
        /// Arguments.
        command: String,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// It ended with a status the caller did not expect.
    #[error("{}", failed(command, status, stderr))]
    Failed {
        /// Arguments.
        command: String,
        /// Exit status, or `signal N`.
        status: String,
        /// The end of what it wrote to standard error.
        stderr: String,
    },
    /// It was ended, with its whole process group, because it took too long.
    #[error("git {command} took longer than {} s and was ended", after.as_secs())]
    TimedOut {
        /// Arguments.
        command: String,
        /// The limit.
        after: Duration,
    },
    /// It wrote more than the caller can take.
    #[error("git {command} wrote more than {limit} bytes")]
    TooMuchOutput {
        /// Arguments.
        command: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// It succeeded, but what it wrote is not of the documented form.
    #[error("git {command} answered in an unknown form: {what}")]
    Unexpected {
        /// Arguments.
        command: String,
        /// What was looked for.
        what: String,
    },
}

impl GitError {
    pub(crate) fn unexpected(command: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Unexpected { command: command.into(), what: what.into() }
    }

    /// True if git ran and ended with exactly this exit code.
    pub fn is_exit(&self, code: i32) -> bool {
        matches!(self, Self::Failed { status, .. } if *status == format!("status {code}"))
    }
}

/// What the kernel says of a full disk.
const NO_SPACE: &str = "No space left on device";
/// What git says of one where it writes an index or a pack.
const OUT_OF_SPACE: &str = "Out of diskspace";

/// A full disk is told as one, and not as what git happened to be writing.
fn failed(command: &str, status: &str, stderr: &str) -> String {
    let full = stderr.contains(NO_SPACE) || stderr.contains(OUT_OF_SPACE);
    match (full, command.split(' ').next()) {
        (true, Some(verb)) => format!("the disk is full: git {verb}: {NO_SPACE}"),
        _ => format!("git {command} ended with {status}: {stderr}"),
    }
}

/// What git gives is written while it is read, so a full disk may come up there.
fn lost(command: &str, source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        _ => format!("lost the connection to git {command}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_as_one() {
        let failed = |stderr: &str| GitError::Failed {
            command: "fetch --quiet /somewhere".into(),
            status: "status 128".into(),
            stderr: stderr.into(),
        };
        let full =
            "fatal: unable to write loose object file: No space left on device\nfatal: unpack-objects failed";
        let told = "the disk is full: git fetch: No space left on device";
        assert_eq!(failed(full).to_string(), told);
        let of_an_index = "fatal: sha1 file '/somewhere/index.lock' write error. Out of diskspace";
        assert_eq!(failed(of_an_index).to_string(), told);
        let other = failed("fatal: bad object");
        assert_eq!(
            other.to_string(),
            "git fetch --quiet /somewhere ended with status 128: fatal: bad object"
        );
    }
}
