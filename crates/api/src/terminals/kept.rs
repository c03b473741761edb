//! The last of what was written to a terminal, for whoever comes back to it.

use std::collections::VecDeque;

/// How much of it is kept.
pub(super) const KEPT_BYTES: usize = 512 << 10;

/// The last bytes, and how many there were before them.
#[derive(Debug, Default)]
pub(super) struct Kept {
    bytes: VecDeque<u8>,
    gone: u64,
}

impl Kept {
    /// How many bytes were written in all.
    pub(super) fn end(&self) -> u64 {
        self.gone + self.bytes.len() as u64
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        let over = self.bytes.len().saturating_sub(KEPT_BYTES);
        self.bytes.drain(..over);
        self.gone += over as u64;
    }

    /// The first byte that can be had from `from` on.
    pub(super) fn begin(&self, from: u64) -> u64 {
        from.clamp(self.gone, self.end())
    }

    /// At most `max` bytes from `from` on, of those that can be had.
    pub(super) fn read(&self, from: u64, max: usize) -> Vec<u8> {
        let skip = usize::try_from(self.begin(from) - self.gone).unwrap_or(usize::MAX);
        self.bytes.range(skip.min(self.bytes.len())..).take(max).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_is_kept_and_what_is_gone_is_counted() {
        let mut kept = Kept::default();
        kept.add(b"first");
        assert_eq!((kept.begin(2), kept.read(2, 2), kept.read(2, 9)), (2, b"rs".to_vec(), b"rst".to_vec()));
        assert_eq!((kept.begin(9), kept.read(9, 9)), (5, vec![]));
        kept.add(&vec![b'x'; KEPT_BYTES]);
        assert_eq!((kept.end(), kept.begin(0)), (KEPT_BYTES as u64 + 5, 5));
        assert_eq!(kept.read(0, 3), b"xxx");
    }
}
