//! Workspaces: making them, finding them again, what goes into them and into their environment.

mod checkout;
pub mod environment;
mod include;
pub mod ports;
mod record;
mod remove;
mod root;

pub(crate) use checkout::make_git_dir;
pub use include::{Copied, IncludeLimits, IncludeReport, Skipped, SkippedFile};
pub use record::{Kind, Presence, Record, Workspace};
pub(crate) use record::{dir_identity, save_record};
pub(crate) use remove::remove_tree;
pub use root::{NewWorkspace, WorkspaceError, Workspaces, is_temporary};
