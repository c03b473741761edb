//! The store from outside.

mod appending;
mod entries;
mod feeds;
mod samples;
