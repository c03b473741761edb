//! Everything of one Divisi in one file, and from that file into the empty data folder of another machine.
//!
//! `docs/design/export.md` says what is in it and why. An export is made by the engine at work ([`write`]); an import
//! happens before there is an engine: [`stage`] takes the file apart beside its place and looks at every part, and
//! [`Staged::put_in_place`] makes it visible with one rename. Nothing in the file is believed: names come from a fixed
//! list of forms, every part has its checksum, and the log is appended event by event as if it were new.

mod copy;
mod error;
mod layout;
mod manifest;
mod mentions;
pub(crate) mod repositories;
mod restored;
mod stage;
mod take_in;
mod write;

pub use error::ImportError;
pub use manifest::{ConfigurationFile, Running};
pub use stage::{ImportOptions, Imported, ImportedProject, Moved, Staged, stage};
pub use write::{Exported, NewExport};

pub(crate) use write::{GATHERED, carry, export};
