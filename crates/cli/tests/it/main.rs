//! The program as a person types it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod agents;
mod bad_repositories;
mod costs;
mod daemon;
mod errors;
mod export;
mod help;
mod import;
mod init;
mod limits;
mod machines;
mod misbehaving;
mod moved;
mod permissions;
mod real_agents;
mod road;
