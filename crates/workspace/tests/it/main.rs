//! Behaviour of the workspace crate, against real git and real processes.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod archives;
mod attacks;
mod diffs;
mod integrations;
mod landings;
mod launch;
mod move_base;
mod opened;
mod overlays;
mod results;
mod rollbacks;
mod sandbox;
mod snapshots;
mod support;
mod terminals;
mod workspaces;
