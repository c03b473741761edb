//! The daemon's contract, asked over a real connection of a real engine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod daemon;
mod door;
mod feeds;
mod server;
mod tasks;
