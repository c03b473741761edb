//! A whole tree as a flat list of entries, by path.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::git::GitError;
use crate::ids::RepoPath;

/// What a tree entry is, by git's octal modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryMode {
    /// 100644
    File,
    /// 100755
    Executable,
    /// 120000
    Symlink,
    /// 160000: a commit of another repository
    Gitlink,
}

impl EntryMode {
    /// Git's octal text.
    pub fn as_git(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Gitlink => "160000",
        }
    }

    /// Reads git's octal text; nothing for a folder or a mode that does not exist. Old group-writable files
    /// (100664) count as files.
    pub fn from_git(text: &str) -> Option<Self> {
        match text {
            "100644" | "100664" => Some(Self::File),
            "100755" => Some(Self::Executable),
            "120000" => Some(Self::Symlink),
            "160000" => Some(Self::Gitlink),
            _ => None,
        }
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) mode: EntryMode,
    /// Blob, or for a gitlink the other repository's commit.
    pub(crate) oid: Box<str>,
}

/// All files, links and gitlinks of a tree.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    entries: BTreeMap<RepoPath, Entry>,
}

impl Listing {
    /// Reads the output of `ls-tree -r -z`.
    pub(crate) fn parse(output: &[u8]) -> Result<Self, GitError> {
        let mut entries = BTreeMap::new();
        for record in output.split(|b| *b == 0).filter(|r| !r.is_empty()) {
            let bad = || {
                GitError::unexpected("ls-tree", format!("an entry in {:?}", String::from_utf8_lossy(record)))
            };
            let tab = record.iter().position(|b| *b == b'\t').ok_or_else(bad)?;
            let head = std::str::from_utf8(&record[..tab]).map_err(|_| bad())?;
            let mut words = head.split(' ');
            let mode = words.next().and_then(EntryMode::from_git).ok_or_else(bad)?;
            let oid = words.nth(1).filter(|oid| oid.len() == 40).ok_or_else(bad)?;
            entries.insert(RepoPath::new(&record[tab + 1..]), Entry { mode, oid: oid.into() });
        }
        Ok(Self { entries })
    }

    pub(crate) fn get(&self, path: &RepoPath) -> Option<&Entry> {
        self.entries.get(path)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&RepoPath, &Entry)> {
        self.entries.iter()
    }

    /// True if something lies below this folder (given without a final `/`).
    pub(crate) fn has_below(&self, folder: &[u8]) -> bool {
        let mut from = folder.to_vec();
        from.push(b'/');
        let start = RepoPath::new(from.clone());
        let range = (Bound::Included(&start), Bound::Unbounded);
        self.entries
            .range::<RepoPath, _>(range)
            .next()
            .is_some_and(|(path, _)| path.as_bytes().starts_with(&from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_read_with_any_names() {
        let oid = "0123456789012345678901234567890123456789";
        let text =
            format!("100644 blob {oid}\ta b\0120000 blob {oid}\tdir/l\nink\0160000 commit {oid}\tsub\0");
        let listing = Listing::parse(text.as_bytes()).unwrap();
        assert_eq!(listing.iter().count(), 3);
        assert!(listing.has_below(b"dir"));
        assert!(!listing.has_below(b"di"));
        assert_eq!(listing.get(&"sub".into()).unwrap().mode, EntryMode::Gitlink);
        assert!(Listing::parse(b"nonsense\0").is_err());
    }
}
