//! The work: one authority that appends events, and the stages in order.
//!
//! A request goes to the [`Handle`], which asks the authority; `divisi_model::decide` makes events of it, the store
//! appends and folds them, and the feed tells the stages, the API and whoever else follows. Each stage is one small
//! reconciler in `stages/`. Nothing here prints, reads the environment or the home folder, or speaks HTTP.

mod authority;
mod context;
mod handle;
mod intake;
mod options;
mod stage;
mod stages;

pub use handle::{Engine, Handle, Health, StartError};
pub use intake::NewTask;
pub use options::{AgentInfo, AgentSource, Identity, Options, SettingsSource};
