//! The store from outside.
#![allow(clippy::unwrap_used, reason = "what helps tests fails by panicking too")]

mod appending;
mod crash;
mod damage;
mod entries;
mod events;
mod feeds;
mod large;
mod old_logs;
mod properties;
mod samples;
