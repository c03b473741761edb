//! The order of a move.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use super::change::{Change, changes};
use super::place::Place;
use super::{BaseMove, MoveBaseError, UnfinishedMove, git_dir};
use crate::hub::Hub;
use crate::ids::{CommitId, RepoPath, Signature, TreeId};
use crate::integrate::{Merged, merge_since};
use crate::snapshot::{SnapshotRequest, rules_of};
use crate::space::{Presence, Workspace, save_record};

impl Workspace {
    /// Brings the workspace onto `target` (a commit of the hub) with the work in it: snapshot, merge, the files, the
    /// record's base, and the agent's own git directory as far as it is still an ordinary one. No agent should be
    /// running. The snapshot is the next one of `attempt` and is taken by `by`.
    ///
    /// The attempt's work is what it changed since its own base, whatever the histories of the two bases are: what a
    /// rewritten target dropped is dropped from the workspace too, unless the attempt changed it.
    ///
    /// In the agent's git directory, branch and HEAD lead to `target` afterwards, the index holds it, `ORIG_HEAD` is
    /// where HEAD was, and an unfinished merge or rebase of the agent's is put aside (`MERGE_HEAD.before-<number>`).
    /// So `git diff` and `git status` show the attempt's work against the new base. The agent's own commits are no
    /// longer on its branch: its next result is one commit.
    ///
    /// A move that a crash interrupted is finished first. Of a workspace that was moved onto `target` already nothing
    /// changes, and the answer is the same again; one that was made there gets a snapshot and an empty answer.
    pub fn move_base(
        &mut self,
        hub: &Hub,
        target: &CommitId,
        attempt: &str,
        by: &Signature,
    ) -> Result<BaseMove, MoveBaseError> {
        // One move at a time per hub: a second caller for the same workspace waits and finds it moved.
        let _held = hub.lock("move-base.lock")?;
        self.reload()?;
        if self.presence() != Presence::Present {
            return Err(MoveBaseError::Gone(self.name().to_owned()));
        }
        if !hub.has_commit(target)? {
            return Err(MoveBaseError::NoTarget(target.clone()));
        }
        if let Some(moving) = self.record.moving.clone() {
            let done = self.carry_out(hub, &moving)?;
            if moving.target == *target {
                return Ok(done);
            }
        }
        if let Some(moved) = self.record.moved.clone().filter(|_| self.record.base == *target) {
            return Ok(moved);
        }
        self.settle_rollback(hub)?;
        let moving = self.plan(hub, target, attempt, by)?;
        if self.record.base == *target {
            let snapshot = moving.snapshot;
            let (conflicts, kept, ignored) = Default::default();
            return Ok(BaseMove { conflicts, snapshot, updated: 0, kept, ignored, git_dir: true });
        }
        self.carry_out(hub, &moving)
    }

    /// The base of a move that was begun and not finished. Until [`Workspace::move_base`] finished it, the files are
    /// partly moved: no agent should start in them and no result be recorded.
    pub fn unfinished_move(&self) -> Option<&CommitId> {
        self.record.moving.as_ref().map(|moving| &moving.target)
    }

    /// What may have been changed through another handle on the same workspace.
    pub(super) fn reload(&mut self) -> Result<(), MoveBaseError> {
        let file = self.root.join(".records").join(format!("{}.json", self.name()));
        let text = fs::read(file).map_err(|e| record_error("read", self.name(), e))?;
        self.record = serde_json::from_slice(&text).map_err(MoveBaseError::BadRecord)?;
        Ok(())
    }

    pub(super) fn save(&self) -> Result<(), MoveBaseError> {
        save_record(&self.root, &self.record).map_err(|e| record_error("write", self.name(), e))
    }

    /// Takes the snapshot and merges; nothing in the workspace changes.
    fn plan(
        &self,
        hub: &Hub,
        target: &CommitId,
        attempt: &str,
        by: &Signature,
    ) -> Result<UnfinishedMove, MoveBaseError> {
        let message = format!("before the move onto {}", target.short());
        let taken = self.snapshot(hub, &SnapshotRequest::new(attempt, message, by.clone()))?;
        let (tree, mut conflicts): (TreeId, Vec<RepoPath>) =
            match merge_since(hub, self.base(), target, &taken.visible, by)? {
                Merged::Clean(tree) => (tree, Vec::new()),
                Merged::Conflicts(tree, found) => {
                    (tree, found.files.into_iter().map(|file| file.path).collect())
                }
            };
        conflicts.sort();
        let (snapshot, from, target) = (taken.ref_name, taken.visible, target.clone());
        Ok(UnfinishedMove { snapshot, from, tree, target, conflicts })
    }

    /// Carries a planned move out from wherever it stands. Every step can be repeated.
    fn carry_out(&mut self, hub: &Hub, moving: &UnfinishedMove) -> Result<BaseMove, MoveBaseError> {
        let changes = changes(hub, moving)?;
        let ignored = newly_ignored(hub, self, moving, &changes)?;
        let resumed = self.record.moving.is_some();
        let mut place = Place::open(hub, self, &moving.snapshot, &changes, resumed)?;
        // All new files are written beside the workspace first: what cannot be written is known before one moves.
        place.stage()?;
        if !resumed {
            self.record.moving = Some(moving.clone());
            self.save()?;
        }
        place.files()?;
        let git_dir = git_dir::bring_along(hub, self, moving, &mut place)?;
        let (conflicts, snapshot) = (moving.conflicts.clone(), moving.snapshot.clone());
        let kept = place.kept()?;
        let moved = BaseMove { conflicts, snapshot, updated: changes.len(), kept, ignored, git_dir };
        place.flush();
        self.record.base = moving.target.clone();
        self.record.moving = None;
        self.record.moved = Some(moved.clone());
        self.save()?;
        place.close();
        Ok(moved)
    }

    /// Where moves keep what was in their way: outside of the workspace, beside its record.
    pub fn kept_dir(&self) -> PathBuf {
        self.root.join(".records").join(format!("{}.kept", self.name()))
    }

    pub(super) fn staging_dir(&self) -> PathBuf {
        self.root.join(".records").join(format!("{}.staging", self.name()))
    }
}

fn record_error(doing: &'static str, name: &str, source: std::io::Error) -> MoveBaseError {
    MoveBaseError::Io { doing, path: RepoPath::new(format!(".records/{name}.json")), source }
}

/// The attempt's own files (the target does not have them) that the target's rules hide.
fn newly_ignored(
    hub: &Hub,
    space: &Workspace,
    moving: &UnfinishedMove,
    changes: &[Change],
) -> Result<Vec<RepoPath>, MoveBaseError> {
    let rules = rules_of(hub, &moving.target, &space.record.ignore_also)?;
    let target = hub.listing(&moving.target)?;
    let removed: HashSet<&RepoPath> = changes.iter().filter(|c| c.to.is_none()).map(|c| &c.path).collect();
    let hidden = |path: &RepoPath| {
        let bytes = path.as_bytes();
        let mut folders = bytes.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| &bytes[..at]);
        folders.any(|folder| rules.ignores(folder, true)) || rules.ignores(bytes, false)
    };
    let snapshot = hub.listing(&moving.from)?;
    let own = snapshot.iter().map(|(path, _)| path);
    let own = own.filter(|path| target.get(path).is_none() && !removed.contains(*path));
    Ok(own.filter(|path| hidden(path)).cloned().collect())
}
