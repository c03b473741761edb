//! Makes what agents report about tokens and money comparable: per turn, whatever the agent counts from.

use divisi_model::event::Usage;
use divisi_model::transcript::{ReportedUsage, Tokens, UsageScope};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Millionths of a dollar in a dollar.
const MICROS: f64 = 1e6;

/// What earlier turns of a session used, so that counters of the whole session are told from those of a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counted {
    /// Tokens.
    pub tokens: Tokens,
    /// Cost in millionths of a US dollar.
    pub cost_micros: u64,
}

impl Counted {
    /// The sum of what turns used.
    pub fn of<'a>(turns: impl Iterator<Item = &'a Usage>) -> Self {
        let mut sum = Usage::default();
        turns.for_each(|usage| sum.add(usage));
        let tokens = Tokens {
            input: sum.input,
            output: sum.output,
            cached_read: sum.cached_read,
            cached_write: sum.cached_write,
            ..Tokens::default()
        };
        // A cost that was computed here is not in the agent's own counter.
        let cost_micros = if sum.estimated { 0 } else { sum.cost().unwrap_or(0) };
        Self { tokens, cost_micros }
    }
}

/// Remembers where the agent's counters stood when the last turn ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Meter(Counted);

impl Meter {
    /// A meter for a session in which this much was used before.
    pub fn from(counted: Counted) -> Self {
        Self(counted)
    }

    /// What the turn used, and from where the next one counts. A counter that went back began anew.
    pub fn turn_ended(&mut self, reported: Option<&ReportedUsage>) -> Usage {
        let Some(reported) = reported else { return Usage::default() };
        let mut tokens = reported.tokens.unwrap_or_default();
        if reported.scope == UsageScope::Session && reported.tokens.is_some() {
            let total = tokens;
            tokens = since(&total, &self.0.tokens);
            self.0.tokens = total;
        }
        let dollars = reported.cost.as_ref().filter(|c| c.currency == "USD").map(|c| c.amount);
        let total = dollars.filter(|amount| amount.is_finite() && (0.0..1e9).contains(amount));
        let cost_micros = total.map(|amount| (amount * MICROS).round() as u64).map(|total| {
            let spent = total.checked_sub(self.0.cost_micros).unwrap_or(total);
            self.0.cost_micros = total;
            spent
        });
        Usage {
            input: tokens.input,
            output: tokens.output,
            cached_read: tokens.cached_read,
            cached_write: tokens.cached_write,
            cached_in_input: tokens.cached_in_input && tokens.cached_read > 0,
            at_least: reported.scope == UsageScope::LastCall && reported.tokens.is_some(),
            cost_micros,
            ..Usage::default()
        }
    }
}

/// Reads token counts under the names that agents give them. None where there are none.
pub(crate) fn tokens(value: &Value) -> Option<Tokens> {
    let number = |names: &[&str]| names.iter().find_map(|name| value.get(name).and_then(Value::as_u64));
    let input = number(&[
        "inputTokens",
        "input_tokens",
        "promptTokens",
        "prompt_tokens",
        "promptTokenCount",
        "input",
    ]);
    let output = number(&[
        "outputTokens",
        "output_tokens",
        "completionTokens",
        "completion_tokens",
        "candidatesTokenCount",
        "output",
    ]);
    if input.is_none() && output.is_none() {
        return None;
    }
    let (input, mut output) = (input.unwrap_or(0), output.unwrap_or(0));
    let within = number(WITHIN_INPUT);
    let beside = number(&["cachedReadTokens", "cached_read_tokens", "cache_read_input_tokens"]);
    let cached_read = within.or(beside).unwrap_or(0);
    let cached_write =
        number(&["cachedWriteTokens", "cached_write_tokens", "cache_creation_input_tokens"]).unwrap_or(0);
    let reasoning = number(&[
        "thoughtTokens",
        "thought_tokens",
        "reasoningTokens",
        "reasoning_output_tokens",
        "thoughtsTokenCount",
        "reasoning",
    ])
    .unwrap_or(0);
    // Gemini counts thinking beside what its candidates say, and asks money for both.
    if value.get("candidatesTokenCount").is_some() {
        output += reasoning;
    }
    // Where the sum is given it tells whether the cache is in the input or beside it.
    let total = number(&["totalTokens", "total_tokens", "totalTokenCount"]);
    let by_total = total.filter(|_| cached_read > 0).map(|total| total < input + output + cached_read);
    let cached_in_input = by_total.unwrap_or(within.is_some());
    Some(Tokens { input, output, cached_read, cached_write, reasoning, cached_in_input })
}

