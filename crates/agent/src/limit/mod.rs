//! Reads from an agent's words when its usage limit ends.

mod moment;
mod span;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::errors::{Data, epoch};

/// A limit that ends later than this is a misreading.
const LIMIT_DAYS_MAX: i64 = 32;

/// When a usage limit ends, read from what agents write: `…|1763712000`, `resets May 5 at 9pm (America/New_York)`, `try
/// again at Jul 5th, 2026 8:19 PM`, `resets 3pm`, `try again in 2 days 3 hours`, `retry in 13h2m3s`, `retry-after: 30`,
/// and JSON with `retry_after` or `resets_at`. Clock times without a zone are in `zone`. None where nothing of the kind
/// is said, and where the time that is said has passed.
pub fn limit_end(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    end_of(text, &Data::in_text(text), now, zone)
}

/// As [`limit_end`], with what the error's JSON says.
pub(crate) fn end_of(text: &str, data: &Data, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let lower = text.to_lowercase();
    let waited = || now.checked_add(data.wait?.seconds()).ok();
    let end = data
        .until
        .or_else(waited)
        .or_else(|| after_bar(&lower))
        .or_else(|| moment::end(&lower, now, zone))
        .or_else(|| span::end(&lower, now))?;
    let latest = now.checked_add((LIMIT_DAYS_MAX * 24).hours()).ok()?;
    (end > now && end <= latest).then_some(end)
}

/// `usage limit reached|1763712000`
fn after_bar(lower: &str) -> Option<Timestamp> {
    let (_, rest) = lower.rsplit_once('|')?;
    let digits: String = rest.trim().chars().take_while(char::is_ascii_digit).collect();
    epoch(digits.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_end_of_a_limit_is_read_from_what_agents_write() {
        let now = at("2026-11-21T08:00:00Z"); // a Saturday
        let zone = TimeZone::UTC;
        for (text, end) in [
            ("Claude AI usage limit reached|1795255200", Some("2026-11-21T10:00:00Z")),
            ("Claude AI usage limit reached|1795255200000", Some("2026-11-21T10:00:00Z")),
            ("Claude AI usage limit reached|1762952400", None),
            ("You've hit your limit · resets 3pm (UTC)", Some("2026-11-21T15:00:00Z")),
            ("You've hit your limit · resets 1:30am (Asia/Dhaka)", Some("2026-11-21T19:30:00Z")),
            ("You've hit your limit · resets Nov 25 at 9pm (America/New_York)", Some("2026-11-26T02:00:00Z")),
            (
                "Weekly limit reached · resets 10am (Asia/Seoul) · /upgrade to Max",
                Some("2026-11-22T01:00:00Z"),
            ),
            ("Weekly limit reached ∙ resets Mon 9am", Some("2026-11-23T09:00:00Z")),
            ("Weekly limit reached ∙ resets Saturday at 7:00", Some("2026-11-28T07:00:00Z")),
            ("5-hour limit reached ∙ resets 7am", Some("2026-11-22T07:00:00Z")),
            ("5-hour limit reached ∙ resets 7:55am", None),
            (
                "You’ve hit your limit for Claude messages. Limits will reset at 9:30 AM.",
                Some("2026-11-21T09:30:00Z"),
            ),
            ("try again at 11:05 PM.", Some("2026-11-21T23:05:00Z")),
            ("or try again at Nov 30th, 2026 8:19 PM.", Some("2026-11-30T20:19:00Z")),
            ("or try again after December 3, 2026 at 2:45 PM.", Some("2026-12-03T14:45:00Z")),
            ("or try again at Jul 5th, 2026 8:19 PM.", None),
            ("limit resets at 14:30", Some("2026-11-21T14:30:00Z")),
            ("Your quota resets at midnight Pacific time", Some("2026-11-22T08:00:00Z")),
            ("available again at 2026-11-21T12:34:56Z", Some("2026-11-21T12:34:56Z")),
            (
                "You've hit your usage limit. Try again in 3 days 4 hours 5 minutes.",
                Some("2026-11-24T12:05:00Z"),
            ),
            (
                "Upgrade to Pro (https://example.com) or try again in 5 days 22 hours 11\nminutes.",
                Some("2026-11-27T06:11:00Z"),
            ),
            ("Quota exceeded. Please retry in 13h2m3.5s.", Some("2026-11-21T21:02:04Z")),
            ("Your quota will reset after 8h44m7s.", Some("2026-11-21T16:44:07Z")),
            ("429 Too Many Requests, retry-after: 30s", Some("2026-11-21T08:00:30Z")),
            ("429 Too Many Requests (retry-after: 30)", Some("2026-11-21T08:00:30Z")),
            (
                r#"API Error: 429 {"error":{"type":"rate_limit_error","retry_after":90}}"#,
                Some("2026-11-21T08:01:30Z"),
            ),
            (r#"{"error":{"code":429,"details":[{"retryDelay":"34.07s"}]}}"#, Some("2026-11-21T08:00:35Z")),
            (r#"{"type":"usage_limit_reached","resets_at":1795255200}"#, Some("2026-11-21T10:00:00Z")),
            ("rate limit in effect", None),
            ("Your quota resets next week", None),
            ("please try again in 900 days", None),
            ("please try again later", None),
            ("limit reached|99", None),
            ("resets 25:99", None),
        ] {
            assert_eq!(limit_end(text, now, &zone), end.map(at), "{text}");
        }
    }

    #[test]
    fn clocks_that_jump_are_followed() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let end = |text, now| limit_end(text, at(now), &zone).map(|end| end.to_string());
        // In the night to 29 March 2026 two o'clock becomes three, in that to 25 October three becomes two.
        assert_eq!(end("resets 2:30am", "2026-03-28T20:00:00Z").as_deref(), Some("2026-03-29T01:30:00Z"));
        assert_eq!(end("resets 2:30am", "2026-10-24T20:00:00Z").as_deref(), Some("2026-10-25T00:30:00Z"));
        assert_eq!(end("resets 9am", "2026-10-24T12:00:00Z").as_deref(), Some("2026-10-25T08:00:00Z"));
    }
}
