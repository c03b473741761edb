//! Reading blobs straight from a hub's packs, without a process and a pipe between, which cost more than the reading.
//!
//! Only a shortcut for whoever writes many files. Whatever is unusual about an object (it is not packed, very large, or a
//! difference from an object that is named and not pointed to), and whatever cannot be read, is left to git. Nothing is
//! given whose name is not that of its bytes.
//!
//! The form of a pack and of its index (version 2) is that of gitformat-pack(5).

mod delta;
mod index;
mod reader;

use std::fs::{self, File};
use std::path::Path;

pub(crate) use reader::Reader;

use crate::git_index::HASH_BYTES;
use index::Index;

/// An object's name.
pub(crate) type Name = [u8; HASH_BYTES];

/// Where some objects are in the packs of a folder.
#[derive(Debug)]
pub(crate) struct Packs {
    files: Vec<File>,
    /// In the order in which they were asked for: pack and offset, or nothing.
    places: Vec<Option<(usize, u64)>>,
}

impl Packs {
    /// Looks for these objects in the packs of a folder of objects. What cannot be read counts as not there.
    pub(crate) fn find(objects: &Path, names: &[Name]) -> Self {
        let mut found = Self { files: Vec::new(), places: vec![None; names.len()] };
        let mut wanted: Vec<usize> = (0..names.len()).collect();
        wanted.sort_unstable_by_key(|n| names[*n]);
        for entry in fs::read_dir(objects.join("pack")).into_iter().flatten().flatten() {
            let path = entry.path();
            if wanted.is_empty() || path.extension().is_none_or(|extension| extension != "idx") {
                continue;
            }
            let opened =
                Index::open(&path).and_then(|index| Ok((index, File::open(path.with_extension("pack"))?)));
            if let Ok((index, pack)) = opened {
                found.look_in(&index, pack, names, &mut wanted);
            }
        }
        found
    }

    fn look_in(&mut self, index: &Index, pack: File, names: &[Name], wanted: &mut Vec<usize>) {
        let sorted: Vec<&Name> = wanted.iter().map(|n| &names[*n]).collect();
        let Ok(offsets) = index.offsets(&sorted) else { return };
        let number = self.files.len();
        for (n, offset) in wanted.iter().zip(&offsets) {
            self.places[*n] = offset.map(|offset| (number, offset));
        }
        wanted.retain(|n| self.places[*n].is_none());
        self.files.push(pack);
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;

    fn git(dir: &Path, args: &[&str]) -> String {
        let mut git = Command::new("git");
        git.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("GIT_CONFIG_NOSYSTEM", "1");
        git.env("HOME", "/nonexistent").current_dir(dir).args(["-c", "pack.window=50"]).args(args);
        let out = git.output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// Files that git keeps as differences from one another, packed; the folder of objects, and name and text of each.
    fn packed(dir: &Path) -> (PathBuf, Vec<Name>, Vec<String>) {
        git(dir, &["init", "-q"]);
        // Each differs most from those that are farthest, so that git makes long chains of differences.
        let line = |n: usize, k: usize| match k < 5 * n {
            true => format!("{k} is another line now: {}\n", k * k * 7919 % 104_729),
            false => format!("line {k} of {}\n", k * 6007 % 104_729),
        };
        let text = |n: usize| match n {
            0 => String::new(),
            _ => (0..400).map(|k| line(n, k)).collect(),
        };
        let texts: Vec<String> = (0..80).map(text).collect();
        let mut names = Vec::new();
        for (n, text) in texts.iter().enumerate() {
            fs::write(dir.join(format!("file-{n:02}")), text).unwrap();
        }
        git(dir, &["add", "-A"]);
        let tree = git(dir, &["write-tree"]);
        git(dir, &["update-ref", "refs/tags/kept", tree.trim()]);
        git(dir, &["repack", "-adfq"]);
        git(dir, &["prune-packed"]);
        for line in git(dir, &["ls-files", "--stage"]).lines() {
            let hex = line.split(' ').nth(1).unwrap();
            let byte = |n: usize| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap();
            names.push(std::array::from_fn(byte));
        }
        (dir.join(".git/objects"), names, texts)
    }

    fn pack_of(objects: &Path) -> PathBuf {
        let entries = fs::read_dir(objects.join("pack")).unwrap().flatten();
        entries.map(|entry| entry.path()).find(|path| path.extension().unwrap() == "pack").unwrap()
    }

    #[test]
    fn whole_objects_and_differences_are_read_as_git_does() {
        let dir = tempfile::tempdir().unwrap();
        let (objects, mut names, texts) = packed(dir.path());
        let index = pack_of(&objects).with_extension("idx");
        let deltas = git(dir.path(), &["verify-pack", "-v", index.to_str().unwrap()]);
        assert!(deltas.contains("chain length = 2"), "{deltas}");
        names.push([7; HASH_BYTES]);
        let packs = Packs::find(&objects, &names);
        let mut reader = Reader::new(&packs);
        for (n, text) in texts.iter().enumerate() {
            assert_eq!(reader.read(n, &names[n]).as_deref(), Some(&text.as_bytes().to_vec()), "{n}");
        }
        assert_eq!(reader.read(texts.len(), &names[texts.len()]), None, "there is no such object");
        assert_eq!(reader.read(3, &names[4]), None, "its name is another");
    }

    #[test]
    fn of_a_damaged_pack_nothing_wrong_is_given() {
        let dir = tempfile::tempdir().unwrap();
        let (objects, names, texts) = packed(dir.path());
        let pack = pack_of(&objects);
        let good = fs::read(&pack).unwrap();
        fs::remove_file(&pack).unwrap();
        for step in 0..60 {
            let mut bad = good.clone();
            let at = 12 + step * 37 % (good.len() - 12);
            if step % 5 == 0 {
                bad.truncate(at)
            } else {
                bad[at] ^= 1 << (step % 8)
            }
            fs::write(&pack, bad).unwrap();
            let packs = Packs::find(&objects, &names);
            let mut reader = Reader::new(&packs);
            for (n, text) in texts.iter().enumerate() {
                let read = reader.read(n, &names[n]);
                assert!(read.is_none_or(|bytes| bytes.as_slice() == text.as_bytes()), "{step} {n}");
            }
        }
        fs::write(pack.with_extension("idx"), b"\xfftOc\0\0\0\x02 and no more").unwrap();
        assert!(Packs::find(&objects, &names).places.iter().all(Option::is_none));
    }
}
