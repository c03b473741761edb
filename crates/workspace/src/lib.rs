//! A place to work.

mod beneath;
pub mod git;
mod git_box;
mod hub;
mod ids;
mod ignore_rules;
pub mod launch;
mod listing;
mod project;
mod snapshot;
mod space;
mod stat_cache;

pub use git::{Git, GitError};
pub use git_box::{BoxLevel, level as git_box_level};
pub use hub::{Hub, HubError};
pub use ids::{BadObjectName, BlobId, CommitId, Identity, RepoPath, Signature, TreeId};
pub use listing::EntryMode;
pub use project::{Checkout, Head, Project, ProjectError};
pub use snapshot::{MAX_NOTES, Note, NoteKind, Snapshot, SnapshotError, SnapshotLimits, SnapshotRequest};
pub use space::{
    Copied, IncludeLimits, IncludeReport, Kind, NewWorkspace, Presence, Record, Skipped, SkippedFile, Workspace,
    WorkspaceError, Workspaces, environment, ports,
};
