//! The supervision of children, with real processes.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod support;

mod ending;
mod output;
