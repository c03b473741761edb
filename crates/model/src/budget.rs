//! How much an attempt may use before a person is asked.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::event::Usage;

/// How much an attempt may use before a person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// Money, in millionths of a US dollar.
    CostMicros(u64),
    /// Tokens of all kinds: in, out, read from a cache and written to it.
    Tokens(u64),
}

/// How a budget stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// There is some left.
    Within,
    /// It is used up.
    All,
    /// It is in money, and nobody knows what some of the tokens cost.
    Unknown,
}

impl Budget {
    /// How it stands after this was used.
    pub fn after(self, used: &Usage) -> Spent {
        let (limit, spent) = match self {
            Self::Tokens(limit) => (limit, Some(used.tokens())),
            Self::CostMicros(limit) => (limit, used.cost()),
        };
        match spent {
            Some(spent) if spent >= limit => Spent::All,
            Some(_) if !(matches!(self, Self::CostMicros(_)) && used.unpriced) => Spent::Within,
            None if !used.counts() => Spent::Within,
            _ => Spent::Unknown,
        }
    }
}

impl Budget {
    /// As much again on top of what was used, in whole cents or thousands of tokens.
    pub fn again(self, used: &Usage) -> Self {
        let upon = |limit: u64, used: u64, step: u64| {
            limit.saturating_add(used).checked_next_multiple_of(step).unwrap_or(u64::MAX)
        };
        match self {
            Self::CostMicros(limit) => Self::CostMicros(upon(limit, used.cost().unwrap_or(0), CENT)),
            Self::Tokens(limit) => Self::Tokens(upon(limit, used.tokens(), 1000)),
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CostMicros(micros) => {
                let (dollars, rest) = (micros / MICROS, micros % MICROS);
                let rest = format!("{rest:06}");
                let cents = rest.trim_end_matches('0');
                write!(f, "${dollars}.{cents:0<2}")
            }
            Self::Tokens(tokens) if *tokens > 0 && tokens.is_multiple_of(1_000_000) => {
                write!(f, "{}M tokens", tokens / 1_000_000)
            }
            Self::Tokens(tokens) if *tokens > 0 && tokens.is_multiple_of(1000) => {
                write!(f, "{}k tokens", tokens / 1000)
            }
            Self::Tokens(tokens) => write!(f, "{tokens} tokens"),
        }
    }
}

/// Millionths of a dollar in a cent.
const CENT: u64 = 10_000;

/// Millionths in a dollar.
const MICROS: u64 = 1_000_000;

/// The text is no budget.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no budget: dollars are written 2.50, tokens 200k or 1.5M")]
pub struct NotABudget(pub String);

/// `2.50` and `$2.50` are dollars; `200k`, `1.5M` and `500 tokens` are tokens.
impl FromStr for Budget {
    type Err = NotABudget;

    fn from_str(text: &str) -> Result<Self, NotABudget> {
        let refuse = || NotABudget(text.to_owned());
        let trimmed = text.trim();
        let (words, tokens) = match trimmed.strip_suffix("tokens") {
            Some(rest) => (rest.trim_end(), true),
            None => (trimmed, false),
        };
        let (number, unit) = match words.strip_suffix(['k', 'K']) {
            Some(number) => (number, Some(1000)),
            None => match words.strip_suffix('M') {
                Some(number) => (number, Some(1_000_000)),
                None => (words, tokens.then_some(1)),
            },
        };
        let scaled = |number: &str, unit: u64| decimal(number, unit).filter(|n| *n > 0).ok_or_else(refuse);
        match unit {
            Some(unit) => scaled(number, unit).map(Self::Tokens),
            None => scaled(number.strip_prefix('$').unwrap_or(number), MICROS).map(Self::CostMicros),
        }
    }
}

/// A decimal number times a power of ten, exactly; digits beyond that are refused.
fn decimal(text: &str, unit: u64) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let places = unit.ilog10() as usize;
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > places {
        return None;
    }
    let part = if places == 0 { 0 } else { format!("{part:0<places$}").parse().ok()? };
    whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_read_as_people_write_them() {
        for (text, shown) in [
            ("2.50", "$2.50"),
            ("$2.5", "$2.50"),
            ("3", "$3.00"),
            ("0.0005", "$0.0005"),
            ("200k", "200k tokens"),
            ("1.5M", "1500k tokens"),
            ("2M", "2M tokens"),
            ("750 tokens", "750 tokens"),
        ] {
            let budget: Budget = text.parse().unwrap();
            assert_eq!(budget.to_string(), shown);
            assert_eq!(shown.parse(), Ok(budget), "what is shown reads back");
        }
        for text in ["", "0", "-1", "1.2345678", "1,5", "k", "x", "1.5 tokens", "99999999999999999999", "1e3"]
        {
            assert!(text.parse::<Budget>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_used_is_held_against_it() {
        let used = |output, cost_micros| Usage { output, cost_micros, ..Usage::default() };
        let dollar = Budget::CostMicros(MICROS);
        assert_eq!(dollar.after(&used(10, Some(MICROS - 1))), Spent::Within);
        assert_eq!(dollar.after(&used(10, Some(MICROS))), Spent::All);
        assert_eq!(dollar.after(&used(0, None)), Spent::Within);
        assert_eq!(dollar.after(&used(10, None)), Spent::Unknown);
        let part = Usage { unpriced: true, ..used(10, Some(1)) };
        assert_eq!(dollar.after(&part), Spent::Unknown);
        assert_eq!(Budget::Tokens(10).after(&used(10, None)), Spent::All);
        assert_eq!(Budget::Tokens(11).after(&used(10, None)), Spent::Within);
    }

    #[test]
    fn as_much_again_is_above_what_was_used() {
        let used = Usage { output: 1500, cost_micros: Some(25_500), ..Usage::default() };
        for (budget, again) in
            [("0.02", "$0.05"), ("$2", "$2.03"), ("1k", "3k tokens"), ("500 tokens", "2k tokens")]
        {
            let again_budget = budget.parse::<Budget>().unwrap().again(&used);
            assert_eq!(again_budget.to_string(), again);
            assert_eq!(again_budget.after(&used), Spent::Within);
        }
        assert_eq!(Budget::Tokens(u64::MAX).again(&used), Budget::Tokens(u64::MAX));
    }
}
