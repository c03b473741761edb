//! Git's index file: reading its entries, and filling in what is known of the files on disk.
//!
//! Git makes the index (`read-tree`), with the names of trees that make `status` and `commit` fast; only the fields
//! that say what each file looks like when it is unchanged are written here. So `status` is fast at once, without
//! the pass over all files that `update-index --refresh` would need.

use std::io;
use std::ops::Range;

use rustix::fs::Stat;
use sha1::{Digest as _, Sha1};

use crate::listing::EntryMode;

const HEADER_BYTES: usize = 12;
/// Times, device, inode, mode, owner and size, the object's name and the flags.
const FIXED_BYTES: usize = 62;
pub(crate) const HASH_BYTES: usize = 20;
const LOOK_BYTES: usize = 36;
/// Bit of the flags that says that more flags follow.
const EXTENDED: u16 = 0x4000;

/// An index of version 2 or 3 in memory.
#[derive(Debug)]
pub(crate) struct GitIndex {
    bytes: Vec<u8>,
    entries: Vec<At>,
}

#[derive(Debug, Clone)]
struct At {
    start: usize,
    path: Range<usize>,
}

/// One entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexEntry<'a> {
    pub(crate) path: &'a [u8],
    pub(crate) mode: EntryMode,
    pub(crate) oid: &'a [u8; HASH_BYTES],
}

/// What git compares to see whether a file is unchanged: the first 24 bytes of an entry, and the 12 after the
/// mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileLook([u8; LOOK_BYTES]);

impl FileLook {
    /// As it is found on disk. Each number is cut to 32 bits, as git does.
    #[expect(clippy::cast_possible_truncation, reason = "git keeps the lower 32 bits")]
    pub(crate) fn of(stat: &Stat) -> Self {
        let numbers: [u32; LOOK_BYTES / 4] = [
            stat.st_ctime as u32,
            stat.st_ctime_nsec as u32,
            stat.st_mtime as u32,
            stat.st_mtime_nsec as u32,
            stat.st_dev as u32,
            stat.st_ino as u32,
            stat.st_uid,
            stat.st_gid,
            stat.st_size as u32,
        ];
        let mut bytes = [0; LOOK_BYTES];
        for (to, number) in bytes.chunks_exact_mut(4).zip(numbers) {
            to.copy_from_slice(&number.to_be_bytes());
        }
        Self(bytes)
    }
}

