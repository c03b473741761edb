//! Reads from an agent's words when its usage limit ends.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A limit that ends later than this is a misreading.
const LIMIT_DAYS_MAX: i64 = 32;

/// When a usage limit ends, read from what agents write: `…|1763712000`, `try again in 2 days 3 hours`, `retry in
/// 13h2m3s`, `resets 3pm`, `resets at 15:30`. Clock times are in `zone`. None where nothing of the kind is said.
pub fn limit_end(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let lower = text.to_lowercase();
    let end = epoch(&lower).or_else(|| span(&lower, now)).or_else(|| clock(&lower, now, zone))?;
    let latest = now.checked_add((LIMIT_DAYS_MAX * 24).hours()).ok()?;
    (end >= now && end <= latest).then_some(end)
}

/// `usage limit reached|1763712000`
fn epoch(lower: &str) -> Option<Timestamp> {
    let (_, rest) = lower.rsplit_once('|')?;
    let digits: String = rest.trim().chars().take_while(char::is_ascii_digit).collect();
    if digits.len() != 10 {
        return None;
    }
    Timestamp::from_second(digits.parse().ok()?).ok()
}

/// A number with a unit, several in a row, after the word `in` or `after`.
fn span(lower: &str, now: Timestamp) -> Option<Timestamp> {
    let starts = [" in ", "after ", "after: "]
        .iter()
        .flat_map(|word| lower.match_indices(word).map(|(at, found)| at + found.len()).collect::<Vec<_>>());
    let seconds = starts.filter_map(|at| seconds(&lower[at..])).max()?;
    now.checked_add(seconds.seconds()).ok()
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

/// `3pm`, `3:15 pm` or `15:30` after `reset`, `resets at`, `again at`, `until`.
fn clock(lower: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let at = ["resets at ", "reset at ", "resets ", "again at ", "until "]
        .iter()
        .find_map(|word| lower.find(word).map(|at| at + word.len()))?;
    let rest = lower[at..].trim_start();
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    let hours = digits(rest);
    let mut rest = &rest[hours.len()..];
    let mut hour: i8 = hours.parse().ok()?;
    let mut minute: i8 = 0;
    let mut exact = false;
    if let Some(after) = rest.strip_prefix(':') {
        let minutes = digits(after);
        minute = minutes.parse().ok()?;
        rest = &after[minutes.len()..];
        exact = true;
    }
    match rest.trim_start() {
        half if half.starts_with("pm") => hour = if hour == 12 { 12 } else { hour.checked_add(12)? },
        half if half.starts_with("am") => hour %= 12,
        _ if exact => {}
        _ => return None,
    }
    let here = now.to_zoned(zone.clone());
    let today = here.date().at(hour.clamp(0, 23), minute.clamp(0, 59), 0, 0).to_zoned(zone.clone()).ok()?;
    let end = if today.timestamp() >= now { today } else { today.checked_add(1.day()).ok()? };
    Some(end.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_end_of_a_limit_is_read_from_what_agents_write() {
        let now = at("2026-11-21T08:00:00Z");
        let zone = TimeZone::UTC;
        for (text, end) in [
            ("Claude AI usage limit reached|1795255200", Some("2026-11-21T10:00:00Z")),
            ("You've hit your limit · resets 3pm (UTC)", Some("2026-11-21T15:00:00Z")),
            ("5-hour limit reached ∙ resets 7am", Some("2026-11-22T07:00:00Z")),
            ("try again at 11:05 PM.", Some("2026-11-21T23:05:00Z")),
            ("limit resets at 14:30", Some("2026-11-21T14:30:00Z")),
            (
                "You've hit your usage limit. Try again in 3 days 4 hours 5 minutes.",
                Some("2026-11-24T12:05:00Z"),
            ),
            ("Quota exceeded. Please retry in 13h2m3.5s.", Some("2026-11-21T21:02:04Z")),
            ("429 Too Many Requests, retry-after: 30s", Some("2026-11-21T08:00:30Z")),
            ("rate limit in effect", None),
            ("Your quota resets next week", None),
            ("please try again in 900 days", None),
            ("limit reached|99", None),
        ] {
            assert_eq!(limit_end(text, now, &zone), end.map(at), "{text}");
        }
    }
}
