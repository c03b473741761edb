//! The simulation, as far as it goes in every test run; `cargo xtask sim` goes further.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

mod exhaustive;
mod seeds;
