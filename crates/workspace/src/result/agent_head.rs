//! Where the agent's branch is, read as data: no git, no following of links or symbolic refs.

use crate::beneath::Beneath;
use crate::ids::CommitId;
use crate::project::is_ref_name;
use crate::space::Workspace;

/// Longest `HEAD` or loose ref.
const MAX_REF_BYTES: u64 = 4096;
/// Largest `packed-refs`.
const MAX_PACKED_BYTES: u64 = 16 << 20;

/// The commit that the workspace's HEAD leads to; nothing if it cannot be told plainly.
pub(crate) fn agent_head(space: &Workspace) -> Option<CommitId> {
    let git_dir = Beneath::open(&space.git_home()).ok()?.dir(b".git").ok()?;
    let head = line(&git_dir, b"HEAD")?;
    let Some(name) = head.strip_prefix("ref: ") else { return CommitId::parse(&head).ok() };
    let name = name.trim_start();
    if !name.starts_with("refs/heads/") || !is_ref_name(name) {
        return None;
    }
    match line(&git_dir, name.as_bytes()) {
        // A symbolic ref in its place is not followed.
        Some(text) => CommitId::parse(&text).ok(),
        None => packed(&git_dir, name),
    }
}

fn line(git_dir: &Beneath, path: &[u8]) -> Option<String> {
    let bytes = git_dir.read_small(path, MAX_REF_BYTES).ok()??;
    Some(std::str::from_utf8(&bytes).ok()?.trim_end().to_owned())
}

fn packed(git_dir: &Beneath, name: &str) -> Option<CommitId> {
    let bytes = git_dir.read_small(b"packed-refs", MAX_PACKED_BYTES).ok()??;
    let text = std::str::from_utf8(&bytes).ok()?;
    let found = text.lines().find_map(|line| line.split_once(' ').filter(|(_, at)| *at == name));
    CommitId::parse(found?.0).ok()
}
