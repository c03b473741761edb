//! One three-way merge of two commits' trees.

use std::collections::BTreeMap;

use super::{Conflict, Conflicts, MAX_CONFLICT_BYTES, MAX_CONFLICT_TEXTS};
use crate::git::{GitError, Kind};
use crate::hub::{Hub, HubError, git_error};
use crate::ids::{CommitId, RepoPath, Signature, TreeId};

const DOING: &str = "merge two commits";
/// Most sentences of git that are handed out.
const MAX_MESSAGES: usize = 200;

pub(crate) enum Merged {
    Clean(TreeId),
    /// The tree holds conflicted files with their markers.
    Conflicts(TreeId, Conflicts),
}

/// Merges what `theirs` changed since `base`, an ancestor of it, into `ours`. Where `ours` has `base` in its history
/// that is an ordinary merge. Where it has not (a rewritten branch), git would go back to an older common ancestor and
/// count all that `base` had beyond it as a change of `theirs`; so a stand-in for `ours` with `base` as its parent is
/// merged instead.
pub(crate) fn merge_since(
    hub: &Hub,
    base: &CommitId,
    ours: &CommitId,
    theirs: &CommitId,
    by: &Signature,
) -> Result<Merged, HubError> {
    if hub.is_ancestor(base, ours)? {
        return merge(hub, ours, theirs);
    }
    let stand_in = hub.commit(&hub.tree_of(ours)?, &[base], by, by, "stand-in\n")?;
    merge(hub, &stand_in, theirs)
}

/// Merges `theirs` into `ours`. Merge attributes (`merge=union`) are those of `ours`, which is the person's side;
/// drivers that would run a program are not configured in the hub and so do nothing.
pub(super) fn merge(hub: &Hub, ours: &CommitId, theirs: &CommitId) -> Result<Merged, HubError> {
    let call = hub
        .call()
        .config("attr.tree", ours.as_str())
        .args(["merge-tree", "--write-tree", "-z", "--messages", ours.as_str(), theirs.as_str()])
        .accept(&[0, 1])
        .long();
    let out = call.run().map_err(git_error(DOING))?;
    let mut records = out.stdout.split(|b| *b == 0);
    let tree = String::from_utf8_lossy(records.next().unwrap_or_default()).into_owned();
    let tree = TreeId::parse(&tree)?;
    if out.code == 0 {
        return Ok(Merged::Clean(tree));
    }
    let files = conflicted(&mut records).map_err(git_error(DOING))?;
    let messages = messages(&mut records);
    let files = with_texts(hub, &tree, files)?;
    Ok(Merged::Conflicts(tree, Conflicts { at: None, files, messages }))
}

/// `MODE OID STAGE<TAB>PATH` records up to an empty one.
fn conflicted<'a>(records: &mut impl Iterator<Item = &'a [u8]>) -> Result<Vec<Conflict>, GitError> {
    let mut files: BTreeMap<RepoPath, [bool; 3]> = BTreeMap::new();
    for record in records.by_ref().take_while(|record| !record.is_empty()) {
        let bad = || GitError::unexpected("merge-tree", "a conflicted file");
        let tab = record.iter().position(|b| *b == b'\t').ok_or_else(bad)?;
        let stage = match record[..tab].last() {
            Some(digit @ b'1'..=b'3') => usize::from(digit - b'1'),
            _ => return Err(bad()),
        };
        files.entry(RepoPath::new(&record[tab + 1..])).or_default()[stage] = true;
    }
    let conflict = |(path, [in_base, in_target, in_result]): (_, [bool; 3])| Conflict {
        path,
        in_base,
        in_target,
        in_result,
        text: None,
    };
    Ok(files.into_iter().map(conflict).collect())
}

/// `COUNT`, that many paths, a kind, a sentence.
fn messages<'a>(records: &mut impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let mut found = Vec::new();
    while found.len() < MAX_MESSAGES {
        let count = records.next().and_then(|r| std::str::from_utf8(r).ok()?.parse::<usize>().ok());
        let Some(count) = count else { break };
        let Some(_kind) = records.by_ref().nth(count) else { break };
        let Some(text) = records.next() else { break };
        let text = String::from_utf8_lossy(text).trim().to_owned();
        if text.starts_with("CONFLICT") {
            found.push(text);
        }
    }
    found
}

/// The merged tree holds each conflicted file with its markers.
fn with_texts(hub: &Hub, tree: &TreeId, mut files: Vec<Conflict>) -> Result<Vec<Conflict>, HubError> {
    let listed =
        hub.call().args(["ls-tree", "-r", "-z", "--full-tree", tree.as_str()]).max_output(1 << 30).run();
    let listing = crate::listing::Listing::parse(&listed.map_err(git_error(DOING))?.stdout)
        .map_err(git_error(DOING))?;
    for file in files.iter_mut().take(MAX_CONFLICT_TEXTS) {
        let Some(entry) = listing.get(&file.path) else { continue };
        // A refused object ends the conversation, so each file has its own.
        let Ok(Some((Kind::Blob, bytes))) = hub.cat_file()?.read(&entry.oid, MAX_CONFLICT_BYTES) else {
            continue;
        };
        if !bytes.contains(&0) {
            file.text = Some(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Ok(files)
}
