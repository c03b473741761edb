//! Counts wrong codes by address. A code cannot be guessed; this keeps who tries from costing anything.

use std::collections::HashMap;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

/// Wrong codes that are heard from one address within [`WINDOW`].
const WRONG_MAX: u32 = 10;
/// After this time an address begins anew; after a clock that was set back by as much, too.
const WINDOW: SignedDuration = SignedDuration::from_mins(1);
/// Addresses that are remembered.
const ADDRESSES_MAX: usize = 1024;

/// Who sent wrong codes, since when, and how many.
#[derive(Default)]
pub(super) struct WrongCodes(HashMap<Option<IpAddr>, (Timestamp, u32)>);

impl WrongCodes {
    /// Whether nothing more is heard from this address for now.
    pub(super) fn is_over(&self, address: Option<IpAddr>, now: Timestamp) -> bool {
        self.0
            .get(&address)
            .is_some_and(|(since, count)| *count >= WRONG_MAX && now.duration_since(*since).abs() < WINDOW)
    }

    /// Counts one.
    pub(super) fn count(&mut self, address: Option<IpAddr>, now: Timestamp) {
        self.0.retain(|_, (since, _)| now.duration_since(*since).abs() < WINDOW);
        if self.0.len() >= ADDRESSES_MAX {
            self.0.clear();
        }
        self.0.entry(address).or_insert((now, 0)).1 += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_tries_too_often_waits_and_nobody_else_does() {
        let (mut wrong, now) = (WrongCodes::default(), Timestamp::UNIX_EPOCH);
        let (one, other) = (Some(IpAddr::from([10, 0, 0, 1])), Some(IpAddr::from([10, 0, 0, 2])));
        for _ in 0..WRONG_MAX {
            assert!(!wrong.is_over(one, now));
            wrong.count(one, now);
        }
        assert!(wrong.is_over(one, now) && !wrong.is_over(other, now));
        assert!(!wrong.is_over(one, now + WINDOW));
        assert!(
            !wrong.is_over(one, now - WINDOW * 60),
            "nobody waits until a clock that was set back catches up"
        );
    }
}
