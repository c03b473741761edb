//! The demonstration: what it plays with and what it plays.

mod pace;
pub(crate) mod sample;
pub(crate) mod story;

pub(crate) use pace::Pace;
