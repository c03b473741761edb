//! The list of devices, as it is kept.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Known;
use crate::types::{DeviceKind, DeviceView};

/// A device that was not seen for so long is let in no longer.
const UNSEEN_MAX: SignedDuration = SignedDuration::from_hours(24 * 90);
/// How old the kept time of a visit may be.
const SEEN_KEPT_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// Devices that are kept; a further one takes the place of the one that was unseen for longest.
const DEVICES_MAX: usize = 64;

/// The list of devices.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Book {
    /// First part of the name under which browsers of this machine reach us.
    pub(super) host: String,
    devices: Vec<Device>,
}

/// One device.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Device {
    id: Uuid,
    name: String,
    kind: DeviceKind,
    /// The hash of its cookie.
    secret: String,
    created: Timestamp,
    last_seen: Timestamp,
    address: Option<IpAddr>,
    #[serde(skip)]
    seen_kept: Option<Timestamp>,
    #[serde(skip)]
    revoked: CancellationToken,
}

impl Book {
    /// An empty list of a machine that is called `divisi-…` with this ending.
    pub(super) fn new(ending: String) -> Self {
        Self { host: format!("divisi-{ending}"), devices: Vec::new() }
    }

    pub(super) fn read(bytes: &[u8]) -> std::io::Result<Self> {
        serde_json::from_slice(bytes).map_err(std::io::Error::from)
    }

    pub(super) fn write(&self) -> std::io::Result<Vec<u8>> {
        serde_json::to_vec_pretty(self).map_err(std::io::Error::from)
    }

    pub(super) fn add(
        &mut self,
        name: String,
        kind: DeviceKind,
        secret: String,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> DeviceView {
        self.drop_unseen(now);
        if self.devices.len() >= DEVICES_MAX
            && let Some(oldest) = self.devices.iter().min_by_key(|device| device.last_seen).map(|d| d.id)
        {
            self.revoke(oldest);
        }
        let device = Device {
            id: Uuid::now_v7(),
            name,
            kind,
            secret,
            created: now,
            last_seen: now,
            address,
            seen_kept: Some(now),
            revoked: CancellationToken::new(),
        };
        let view = device.view();
        self.devices.push(device);
        view
    }

    /// The device with this secret, which is here now, and whether the kept list tells a visit that is long past.
    pub(super) fn seen(
        &mut self,
        secret: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Option<(Known, bool)> {
        let device = self.devices.iter_mut().find(|device| device.secret == secret)?;
        if device.is_unseen(now) {
            return None;
        }
        let stale = device.seen_kept.is_none_or(|kept| now.duration_since(kept) > SEEN_KEPT_EVERY);
        if stale {
            device.seen_kept = Some(now);
        }
        device.last_seen = device.last_seen.max(now);
        device.address = address.or(device.address);
        let Device { id, kind, revoked, .. } = device;
        let away = (*kind == DeviceKind::Paired).then(|| device.name.clone());
        Some((Known { id: *id, kind: *kind, away, revoked: revoked.clone() }, stale))
    }

    pub(super) fn devices(&mut self, now: Timestamp) -> impl Iterator<Item = &Device> {
        self.drop_unseen(now);
        self.devices.iter()
    }

    /// Removes a device; whether there was one.
    pub(super) fn revoke(&mut self, id: Uuid) -> bool {
        self.remove(|device| device.id == id)
    }

    /// Removes the device with this secret.
    pub(super) fn forget(&mut self, secret: &str) {
        self.remove(|device| device.secret == secret);
    }

    fn drop_unseen(&mut self, now: Timestamp) {
        self.remove(|device| device.is_unseen(now));
    }

    fn remove(&mut self, is_meant: impl Fn(&Device) -> bool) -> bool {
        let before = self.devices.len();
        self.devices.retain(|device| {
            let goes = is_meant(device);
            if goes {
                device.revoked.cancel();
            }
            !goes
        });
        self.devices.len() < before
    }
}

impl Device {
    fn is_unseen(&self, now: Timestamp) -> bool {
        now.duration_since(self.last_seen) > UNSEEN_MAX
    }

    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    pub(super) fn view(&self) -> DeviceView {
        DeviceView {
            id: self.id,
            name: self.name.clone(),
            kind: self.kind,
            created: self.created,
            last_seen: self.last_seen,
            address: self.address.map(|address| address.to_string()),
            current: false,
            push: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    fn add(book: &mut Book, secret: &str, now: Timestamp) -> DeviceView {
        book.add("phone".into(), DeviceKind::Paired, secret.into(), None, now)
    }

    #[test]
    fn a_device_is_known_by_its_secret_also_after_a_restart() {
        let mut book = Book::new("1f".into());
        let device = add(&mut book, "s", at(0));
        let mut again = Book::read(&book.write().unwrap()).unwrap();
        let (known, stale) = again.seen("s", None, at(1)).unwrap();
        assert_eq!((known.id, known.kind, stale), (device.id, DeviceKind::Paired, true));
        assert!(!again.seen("s", None, at(1)).unwrap().1, "it was kept a moment ago");
        assert!(again.seen("other", None, at(1)).is_none());
        assert_eq!(again.host, "divisi-1f");
    }

    #[test]
    fn who_is_revoked_hears_it_and_is_not_known_again() {
        let mut book = Book::new("1f".into());
        let device = add(&mut book, "s", at(0));
        let (known, _) = book.seen("s", None, at(1)).unwrap();
        assert!(book.revoke(device.id) && known.revoked.is_cancelled());
        assert!(book.seen("s", None, at(1)).is_none());
        assert!(!book.revoke(device.id));
    }

    #[test]
    fn who_stays_away_for_a_season_is_forgotten() {
        let mut book = Book::new("1f".into());
        add(&mut book, "s", at(0));
        assert!(book.seen("s", None, at(24 * 89)).is_some());
        assert!(book.seen("s", None, at(24 * 180)).is_none(), "counted from the last visit");
        assert_eq!(book.devices(at(24 * 180)).count(), 0);
    }

    #[test]
    fn the_list_has_an_end() {
        let mut book = Book::new("1f".into());
        for n in 0..=DEVICES_MAX {
            add(&mut book, &n.to_string(), at(i64::try_from(n).unwrap()));
        }
        assert_eq!(book.devices(at(100)).count(), DEVICES_MAX);
        assert!(book.seen("0", None, at(100)).is_none(), "the one that was unseen for longest");
    }
}
