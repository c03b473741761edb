//! The rules, tried as a table of stories and as properties.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod board;
mod holds;
mod import;
mod properties;
mod schedule;
mod stories;
