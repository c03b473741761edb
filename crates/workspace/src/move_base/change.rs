//! What a move changes: the paths at which two trees differ.

use super::{MoveBaseError, UnfinishedMove};
use crate::beneath::looks_like_dot_git;
use crate::git::GitError;
use crate::hub::{Hub, git_error};
use crate::ids::RepoPath;
use crate::listing::{Entry, EntryMode};

/// Longest name of one file or folder on the usual file systems.
const MAX_NAME_BYTES: usize = 255;

/// One path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) path: RepoPath,
    /// What the snapshot has there.
    pub(super) from: Option<Entry>,
    /// What is to be there.
    pub(super) to: Option<Entry>,
}

/// The paths that a move changes, sorted; refused if one of them may not be written.
pub(super) fn changes(hub: &Hub, moving: &UnfinishedMove) -> Result<Vec<Change>, MoveBaseError> {
    between(hub, moving.from.as_str(), moving.tree.as_str())
}

/// The paths at which two trees differ, sorted; refused if one of the second may not be written.
pub(super) fn between(hub: &Hub, from: &str, to: &str) -> Result<Vec<Change>, MoveBaseError> {
    let call = hub.call().args(["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev"]);
    let out = call.args([from, to]).long().run();
    let out = out.map_err(git_error("compare the workspace with what it is to hold"))?;
    let mut found = Vec::new();
    let mut records = out.records();
    while let Some(head) = records.next() {
        let bad = || GitError::unexpected("diff-tree", "a changed path");
        let path = records.next().ok_or_else(bad);
        let change = path.and_then(|path| parse(head, path).ok_or_else(bad));
        let change = change.map_err(git_error("compare the workspace with what it is to hold"))?;
        if change.to.is_some() && !is_writable(&change.path) {
            return Err(MoveBaseError::ForbiddenName(change.path));
        }
        found.push(change);
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// `:OLD-MODE NEW-MODE OLD-NAME NEW-NAME STATUS`
fn parse(head: &[u8], path: &[u8]) -> Option<Change> {
    let head = std::str::from_utf8(head).ok()?.strip_prefix(':')?;
    let words: Vec<&str> = head.split(' ').collect();
    let [old_mode, new_mode, old, new, _] = words[..] else { return None };
    let entry = |mode: &str, oid: &str| match mode {
        "000000" => Some(None),
        mode => Some(Some(Entry { mode: EntryMode::from_git(mode)?, oid: oid.into() })),
    };
    Some(Change { path: RepoPath::new(path), from: entry(old_mode, old)?, to: entry(new_mode, new)? })
}

fn is_writable(path: &RepoPath) -> bool {
    path.as_bytes().split(|b| *b == b'/').all(|name| {
        !matches!(name, b"" | b"." | b"..") && name.len() <= MAX_NAME_BYTES && !looks_like_dot_git(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_records_are_read() {
        let (zeros, oid) = ("0".repeat(40), "a".repeat(40));
        let added = parse(format!(":000000 100755 {zeros} {oid} A").as_bytes(), b"\xff").unwrap();
        assert_eq!((added.from, added.path.as_bytes()), (None, &b"\xff"[..]));
        assert_eq!(added.to.unwrap().mode, EntryMode::Executable);
        assert!(parse(b":100644 100644 x", b"p").is_none());
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for bad in ["../x", "a//b", ".git/hooks/post-checkout", "a/.GIT/config", "./x", "", "/etc/x"] {
            assert!(!is_writable(&bad.into()), "{bad}");
        }
        assert!(!is_writable(&RepoPath::new(vec![b'x'; 256])));
        assert!(is_writable(&".gitignore".into()) && is_writable(&"a/b".into()));
    }
}
