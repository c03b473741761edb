//! Workspaces: making them, finding them again, what goes into them and into their environment.

mod checkout;
mod disk;
pub mod environment;
mod include;
mod inside;
mod overlay;
mod place;
pub mod ports;
mod record;
mod remove;
mod root;
mod template;
mod terminal;
mod view;
mod write_files;

pub(crate) use checkout::{alternates_line, make_git_dir};
pub use disk::DiskUse;
pub use include::{Copied, IncludeLimits, IncludeReport, Skipped, SkippedFile};
pub(crate) use overlay::Begun;
pub use overlay::{Layered, SandboxParts};
pub use record::{Kind, Presence, Record, Workspace};
pub(crate) use record::{birth, dir_identity, save_record};
pub(crate) use remove::remove_tree;
pub use root::{NewWorkspace, WorkspaceError, Workspaces, is_temporary};
pub use terminal::{Terminal, TerminalEnd, TerminalSize};
pub(crate) use view::Writable;
