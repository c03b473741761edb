//! Remembers which bytes a file had when it was last read, so that an unchanged file is not read again.
//!
//! A file counts as unchanged only if device, inode, size, mode, mtime and ctime are all as they were. The ctime
//! cannot be set by a program, so an agent cannot pass a changed file off as an old one; and an entry is only
//! remembered if its ctime lies clearly before the moment of reading, so that a second write in the same clock
//! tick cannot hide either. What remains is a page kept mapped and dirty across a snapshot: such a change is
//! missed until the kernel writes it back. Archives therefore never use this cache.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::Stat;

use crate::ids::RepoPath;

const HEADER: &[u8] = b"divisi stat cache 1\n";
/// A file system that keeps fractions of seconds ticks at least this often.
const FINE_TICK_NS: i128 = 100_000_000;
/// One that does not (its times are all whole seconds) ticks every second or two.
const COARSE_TICK_NS: i128 = 2_500_000_000;

/// What identifies a state of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Print {
    dev: u64,
    ino: u64,
    size: i64,
    mode: u32,
    mtime: i128,
    ctime: i128,
}

impl Print {
    pub(crate) fn of(stat: &Stat) -> Self {
        let ns = |seconds: i64, nanos: u64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        Self {
            dev: stat.st_dev,
            ino: stat.st_ino,
            size: stat.st_size,
            mode: stat.st_mode,
            mtime: ns(stat.st_mtime, stat.st_mtime_nsec),
            ctime: ns(stat.st_ctime, stat.st_ctime_nsec),
        }
    }
}

/// The memory of one workspace.
#[derive(Debug)]
pub(crate) struct StatCache {
    file: PathBuf,
    /// Device and inode of the hub's object folder: names are worth nothing in another hub.
    hub: (u64, u64),
    entries: HashMap<RepoPath, (Print, Box<str>)>,
    fresh: HashMap<RepoPath, (Print, Box<str>)>,
    now: i128,
}

impl StatCache {
    /// Loads it; a missing, foreign or damaged file is an empty memory. The present moment is taken from the file
    /// system itself (a file made beside the cache), because that is the clock which stamps the workspace's files.
    pub(crate) fn load(file: &Path, hub: (u64, u64)) -> io::Result<Self> {
        let entries = fs::read(file).ok().and_then(|bytes| parse(&bytes, hub)).unwrap_or_default();
        let probe = file.with_extension("now");
        fs::write(&probe, b"")?;
        let now = Print::of(&rustix::fs::stat(&probe)?).ctime;
        fs::remove_file(&probe)?;
        Ok(Self { file: file.to_owned(), hub, entries, fresh: HashMap::new(), now })
    }

    /// The same for one who only asks and remembers nothing.
    pub(crate) fn only_to_ask(file: &Path, hub: (u64, u64)) -> Self {
        let entries = fs::read(file).ok().and_then(|bytes| parse(&bytes, hub)).unwrap_or_default();
        Self { file: file.to_owned(), hub, entries, fresh: HashMap::new(), now: i128::MIN }
    }

    /// The blob that the file held when it looked like this.
    pub(crate) fn get(&mut self, path: &RepoPath, print: &Print) -> Option<Box<str>> {
        let (known, oid) = self.entries.get(path)?;
        if known != print {
            return None;
        }
        let oid = oid.clone();
        self.fresh.insert(path.clone(), (*print, oid.clone()));
        Some(oid)
    }

    /// Remembers what was just read, unless a later write could look the same.
    pub(crate) fn put(&mut self, path: &RepoPath, print: Print, oid: &str) {
        let tick = if print.ctime % 1_000_000_000 == 0 { COARSE_TICK_NS } else { FINE_TICK_NS };
        if print.ctime + tick < self.now {
            self.fresh.insert(path.clone(), (print, oid.into()));
        }
    }

    /// Writes what was seen this time; what was not seen is forgotten.
    pub(crate) fn save(&self) -> io::Result<()> {
        let mut out = Vec::with_capacity(self.fresh.len() * 140);
        out.extend_from_slice(HEADER);
        out.extend_from_slice(&self.hub.0.to_le_bytes());
        out.extend_from_slice(&self.hub.1.to_le_bytes());
        for (path, (print, oid)) in &self.fresh {
            let path = path.as_bytes();
            out.extend_from_slice(&u32::try_from(path.len()).unwrap_or(0).to_le_bytes());
            out.extend_from_slice(path);
            out.extend_from_slice(oid.as_bytes());
            out.extend_from_slice(&print.dev.to_le_bytes());
            out.extend_from_slice(&print.ino.to_le_bytes());
            out.extend_from_slice(&print.size.to_le_bytes());
            out.extend_from_slice(&print.mode.to_le_bytes());
            out.extend_from_slice(&print.mtime.to_le_bytes());
            out.extend_from_slice(&print.ctime.to_le_bytes());
        }
        let new = self.file.with_extension("new");
        fs::File::create(&new)?.write_all(&out)?;
        fs::rename(&new, &self.file)
    }
}

fn parse(bytes: &[u8], hub: (u64, u64)) -> Option<HashMap<RepoPath, (Print, Box<str>)>> {
    let mut rest = bytes.strip_prefix(HEADER)?;
    if (u64::from_le_bytes(take(&mut rest)?), u64::from_le_bytes(take(&mut rest)?)) != hub {
        return None;
    }
    let mut entries = HashMap::new();
    while !rest.is_empty() {
        let length = usize::try_from(u32::from_le_bytes(take(&mut rest)?)).ok()?;
        let (path, after) = rest.split_at_checked(length)?;
        let (oid, after) = after.split_at_checked(40)?;
        rest = after;
        let oid = std::str::from_utf8(oid).ok()?;
        let print = Print {
            dev: u64::from_le_bytes(take(&mut rest)?),
            ino: u64::from_le_bytes(take(&mut rest)?),
            size: i64::from_le_bytes(take(&mut rest)?),
            mode: u32::from_le_bytes(take(&mut rest)?),
            mtime: i128::from_le_bytes(take(&mut rest)?),
            ctime: i128::from_le_bytes(take(&mut rest)?),
        };
        entries.insert(RepoPath::new(path), (print, oid.into()));
    }
    Some(entries)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(ctime: i128) -> Print {
        Print { dev: 1, ino: 2, size: 3, mode: 4, mtime: 5, ctime }
    }

    #[test]
    fn what_is_old_enough_is_remembered_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cache");
        let oid = "a".repeat(40);
        let (old, path) = (print(1), RepoPath::new(&b"\xff x"[..]));
        let mut cache = StatCache::load(&file, (1, 1)).unwrap();
        cache.put(&path, old, &oid);
        cache.put(&"racy".into(), print(cache.now), &oid);
        cache.save().unwrap();

        let mut again = StatCache::load(&file, (1, 1)).unwrap();
        assert_eq!(again.get(&path, &old).as_deref(), Some(oid.as_str()));
        assert_eq!(again.get(&path, &print(2)), None);
        assert!(again.entries.len() == 1, "the racy entry must not be kept");
        assert!(StatCache::load(&file, (9, 9)).unwrap().entries.is_empty(), "another hub");

        let mut bytes = fs::read(&file).unwrap();
        bytes.truncate(bytes.len() - 3);
        fs::write(&file, bytes).unwrap();
        assert!(StatCache::load(&file, (1, 1)).unwrap().entries.is_empty(), "damaged");
    }
}
