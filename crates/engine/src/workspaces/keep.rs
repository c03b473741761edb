//! Nothing is lost: snapshots, archive, restore, and the move onto another base.

use divisi_model::Oid;
use divisi_workspace::{
    ArchiveError, ArchiveLimits, ArchiveRequest, CommitId, Hub, Kind, Presence, SnapshotLimits,
    SnapshotRequest, Workspace,
};

use super::result::words;
use super::{kind_of, now, open, signature, spaces, utf8};
use crate::context::blocking;
use crate::repository::{commit_id, hub, oid, repository};
use crate::sandbox;
use crate::stage::StepError;
use crate::worker::{Attempt, Local};

/// Where snapshots are anchored.
pub(crate) const SNAPSHOTS: &str = "refs/divisi/snapshots/";

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

/// Makes a workspace again whose folder was deleted by hand, or was archived by a process that died before it could say
/// so, if that is needed: how it is made now.
pub(crate) async fn bring_back(local: &Local, of: Attempt) -> Result<Option<String>, StepError> {
    let local = local.clone();
    blocking(move || {
        let (hub, space) = open(&local, &of)?;
        if space.presence() != Presence::Missing {
            return Ok(None);
        }
        let (spaces, kind) = (spaces(&local, &of.project)?, kind_again(&local, &space));
        let made = match (space.put_away_as(), last_snapshot(&hub, &of)) {
            (Some(_), _) => spaces.restore(&hub, &of.name(), kind),
            (None, Ok((snapshot, _))) => {
                let from = commit_id(&snapshot).map_err(|error| StepError::of(&error))?;
                spaces.recreate(&hub, &of.name(), &from, kind)
            }
            (None, Err(_)) => spaces.recreate(&hub, &of.name(), space.base(), kind),
        };
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

/// Keeps everything on a hidden ref, then removes the workspace; the same ref again where that was done before a crash.
/// Of a workspace that was deleted by hand the newest snapshot is all there is.
pub(crate) async fn archive(local: &Local, of: Attempt) -> Result<PutAway, StepError> {
    let local = local.clone();
    blocking(move || {
        let (hub, space) = open(&local, &of)?;
        let by = signature(&local, &of.project, now())?;
        let request = ArchiveRequest { by, limits: ArchiveLimits::default(), allow_loss: false };
        let kept = |commit: &CommitId| PutAway {
            commit: oid(commit),
            reference: archive_ref(&of, commit),
            outside: None,
        };
        if let Some(commit) = space.put_away_as() {
            return Ok(kept(commit));
        }
        match spaces(&local, &of.project)?.archive(&hub, &space, &request) {
            Ok(archived) => {
                let outside = archived.outside.map(|path| path.to_string_lossy().into_owned());
                Ok(PutAway { outside, ..kept(&archived.commit) })
            }
            Err(ArchiveError::Gone(_)) => {
                let (commit, reference) = last_snapshot(&hub, &of)?;
                Ok(PutAway { commit, reference, outside: None })
            }
            Err(error) => Err(StepError::of(&error)),
        }
    })
    .await?
}

fn archive_ref(of: &Attempt, archive: &CommitId) -> String {
    format!("refs/divisi/archives/{}/{archive}", of.name())
}

/// The newest snapshot of an attempt, whatever it was taken for: commit and hidden ref.
pub(crate) fn last_snapshot(hub: &Hub, of: &Attempt) -> Result<(Oid, String), StepError> {
    let taken = hub.snapshots(&of.name()).map_err(|error| StepError::of(&error))?;
    let last =
        taken.last().map(|(number, commit)| (oid(commit), format!("{SNAPSHOTS}{}/{number}", of.name())));
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
        let Some((kept, _)) = &of.state()?.archived_as else {
            return Err(StepError("the workspace was not put away".to_owned()));
        };
        let kept = commit_id(kept).map_err(|error| StepError::of(&error))?;
        let was = spaces.get(&name).map_err(|error| StepError::of(&error))?;
        let back = |space: &Workspace| Ok(Back { path: utf8(&space.path())?, kind: kind_of(space) });
        if was.presence() == Presence::Present {
            return back(&was);
        }
        let kind = kind_again(&local, &was);
        // Of a workspace that was gone when it was put away there is a snapshot; an older archive holds less than that.
        let space = match was.record().archived.as_ref() == Some(&kept) {
            true => spaces.restore(&hub, &name, kind),
            false => spaces.recreate(&hub, &name, &kept, kind),
        };
        back(&space.map_err(|error| StepError::of(&error))?)
    })
    .await?
}
