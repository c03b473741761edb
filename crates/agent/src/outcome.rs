//! Judges how a turn ended. Agents report a missing login or a used-up allowance as a normal end of turn with the error
//! as message text, and end a turn in silence; the stop reason alone is not to be trusted.

use divisi_model::event::TurnOutcome;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::limit::limit_end;

/// Longest last message that can be an error in disguise; a longer one is a report of work.
const ERROR_MESSAGE_BYTES: usize = 1500;
/// Bytes of an error's text that are kept in an outcome.
const ERROR_TEXT_BYTES: usize = 600;

/// What is known when an agent says that it is idle.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TurnFacts {
    /// The end of the last message of the turn.
    pub last_message: String,
    /// Whether the message was longer than that.
    pub long: bool,
    /// Whether the agent said, thought, planned or used anything.
    pub anything: bool,
    /// Whether Divisi asked for a cancel.
    pub cancelled: bool,
    /// Whether a permission was denied in the turn.
    pub denied: bool,
}

/// What the judge needs to know besides.
pub(crate) struct Bench<'a> {
    /// The agent is known to hide errors in messages.
    pub errors_as_end_turn: bool,
    /// How a line of its hidden errors begins.
    pub error_texts: &'a [String],
    /// Its last message is all that it printed, so an error stands at the end of it however long it is.
    pub all_printed: bool,
    /// The agent ends its turn over a denied permission.
    pub reject_ends_turn: bool,
    pub now: Timestamp,
    pub zone: &'a TimeZone,
}

impl TurnFacts {
    /// Adds a piece of a message, of which the end is kept.
    pub fn hear(&mut self, piece: &str, fresh: bool) {
        if fresh {
            self.last_message.clear();
            self.long = false;
        }
        self.anything |= !piece.is_empty();
        self.last_message.push_str(piece);
        if self.last_message.len() > 2 * ERROR_MESSAGE_BYTES {
            let from = self.last_message.len() - ERROR_MESSAGE_BYTES;
            let from = (from..self.last_message.len()).find(|at| self.last_message.is_char_boundary(*at));
            self.last_message.drain(..from.unwrap_or(0));
            self.long = true;
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
                && let Some(error) = hidden_error(facts, bench)
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
fn hidden_error(facts: &TurnFacts, bench: &Bench<'_>) -> Option<TurnOutcome> {
    let message = facts.last_message.trim();
    let short = !facts.long && message.len() <= ERROR_MESSAGE_BYTES;
    if message.is_empty() || !(short || bench.all_printed) {
        return None;
    }
    let bare = |line: &str| line.trim_start_matches(['[', '*', '❌', '⚠', '\u{fe0f}', ' ']).to_lowercase();
    let named = |line: &str| bench.error_texts.iter().any(|text| line.starts_with(&text.to_lowercase()));
    let whole = bare(message);
    let begins =
        ["error:", "error ", "api error", "request failed", "execution failed", "http error", "fatal:"];
    let generic = short && (begins.iter().any(|start| whole.starts_with(start)) || announces_limit(&whole));
    let line = message.lines().find(|line| named(&bare(line)));
    let error = line.and_then(|line| message.get(message.find(line)?..)).unwrap_or(message);
    (generic || line.is_some()).then(|| judge_error(error, bench.now, bench.zone))
}

/// Whether a message is the stock sentence of a vendor about a used-up allowance. It stands at the beginning; words
/// about limits elsewhere are about the work.
fn announces_limit(lower: &str) -> bool {
    let starts = [
        "you've hit your",
        "you have hit your",
        "you've reached your",
        "you have reached your",
        "you exceeded your current quota",
        "rate limit exceeded",
        "rate limit reached",
        "quota exceeded",
        "usage limit reached",
        "too many requests",
        "insufficient credits",
        "credit balance is too low",
    ];
    let reached = lower.find("limit reached").is_some_and(|at| at <= "claude ai usage ".len());
    reached || starts.iter().any(|start| lower.starts_with(start))
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
    fn errors_in_disguise_are_told_from_work_about_errors() {
        let zone = TimeZone::UTC;
        let texts = ["Ran into this error".to_owned()];
        let bench = Bench {
            errors_as_end_turn: true,
            error_texts: &texts,
            all_printed: false,
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
            "Users who ran into this error with their credentials now get a hint.",
            "The script is wrong: use unauthorized, usage-limit, rate-limit, overloaded or internal.",
            "Added handling of 429: when the rate limit is exceeded the client waits.",
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
            all_printed: false,
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
