//! Judges how a turn ended. Agents report a missing login or a used-up allowance as a normal end of turn with the error
//! as message text, and end a turn in silence; the stop reason alone is not to be trusted.

use divisi_model::event::TurnOutcome;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Longest last message that can be an error in disguise; a longer one is a report of work.
const ERROR_MESSAGE_BYTES: usize = 1500;
/// Bytes of an error's text that are kept in an outcome.
const ERROR_TEXT_BYTES: usize = 600;
/// A limit that ends later than this is a misreading.
const LIMIT_DAYS_MAX: i64 = 32;

/// What is known when an agent says that it is idle.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TurnFacts {
    /// The last message of the turn, bounded.
    pub last_message: String,
    /// Whether the agent said, thought, planned or used anything.
    pub anything: bool,
    /// Tool calls that were not refused.
    pub tool_calls: u32,
    /// Whether Divisi asked for a cancel.
    pub cancelled: bool,
    /// Whether a permission was denied in the turn.
    pub denied: bool,
}

/// What the judge needs to know besides.
pub(crate) struct Bench<'a> {
    /// The agent is known to hide errors in messages.
    pub errors_as_end_turn: bool,
    /// How its hidden errors begin.
    pub error_texts: &'a [String],
    /// The agent ends its turn over a denied permission.
    pub reject_ends_turn: bool,
    pub now: Timestamp,
    pub zone: &'a TimeZone,
}

impl TurnFacts {
    /// Adds a piece of a message, of which only the last [`ERROR_MESSAGE_BYTES`] or so matter.
    pub fn hear(&mut self, piece: &str, fresh: bool) {
        if fresh {
            self.last_message.clear();
        }
        self.anything |= !piece.is_empty();
        if self.last_message.len() <= ERROR_MESSAGE_BYTES {
            let room = ERROR_MESSAGE_BYTES + 1;
            self.last_message.extend(piece.chars().take(room));
        }
    }
}

/// Judges a turn whose agent gave a stop reason.
pub(crate) fn judge(stop: &str, facts: &TurnFacts, bench: &Bench<'_>) -> TurnOutcome {
    if facts.cancelled {
        return TurnOutcome::Cancelled;
    }
    if facts.denied && bench.reject_ends_turn && matches!(stop, "end_turn" | "cancelled") {
        // Some agents end with no word or with a stock sentence; one that says more did go on after the refusal.
        let stock = facts.last_message.len() < 80;
        if stop == "cancelled" || stock {
            return TurnOutcome::Denied;
        }
    }
    match stop {
        "cancelled" => TurnOutcome::Cancelled,
        "refusal" => TurnOutcome::Refused,
        "end_turn" => {
            if bench.errors_as_end_turn
                && let Some(error) = hidden_error(&facts.last_message, bench)
            {
                return error;
            }
            if facts.anything { TurnOutcome::Completed } else { TurnOutcome::NoProgress }
        }
        other => TurnOutcome::CutShort { text: clip(other) },
    }
}

/// Judges an error that the agent did call an error.
pub(crate) fn judge_error(text: &str, now: Timestamp, zone: &TimeZone) -> TurnOutcome {
    let lower = text.to_lowercase();
    if is_usage_limit(&lower) {
        return TurnOutcome::UsageLimit { text: clip(text), until: limit_end(text, now, zone) };
    }
    if is_login(&lower) {
        return TurnOutcome::NeedsLogin { text: clip(text) };
    }
    TurnOutcome::AgentError { text: clip(text) }
}

/// An error that stands in the place of the agent's last words.
fn hidden_error(message: &str, bench: &Bench<'_>) -> Option<TurnOutcome> {
    let message = message.trim();
    if message.is_empty() || message.len() > ERROR_MESSAGE_BYTES {
        return None;
    }
    let lower = message.to_lowercase();
    let named = bench.error_texts.iter().any(|text| lower.contains(&text.to_lowercase()));
    let begins =
        ["error:", "error ", "api error", "request failed", "execution failed", "http error", "fatal:"]
            .iter()
            .any(|start| lower.trim_start_matches(['[', '*', '❌', '⚠', '️', ' ']).starts_with(start));
    let short_limit = message.len() < 300 && is_usage_limit(&lower);
    if !(named || begins || short_limit) {
        return None;
    }
    Some(judge_error(message, bench.now, bench.zone))
}

