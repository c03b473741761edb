//! Typed identities: a task id cannot be passed where a project id is meant. The list of kinds is this file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

uuid_id! {
    /// A git repository that Divisi works on.
    ProjectId,
    /// One task; its short handle is its [`TaskNumber`].
    TaskId,
    /// One inbox item.
    ItemId,
}

/// The number in a task's handle `t12`, unique in one log and never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskNumber(pub u32);

impl fmt::Display for TaskNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.0)
    }
}

/// One attempt of a task, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptId {
    /// The task it is a try at.
    pub task: TaskId,
    /// Which try, from 1.
    pub number: u16,
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.task, self.number)
    }
}

/// What a person types to name a task or an attempt: `12`, `t12`, `t12.2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// The task.
    pub task: TaskNumber,
    /// The attempt, where one was named.
    pub attempt: Option<u16>,
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.task)?;
        self.attempt.map_or(Ok(()), |n| write!(f, ".{n}"))
    }
}

/// The text is not a handle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the handle of a task (t12) or of an attempt (t12.1)")]
pub struct NotAHandle(pub String);

impl FromStr for Handle {
    type Err = NotAHandle;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || NotAHandle(text.to_owned());
        let digits = text.strip_prefix('t').unwrap_or(text);
        let (task, attempt) = match digits.split_once('.') {
            Some((task, attempt)) => (task, Some(plain(attempt).ok_or_else(refuse)?)),
            None => (digits, None),
        };
        let task = plain(task).ok_or_else(refuse)?;
        let attempt = attempt.map(u16::try_from).transpose().map_err(|_| refuse())?;
        if task == 0 || attempt == Some(0) {
            return Err(refuse());
        }
        Ok(Self { task: TaskNumber(task), attempt })
    }
}

/// Digits only: `u32::from_str` would also take a plus sign.
fn plain(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) { None } else { text.parse().ok() }
}

/// A git commit or tree id in the project's repository: 40 (SHA-1) or 64 (SHA-256) lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Oid(pub String);

impl Oid {
    /// The first ten digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..10).unwrap_or(&self.0)
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_read_as_people_write_them() {
        for (text, shown) in [("12", "t12"), ("t12", "t12"), ("t12.2", "t12.2"), ("3.1", "t3.1")] {
            assert_eq!(text.parse::<Handle>().unwrap().to_string(), shown);
        }
        for text in ["", "t", "t0", "x1", "t1.", "t1.0", "t1.70000", "t+1", "t1.1.1", "t99999999999"] {
            assert!(text.parse::<Handle>().is_err(), "{text}");
        }
    }
}
