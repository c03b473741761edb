//! The demonstration: what it plays with and what it plays.

pub(crate) mod sample;
pub(crate) mod story;
