//! The contract between the daemon and everybody who talks to it: types, routes, the live feed, and the typed client.
//!
//! The wire stays at the edge: what is sent and received are types of this crate, converted by hand from those of
//! `model`. A route reads a request, asks the engine and shows the answer; it decides nothing, stores nothing and
//! starts no process. The server refuses who neither knows its token nor is a browser that was let in.

mod access;
mod asker;
mod auth;
mod client;
mod idempotency;
mod metrics;
mod problem;
mod push;
mod routes;
mod server;
mod settings;
mod summaries;
mod terminals;
pub mod types;
mod typescript;

pub use access::{Access, Keep, Origin, OriginError};
pub use client::{Client, ClientError, Endpoint, Follow, Locate};
pub use push::Push;
pub use routes::openapi;
pub use server::{Dashboard, Page, Server, ServerOptions};
pub use settings::{SettingsError, SettingsFile, SettingsFiles, SettingsLimits};
pub use typescript::typescript;
