//! Samples of one thing, and taking them by turns with those of another.

use std::time::Instant;

use crate::Result;

/// What was measured, several times.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// From values in any order.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The value below which `share` (0 to 1) of all lie; 0 without any.
    pub fn percentile(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1) as f64;
        self.0.get((share * last).ceil() as usize).copied().unwrap_or_default()
    }

    /// The one in the middle, or the mean of the two there.
    pub fn median(&self) -> f64 {
        let (n, half) = (self.0.len(), self.0.len() / 2);
        match n {
            0 => 0.0,
            n if n % 2 == 1 => self.0[half],
            _ => f64::midpoint(self.0[half - 1], self.0[half]),
        }
    }

    /// The lowest.
    pub fn min(&self) -> f64 {
        self.0.first().copied().unwrap_or_default()
    }

    /// The highest.
    pub fn max(&self) -> f64 {
        self.0.last().copied().unwrap_or_default()
    }
}

/// Two things measured by turns.
#[derive(Debug)]
pub struct Pair {
    pub product: Samples,
    pub floor: Samples,
}

/// Measures product and floor `times` times by turns, each beginning every second time. The first turn warms up and
/// does not count.
pub fn by_turns(
    times: usize,
    mut product: impl FnMut(usize) -> Result<f64>,
    mut floor: impl FnMut(usize) -> Result<f64>,
) -> Result<Pair> {
    let (mut products, mut floors) = (Vec::new(), Vec::new());
    for turn in 0..=times {
        let (one, other) = if turn % 2 == 0 {
            let one = product(turn)?;
            (one, floor(turn)?)
        } else {
            let other = floor(turn)?;
            (product(turn)?, other)
        };
        if turn > 0 {
            products.push(one);
            floors.push(other);
        }
    }
    Ok(Pair { product: Samples::of(products), floor: Samples::of(floors) })
}

/// Milliseconds that something took, and what it gave.
pub fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(f64, T)> {
    let started = Instant::now();
    let given = work()?;
    Ok((started.elapsed().as_secs_f64() * 1000.0, given))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_percentiles_of_few_values() {
        let samples = Samples::of([5.0, 1.0, 3.0]);
        assert_eq!((samples.median(), samples.min(), samples.max()), (3.0, 1.0, 5.0));
        assert_eq!(Samples::of([1.0, 2.0]).median(), 1.5);
        assert_eq!(Samples::of((0..=100).map(f64::from)).percentile(0.99), 99.0);
        assert_eq!(Samples::default().median(), 0.0);
    }

    #[test]
    fn turns_alternate_and_the_first_is_not_counted() {
        let order = std::cell::RefCell::new(String::new());
        let note = |who: &str, turn: usize| {
            order.borrow_mut().push_str(who);
            Ok(turn as f64)
        };
        let pair = by_turns(2, |turn| note("p", turn), |turn| note("f", turn)).expect("nothing fails");
        assert_eq!(order.into_inner(), "pffppf");
        assert_eq!(pair.product, Samples::of([1.0, 2.0]));
    }
}
