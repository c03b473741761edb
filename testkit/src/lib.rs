//! Helpers for tests only: an environment that is the test's own, real git repositories, transcripts of the program,
//! and waiting for conditions.
//!
//! A leaf: it knows no crate of ours, so that every crate's tests may use it. It never touches the home folder, the
//! configuration or the git identity of the person who runs the tests, and it panics with a sentence where a library
//! would return an error.

mod agents;
mod clean_up;
mod env;
mod large;
mod program;
mod redact;
mod repo;
mod transcript;
mod wait;

pub use agents::{InstalledAgent, require_agent};
pub use clean_up::LivingProcess;
pub use env::{TestEnv, target_folder};
pub use large::{Bug, LargeRepo, fixture_repo_large};
pub use program::{Finished, Program, divisi_program};
pub use redact::Redactor;
pub use repo::Repo;
pub use transcript::Transcript;
pub use wait::{WAIT_MAX, wait_for, wait_until};
