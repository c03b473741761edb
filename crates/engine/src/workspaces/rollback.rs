//! Files as an earlier snapshot has them.

use divisi_model::Oid;
use divisi_workspace::{MoveBaseError, RepoPath, RollbackRequest};

use super::{now, open, signature};
use crate::context::blocking;
use crate::repository::{commit_id, oid};
use crate::stage::StepError;
use crate::worker::{Attempt, Local};

/// What came of bringing files back.
#[derive(Clone, Debug)]
pub enum RolledBack {
    /// The workspace holds them.
    Yes {
        /// The snapshot that was taken first.
        before: Oid,
        /// Its hidden ref.
        reference: String,
        /// How many files were changed.
        files: u32,
        /// Files that were in the way and in no snapshot, and where they are now.
        kept: Vec<String>,
    },
    /// It cannot be done; nothing was changed.
    Refused {
        /// Why.
        text: String,
    },
}

/// Brings files back as a snapshot has them, after a snapshot of what is there now.
pub(crate) async fn roll_back(
    local: &Local,
    of: Attempt,
    number: u32,
    to: Oid,
    paths: Vec<String>,
) -> Result<RolledBack, StepError> {
    let local = local.clone();
    blocking(move || {
        let (hub, mut space) = open(&local, &of)?;
        let mut read = Vec::new();
        for path in &paths {
            let Some(path) = RepoPath::from_text(path) else {
                return Ok(RolledBack::Refused { text: format!("{path} is not a path as Divisi writes it") });
            };
            read.push(path);
        }
        let asked = RollbackRequest {
            number,
            to: commit_id(&to).map_err(|error| StepError::of(&error))?,
            paths: read,
            attempt: of.name(),
            by: signature(&local, &of.project, now())?,
        };
        match space.roll_back(&hub, &asked) {
            Ok(done) => {
                let dir = space.kept_dir();
                let kept = |kept: &divisi_workspace::KeptFile| {
                    format!("{} is now {}", kept.path, dir.join(&kept.name).display())
                };
                Ok(RolledBack::Yes {
                    before: oid(&done.before),
                    reference: done.reference,
                    files: u32::try_from(done.files).unwrap_or(u32::MAX),
                    kept: done.kept.iter().map(kept).collect(),
                })
            }
            Err(
                error @ (MoveBaseError::OtherBase(_)
                | MoveBaseError::NoSuchPath(_)
                | MoveBaseError::NoTarget(_)
                | MoveBaseError::Gone(_)
                | MoveBaseError::ForbiddenName(_)),
            ) => Ok(RolledBack::Refused { text: error.to_string() }),
            Err(error) => Err(StepError::of(&error)),
        }
    })
    .await?
}
