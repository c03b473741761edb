//! The daemon's contract, asked over a real connection of a real engine.

mod daemon;
mod door;
mod feeds;
mod server;
mod tasks;
