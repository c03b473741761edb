//! Nothing is lost: snapshots, archive, restore, and the move onto another base.

use divisi_model::Oid;
use divisi_workspace::{
    ArchiveError, ArchiveLimits, ArchiveRequest, Kind, Presence, SnapshotLimits, SnapshotRequest, Workspace,
};

use super::result::words;
use super::{kind_of, now, open, signature, spaces, utf8};
use crate::context::blocking;
use crate::repository::{commit_id, hub, oid, repository};
use crate::sandbox;
use crate::stage::StepError;
use crate::worker::{Attempt, Local};

/// A snapshot that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Everything.
    pub commit: Oid,
    /// Everything that the attempt's own ignore rules do not hide: what a result is made of.
    pub visible: Oid,
    /// The hidden ref.
    pub reference: String,
    /// What a reviewer must know.
    pub notes: Vec<String>,
}

/// A workspace that was archived.
#[derive(Clone, Debug)]
pub struct PutAway {
    /// Everything.
    pub commit: Oid,
    /// The hidden ref.
    pub reference: String,
    /// Where that is now which somebody had put into its folder from outside.
    pub outside: Option<String>,
}

/// A workspace that is there again.
#[derive(Clone, Debug)]
pub struct Back {
    /// Its path.
    pub path: String,
    /// How it is made: `checkout` or `overlay`.
    pub kind: String,
}

/// Keeps the whole workspace on a hidden ref.
pub(crate) async fn snapshot(local: &Local, of: Attempt, turn: u32) -> Result<Taken, StepError> {
    let local = local.clone();
    blocking(move || {
        let (hub, space) = open(&local, &of)?;
        let request = SnapshotRequest {
            attempt: of.name(),
            number: None,
            message: format!("Turn {turn} of {}", of.task.handle(of.number)),
            by: signature(&local, &of.project, now())?,
            limits: SnapshotLimits::default(),
        };
        let taken = space.snapshot(&hub, &request).map_err(|error| StepError::of(&error))?;
        Ok(Taken {
            commit: oid(&taken.commit),
            visible: oid(&taken.visible),
            reference: taken.ref_name.clone(),
            notes: words(&taken.notes),
        })
    })
    .await?
}

/// Makes a workspace again whose folder was deleted by hand, if that is needed: how it is made now.
pub(crate) async fn bring_back(local: &Local, of: Attempt) -> Result<Option<String>, StepError> {
    let local = local.clone();
    blocking(move || {
        let (hub, space) = open(&local, &of)?;
        if space.presence() != Presence::Missing {
            return Ok(None);
        }
        let from = match last_snapshot(&of) {
            Ok((snapshot, _)) => commit_id(&snapshot).map_err(|error| StepError::of(&error))?,
            Err(_) => space.base().clone(),
        };
        let kind = kind_again(&local, &space);
        let made = spaces(&local, &of.project)?.recreate(&hub, &of.name(), &from, kind);
        made.map(|space| Some(kind_of(&space))).map_err(|error| StepError::of(&error))
    })
    .await?
}

/// Brings the workspace onto another base. The files that conflict have markers then, and are named.
pub(crate) async fn move_base(local: &Local, of: Attempt, base: Oid) -> Result<Vec<String>, StepError> {
    let local = local.clone();
    blocking(move || {
        let (hub, mut space) = open(&local, &of)?;
        let project = repository(&local, &of.project)?;
        let target = commit_id(&base).map_err(|error| StepError::of(&error))?;
        hub.take_base(&project, &target).map_err(|error| StepError::of(&error))?;
        let by = signature(&local, &of.project, now())?;
        let moved = space.move_base(&hub, &target, &of.name(), &by).map_err(|error| StepError::of(&error))?;
        Ok(moved.conflicts.iter().map(ToString::to_string).collect())
    })
    .await?
}

/// Keeps everything on a hidden ref, then removes the workspace. Of a workspace that was deleted by hand the snapshot
/// after its last turn is all there is.
pub(crate) async fn archive(local: &Local, of: Attempt) -> Result<PutAway, StepError> {
    let local = local.clone();
    blocking(move || {
        let (hub, space) = open(&local, &of)?;
        let by = signature(&local, &of.project, now())?;
        let request = ArchiveRequest { by, limits: ArchiveLimits::default(), allow_loss: false };
        match spaces(&local, &of.project)?.archive(&hub, &space, &request) {
            Ok(archived) => {
                let reference = format!("refs/divisi/archives/{}/{}", of.name(), archived.commit);
                let outside = archived.outside.map(|path| path.to_string_lossy().into_owned());
                Ok(PutAway { commit: oid(&archived.commit), reference, outside })
            }
            Err(ArchiveError::Gone(_)) => {
                let (commit, reference) = last_snapshot(&of)?;
                Ok(PutAway { commit, reference, outside: None })
            }
            Err(error) => Err(StepError::of(&error)),
        }
    })
    .await?
}

fn last_snapshot(of: &Attempt) -> Result<(Oid, String), StepError> {
    let last = of.state()?.turns.iter().rev().find_map(|turn| turn.snapshot.clone());
    last.ok_or_else(|| StepError("the workspace is gone, and no turn of it was snapshotted".to_owned()))
}

/// As what a workspace comes back: as what it was, where this machine has that and the person wants it.
fn kind_again(local: &Local, space: &Workspace) -> Kind {
    if sandbox::has_overlays(&local.options) { space.record().kind } else { Kind::Plain }
}

/// Brings an archived workspace back.
pub(crate) async fn restore(local: &Local, of: Attempt) -> Result<Back, StepError> {
    let local = local.clone();
    blocking(move || {
        let hub = hub(&local, &of.project).map_err(|error| StepError::of(&error))?;
        let (spaces, name) = (spaces(&local, &of.project)?, of.name());
        let was = spaces.get(&name).map_err(|error| StepError::of(&error))?;
        let kind = kind_again(&local, &was);
        let space = match spaces.restore(&hub, &name, kind) {
            Err(ArchiveError::NoArchive(_)) => {
                let (snapshot, _) = last_snapshot(&of)?;
                let snapshot = commit_id(&snapshot).map_err(|error| StepError::of(&error))?;
                spaces.recreate(&hub, &name, &snapshot, kind)
            }
            restored => restored,
        };
        let space = space.map_err(|error| StepError::of(&error))?;
        Ok(Back { path: utf8(&space.path())?, kind: kind_of(&space) })
    })
    .await?
}
