//! Makes what agents report about tokens and money comparable: per turn, whatever the agent counts from.

use divisi_model::event::Usage;
use divisi_model::transcript::{ReportedUsage, Tokens, UsageScope};
use serde_json::Value;

/// Remembers where the agent's counters stood when the last turn ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Meter {
    tokens: Tokens,
    cost: f64,
}

impl Meter {
    /// What the turn used, and from where the next one counts. A counter that went back began anew.
    pub fn turn_ended(&mut self, reported: Option<&ReportedUsage>) -> Usage {
        let Some(reported) = reported else { return Usage::default() };
        let mut tokens = reported.tokens.unwrap_or_default();
        if reported.scope == UsageScope::Session && reported.tokens.is_some() {
            let total = tokens;
            tokens = since(&total, &self.tokens);
            self.tokens = total;
        }
        let cost_usd =
            reported.cost.as_ref().filter(|c| c.currency == "USD" && c.amount.is_finite()).map(|c| {
                let spent = if c.amount >= self.cost { c.amount - self.cost } else { c.amount };
                self.cost = c.amount;
                spent
            });
        Usage {
            input: tokens.input,
            output: tokens.output,
            cached_read: tokens.cached_read,
            cached_write: tokens.cached_write,
            cost_usd,
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
    Some(Tokens {
        input: input.unwrap_or(0),
        output: output.unwrap_or(0),
        cached_read: number(&[
            "cachedReadTokens",
            "cached_read_tokens",
            "cachedInputTokens",
            "cached_input_tokens",
            "cache_read_input_tokens",
            "cachedContentTokenCount",
            "cachedTokens",
            "cached",
        ])
        .unwrap_or(0),
        cached_write: number(&["cachedWriteTokens", "cached_write_tokens", "cache_creation_input_tokens"])
            .unwrap_or(0),
        reasoning: number(&[
            "thoughtTokens",
            "thought_tokens",
            "reasoningTokens",
            "reasoning_output_tokens",
            "thoughtsTokenCount",
            "reasoning",
        ])
        .unwrap_or(0),
    })
}

fn since(total: &Tokens, before: &Tokens) -> Tokens {
    if total.input < before.input || total.output < before.output {
        return *total;
    }
    Tokens {
        input: total.input - before.input,
        output: total.output - before.output,
        cached_read: total.cached_read.saturating_sub(before.cached_read),
        cached_write: total.cached_write.saturating_sub(before.cached_write),
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
        assert_eq!(
            [first.cost_usd, second.cost_usd, restarted.cost_usd],
            [Some(0.5), Some(0.25), Some(0.125)]
        );
        let turn = meter.turn_ended(Some(&report(42, UsageScope::Turn, 0.125)));
        assert_eq!((turn.input, turn.output, turn.cost_usd), (42, 4, Some(0.0)));
        assert_eq!(meter.turn_ended(None), Usage::default());
    }
}
