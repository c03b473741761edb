//! What tokens cost, by the prices of a definition. Whole millionths of a dollar come out; what is not known stays unknown.

use divisi_model::event::Usage;

use crate::definition::{Definition, Price};

/// Picodollars in a millionth of a dollar: prices are per million tokens, so a token costs so many millionths.
const PARTS: f64 = 1e6;

impl Definition {
    /// The price of a model, by its exact name, or by its name without a date or another mark of one version.
    pub fn price(&self, model: &str) -> Option<&Price> {
        let model = model.rsplit('/').next().unwrap_or(model);
        let plain = |name: &str| self.prices.get(name);
        plain(model).or_else(|| {
            let known = self
                .prices
                .iter()
                .filter(|(name, _)| model.strip_prefix(name.as_str()).is_some_and(is_version));
            known.max_by_key(|(name, _)| name.len()).map(|(_, price)| price)
        })
    }

    /// Adds the cost of a turn that the agent did not report, where the model has a price. An agent that reports a cost
    /// knows better than any table.
    pub fn priced(&self, usage: Usage, model: Option<&str>) -> Usage {
        let own = self.endpoint.as_ref().filter(|_| self.base_url.is_some()).and_then(|e| e.model.as_deref());
        let model = model.or(self.model.as_deref()).or(own);
        if usage.cost().is_some() || !usage.counts() {
            return usage;
        }
        match model.and_then(|model| self.price(model)) {
            Some(price) => Usage { cost_micros: Some(cost(&usage, price)), estimated: true, ..usage },
            None => usage,
        }
    }
}

/// `-20250929`, `-2026-01-31`, `-latest`, `[1m]`, `@20250929`, `:free`
fn is_version(rest: &str) -> bool {
    match rest.as_bytes() {
        [b'[' | b'@' | b':', ..] => true,
        [b'-', date @ ..] => {
            date == b"latest"
                || (date.iter().filter(|b| b.is_ascii_digit()).count() == 8
                    && date.iter().all(|b| b.is_ascii_digit() || *b == b'-'))
        }
        _ => false,
    }
}

fn cost(usage: &Usage, price: &Price) -> u64 {
    let parts = |dollars: f64| (dollars.clamp(0.0, 1e6) * PARTS).round() as u128;
    let of = |tokens: u64, dollars: f64| u128::from(tokens) * parts(dollars);
    let sum = of(usage.fresh_input(), price.input)
        + of(usage.output, price.output)
        + of(usage.cached_read, price.cached_read.unwrap_or(price.input))
        + of(usage.cached_write, price.cached_write.unwrap_or(price.input));
    u64::try_from((sum + 500_000) / 1_000_000).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Layer, Registry};

    fn agent(text: &str) -> Definition {
        let layer =
            Layer::read("the test", "mine", &format!("drive = \"acp\"\ncommand = [\"mine\"]\n{text}"));
        Registry::with_layers(&[layer.unwrap()]).unwrap().require("mine").unwrap().clone()
    }

    const PRICES: &str = "[prices.\"good-1\"]\ninput = 3\noutput = 15\ncached_read = 0.3\ncached_write = 3.75\n\
                          [prices.\"good-1-mini\"]\ninput = 1\noutput = 2\n";

    #[test]
    fn tokens_cost_what_the_table_says() {
        let agent = agent(PRICES);
        let usage =
            Usage { input: 6000, output: 385, cached_read: 2500, cached_write: 1500, ..Usage::default() };
        let of = |usage, model| agent.priced(usage, Some(model)).cost();
        // 18000 + 5775 + 750 + 5625
        assert_eq!(of(usage, "good-1"), Some(30_150));
        assert_eq!(of(Usage { cached_in_input: true, ..usage }, "good-1"), Some(22_650));
        assert_eq!(of(usage, "good-1-20260929"), Some(30_150));
        assert_eq!(
            of(usage, "vendor/good-1-mini"),
            Some(6000 + 770 + 2500 + 1500),
            "no price for a cache: that of the input"
        );
        assert_eq!(of(Usage { input: 1, ..Usage::default() }, "good-1-mini"), Some(1));
        assert!(agent.priced(usage, Some("good-1")).estimated);
    }

    #[test]
    fn every_shipped_price_says_where_and_when_it_was_seen() {
        let registry = Registry::shipped();
        let prices = registry.all().iter().flat_map(|agent| &agent.prices);
        for (model, price) in prices {
            let source = price.source.as_deref().unwrap_or_default();
            assert!(source.starts_with("https://"), "{model}: {source}");
            let date = price.date.as_deref().unwrap_or_default();
            assert!(date.parse::<jiff::civil::Date>().is_ok(), "{model}: {date}");
            assert!(price.input > 0.0 && price.output > price.input, "{model}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_nothing() {
        let agent = agent(PRICES);
        let usage = Usage { input: 6000, output: 385, ..Usage::default() };
        for model in [None, Some("good-2"), Some("good-1-pro"), Some("good-10")] {
            assert_eq!(agent.priced(usage, model).cost(), None, "{model:?}");
        }
        let reported = Usage { cost_micros: Some(7), ..usage };
        assert_eq!(agent.priced(reported, Some("good-1")), reported, "the agent knows better");
        let mut sum = Usage::default();
        sum.add(&agent.priced(usage, Some("good-1")));
        sum.add(&agent.priced(usage, None));
        assert_eq!((sum.cost(), sum.cost_at_least()), (Some(23_775), true));
        let old = Usage { input: 2400, cached_read: 400, cached_in_input: true, ..Usage::default() };
        let mut mixed = old;
        mixed.add(&Usage { input: 2000, cached_read: 400, ..Usage::default() });
        assert_eq!((mixed.fresh_input(), mixed.cached_read), (4000, 800), "older and newer turns in one sum");
        let mut partial = Usage::default();
        partial.add(&agent.priced(Usage { at_least: true, ..usage }, Some("good-1")));
        assert!(partial.cost_at_least());
    }
}
