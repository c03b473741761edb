//! Who is subscribed, as it is kept: one subscription for each device.

use std::collections::BTreeSet;

use divisi_model::notice::NoticeKind;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Subscriptions that are kept: as many as there can be devices.
const SUBSCRIPTIONS_MAX: usize = 64;

/// What a device wants to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// The kinds of notice.
    pub kinds: BTreeSet<NoticeKind>,
    /// When nothing is told.
    pub quiet: Option<Quiet>,
}

/// Hours of the day in which nothing is told. What still waits at their end is told then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    /// The first of them, 0 to 23.
    pub from: u8,
    /// The first that is not, 0 to 23; at the same hour there are none.
    pub to: u8,
    /// Where: a name of the time zone database, such as `Europe/Vienna`.
    pub zone: String,
}

/// A subscription as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// The address at the service.
    pub endpoint: String,
    /// What it wants to be told.
    pub choices: Choices,
    /// When the service last took something.
    pub told: Option<Timestamp>,
    /// Why the service last took nothing; none when it did.
    pub trouble: Option<String>,
}

/// One subscription.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) device: Uuid,
    pub(super) endpoint: String,
    /// The browser's public key, in base64url.
    pub(super) p256dh: String,
    /// The secret that the browser gave with it, in base64url.
    pub(super) auth: String,
    pub(super) choices: Choices,
    /// The number of the last event whose notice is settled: told, or not wanted.
    pub(super) settled: u64,
    #[serde(default)]
    pub(super) told: Option<Timestamp>,
    #[serde(default)]
    pub(super) trouble: Option<String>,
}

/// All of them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Book {
    entries: Vec<Entry>,
}

impl Default for Choices {
    fn default() -> Self {
        Self { kinds: NoticeKind::USUAL.into(), quiet: None }
    }
}

impl Quiet {
    /// Whether its hours and its zone exist.
    pub fn is_sound(&self) -> bool {
        self.from < 24 && self.to < 24 && TimeZone::get(&self.zone).is_ok()
    }

    /// Whether it is quiet now, which may go over midnight.
    pub(super) fn holds(&self, now: Timestamp) -> bool {
        let Ok(zone) = TimeZone::get(&self.zone) else { return false };
        let hour = u8::try_from(now.to_zoned(zone).hour()).unwrap_or(0);
        match self.from <= self.to {
            true => self.from <= hour && hour < self.to,
            false => self.from <= hour || hour < self.to,
        }
    }
}

impl Entry {
    pub(super) fn shown(&self) -> Subscribed {
        let Self { endpoint, choices, told, trouble, .. } = self.clone();
        Subscribed { endpoint, choices, told, trouble }
    }
}

impl Book {
    pub(super) fn read(bytes: &[u8]) -> std::io::Result<Self> {
        serde_json::from_slice(bytes).map_err(std::io::Error::from)
    }

    pub(super) fn write(&self) -> std::io::Result<Vec<u8>> {
        serde_json::to_vec_pretty(self).map_err(std::io::Error::from)
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn get(&self, device: Uuid) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.device == device)
    }

    pub(super) fn get_mut(&mut self, device: Uuid) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.device == device)
    }

    /// Puts a subscription in the place of the device's own, and of the same browser's under an earlier name. What was
    /// settled for either stays so. False when there are too many.
    pub(super) fn put(&mut self, mut entry: Entry, choices: Option<Choices>) -> bool {
        let same = |one: &Entry| one.device == entry.device || one.endpoint == entry.endpoint;
        let before = self.entries.iter().filter(|one| same(one)).max_by_key(|one| one.device == entry.device);
        if let Some(before) = before {
            entry.settled = before.settled;
            entry.choices = before.choices.clone();
            entry.told = before.told;
        }
        if let Some(choices) = choices {
            entry.choices = choices;
        }
        let (device, endpoint) = (entry.device, entry.endpoint.clone());
        self.entries.retain(|one| one.device != device && one.endpoint != endpoint);
        let fits = self.entries.len() < SUBSCRIPTIONS_MAX;
        if fits {
            self.entries.push(entry);
        }
        fits
    }

    /// Removes those that are not to be kept; whether there were any.
    pub(super) fn keep(&mut self, is_kept: impl Fn(&Entry) -> bool) -> bool {
        let before = self.entries.len();
        self.entries.retain(is_kept);
        self.entries.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(device: u128, endpoint: &str, settled: u64) -> Entry {
        let (endpoint, choices) = (endpoint.to_owned(), Choices::default());
        let device = Uuid::from_u128(device);
        let (p256dh, auth) = (String::new(), String::new());
        Entry { device, endpoint, p256dh, auth, choices, settled, told: None, trouble: None }
    }

    #[test]
    fn a_device_has_one_and_a_browser_that_entered_anew_takes_its_own_along() {
        let mut book = Book::default();
        let choices = Choices { kinds: [NoticeKind::Landed].into(), quiet: None };
        assert!(book.put(entry(1, "a", 5), Some(choices.clone())));
        assert!(book.put(entry(1, "b", 9), None));
        let kept = book.get(Uuid::from_u128(1)).unwrap();
        assert_eq!((kept.endpoint.as_str(), kept.settled, &kept.choices), ("b", 5, &choices));
        assert!(book.put(entry(2, "b", 9), None));
        assert_eq!(book.entries().len(), 1);
        let kept = book.get(Uuid::from_u128(2)).unwrap();
        assert_eq!((kept.settled, &kept.choices), (5, &choices));
        let again = Book::read(&book.write().unwrap()).unwrap();
        assert_eq!(again.get(Uuid::from_u128(2)).unwrap().settled, 5);
        for n in 3..200 {
            book.put(entry(n, &n.to_string(), 0), None);
        }
        assert_eq!(book.entries().len(), SUBSCRIPTIONS_MAX);
        assert!(!book.put(entry(999, "x", 0), None));
    }

    #[test]
    fn quiet_hours_are_those_of_the_device_and_may_go_over_midnight() {
        let quiet = |from, to, zone: &str| Quiet { from, to, zone: zone.to_owned() };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let night = quiet(22, 7, "UTC");
        let held =
            ["2026-11-21T21:59:00Z", "2026-11-21T22:00:00Z", "2026-11-22T06:59:00Z", "2026-11-22T07:00:00Z"];
        assert_eq!(held.map(|now| night.holds(at(now))), [false, true, true, false]);
        assert!(quiet(22, 7, "Asia/Tokyo").holds(at("2026-11-21T14:00:00Z")));
        assert!(!quiet(5, 5, "UTC").holds(at("2026-11-21T05:30:00Z")));
        assert!(
            night.is_sound() && !quiet(24, 7, "UTC").is_sound() && !quiet(1, 2, "Nowhere/At all").is_sound()
        );
    }
}
