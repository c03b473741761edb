//! Makes what agents report about tokens and money comparable: per turn, whatever the agent counts from, and with what
//! was read from a cache beside the input, whatever the vendor counts it to.

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
            input: sum.fresh_input(),
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
    let is_within = |cached: u64| total.map(|total| total < input + output + cached);
    let read_within = is_within(cached_read).unwrap_or(within.is_some());
    let write_within = read_within && is_within(cached_write).unwrap_or(false);
    let part = u64::from(read_within) * cached_read + u64::from(write_within) * cached_write;
    // A vendor cannot have read more from its cache than it was given; if it says so, the cache was beside the input.
    let input = input.checked_sub(part).unwrap_or(input);
    Some(Tokens { input, output, cached_read, cached_write, reasoning, cached_in_input: false })
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
        cached_in_input: false,
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
    fn the_input_is_without_the_cache_whatever_the_vendor_counts() {
        let read = |json: &str| {
            let tokens = tokens(&serde_json::from_str(json).unwrap()).unwrap();
            assert!(!tokens.cached_in_input);
            (tokens.input, tokens.output, tokens.cached_read, tokens.cached_write)
        };
        for (what, json, counts) in [
            (
                "Claude Code and Codex: beside",
                r#"{"inputTokens":2000,"outputTokens":100,"cachedReadTokens":400,"cachedWriteTokens":0,"totalTokens":2500}"#,
                (2000, 100, 400, 0),
            ),
            (
                "beside, with a cache that was written",
                r#"{"inputTokens":6000,"outputTokens":385,"cachedReadTokens":2500,"cachedWriteTokens":1500,"totalTokens":10385}"#,
                (6000, 385, 2500, 1500),
            ),
            (
                "Copilot and Qwen Code: within",
                r#"{"inputTokens":2400,"outputTokens":100,"totalTokens":2500,"thoughtTokens":0,"cachedReadTokens":400,"cachedWriteTokens":0}"#,
                (2000, 100, 400, 0),
            ),
            (
                "within, with a cache that was written",
                r#"{"inputTokens":2400,"outputTokens":100,"totalTokens":2500,"cachedReadTokens":400,"cachedWriteTokens":300}"#,
                (1700, 100, 400, 300),
            ),
            (
                "the command of Codex: no sum, and a name that means within",
                r#"{"input_tokens":8000,"cached_input_tokens":2000,"output_tokens":308}"#,
                (6000, 308, 2000, 0),
            ),
            (
                "the command of Claude Code: no sum, and a name that means beside",
                r#"{"input_tokens":90,"cache_read_input_tokens":2000,"output_tokens":3}"#,
                (90, 3, 2000, 0),
            ),
            (
                "the command of Gemini",
                r#"{"total_tokens":10385,"input_tokens":10000,"output_tokens":385,"cached":2500}"#,
                (7500, 385, 2500, 0),
            ),
            (
                "more from the cache than there was",
                r#"{"input_tokens":10,"cached_input_tokens":2000,"output_tokens":3}"#,
                (10, 3, 2000, 0),
            ),
            (
                "Gemini's own form",
                r#"{"promptTokenCount":100,"candidatesTokenCount":10,"thoughtsTokenCount":5,"totalTokenCount":115}"#,
                (100, 15, 0, 0),
            ),
        ] {
            assert_eq!(read(json), counts, "{what}");
        }
    }

    #[test]
    fn a_session_counted_by_an_older_version_goes_on() {
        // It wrote down the input with the cache in it.
        let before =
            Usage { input: 2400, output: 100, cached_read: 400, cached_in_input: true, ..Usage::default() };
        let mut meter = Meter::from(Counted::of([before].iter()));
        let tokens = Tokens { input: 4000, output: 200, cached_read: 800, ..Tokens::default() };
        let report = ReportedUsage { tokens: Some(tokens), scope: UsageScope::Session, ..Default::default() };
        let turn = meter.turn_ended(Some(&report));
        assert_eq!((turn.input, turn.output, turn.cached_read), (2000, 100, 400));
    }
}
