//! Behaviour of the workspace crate, against real git and real processes.

mod launch;
mod snapshots;
mod support;
mod workspaces;
