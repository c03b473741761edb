//! A row of the table: what was measured, against what, and whether the bar holds.

use crate::measure::{Pair, Samples};

/// What the bar bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bar {
    /// Product over floor, at most; shown as `1/15` where it is below a fifth.
    RatioAtMost(f64),
    /// Product over floor, at least.
    RatioAtLeast(f64),
    /// Product minus floor, at most.
    OverAtMost(f64),
    /// The product alone, at most.
    AtMost(f64),
}

/// A row that was measured, or could not be.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its group, by which it can be measured alone.
    pub group: &'static str,
    pub what: String,
    /// What the floor is; empty where there is none.
    pub against: &'static str,
    pub bar: Bar,
    pub unit: &'static str,
    pub product: Samples,
    pub floor: Samples,
    /// The value that counts, where it is not the median of the product.
    pub value: Option<f64>,
    /// What else must be known: failures, other figures.
    pub note: String,
    /// Why it falls short whatever was measured.
    pub failed: Option<String>,
}

impl Outcome {
    /// One with a floor.
    pub fn ratio(
        group: &'static str,
        what: impl Into<String>,
        against: &'static str,
        bar: Bar,
        pair: Pair,
    ) -> Self {
        let Pair { product, floor } = pair;
        let (what, note) = (what.into(), String::new());
        Self { group, what, against, bar, unit: "ms", product, floor, value: None, note, failed: None }
    }

    /// One without a floor.
    pub fn alone(
        group: &'static str,
        what: impl Into<String>,
        bar: Bar,
        unit: &'static str,
        product: Samples,
    ) -> Self {
        let pair = Pair { product, floor: Samples::default() };
        Self { unit, ..Self::ratio(group, what, "", bar, pair) }
    }

    /// The same in another unit than milliseconds.
    pub fn in_unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    /// The same with a note.
    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// The same, failed if there is a reason.
    pub fn failed_if(self, failed: bool, why: impl Into<String>) -> Self {
        Self { failed: failed.then(|| why.into()).or(self.failed), ..self }
    }

    /// What is compared with the bar.
    pub fn value(&self) -> f64 {
        let product = self.value.unwrap_or_else(|| self.product.median());
        let floor = self.floor.median();
        match self.bar {
            Bar::RatioAtMost(_) | Bar::RatioAtLeast(_) => product / floor,
            Bar::OverAtMost(_) => product - floor,
            Bar::AtMost(_) => product,
        }
    }

    /// How much of the bar is used up: 1 is the bar itself, more falls short.
    pub fn share(&self) -> f64 {
        match self.bar {
            Bar::RatioAtMost(bar) | Bar::OverAtMost(bar) | Bar::AtMost(bar) => self.value() / bar,
            Bar::RatioAtLeast(bar) => bar / self.value(),
        }
    }

    /// Whether the bar holds.
    pub fn holds(&self) -> bool {
        self.failed.is_none() && self.product.count() > 0 && self.share() <= 1.0
    }
}

/// How something grows.
#[derive(Clone, Debug)]
pub struct Curve {
    pub title: &'static str,
    /// What stands on the axis below: `agents`, `files`.
    pub of: &'static str,
    pub unit: &'static str,
    /// Each line with its points.
    pub lines: Vec<(&'static str, Vec<(f64, f64)>)>,
}

/// What measuring gave.
#[derive(Debug, Default)]
pub struct Findings {
    pub outcomes: Vec<Outcome>,
    pub curves: Vec<Curve>,
}

impl Findings {
    /// Rows alone.
    pub fn rows(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        Self { outcomes: outcomes.into_iter().collect(), curves: Vec::new() }
    }

    /// Takes others in.
    pub fn add(&mut self, other: Findings) {
        self.outcomes.extend(other.outcomes);
        self.curves.extend(other.curves);
    }
}

/// Rows that are measured together.
pub struct Group {
    pub name: &'static str,
    pub measure: fn(&crate::rows::Bench<'_>) -> crate::Result<Findings>,
}

impl Group {
    /// The group as one row that falls short because it could not be measured.
    pub fn failed(&self, error: &(dyn std::error::Error + 'static)) -> Findings {
        let mut why = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            why.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        let outcome = Outcome::alone(self.name, self.name, Bar::AtMost(0.0), "", Samples::default());
        Findings::rows([outcome.failed_if(true, why)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(bar: Bar, product: f64, floor: f64) -> Outcome {
        let pair = Pair { product: Samples::of([product]), floor: Samples::of([floor]) };
        Outcome::ratio("x", "x", "y", bar, pair)
    }

    #[test]
    fn each_bar_holds_on_its_own_side() {
        assert!(outcome(Bar::RatioAtMost(0.1), 1.0, 10.0).holds());
        assert!(!outcome(Bar::RatioAtMost(0.1), 2.0, 10.0).holds());
        assert!(outcome(Bar::RatioAtLeast(0.5), 6.0, 10.0).holds());
        assert!(!outcome(Bar::RatioAtLeast(0.5), 4.0, 10.0).holds());
        assert!(outcome(Bar::OverAtMost(3.0), 5.0, 2.5).holds());
        assert!(!outcome(Bar::AtMost(2.5), 3.5, 0.0).holds());
    }

    #[test]
    fn what_failed_or_was_not_measured_falls_short() {
        assert!(!outcome(Bar::AtMost(9.0), 1.0, 1.0).failed_if(true, "one of 1,000 failed").holds());
        assert!(!Outcome::alone("x", "x", Bar::AtMost(1.0), "ms", Samples::default()).holds());
    }
}
