//! Bringing files back as an earlier snapshot has them.

use serde::{Deserialize, Serialize};

use super::change::{Change, between};
use super::place::Place;
use super::{KeptFile, MoveBaseError};
use crate::hub::Hub;
use crate::ids::{CommitId, RepoPath, Signature, TreeId};
use crate::integrate::{Merged, merge_since};
use crate::listing::Listing;
use crate::snapshot::SnapshotRequest;
use crate::space::{Presence, Workspace};

/// What to bring back.
#[derive(Debug, Clone)]
pub struct RollbackRequest {
    /// Tells this rollback from the workspace's others: a second call with the same number carries the first one out.
    pub number: u32,
    /// The snapshot, or the base of the workspace.
    pub to: CommitId,
    /// Files, and folders with all below them; everything, where there are none.
    pub paths: Vec<RepoPath>,
    /// The attempt whose next snapshot is taken first.
    pub attempt: String,
    /// Who takes it, and when.
    pub by: Signature,
}

/// Files that were brought back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    /// The snapshot that was taken first: everything that the workspace held.
    pub before: CommitId,
    /// Its hidden ref.
    pub reference: String,
    /// Files at which the workspace now holds something else than before.
    pub files: usize,
    /// What stood in the way of a file and was in no snapshot.
    pub kept: Vec<KeptFile>,
}

/// A rollback that was begun, as the workspace's record remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnfinishedRollback {
    /// Its number.
    pub number: u32,
    /// The snapshot that was taken first.
    pub before: CommitId,
    /// Its hidden ref.
    pub reference: String,
    /// What the workspace is to hold, at `paths`.
    pub tree: TreeId,
    /// Files, and folders with all below them; everything, where there are none.
    pub paths: Vec<RepoPath>,
    /// What it came to, once it is done.
    pub done: Option<Rollback>,
}

impl Workspace {
    /// Brings files back as a snapshot has them, after a snapshot of what is there now. No agent should be at work.
    ///
    /// Only recorded files are touched: what rules of the base ignore stays, and so does whatever is in no snapshot; if it
    /// stands in the way, it is moved to [`Workspace::kept_dir`]. The agent's git directory is left as it is. Of a
    /// snapshot on another base, what the attempt had changed is put onto the present one; refused where the two
    /// contradict each other. A call that a crash interrupted is finished by the next one with the same number.
    pub fn roll_back(&mut self, hub: &Hub, asked: &RollbackRequest) -> Result<Rollback, MoveBaseError> {
        let _held = hub.lock("move-base.lock")?;
        self.reload()?;
        if self.presence() != Presence::Present {
            return Err(MoveBaseError::Gone(self.name().to_owned()));
        }
        if !hub.has_commit(&asked.to)? {
            return Err(MoveBaseError::NoTarget(asked.to.clone()));
        }
        match self.record.rolling.clone() {
            Some(begun) if begun.number == asked.number => match begun.done {
                Some(done) => return Ok(done),
                None => return self.carry_back(hub, begun, true),
            },
            _ => self.settle_rollback(hub)?,
        }
        let message = format!("before the rollback to {}", asked.to.short());
        let taken = self.snapshot(hub, &SnapshotRequest::new(&asked.attempt, message, asked.by.clone()))?;
        let tree = self.tree_on_this_base(hub, &asked.to, &asked.by)?;
        let begun = UnfinishedRollback {
            number: asked.number,
            before: taken.commit,
            reference: taken.ref_name,
            tree,
            paths: asked.paths.clone(),
            done: None,
        };
        self.check_paths(hub, &asked.to, &begun)?;
        self.carry_back(hub, begun, false)
    }

    /// Leaves a rollback behind that was begun and given up: what it had taken out of its place is settled.
    pub(super) fn settle_rollback(&mut self, hub: &Hub) -> Result<(), MoveBaseError> {
        let Some(begun) = self.record.rolling.take() else { return Ok(()) };
        if begun.done.is_none() {
            let changes = self.changes_back(hub, &begun)?;
            Place::open(hub, self, &begun.reference, &changes, true)?.close();
        }
        self.save()
    }

    fn carry_back(
        &mut self,
        hub: &Hub,
        mut begun: UnfinishedRollback,
        resumed: bool,
    ) -> Result<Rollback, MoveBaseError> {
        let changes = self.changes_back(hub, &begun)?;
        let mut place = Place::open(hub, self, &begun.reference, &changes, resumed)?;
        // All files are written beside the workspace first: what cannot be written is known before one moves.
        place.stage()?;
        if !resumed {
            self.record.rolling = Some(begun.clone());
            self.save()?;
        }
        place.files()?;
        let kept = place.kept()?;
        place.flush();
        let (before, reference) = (begun.before.clone(), begun.reference.clone());
        let done = Rollback { before, reference, files: changes.len(), kept };
        begun.done = Some(done.clone());
        self.record.rolling = Some(begun);
        self.save()?;
        place.close();
        Ok(done)
    }

    fn changes_back(&self, hub: &Hub, begun: &UnfinishedRollback) -> Result<Vec<Change>, MoveBaseError> {
        let mut changes = between(hub, begun.before.as_str(), begun.tree.as_str())?;
        if !begun.paths.is_empty() {
            changes.retain(|change| begun.paths.iter().any(|path| is_at_or_below(&change.path, path)));
        }
        Ok(changes)
    }

    /// The files of a snapshot. If it was taken on another base, what it changed there is put onto the present one.
    fn tree_on_this_base(&self, hub: &Hub, to: &CommitId, by: &Signature) -> Result<TreeId, MoveBaseError> {
        let base = base_of(hub, to)?;
        match base.filter(|base| base != self.base() && to != self.base()) {
            None => Ok(hub.tree_of(to)?),
            Some(base) => match merge_since(hub, &base, self.base(), to, by)? {
                Merged::Clean(tree) => Ok(tree),
                Merged::Conflicts(_, found) => {
                    Err(MoveBaseError::OtherBase(found.files.into_iter().map(|file| file.path).collect()))
                }
            },
        }
    }

    fn check_paths(&self, hub: &Hub, to: &CommitId, begun: &UnfinishedRollback) -> Result<(), MoveBaseError> {
        let (now, then) = (hub.listing(&begun.before)?, hub.listing(to)?);
        let has = |listing: &Listing, path: &RepoPath| {
            listing.get(path).is_some() || listing.has_below(path.as_bytes())
        };
        match begun.paths.iter().find(|path| !has(&now, path) && !has(&then, path)) {
            Some(unknown) => Err(MoveBaseError::NoSuchPath(unknown.clone())),
            None => Ok(()),
        }
    }
}

/// The base that a snapshot was taken on: its parent, or the one above where it holds hidden files; nothing for a base.
fn base_of(hub: &Hub, snapshot: &CommitId) -> Result<Option<CommitId>, MoveBaseError> {
    let mut commit = snapshot.clone();
    for _ in 0..2 {
        let Some(parent) = hub.read_commit(&commit)?.parents.into_iter().next() else { return Ok(None) };
        if hub.ref_commit(&format!("refs/divisi/base/{parent}"))?.is_some() {
            return Ok(Some(parent));
        }
        commit = parent;
    }
    Ok(None)
}

fn is_at_or_below(path: &RepoPath, at: &RepoPath) -> bool {
    let rest = path.as_bytes().strip_prefix(at.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}
