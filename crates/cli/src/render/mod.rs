//! What people see. Nothing here asks the daemon, and nothing of an agent reaches the terminal uncleaned.

pub(crate) mod clean;
pub(crate) mod diff;
pub(crate) mod status;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod task;
pub(crate) mod time;
pub(crate) mod transcript;
pub(crate) mod usage;

/// A number of things: `1 file`, `3 files`.
pub(crate) fn count(number: impl TryInto<u64>, thing: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
