//! Behaviour of the workspace crate, against real git and real processes.

mod archives;
mod attacks;
mod integrations;
mod landings;
mod launch;
mod results;
mod snapshots;
mod support;
mod workspaces;
