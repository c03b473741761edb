//! The daemon's contract, asked over a real connection of a real engine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod daemon;
mod dashboard;
mod devices;
mod door;
mod feeds;
mod images;
mod live;
mod server;
mod tasks;
mod terminals;