impl GitIndex {
    /// Reads an index that our own git wrote.
    pub(crate) fn parse(bytes: Vec<u8>) -> io::Result<Self> {
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "not an index that is understood");
        let word = |at: usize| {
            let four = bytes.get(at..at + 4)?;
            Some(u32::from_be_bytes(four.try_into().ok()?))
        };
        let version = word(4).filter(|version| matches!(version, 2 | 3));
        if bytes.get(..4) != Some(b"DIRC") || version.is_none() {
            return Err(bad());
        }
        let count = usize::try_from(word(8).ok_or_else(bad)?).map_err(|_| bad())?;
        let mut entries = Vec::with_capacity(count.min(bytes.len() / FIXED_BYTES));
        let mut start = HEADER_BYTES;
        for _ in 0..count {
            let flags = bytes.get(start + 60..start + 62).ok_or_else(bad)?;
            let flags = u16::from_be_bytes([flags[0], flags[1]]);
            let name = start + FIXED_BYTES + if flags & EXTENDED != 0 { 2 } else { 0 };
            let rest = bytes.get(name..).ok_or_else(bad)?;
            let length = rest.iter().position(|b| *b == 0).ok_or_else(bad)?;
            let end = name + length;
            EntryMode::from_git(&format!("{:o}", word(start + 24).ok_or_else(bad)?)).ok_or_else(bad)?;
            entries.push(At { start, path: name..end });
            start += (end - start + 8) & !7;
        }
        if start + HASH_BYTES > bytes.len() {
            return Err(bad());
        }
        Ok(Self { bytes, entries })
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// One of them; they are sorted by path.
    pub(crate) fn entry(&self, n: usize) -> IndexEntry<'_> {
        let at = &self.entries[n];
        let mode = match self.bytes[at.start + 24..at.start + 28] {
            [_, _, 0xa0, _] => EntryMode::Symlink,
            [_, _, 0xe0, _] => EntryMode::Gitlink,
            [_, _, _, low] if low & 0o100 != 0 => EntryMode::Executable,
            _ => EntryMode::File,
        };
        let oid = self.bytes[at.start + 40..at.start + 60].try_into().unwrap_or(&[0; HASH_BYTES]);
        IndexEntry { path: &self.bytes[at.path.clone()], mode, oid }
    }

    /// The object's name in hex.
    pub(crate) fn oid(&self, n: usize) -> String {
        hex(self.entry(n).oid)
    }

    /// What a file looks like that is unchanged.
    pub(crate) fn look(&self, n: usize) -> FileLook {
        let start = self.entries[n].start;
        let mut look = [0; LOOK_BYTES];
        look[..24].copy_from_slice(&self.bytes[start..start + 24]);
        look[24..].copy_from_slice(&self.bytes[start + 28..start + 40]);
        FileLook(look)
    }

    /// Says what a file looks like that is unchanged.
    pub(crate) fn set_look(&mut self, n: usize, look: FileLook) {
        let start = self.entries[n].start;
        self.bytes[start..start + 24].copy_from_slice(&look.0[..24]);
        self.bytes[start + 28..start + 40].copy_from_slice(&look.0[24..]);
    }

    /// Whether there is an entry below this folder (without a final `/`), or one of this name.
    pub(crate) fn has_at_or_below(&self, path: &[u8]) -> bool {
        let mut folder = path.to_vec();
        folder.push(b'/');
        let below = self.entries.partition_point(|at| &self.bytes[at.path.clone()] < folder.as_slice());
        let is_below =
            self.entries.get(below).is_some_and(|at| self.bytes[at.path.clone()].starts_with(&folder));
        is_below || self.find(path).is_some()
    }

    /// The number of the entry of this name.
    pub(crate) fn find(&self, path: &[u8]) -> Option<usize> {
        let found = self.entries.binary_search_by(|at| self.bytes[at.path.clone()].cmp(path));
        found.ok()
    }

    /// The file's bytes, with its checksum made anew.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        let end = self.bytes.len() - HASH_BYTES;
        let hash = Sha1::digest(&self.bytes[..end]);
        self.bytes[end..].copy_from_slice(&hash);
        self.bytes
    }
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]])
        .map(char::from)
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The bytes of an index with these entries, all of the same blob.
    pub(crate) fn index(paths: &[(&[u8], u32)]) -> Vec<u8> {
        let mut bytes = b"DIRC\0\0\0\x02".to_vec();
        bytes.extend_from_slice(&u32::try_from(paths.len()).unwrap().to_be_bytes());
        for (path, mode) in paths {
            let start = bytes.len();
            bytes.extend_from_slice(&[0; 24]);
            bytes.extend_from_slice(&mode.to_be_bytes());
            bytes.extend_from_slice(&[0; 12]);
            bytes.extend_from_slice(&[0xab; 20]);
            bytes.extend_from_slice(&u16::try_from(path.len()).unwrap().to_be_bytes());
            bytes.extend_from_slice(path);
            let padded = (bytes.len() - start + 8) & !7;
            bytes.resize(start + padded, 0);
        }
        bytes.extend_from_slice(&[0; 20]);
        bytes
    }

    #[test]
    fn entries_are_read_and_filled_in() {
        let paths: [(&[u8], u32); 4] =
            [(b"a b", 0o100_644), (b"dir/x\xff", 0o100_755), (b"l", 0o120_000), (b"sub", 0o160_000)];
        let mut read = GitIndex::parse(index(&paths)).unwrap();
        let modes: Vec<_> = (0..read.len()).map(|n| read.entry(n).mode).collect();
        assert_eq!(modes, [EntryMode::File, EntryMode::Executable, EntryMode::Symlink, EntryMode::Gitlink]);
        assert_eq!((read.entry(1).path, read.oid(0)), (&b"dir/x\xff"[..], "ab".repeat(20)));
        let stat = rustix::fs::stat("/").unwrap();
        read.set_look(2, FileLook::of(&stat));
        assert_eq!((read.look(2), read.look(1)), (FileLook::of(&stat), FileLook([0; LOOK_BYTES])));
        assert!(read.has_at_or_below(b"dir") && read.has_at_or_below(b"l") && !read.has_at_or_below(b"di"));
        let again = GitIndex::parse(read.into_bytes()).unwrap();
        assert_eq!((again.len(), again.look(2)), (4, FileLook::of(&stat)));
    }

    #[test]
    fn what_is_no_index_is_refused() {
        let good = index(&[(b"a", 0o100_644)]);
        for cut in [0, 4, 11, 40, good.len() - 21] {
            assert!(GitIndex::parse(good[..cut].to_vec()).is_err(), "{cut}");
        }
        assert!(GitIndex::parse(index(&[(b"a", 0o777_777)])).is_err());
    }
}
