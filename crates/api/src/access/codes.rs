//! One-time codes. They live in memory only: a daemon that ends takes them along.

use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq;

use crate::types::DeviceKind;

/// How long a code can be used.
const LIFE: SignedDuration = SignedDuration::from_mins(10);
/// Codes that wait to be used; a further one takes the place of the oldest.
const WAITING_MAX: usize = 32;

/// The codes that were given out.
#[derive(Default)]
pub(super) struct Codes(Vec<Code>);

/// One of them.
pub(super) struct Code {
    hash: String,
    pub(super) kind: DeviceKind,
    pub(super) name: Option<String>,
    expires: Timestamp,
}

impl Codes {
    /// Notes a code by its hash. Gives until when it can be used.
    pub(super) fn add(
        &mut self,
        hash: String,
        kind: DeviceKind,
        name: Option<String>,
        now: Timestamp,
    ) -> Timestamp {
        self.0.retain(|code| code.expires > now);
        if self.0.len() >= WAITING_MAX {
            self.0.remove(0);
        }
        let expires = now + LIFE;
        self.0.push(Code { hash, kind, name, expires });
        expires
    }

    /// Uses a code up.
    pub(super) fn take(&mut self, hash: &str, now: Timestamp) -> Option<Code> {
        self.0.retain(|code| code.expires > now);
        let found = self.0.iter().position(|code| bool::from(code.hash.as_bytes().ct_eq(hash.as_bytes())))?;
        Some(self.0.remove(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    #[test]
    fn a_code_is_good_once_and_for_ten_minutes() {
        let mut codes = Codes::default();
        codes.add("a".into(), DeviceKind::Paired, Some("phone".into()), at(0));
        assert!(codes.take("b", at(1)).is_none());
        let code = codes.take("a", at(9)).unwrap();
        assert_eq!((code.kind, code.name.as_deref()), (DeviceKind::Paired, Some("phone")));
        assert!(codes.take("a", at(9)).is_none(), "used");
        codes.add("c".into(), DeviceKind::Owner, None, at(10));
        assert!(codes.take("c", at(20)).is_none(), "too old");
    }

    #[test]
    fn many_codes_push_out_the_oldest() {
        let mut codes = Codes::default();
        for n in 0..=WAITING_MAX {
            codes.add(n.to_string(), DeviceKind::Owner, None, at(0));
        }
        assert!(codes.take("0", at(1)).is_none());
        assert!(codes.take("1", at(1)).is_some());
    }
}
