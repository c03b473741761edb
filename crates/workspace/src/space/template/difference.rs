//! What a layer has to hold so that one template over another is a commit's files.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::git_index::GitIndex;
use crate::listing::EntryMode;

/// From one index to another.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// Entries of the new one that the old one does not have so.
    pub(super) written: Vec<usize>,
    /// Names that the old one has and that must not be seen any more. Each stands for all below it.
    pub(super) gone: BTreeSet<Vec<u8>>,
    /// Entries that are the same in both: their numbers in the new and in the old one.
    pub(super) same: Vec<(usize, usize)>,
}

impl Difference {
    pub(super) fn between(old: &GitIndex, new: &GitIndex) -> Self {
        let mut difference = Self::default();
        let (mut o, mut n) = (0, 0);
        while o < old.len() || n < new.len() {
            let order = match (o < old.len(), n < new.len()) {
                (true, true) => old.entry(o).path.cmp(new.entry(n).path),
                (true, false) => Ordering::Less,
                (false, _) => Ordering::Greater,
            };
            match order {
                Ordering::Less => difference.gone.extend(hidden_by(new, old.entry(o).path)),
                Ordering::Greater => difference.written.push(n),
                Ordering::Equal => {
                    let (was, is) = (old.entry(o), new.entry(n));
                    let folders = was.mode == EntryMode::Gitlink && is.mode == EntryMode::Gitlink;
                    if folders || (was.mode, was.oid) == (is.mode, is.oid) {
                        difference.same.push((n, o));
                    } else {
                        difference.written.push(n);
                    }
                }
            }
            o += usize::from(order != Ordering::Greater);
            n += usize::from(order != Ordering::Less);
        }
        difference
    }

    /// How much work the layer is.
    pub(super) fn size(&self) -> usize {
        self.written.len() + self.gone.len()
    }
}

/// The name that has to be hidden so that this path is not there: the uppermost folder of which nothing is left. Nothing,
/// if what the new index has there hides it already.
fn hidden_by(new: &GitIndex, path: &[u8]) -> Option<Vec<u8>> {
    let ends = path.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| at);
    for end in ends.chain([path.len()]) {
        let prefix = &path[..end];
        if !new.has_at_or_below(prefix) {
            return Some(prefix.to_vec());
        }
        if end < path.len() && new.find(prefix).is_some_and(|n| new.entry(n).mode != EntryMode::Gitlink) {
            // A file or link in the place of the folder.
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git_index::tests::index;

    fn between(old: &[&str], new: &[&str]) -> (Vec<String>, Vec<String>) {
        let read = |paths: &[&str]| {
            let entries: Vec<(&[u8], u32)> = paths.iter().map(|p| (p.as_bytes(), 0o100_644)).collect();
            GitIndex::parse(index(&entries)).unwrap()
        };
        let new = read(new);
        let found = Difference::between(&read(old), &new);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let written = found.written.iter().map(|n| text(new.entry(*n).path)).collect();
        (written, found.gone.iter().map(|path| text(path)).collect())
    }

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_uppermost_folder_that_is_gone_stands_for_all_below_it() {
        assert_eq!(between(&["a", "d/e/f", "d/e/g", "d/x"], &["a", "d/x"]), (vec![], list(&["d/e"])));
        assert_eq!(between(&["a", "d/e/f", "z"], &["a"]), (vec![], list(&["d", "z"])));
    }

    #[test]
    fn a_file_in_the_place_of_a_folder_hides_it_and_the_other_way_round() {
        assert_eq!(between(&["a/b", "a/c"], &["a"]), (list(&["a"]), vec![]));
        assert_eq!(between(&["a"], &["a/b"]), (list(&["a/b"]), vec![]));
        assert_eq!(between(&["a", "b"], &["b", "c"]), (list(&["c"]), list(&["a"])));
    }
}
