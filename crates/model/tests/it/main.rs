//! The rules, tried as a table of stories and as properties.

mod board;
mod holds;
mod properties;
mod schedule;
mod stories;
