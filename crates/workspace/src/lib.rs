//! A place to work: checkouts, snapshots, diffs, merges, landings, archives, and the children that run in them.
//!
//! The only crate that runs git, and the only one that starts processes. It never reads the environment, the home
//! folder or the clock (all three are handed in), never asks a person anything, never deletes what it did not make,
//! and trusts nothing that an agent can write: agents' git directories are data, and only Divisi's own git
//! directories are ever given to git.
//!
//! Three places: the **project** (the user's repository; read, and written only by a landing), the **hub** (a bare
//! repository of Divisi's own per project: bases, snapshots and results on hidden refs) and the **workspaces**
//! (private checkouts that borrow their objects from the hub). All calls block: use `spawn_blocking` from async code.
//!
//! ```no_run
//! # use std::{ffi::OsStr, path::Path};
//! # use divisi_workspace::*;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let git = Git::find(OsStr::new("/usr/local/bin:/usr/bin:/bin"))?;
//! let project = Project::open(&git, Path::new("/home/me/app"))?;
//! let hub = Hub::open(&git, Path::new("/home/me/.local/share/divisi/hubs/app.git"))?;
//! let base = project.resolve("main")?;
//! hub.take_base(&project, &base)?;
//!
//! let spaces = Workspaces::open(Path::new("/home/me/.local/share/divisi/workspaces/app"), &project)?;
//! let new = NewWorkspace::new("t12.1", base.clone()).on_branch("divisi/t12-short-title");
//! let space = spaces.create(&hub, &new)?; // an agent works in space.path()
//!
//! let by = Signature::new(Identity::new("Divisi", "divisi@localhost"), 1_767_225_600);
//! let taken = space.snapshot(&hub, &SnapshotRequest::new("t12.1", "turn 1", by))?;
//! let diff = hub.diff(&base, &taken.visible, &DiffLimits::default())?; // what a reviewer sees
//! println!("{} files, {:?}", diff.stat.files, taken.notes);
//! // space.record_result(&hub, &taken, …): the attempt's commit, with the agent's own below it if they are sound
//! // hub.integrate(…): merged, squashed or rebased onto the target, to be checked in a checkout of its own
//! // hub.land(&project, …): the branch and its checkouts move, or nothing does; hub.undo(…) takes it back
//! // spaces.archive(&hub, &space, …) and spaces.restore(&hub, "t12.1", …): nothing is lost
//! # Ok(())
//! # }
//! ```

mod archive;
mod beneath;
mod diff;
pub mod git;
mod git_box;
mod git_index;
pub mod host;
mod hub;
mod ids;
mod ignore_rules;
mod integrate;
mod land;
pub mod launch;
mod listing;
mod message;
mod move_base;
mod new_repository;
mod os_text;
mod packs;
mod programs;
mod project;
mod result;
pub mod sandbox;
mod scope;
mod seen;
mod snapshot;
mod space;
mod stat_cache;

pub use archive::{ArchiveError, ArchiveLimits, ArchiveRequest, Archived};
pub use beneath::read_inside;
pub use diff::{
    Diff, DiffLimits, DiffPath, DiffStat, FileDiff, FileStatus, Follow, Followed, Hunk, Line, LineKind,
};
pub use git::{Git, GitError};
pub use git_box::{BoxLevel, level as git_box_level};
pub use hub::{Hub, HubError, HubRefs, LoggedCommit};
pub use ids::{BadObjectName, BlobId, CommitId, Identity, RepoPath, Signature, TreeId};
pub use integrate::{
    Conflict, Conflicts, IntegrateRequest, Integration, LandMode, MAX_CONFLICT_BYTES, MAX_CONFLICT_TEXTS,
    TrialMerge,
};
pub use land::{Dirty, DirtyFile, LandError, LandRequest, Landed};
pub use listing::EntryMode;
pub use move_base::{
    BaseMove, KeptFile, MoveBaseError, Rollback, RollbackRequest, UnfinishedMove, UnfinishedRollback,
};
pub use new_repository::NewRepositoryError;
pub use programs::{ask_program, leave_session, start_detached};
pub use project::{Checkout, Head, Project, ProjectError};
pub use result::{AttemptResult, History, ImportLimits, ResultError, ResultRequest};
pub use scope::{BadPattern, Scope};
pub use snapshot::{
    ChangedFile, MAX_NOTES, Note, NoteKind, Snapshot, SnapshotError, SnapshotLimits, SnapshotRequest,
};
pub use space::{
    Copied, DiskUse, IncludeLimits, IncludeReport, Kind, Layered, NewWorkspace, Presence, Record,
    SandboxParts, Skipped, SkippedFile, Terminal, TerminalEnd, TerminalSize, Workspace, WorkspaceError,
    Workspaces, environment, is_temporary, ports,
};
