//! The daemon: one process per person that owns the log and does the work. It starts itself on first use, and whoever
//! wants to speak with it finds it by a file that only its owner can read.

mod connect;
mod kept;
mod listen;
mod lock;
mod push;
mod record;
mod serve;
mod start;

pub(crate) use connect::{Found, connect, find, start_in, stop};
pub(crate) use listen::Listen;
pub(crate) use lock::DaemonLock;
pub(crate) use serve::{ServeOptions, serve};
