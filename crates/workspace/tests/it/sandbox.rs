//! The sandbox, with real kernels, attacks and git.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod ending;
mod git;
mod overlays;
mod probes;
mod support;
