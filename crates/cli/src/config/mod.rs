//! Configuration: what can be set, where it is read, and what it means for a task.
//!
//! Two files of the same form: the user's own, and `divisi.toml` in the project, which wins. One struct is the truth;
//! the schema, the check for unknown keys and the template are held against it. What the person chose for the dashboard
//! lies beside them, in a file of its own that the dashboard reads and writes.

mod dashboard;
mod detect;
mod edit;
mod file;
mod layers;
mod secrets;
mod settings;
mod template;
mod unknown;

pub(crate) use detect::detect;
pub(crate) use edit::ConfigFiles;
pub(crate) use file::{PushConfig, RemoteConfig};
pub(crate) use layers::{Config, PROJECT_FILE};
pub(crate) use secrets::without_secrets;
pub(crate) use settings::{ProjectSettings, refusal};
pub(crate) use template::template;
pub(crate) use unknown::schema;