/// Names under which vendors count what is read from a cache as a part of the input.
const WITHIN_INPUT: &[&str] =
    &["cachedInputTokens", "cached_input_tokens", "cachedContentTokenCount", "cachedTokens", "cached"];

fn since(total: &Tokens, before: &Tokens) -> Tokens {
    if total.input < before.input || total.output < before.output {
        return *total;
    }
    Tokens {
        input: total.input - before.input,
        output: total.output - before.output,
        cached_read: total.cached_read.saturating_sub(before.cached_read),
        cached_write: total.cached_write.saturating_sub(before.cached_write),
        cached_in_input: total.cached_in_input,
        reasoning: total.reasoning.saturating_sub(before.reasoning),
    }
}

#[cfg(test)]
mod tests {
    use divisi_model::transcript::ReportedCost;

    use super::*;

    fn report(input: u64, scope: UsageScope, cost: f64) -> ReportedUsage {
        ReportedUsage {
            tokens: Some(Tokens { input, output: input / 10, ..Tokens::default() }),
            scope,
            cost: Some(ReportedCost { amount: cost, currency: "USD".into() }),
            ..ReportedUsage::default()
        }
    }

    #[test]
    fn counters_of_a_session_become_counts_of_a_turn() {
        let mut meter = Meter::default();
        let first = meter.turn_ended(Some(&report(1000, UsageScope::Session, 0.5)));
        let second = meter.turn_ended(Some(&report(1700, UsageScope::Session, 0.75)));
        let restarted = meter.turn_ended(Some(&report(300, UsageScope::Session, 0.125)));
        assert_eq!([first.input, second.input, restarted.input], [1000, 700, 300]);
        let costs = [first.cost_micros, second.cost_micros, restarted.cost_micros];
        assert_eq!(costs, [Some(500_000), Some(250_000), Some(125_000)]);
        let turn = meter.turn_ended(Some(&report(42, UsageScope::Turn, 0.125)));
        assert_eq!((turn.input, turn.output, turn.cost_micros), (42, 4, Some(0)));
        assert_eq!(meter.turn_ended(None), Usage::default());
        assert!(meter.turn_ended(Some(&report(7, UsageScope::LastCall, 0.2))).at_least);
    }

    #[test]
    fn a_session_that_is_taken_up_again_is_not_counted_twice() {
        let before = [report(1000, UsageScope::Session, 0.5), report(1700, UsageScope::Session, 0.75)];
        let mut meter = Meter::default();
        let used = before.map(|report| meter.turn_ended(Some(&report)));
        let mut again = Meter::from(Counted::of(used.iter()));
        let third = again.turn_ended(Some(&report(2000, UsageScope::Session, 1.0)));
        assert_eq!((third.input, third.cost_micros), (300, Some(250_000)));
    }

    #[test]
    fn the_cache_is_within_the_input_or_beside_it() {
        let read = |json: &str| {
            let tokens = tokens(&serde_json::from_str(json).unwrap()).unwrap();
            (tokens.input, tokens.output, tokens.cached_read, tokens.cached_in_input)
        };
        let beside = r#"{"inputTokens":6000,"outputTokens":385,"cachedReadTokens":2500,"cachedWriteTokens":1500,"totalTokens":10385}"#;
        assert_eq!(read(beside), (6000, 385, 2500, false));
        let within = r#"{"inputTokens":8000,"outputTokens":308,"cachedReadTokens":2000,"totalTokens":8308}"#;
        assert_eq!(read(within), (8000, 308, 2000, true));
        assert_eq!(
            read(r#"{"input_tokens":8000,"cached_input_tokens":2000,"output_tokens":308}"#),
            (8000, 308, 2000, true)
        );
        assert_eq!(
            read(r#"{"input_tokens":90,"cache_read_input_tokens":2000,"output_tokens":3}"#),
            (90, 3, 2000, false)
        );
        let gemini = r#"{"promptTokenCount":100,"candidatesTokenCount":10,"thoughtsTokenCount":5,"totalTokenCount":115}"#;
        assert_eq!(read(gemini), (100, 15, 0, false));
    }
}
