//! Durable memory: the append-only event log, the tables folded from it in the same transaction, and an index of
//! transcripts that can be rebuilt from the journals.
//!
//! One thread writes and commits what waits for it in groups; readers have connections of their own and never wait for
//! it. This is the only SQL of the product. Nothing here decides, reads a clock or makes an id, and no SQLite type shows
//! outside.

mod append;
mod checkpoints;
mod connect;
mod entries;
mod error;
mod feed;
mod followers;
mod in_place;
mod limits;
mod lock;
mod migrate;
mod readers;
mod recent;
mod rows;
mod store;
mod tables;
mod verify;
mod writer;

pub use entries::StoredEntry;
pub use error::{AppendError, StoreError};
pub use feed::{Feed, TranscriptFeed};
pub use in_place::Faults;
pub use limits::{APPEND_EVENTS_MAX, EVENT_BYTES_MAX, READ_MAX};
pub use store::{Store, Sync};
pub use verify::{Problem, Report};
