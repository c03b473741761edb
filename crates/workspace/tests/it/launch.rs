//! The supervision of children, with real processes.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod bounds;
mod crash;
mod ending;
mod forking;
mod input;
mod output;
mod refuse;
mod setting;
pub mod support;
