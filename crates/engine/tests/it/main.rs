//! The engine at work: real git, a real log, real launches; only the agents play scripts.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so by a panic")]

mod fleet;
mod floods;
mod overlays;
mod reviews;
mod road;
