//! Agents driven as one-shot commands: a launch per turn, words or JSON lines as output. A deterministic tool is an
//! agent too: any command that changes files.
//!
//! The owner sees the same [`Action`](crate::Action)s as with ACP. A prompt is part of the launch (see
//! [`crate::ExecTurn`]), so nothing is ever sent; a cancel is the end of the process.

mod known;
mod read;
mod session;

pub use session::{Exited, Session, Setup};
