//! How long the agent seems to think and type: reproducible from a seed.

use std::time::Duration;

/// A person reads about four words a second; a model types faster.
const WORD: Duration = Duration::from_millis(45);
const THOUGHT: Duration = Duration::from_millis(700);
const TOOL: Duration = Duration::from_millis(500);

/// Waiting times scaled by a factor.
#[derive(Debug, Clone)]
pub struct Pace {
    factor: f64,
    state: u64,
}

impl Pace {
    /// Factor 0 never waits.
    pub fn new(factor: f64, seed: u64) -> Self {
        let factor = if factor.is_finite() { factor.clamp(0.0, 1000.0) } else { 0.0 };
        Self { factor, state: seed }
    }

    /// Time per word of a message; none when nothing waits.
    pub fn word(&mut self) -> Option<Duration> {
        self.scaled(WORD)
    }

    /// Time before a thought or message.
    pub fn thought(&mut self) -> Option<Duration> {
        self.scaled(THOUGHT)
    }

    /// Time a tool takes.
    pub fn tool(&mut self) -> Option<Duration> {
        self.scaled(TOOL)
    }

    /// Between half and one and a half of `usual`.
    fn scaled(&mut self, usual: Duration) -> Option<Duration> {
        if self.factor == 0.0 {
            return None;
        }
        // SplitMix64: small, and the same everywhere.
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        let share = 0.5 + (mixed >> 11) as f64 / (1u64 << 53) as f64;
        Some(usual.mul_f64(self.factor * share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_never_waits_and_a_seed_repeats_itself() {
        assert_eq!(Pace::new(0.0, 7).tool(), None);
        let times = |seed| {
            let mut pace = Pace::new(1.0, seed);
            [pace.tool(), pace.word(), pace.thought()]
        };
        assert_eq!(times(7), times(7));
        assert_ne!(Pace::new(1.0, 7).tool(), Pace::new(1.0, 8).tool());
        let mut pace = Pace::new(2.0, 1);
        assert!((0..100).all(|_| pace.tool().is_some_and(|time| time >= TOOL && time <= TOOL * 3)));
    }
}
