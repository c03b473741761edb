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

    /// The entries from one path on, up to another one if there is one.
    pub(crate) fn range<'a>(
        &'a self,
        from: &[u8],
        to: Option<&[u8]>,
    ) -> impl Iterator<Item = (&'a RepoPath, &'a Entry)> + use<'a> {
        let from = Bound::Included(RepoPath::new(from));
        let to = to.map_or(Bound::Unbounded, |to| Bound::Excluded(RepoPath::new(to)));
        self.entries.range((from, to))
    }

    /// All below a folder (given without a final `/`).
    pub(crate) fn below<'a>(
        &'a self,
        folder: &[u8],
    ) -> impl Iterator<Item = (&'a RepoPath, &'a Entry)> + use<'a> {
        let (from, to) = span(folder);
        self.range(&from, Some(&to))
    }

    /// True if something lies below this folder (given without a final `/`).
    pub(crate) fn has_below(&self, folder: &[u8]) -> bool {
        self.below(folder).next().is_some()
    }
}

/// Where the paths below a folder begin and end in the order of all paths: at the folder with a `/`, and with the byte
/// that comes after it.
pub(crate) fn span(folder: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let end = |last: u8| folder.iter().copied().chain([last]).collect();
    (end(b'/'), end(b'/' + 1))
}

/// Everything but what lies below some folders.
#[derive(Debug)]
pub(crate) struct Outside {
    gaps: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Outside {
    /// No folder may lie in another.
    pub(crate) fn of(folders: &[RepoPath]) -> Self {
        let mut spans: Vec<_> = folders.iter().map(|folder| span(folder.as_bytes())).collect();
        spans.sort_unstable();
        let mut gaps = Vec::with_capacity(spans.len() + 1);
        let mut at = Vec::new();
        for (from, to) in spans {
            gaps.push((std::mem::replace(&mut at, to), Some(from)));
        }
        gaps.push((at, None));
        Self { gaps }
    }

    /// The entries of a listing there.
    pub(crate) fn entries<'a>(
        &'a self,
        listing: &'a Listing,
    ) -> impl Iterator<Item = (&'a RepoPath, &'a Entry)> {
        self.gaps.iter().flat_map(|(from, to)| listing.range(from, to.as_deref()))
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

    #[test]
    fn what_lies_outside_of_some_folders() {
        let oid = "a".repeat(40);
        let text: String = ["a", "d-x/1", "d/1", "d/2", "d0", "e/1", "z"]
            .map(|path| format!("100644 blob {oid}\t{path}\0"))
            .concat();
        let listing = Listing::parse(text.as_bytes()).unwrap();
        let outside = |folders: &[&str]| -> Vec<String> {
            let folders: Vec<RepoPath> = folders.iter().map(|folder| (*folder).into()).collect();
            Outside::of(&folders).entries(&listing).map(|(path, _)| path.to_string()).collect()
        };
        assert_eq!(outside(&["e", "d"]), ["a", "d-x/1", "d0", "z"]);
        assert_eq!(outside(&[]).len(), 7);
    }
}
