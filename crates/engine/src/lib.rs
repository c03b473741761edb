//! The work: one authority that appends events, and the stages in order.
//!
//! A request goes to the [`Handle`], which asks the authority; `divisi_model::decide` makes events of it, the store
//! appends and folds them, and the feed tells the stages, the API and whoever else follows. Each stage is one small
//! reconciler in `stages/`. Nothing here prints, reads the environment or the home folder, or speaks HTTP.

mod authority;
mod changes;
mod checks;
mod clock;
mod comments;
mod context;
mod counts;
pub mod export;
mod feed;
mod fits;
mod fleet;
mod handle;
mod homes;
mod housekeeping;
mod images;
mod intake;
mod landings;
mod logs;
mod looks;
mod options;
mod pauses;
mod repository;
mod reviews;
mod run;
mod sandbox;
mod session;
mod snapshots;
mod stage;
mod stages;
mod surroundings;
mod terminals;
mod troubles;
mod under_way;
pub mod worker;
mod workspaces;

pub use checks::Subject;
pub use clock::Clock;
pub use divisi_store::StoredEntry;
pub use feed::Feed;
pub use fleet::{Machine, Work};
pub use handle::{Engine, Handle, Health, StartError, look_at_log};
pub use homes::furnish;
pub use images::NamedImage;
pub use intake::{Known, NewTask};
pub use looks::{DiffOptions, DiffScope, Listed, Point};
pub use options::{
    AgentInfo, AgentSource, Identity, Options, Person, SandboxMode, SandboxOptions, SettingsSource,
    WorkspaceMode,
};
pub use reviews::Asked as AskedReview;
pub use session::host_main;
pub use snapshots::{Moment, SnapshotAt};
pub use stage::StepError;
pub use surroundings::{Resources, Standing};
pub use terminals::Journal;
pub use troubles::Trouble;
