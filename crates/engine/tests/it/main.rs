//! The engine at work: real git, a real log, real launches; only the agents play scripts.

mod fleet;
mod road;
