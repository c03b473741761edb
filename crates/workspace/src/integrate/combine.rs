//! Merge, squash and rebase.

use super::merge_tree::{Merged, merge, merge_since};
use super::{IntegrateRequest, Integration, LandMode};
use crate::hub::{CommitInfo, Hub, HubError, check_label, git_error};
use crate::ids::{CommitId, Identity, Signature, TreeId};
use crate::message::with_trailers;

impl Hub {
    /// Brings a result together with its target as asked, and anchors what came of it.
    pub fn integrate(&self, request: &IntegrateRequest) -> Result<Integration, HubError> {
        check_label(&request.label)?;
        let done = match &request.target {
            None => onto_nothing(self, request)?,
            Some(target) if self.is_ancestor(&request.result, target)? => Integration::Nothing,
            Some(target) => match request.mode {
                LandMode::Merge => merged(self, request, target)?,
                LandMode::Squash => squashed(self, request, target)?,
                LandMode::Rebase => rebase(self, request, target)?,
            },
        };
        if let Integration::Ready { commit, .. } = &done {
            self.set_ref(&format!("refs/divisi/integrations/{}", request.label), commit)?;
        }
        Ok(done)
    }
}

fn message(request: &IntegrateRequest) -> String {
    with_trailers(&request.message, &request.trailers)
}

fn merged(hub: &Hub, request: &IntegrateRequest, target: &CommitId) -> Result<Integration, HubError> {
    let (base, result, by) = (&request.base, &request.result, &request.committer);
    let tree = match merge_since(hub, base, target, result, by)? {
        Merged::Clean(tree) => tree,
        Merged::Conflicts(_, conflicts) => return Ok(Integration::Conflicts(conflicts)),
    };
    let second = match hub.is_ancestor(base, target)? {
        true => result.clone(),
        false if tree == hub.tree_of(target)? => return Ok(Integration::Nothing),
        // With the result as a parent, all that the rewrite of the target dropped would be in its history again.
        false => {
            let info = hub.read_commit(result)?;
            let author = author_of(&info).unwrap_or_else(|| request.author.clone());
            hub.commit(&tree, &[target], &author, by, &info.message)?
        }
    };
    let commit = hub.commit(&tree, &[target, &second], &request.author, by, &message(request))?;
    Ok(Integration::Ready { commit, commits: 1 })
}

fn squashed(hub: &Hub, request: &IntegrateRequest, target: &CommitId) -> Result<Integration, HubError> {
    let tree = match merge_since(hub, &request.base, target, &request.result, &request.committer)? {
        Merged::Clean(tree) => tree,
        Merged::Conflicts(_, conflicts) => return Ok(Integration::Conflicts(conflicts)),
    };
    if tree == hub.tree_of(target)? {
        return Ok(Integration::Nothing);
    }
    let commit = hub.commit(&tree, &[target], &request.author, &request.committer, &message(request))?;
    Ok(Integration::Ready { commit, commits: 1 })
}

/// An unborn branch takes the result as its first commit; with a history only where that is to be kept.
fn onto_nothing(hub: &Hub, request: &IntegrateRequest) -> Result<Integration, HubError> {
    let commit = match request.mode {
        LandMode::Merge | LandMode::Rebase => request.result.clone(),
        LandMode::Squash => {
            let tree = hub.tree_of(&request.result)?;
            hub.commit(&tree, &[], &request.author, &request.committer, &message(request))?
        }
    };
    Ok(Integration::Ready { commit, commits: 1 })
}

/// Replays the result's own commits, oldest first. Merges among them are left out, as git's own rebase does: what
/// they brought in is in their parents.
fn rebase(hub: &Hub, request: &IntegrateRequest, target: &CommitId) -> Result<Integration, HubError> {
    let below = [format!("^{target}"), format!("^{}", request.base)];
    let call = hub.call().args(["rev-list", "--reverse", "--topo-order", "--no-merges"]);
    let call = call.arg(request.result.as_str()).args(&below).arg("--");
    let list = call.run().map_err(git_error("list the commits to replay"))?.text();
    let commits: Vec<CommitId> = list.lines().map(CommitId::parse).collect::<Result<_, _>>()?;
    let (mut at, mut made) = (target.clone(), 0);
    for (n, original) in commits.iter().enumerate() {
        let info = hub.read_commit(original)?;
        let last = n + 1 == commits.len();
        if info.parents.first() == Some(&at) && !last {
            // Nothing below it moved: it can stay what it is.
            (at, made) = (original.clone(), made + 1);
            continue;
        }
        let tree = match replay(hub, request, &at, original, &info)? {
            Merged::Clean(tree) => tree,
            Merged::Conflicts(_, mut conflicts) => {
                conflicts.at = Some(original.clone());
                return Ok(Integration::Conflicts(conflicts));
            }
        };
        if tree == hub.tree_of(&at)? {
            // The target has this change already.
            continue;
        }
        let trailers: &[_] = if last { &request.trailers } else { &[] };
        let author = author_of(&info).unwrap_or_else(|| request.author.clone());
        let text = with_trailers(&info.message, trailers);
        at = hub.commit(&tree, &[&at], &author, &request.committer, &text)?;
        made += 1;
    }
    if made == 0 { Ok(Integration::Nothing) } else { Ok(Integration::Ready { commit: at, commits: made }) }
}

/// The change that `original` made to its parent, on top of `at`.
fn replay(
    hub: &Hub,
    request: &IntegrateRequest,
    at: &CommitId,
    original: &CommitId,
    info: &CommitInfo,
) -> Result<Merged, HubError> {
    let Some(parent) = info.parents.first() else { return merge(hub, at, original) };
    if parent == at {
        return Ok(Merged::Clean(info.tree.clone()));
    }
    // A commit with `at`'s tree and `original`'s parent: their common ancestor is that parent, whatever the real
    // histories are. So one merge command does, which old versions of git have too.
    let tree: TreeId = hub.tree_of(at)?;
    let stand_in = hub.commit(&tree, &[parent], &request.committer, &request.committer, "replay\n")?;
    merge(hub, &stand_in, original)
}

/// `Name <mail> seconds zone`; the zone is dropped.
fn author_of(info: &CommitInfo) -> Option<Signature> {
    let (name, rest) = info.author.split_once(" <")?;
    let (email, when) = rest.split_once("> ")?;
    let at = when.split(' ').next()?.parse().ok()?;
    Some(Signature::new(Identity::new(name, email), at))
}
