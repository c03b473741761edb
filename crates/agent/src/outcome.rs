//! Judges how a turn ended. Agents report a missing login or a used-up allowance as a normal end of turn with the error
//! as message text, and end a turn in silence; the stop reason alone is not to be trusted. Nor are words alone: people
//! work on code that is about errors. So words count as an error only by the shape of the whole turn.

use divisi_model::event::TurnOutcome;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::errors::{self, Meaning, Report, Rules};
use crate::limit::end_of;

/// Longest last message that can be an error in disguise; a longer one is a report of work.
const ERROR_MESSAGE_BYTES: usize = 1500;
/// Longest message that can be the stock sentence of a vendor.
const VENDOR_MESSAGE_BYTES: usize = 700;
/// Bytes of an error's text that are kept in an outcome.
const ERROR_TEXT_BYTES: usize = 600;
/// How much of a message's beginning must stand in the prompt to be taken for an echo of it, in bytes.
const ECHO_BYTES: usize = 40;

/// What is known when an agent says that it is idle.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TurnFacts {
    /// The end of the last message of the turn.
    pub last_message: String,
    /// Whether the message was longer than that.
    pub long: bool,
    /// How many messages the turn has.
    pub messages: u32,
    /// Whether the last message is the last thing the agent did.
    pub spoke_last: bool,
    /// Whether the agent used a tool, or made a plan.
    pub worked: bool,
    /// Whether the agent said, thought, planned or used anything.
    pub anything: bool,
    /// Whether Divisi asked for a cancel.
    pub cancelled: bool,
    /// Whether a permission was denied in the turn.
    pub denied: bool,
    /// The words that the turn was given.
    pub prompt: String,
    /// Whether the agent reported tokens that its model wrote in this very turn.
    pub model_wrote: bool,
}

/// What the judge needs to know besides.
pub(crate) struct Bench<'a> {
    /// How the agent's hidden errors look.
    pub rules: &'a Rules,
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
            self.messages += 1;
        }
        self.spoke_last |= !piece.trim().is_empty();
        self.anything |= !piece.is_empty();
        self.last_message.push_str(piece);
        if self.last_message.len() > 2 * ERROR_MESSAGE_BYTES {
            let from = self.last_message.len() - ERROR_MESSAGE_BYTES;
            let from = (from..self.last_message.len()).find(|at| self.last_message.is_char_boundary(*at));
            self.last_message.drain(..from.unwrap_or(0));
            self.long = true;
        }
    }

    /// The agent used a tool or made a plan.
    pub fn act(&mut self) {
        self.anything = true;
        self.worked = true;
        self.spoke_last = false;
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
        "cancelled" if facts.denied => TurnOutcome::Denied,
        // Nobody here cancelled it: some agents break off a loop like this.
        "cancelled" => hidden_error(facts, bench).unwrap_or_else(|| TurnOutcome::CutShort {
            text: "the agent cancelled its turn by itself".to_owned(),
        }),
        // Some vendors refuse where a limit is reached.
        "refusal" => hidden_error(facts, bench).unwrap_or(TurnOutcome::Refused),
        "end_turn" => match hidden_error(facts, bench) {
            Some(error) => error,
            None if facts.anything => TurnOutcome::Completed,
            None => TurnOutcome::NoProgress,
        },
        other => TurnOutcome::CutShort { text: clip(other) },
    }
}

/// Judges an error that the agent did call an error.
pub(crate) fn judge_error(report: Report<'_>, now: Timestamp, zone: &TimeZone) -> TurnOutcome {
    let (meaning, data) = errors::meaning(report);
    outcome(meaning, report.text, &data, now, zone)
}

fn outcome(
    meaning: Meaning,
    text: &str,
    data: &errors::Data,
    now: Timestamp,
    zone: &TimeZone,
) -> TurnOutcome {
    let (words, command) = (clip(text), None);
    match meaning {
        Meaning::Login => TurnOutcome::NeedsLogin { text: words, command },
        Meaning::Limit => {
            TurnOutcome::UsageLimit { text: words, until: end_of(text, data, now, zone), guessed: false }
        }
        Meaning::Credit => TurnOutcome::NeedsCredit { text: words },
        Meaning::Other => TurnOutcome::AgentError { text: words },
    }
}

/// An error that stands in the place of the agent's last words: it looks as the agent's own errors do and nothing came
/// after it; or it is the stock sentence of a vendor and all there is in the turn.
pub(crate) fn hidden_error(facts: &TurnFacts, bench: &Bench<'_>) -> Option<TurnOutcome> {
    let message = facts.last_message.trim();
    let short = !facts.long && message.len() <= ERROR_MESSAGE_BYTES;
    if message.is_empty() || !facts.spoke_last || !(short || bench.all_printed) {
        return None;
    }
    if let Some((error, means)) = bench.rules.find(message).filter(|(error, _)| !is_echo(error, facts)) {
        let (meaning, data) = errors::meaning(Report::words(error));
        return Some(outcome(means.unwrap_or(meaning), error, &data, bench.now, bench.zone));
    }
    let alone =
        !bench.all_printed && facts.messages == 1 && !facts.worked && !facts.long && !facts.model_wrote;
    let stock = alone && message.len() <= VENDOR_MESSAGE_BYTES && errors::vendor_sentence(message);
    (stock && !is_echo(message, facts)).then(|| judge_error(Report::words(message), bench.now, bench.zone))
}

/// Whether the words stand in what the agent was asked: then it speaks of them.
fn is_echo(error: &str, facts: &TurnFacts) -> bool {
    let end = (0..=ECHO_BYTES.min(error.len())).rev().find(|at| error.is_char_boundary(*at)).unwrap_or(0);
    let begins = error[..end].lines().next().unwrap_or_default();
    begins.len() >= 8 && facts.prompt.contains(begins)
}

fn clip(text: &str) -> String {
    divisi_model::transcript::Text::clip(text.trim(), ERROR_TEXT_BYTES).text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_refusal_and_denial_are_told_apart() {
        let (zone, rules) = (TimeZone::UTC, Rules::default());
        let bench = |reject_ends_turn| Bench {
            rules: &rules,
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
        assert_eq!(judge("cancelled", &denied, &bench(false)), TurnOutcome::Denied);
        let worked = TurnFacts { worked: true, anything: true, ..TurnFacts::default() };
        assert_eq!(
            judge("cancelled", &worked, &bench(false)),
            TurnOutcome::CutShort { text: "the agent cancelled its turn by itself".into() },
            "nobody asked for it"
        );
        let cancelled = TurnFacts { cancelled: true, ..denied };
        assert_eq!(judge("end_turn", &cancelled, &bench(true)), TurnOutcome::Cancelled);
    }
}