fn is_login(lower: &str) -> bool {
    let words = [
        "unauthorized",
        "authentication",
        "not authenticated",
        "invalid api key",
        "incorrect api key",
        "invalid x-api-key",
        "missing api key",
        "api key not",
        "not logged in",
        "please log in",
        "please login",
        "/login",
        "login required",
        "sign in",
        "credentials",
        "token has expired",
        "token expired",
    ];
    has_number(lower, "401") || words.iter().any(|word| lower.contains(word))
}

fn is_usage_limit(lower: &str) -> bool {
    let words = [
        "usage limit",
        "rate limit",
        "rate_limit",
        "ratelimit",
        "quota",
        "hit your limit",
        "limit reached",
        "too many requests",
        "resource_exhausted",
        "insufficient credits",
        "credit balance is too low",
        "overloaded",
    ];
    has_number(lower, "429") || has_number(lower, "529") || words.iter().any(|word| lower.contains(word))
}

/// Whether the number stands alone, not inside a longer one.
fn has_number(text: &str, number: &str) -> bool {
    text.match_indices(number).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + number.len()..].chars().next();
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '.')
            && !after.is_some_and(|c| c.is_ascii_alphanumeric())
    })
}

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

fn clip(text: &str) -> String {
    divisi_model::transcript::Text::clip(text.trim(), ERROR_TEXT_BYTES).text
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

    #[test]
    fn errors_in_disguise_are_told_from_work_about_errors() {
        let zone = TimeZone::UTC;
        let texts = ["Ran into this error".to_owned()];
        let bench = Bench {
            errors_as_end_turn: true,
            error_texts: &texts,
            reject_ends_turn: false,
            now: at("2026-11-21T08:00:00Z"),
            zone: &zone,
        };
        let verdict = |message: &str| {
            let facts = TurnFacts { last_message: message.into(), anything: true, ..TurnFacts::default() };
            judge("end_turn", &facts, &bench)
        };
        let goose = "Ran into this error: Authentication error: Authentication failed. Status: 401 Unauthorized. \
                     Response: dummy.\n\nPlease retry if you think this is a transient or recoverable error.";
        assert!(matches!(verdict(goose), TurnOutcome::NeedsLogin { .. }));
        assert!(matches!(verdict("Error: 500 Internal Server Error"), TurnOutcome::AgentError { .. }));
        assert!(matches!(
            verdict("You've hit your limit · resets 3pm"),
            TurnOutcome::UsageLimit { until: Some(_), .. }
        ));
        for work in [
            "I changed the handler so that a 401 asks for credentials again.",
            "All done.",
            "The rate limit of the API is now configurable, and requests above it get 429. I also added tests for the \
             three cases that were missing, ran them all, and updated the page that describes the limits so that \
             people find out how to raise them. The old constant is gone; nobody used it any more, as a search shows.",
        ] {
            assert_eq!(verdict(work), TurnOutcome::Completed, "{work}");
        }
    }

    #[test]
    fn silence_refusal_and_denial_are_told_apart() {
        let zone = TimeZone::UTC;
        let bench = |reject_ends_turn| Bench {
            errors_as_end_turn: false,
            error_texts: &[],
            reject_ends_turn,
            now: Timestamp::UNIX_EPOCH,
            zone: &zone,
        };
        let silent = TurnFacts::default();
        assert_eq!(judge("end_turn", &silent, &bench(false)), TurnOutcome::NoProgress);
        assert_eq!(judge("refusal", &silent, &bench(false)), TurnOutcome::Refused);
        assert_eq!(
            judge("max_tokens", &silent, &bench(false)),
            TurnOutcome::CutShort { text: "max_tokens".into() }
        );
        let denied = TurnFacts { denied: true, anything: true, ..TurnFacts::default() };
        assert_eq!(judge("cancelled", &denied, &bench(true)), TurnOutcome::Denied);
        assert_eq!(judge("end_turn", &denied, &bench(true)), TurnOutcome::Denied);
        assert_eq!(judge("end_turn", &denied, &bench(false)), TurnOutcome::Completed);
        let cancelled = TurnFacts { cancelled: true, ..denied };
        assert_eq!(judge("end_turn", &cancelled, &bench(true)), TurnOutcome::Cancelled);
    }
}
