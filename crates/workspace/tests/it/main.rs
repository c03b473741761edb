//! Behaviour of the workspace crate, against real git and real processes.

mod launch;
