//! When a service that did not take a message is asked again.

use std::time::Duration;

use tokio::time::Instant;

/// The first pause; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
/// The longest pause, whatever a service says.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Failures in a row of one subscription.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Retry {
    failures: u32,
    until: Option<Instant>,
}

impl Retry {
    /// It failed; `after` is what the service said.
    pub(super) fn failed(&mut self, after: Option<Duration>, now: Instant) {
        let own = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        self.until = Some(now + after.unwrap_or(own).max(Duration::from_secs(1)).min(LONGEST_PAUSE));
    }

    /// Until when nothing is sent.
    pub(super) fn until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_have_an_end_whatever_a_service_says() {
        let now = Instant::now();
        let mut retry = Retry::default();
        let mut pauses = Vec::new();
        for _ in 0..40 {
            retry.failed(None, now);
            pauses.push((retry.until(now).unwrap() - now).as_secs());
        }
        assert_eq!(pauses[..4], [15, 30, 60, 120]);
        assert_eq!(pauses[39], 3600);
        retry.failed(Some(Duration::MAX), now);
        assert_eq!(retry.until(now), Some(now + LONGEST_PAUSE));
        retry.failed(Some(Duration::ZERO), now);
        assert_eq!(retry.until(now), Some(now + Duration::from_secs(1)));
        assert_eq!(retry.until(now + LONGEST_PAUSE), None);
    }
}
