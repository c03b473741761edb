//! A session at work: between an agent's process, the pure conversation over its bytes, and the log.
//!
//! The driver holds nothing that is not in the two journals or in the log. Starting to drive and taking up after a
//! restart are the same: attach or start the launch, replay the journals, then go on.

mod asks;
mod drive;
mod end;
mod host;
mod open;
mod plan;
mod share;
mod silence;
mod turns;

pub(crate) use drive::drive;
pub use host::host_main;
pub(crate) use plan::home;
