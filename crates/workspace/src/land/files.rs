//! Which files of a checkout a landing touches, and what stands in its way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{Dirty, DirtyFile, LandError};
use crate::diff::FileDiff;
use crate::git::{Call, Git, GitError};
use crate::git_box::Confine;
use crate::ids::RepoPath;
use crate::project::{Checkout, Project};

/// The tree with nothing in it, which every git knows.
pub(super) const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// Files in a git directory that say that something is under way.
const UNDER_WAY: &[(&str, &str)] = &[
    ("MERGE_HEAD", "a merge is not finished"),
    ("CHERRY_PICK_HEAD", "a cherry-pick is not finished"),
    ("REVERT_HEAD", "a revert is not finished"),
];

/// A call in a checkout of the user's with a copy of its index: no filter of the user's is left to run, and the box
/// would not let it.
pub(super) struct Inside<'a> {
    pub(super) git: &'a Git,
    pub(super) checkout: &'a Checkout,
    pub(super) common_dir: &'a Path,
    pub(super) scratch: &'a Path,
    pub(super) filters: &'a [String],
}

impl Inside<'_> {
    pub(super) fn call(&self, index: &Path) -> Call {
        let writable = [&self.checkout.top, &self.checkout.git_dir, self.common_dir, self.scratch];
        let mut call = self.git.call(&self.checkout.git_dir).work_tree(&self.checkout.top).index(index);
        for name in self.filters {
            for (key, value) in [("clean", ""), ("smudge", ""), ("process", ""), ("required", "false")] {
                call = call.config(format!("filter.{name}.{key}"), value);
            }
        }
        // A split index would refer to a file beside the copy, which is not there.
        call.config("core.splitIndex", "false").confine(Confine::writing(writable.map(Path::new))).long()
    }
}

/// The names of the filters that the repository's configuration defines.
pub(super) fn filter_names(project: &Project) -> Result<Vec<String>, GitError> {
    let call =
        project.call().args(["config", "--includes", "--name-only", "-z", "--get-regexp", "^filter\\."]);
    let out = call.accept(&[0, 1]).run()?;
    let mut names = BTreeSet::new();
    for key in out.records() {
        let key = String::from_utf8_lossy(key);
        let name = key.strip_prefix("filter.").and_then(|rest| rest.rsplit_once('.')).map(|(name, _)| name);
        if let Some(name) = name {
            if name.contains('=') {
                return Err(GitError::unexpected("config", format!("a filter name without `=` ({name:?})")));
            }
            names.insert(name.to_owned());
        }
    }
    Ok(names.into_iter().collect())
}

/// Refuses while the branch is in the middle of a rebase or bisect anywhere, or its checkout of a merge.
pub(super) fn branch_is_in_use(checkouts: &[Checkout], full_name: &str) -> Result<(), LandError> {
    let busy = |checkout: &Checkout, what: &str| LandError::Busy {
        checkout: checkout.top.clone(),
        what: what.to_owned(),
    };
    for checkout in checkouts {
        for folder in ["rebase-merge", "rebase-apply"] {
            let name =
                fs::read_to_string(checkout.git_dir.join(folder).join("head-name")).unwrap_or_default();
            if name.trim_end() == full_name {
                return Err(busy(checkout, "a rebase of the branch is not finished"));
            }
        }
        if checkout.branch.as_deref() == Some(full_name) {
            for (file, what) in UNDER_WAY {
                if checkout.git_dir.join(file).exists() {
                    return Err(busy(checkout, what));
                }
            }
        }
    }
    Ok(())
}

/// The user's changes in files that would change.
pub(super) fn in_the_way(
    inside: &Inside<'_>,
    index: &Path,
    from_tree: &str,
    touched: &[FileDiff],
) -> Result<Vec<DirtyFile>, GitError> {
    let paths: BTreeSet<&RepoPath> = touched.iter().map(|file| &file.path).collect();
    let mut dirty: BTreeMap<RepoPath, Dirty> = BTreeMap::new();
    // Files whose time changed but whose content did not are no changes.
    let refresh =
        inside.call(index).args(["update-index", "-q", "--refresh", "--ignore-submodules", "--unmerged"]);
    refresh.accept(&[0, 1]).run()?;
    let quiet =
        ["--no-renames", "--ignore-submodules=all", "--no-ext-diff", "--no-textconv", "-z", "--name-only"];
    let unstaged = inside.call(index).arg("diff-files").args(quiet).run()?;
    let staged = inside.call(index).args(["diff-index", "--cached"]).args(quiet).arg(from_tree).run()?;
    for (out, why) in [(unstaged, Dirty::Modified), (staged, Dirty::Staged)] {
        for path in out.records().map(RepoPath::new).filter(|path| paths.contains(path)) {
            dirty.insert(path, why);
        }
    }
    let removed: BTreeSet<&RepoPath> =
        touched.iter().filter(|f| f.new_mode.is_none()).map(|f| &f.path).collect();
    for added in touched.iter().filter(|file| file.old_mode.is_none()) {
        if let Some(path) = obstacle(inside, index, &added.path, &removed)? {
            dirty.entry(path).or_insert(Dirty::Untracked);
        }
    }
    Ok(dirty.into_iter().map(|(path, why)| DirtyFile { path, why }).collect())
}

/// What lies where a new file is to go, or where one of its folders is.
fn obstacle(
    inside: &Inside<'_>,
    index: &Path,
    path: &RepoPath,
    removed: &BTreeSet<&RepoPath>,
) -> Result<Option<RepoPath>, GitError> {
    let bytes = path.as_bytes();
    let ends = bytes.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| at).chain([bytes.len()]);
    for end in ends {
        let part = RepoPath::new(&bytes[..end]);
        let Ok(found) = fs::symlink_metadata(inside.checkout.top.join(part.as_path())) else {
            return Ok(None);
        };
        if end < bytes.len() && found.is_dir() {
            continue;
        }
        if removed.contains(&part) {
            return Ok(None);
        }
        if !found.is_dir() {
            return Ok(Some(part));
        }
        // A folder whose files all go away makes room; anything else in it does not.
        let others =
            inside.call(index).args(["ls-files", "-z", "--others", "--"]).arg(part.as_path()).run()?;
        return Ok(others.records().next().map(RepoPath::new));
    }
    Ok(None)
}

/// The files among those that would change which go through a filter.
pub(super) fn filtered(
    inside: &Inside<'_>,
    index: &Path,
    to: Option<&str>,
    touched: &[FileDiff],
) -> Result<Vec<RepoPath>, GitError> {
    let asked: Vec<u8> = touched.iter().flat_map(|file| [file.path.as_bytes(), b"\0"].concat()).collect();
    let mut sources = vec![None];
    if inside.git.at_least((2, 40)) {
        sources.extend(to.map(Some));
    }
    let mut found = BTreeSet::new();
    for source in sources {
        let mut call = inside.call(index).args(["check-attr", "-z", "--stdin"]);
        if let Some(commit) = source {
            call = call.arg(format!("--source={commit}"));
        }
        let out = call.arg("filter").stdin(asked.clone()).run()?;
        let fields: Vec<&[u8]> = out.stdout.split(|b| *b == 0).collect();
        for triple in fields.chunks_exact(3) {
            if !matches!(triple[2], b"unspecified" | b"unset" | b"") {
                found.insert(RepoPath::new(triple[0]));
            }
        }
    }
    Ok(found.into_iter().collect())
}
