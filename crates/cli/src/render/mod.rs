//! What people see. Nothing here asks the daemon, and nothing of an agent reaches the terminal uncleaned.

pub(crate) mod clean;
pub(crate) mod comments;
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

/// A size as people say it.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["bytes", "KiB", "MiB", "GiB"];
    let mut unit = 0;
    let mut tenths = bytes.saturating_mul(10);
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} {}", UNITS[0]),
        _ => format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]),
    }
}
