//! Snapshots of an attempt, and going back to one.

use divisi_engine::{Moment, SnapshotAt};
use divisi_model::state::{RollbackEnd, RollbackState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// The whole workspace at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct WorkspaceSnapshotView {
    /// The commit.
    pub commit: String,
    /// What it was taken for.
    pub moment: SnapshotMoment,
    /// The turn that had ended then; 0 before the first.
    pub turn: u32,
    /// When; for the base, when the task was given out.
    pub at: Timestamp,
    /// Files that differ from the snapshot before; nothing for the first, and where that was not counted.
    pub files: Option<u32>,
    /// Lines added since the snapshot before.
    pub added: Option<u64>,
    /// Lines removed since the snapshot before.
    pub removed: Option<u64>,
}

/// What a snapshot was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotMoment {
    /// It is what the workspace started from, or was moved onto.
    Base,
    /// The end of a turn.
    Turn,
    /// What was there before a rollback.
    BeforeRollback,
}

/// Files that were brought back as a snapshot has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct RollbackView {
    /// The snapshot.
    pub to: String,
    /// Files and folders; the whole workspace, where there are none.
    pub paths: Vec<String>,
    /// The turn that was the last then.
    pub after_turn: u32,
    /// When it was asked for.
    pub asked: Timestamp,
    /// Who asked.
    pub by: String,
    /// Whether it is over.
    pub ended: bool,
    /// The snapshot that was taken first; bringing it back undoes this.
    pub before: Option<String>,
    /// How many files it changed.
    pub files: u32,
    /// Files that were in the way and in no snapshot, and where they are now.
    pub kept: Vec<String>,
    /// Why it could not be done.
    pub failed: Option<String>,
}

/// Files to bring back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct RollbackRequest {
    /// The commit of the snapshot.
    pub to: String,
    /// Files, and folders with all below them; the whole workspace, where there are none.
    #[serde(default)]
    pub paths: Vec<String>,
}

impl From<SnapshotAt> for WorkspaceSnapshotView {
    fn from(snapshot: SnapshotAt) -> Self {
        let (moment, turn) = match snapshot.moment {
            Moment::Base => (SnapshotMoment::Base, 0),
            Moment::Turn(turn) => (SnapshotMoment::Turn, turn),
            Moment::BeforeRollback(turn) => (SnapshotMoment::BeforeRollback, turn),
        };
        Self {
            commit: snapshot.commit.to_string(),
            moment,
            turn,
            at: snapshot.at,
            files: snapshot.changed.map(|stat| stat.files),
            added: snapshot.changed.map(|stat| stat.added),
            removed: snapshot.changed.map(|stat| stat.removed),
        }
    }
}

impl From<&RollbackState> for RollbackView {
    fn from(rollback: &RollbackState) -> Self {
        let mut view = Self {
            to: rollback.to.to_string(),
            paths: rollback.paths.clone(),
            after_turn: rollback.after_turn,
            asked: rollback.asked,
            by: rollback.by.clone(),
            ended: rollback.ended.is_some(),
            before: None,
            files: 0,
            kept: Vec::new(),
            failed: None,
        };
        match &rollback.ended {
            Some(RollbackEnd::Done { before: (commit, _), files, kept }) => {
                view.before = Some(commit.to_string());
                view.files = *files;
                view.kept.clone_from(kept);
            }
            Some(RollbackEnd::Failed { why }) => view.failed = Some(why.clone()),
            None => {}
        }
        view
    }
}
