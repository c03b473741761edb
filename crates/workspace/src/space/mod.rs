//! Workspaces: making them, finding them again, what goes into them and into their environment.

mod checkout;
pub mod environment;
mod include;
pub mod ports;
mod record;
mod remove;
mod root;

pub use include::{Copied, IncludeLimits, IncludeReport, Skipped, SkippedFile};
pub use record::{Kind, Presence, Record, Workspace};
pub use root::{NewWorkspace, WorkspaceError, Workspaces};
