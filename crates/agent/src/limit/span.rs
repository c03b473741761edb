//! How long to wait, said in units of time.

use jiff::{Timestamp, ToSpan};

/// A number with a unit, several in a row, after the word `in` or `after`; after `retry-after` seconds need no unit.
pub(super) fn end(lower: &str, now: Timestamp) -> Option<Timestamp> {
    let starts = [" in ", "after ", "after: "]
        .iter()
        .flat_map(|word| lower.match_indices(word).map(|(at, found)| at + found.len()).collect::<Vec<_>>());
    let seconds = starts.filter_map(|at| seconds(&lower[at..])).max().or_else(|| header(lower))?;
    now.checked_add(seconds.seconds()).ok()
}

/// `retry-after: 30`
fn header(lower: &str) -> Option<i64> {
    let at = ["retry-after", "retry_after", "retry after"]
        .iter()
        .find_map(|name| Some(lower.find(name)? + name.len()))?;
    let rest = lower[at..].trim_start_matches([':', '=', '"', '\'', ' ']);
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|seconds| *seconds < 1_000_000_000)
}

fn seconds(text: &str) -> Option<i64> {
    let mut rest = text.trim_start();
    let mut total = 0.0_f64;
    let mut found = false;
    loop {
        rest = rest.trim_start_matches([' ', ',']).trim_start_matches("and ");
        let number: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let Ok(value) = number.trim_end_matches('.').parse::<f64>() else { break };
        rest = rest[number.len()..].trim_start();
        let unit: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
        let factor = match unit.as_str() {
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3600.0,
            "d" | "day" | "days" => 86_400.0,
            "ms" => 0.001,
            _ => break,
        };
        total += value * factor;
        found = true;
        rest = &rest[unit.len()..];
    }
    (found && total.is_finite() && total < 1e9).then_some(total.ceil() as i64)
}
