//! The rules, tried as a table of stories and as properties.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod actors;
mod board;
mod bounds;
mod comments;
mod holds;
mod import;
mod notices;
mod properties;
mod schedule;
mod staged;
mod stories;
