//! Words and rules: ids, tasks, events, decisions and what people see of them.
//!
//! Nothing here does I/O, reads a clock, draws a random number or waits. Everything that Divisi decides is decided by
//! [`decide()`] from a state and a command, and every state is made by [`fold()`] from events.

pub mod budget;
pub mod command;
pub mod comment;
pub mod decide;
pub mod event;
pub mod evidence;
pub mod fold;
pub mod holds;
pub mod ids;
pub mod image;
pub mod inbox;
pub mod limits;
pub mod notice;
pub mod policy;
pub mod project;
pub mod refusal;
pub mod review;
pub mod schedule;
pub mod spans;
pub mod state;
pub mod task;
pub mod transcript;
pub mod view;

pub use command::Command;
pub use decide::decide;
pub use event::{Actor, Envelope, Event, Stream};
pub use fold::fold;
pub use ids::{AttemptId, Handle, ItemId, Oid, ProjectId, TaskId, TaskNumber};
pub use refusal::{Refusal, RefusalKind};
pub use state::{AttemptState, Phase, TaskState};
