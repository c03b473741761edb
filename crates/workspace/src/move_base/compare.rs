//! Whether a file holds what it is said to hold.

use std::io::{self, Read, Write};

use rustix::fs::FileType;

use crate::beneath::Beneath;
use crate::git::CatFile;
use crate::hub::{HubError, git_error};
use crate::listing::{Entry, EntryMode};

/// True if this name is a file or link with exactly this content and mode. What cannot be read is not.
pub(super) fn holds(
    objects: &mut CatFile,
    dir: &Beneath,
    name: &[u8],
    entry: &Entry,
) -> Result<bool, HubError> {
    let Ok(stat) = dir.stat(name) else { return Ok(false) };
    let executable = stat.st_mode & 0o100 != 0;
    let opened: Option<Box<dyn Read>> = match (FileType::from_raw_mode(stat.st_mode), entry.mode) {
        (FileType::Symlink, EntryMode::Symlink) => {
            dir.link(name).ok().map(|text| Box::new(io::Cursor::new(text)) as _)
        }
        (FileType::RegularFile, EntryMode::File | EntryMode::Executable)
            if executable == (entry.mode == EntryMode::Executable) =>
        {
            dir.file(name).ok().map(|(file, _)| Box::new(file) as _)
        }
        _ => None,
    };
    let Some(from) = opened else { return Ok(false) };
    let mut compare = Compare { from, same: true };
    let known = objects.copy(&entry.oid, &mut compare).map_err(git_error("read a file from the hub"))?;
    Ok(known.is_some() && compare.ended_alike())
}

/// Reads along with what is written to it and compares. It never fails, so that the conversation that writes to it
/// stays whole.
struct Compare {
    from: Box<dyn Read>,
    same: bool,
}

impl Compare {
    fn ended_alike(&mut self) -> bool {
        self.same && matches!(self.from.read(&mut [0]), Ok(0))
    }
}

impl Write for Compare {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut there = vec![0; bytes.len()];
        self.same = self.same && self.from.read_exact(&mut there).is_ok() && there == bytes;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_bytes_to_the_end_are_the_same() {
        for (there, same) in [("abcd", true), ("abc", false), ("abcde", false), ("abxd", false)] {
            let mut compare = Compare { from: Box::new(there.as_bytes()), same: true };
            compare.write_all(b"ab").unwrap();
            compare.write_all(b"cd").unwrap();
            assert_eq!(compare.ended_alike(), same, "{there}");
        }
    }
}
