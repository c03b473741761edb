//! The contract between the daemon and everybody who talks to it: types, routes, the live feed, and the typed client.
//!
//! The wire stays at the edge: what is sent and received are types of this crate, converted by hand from those of
//! `model`. A route reads a request, asks the engine and shows the answer; it decides nothing, stores nothing and
//! starts no process. The server listens on the loopback interface alone and refuses who does not know its token.

mod auth;
mod client;
mod idempotency;
mod metrics;
mod problem;
mod routes;
mod server;
pub mod types;

pub use client::{Client, ClientError, Endpoint, Follow, Locate};
pub use routes::openapi;
pub use server::{Server, ServerOptions};
