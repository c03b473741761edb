//! The user's repository and the hub in memory: commits, branches and merges, as far as the engine can tell.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use divisi_model::Oid;
use sha2::Digest as _;

/// Files by path.
pub(crate) type Files = BTreeMap<String, String>;

#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) files: Files,
    pub(crate) parents: Vec<Oid>,
}

/// Commits stay for ever; branches move.
#[derive(Debug, Default)]
pub(crate) struct Repo {
    pub(crate) commits: BTreeMap<Oid, Commit>,
    pub(crate) branches: BTreeMap<String, Oid>,
    /// The user's checkout has changes in the way.
    pub(crate) dirty: bool,
}

/// Two sides put together.
pub(crate) struct Merged {
    pub(crate) files: Files,
    pub(crate) conflicts: Vec<String>,
}

impl Repo {
    pub(crate) fn commit(&mut self, files: Files, parents: Vec<Oid>, message: &str) -> Oid {
        let id = hash(&format!("commit {} {parents:?} {message}", tree(&files)));
        self.commits.insert(id.clone(), Commit { files, parents });
        id
    }

    pub(crate) fn files(&self, commit: &Oid) -> Files {
        self.commits.get(commit).map(|commit| commit.files.clone()).unwrap_or_default()
    }

    pub(crate) fn ancestors(&self, of: &Oid) -> BTreeSet<Oid> {
        let (mut seen, mut next) = (BTreeSet::new(), VecDeque::from([of.clone()]));
        while let Some(id) = next.pop_front() {
            if seen.insert(id.clone()) {
                next.extend(self.commits.get(&id).into_iter().flat_map(|commit| commit.parents.clone()));
            }
        }
        seen
    }

    /// Merges by whole files: both sides changed the same one is a conflict.
    pub(crate) fn merge(&self, base: &Oid, ours: &Oid, theirs: &Files) -> Merged {
        let (base, ours) = (self.files(base), self.files(ours));
        let mut merged = Merged { files: Files::new(), conflicts: Vec::new() };
        let paths: BTreeSet<_> = base.keys().chain(ours.keys()).chain(theirs.keys()).cloned().collect();
        for path in paths {
            let (b, o, t) = (base.get(&path), ours.get(&path), theirs.get(&path));
            let chosen = if o == t || t == b {
                o.cloned()
            } else if o == b {
                t.cloned()
            } else {
                merged.conflicts.push(path.clone());
                let side = |side: Option<&String>| side.cloned().unwrap_or_default();
                Some(format!("<<<<<<< target\n{}=======\n{}>>>>>>> attempt\n", side(o), side(t)))
            };
            if let Some(text) = chosen {
                merged.files.insert(path, text);
            }
        }
        merged
    }
}

/// The id of a tree.
pub(crate) fn tree(files: &Files) -> Oid {
    hash(&format!("tree {files:?}"))
}

pub(crate) fn hash(text: &str) -> Oid {
    let digest = sha2::Sha256::digest(text.as_bytes());
    Oid(digest.iter().take(20).map(|byte| format!("{byte:02x}")).collect())
}
