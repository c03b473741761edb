//! The client side of the Agent Client Protocol, version 1, as a state machine: bytes in, [`Action`](crate::Action)s out.
//!
//! Nothing here knows a process, a clock or a runtime. The state is a function of two journals (what the agent wrote,
//! what Divisi wrote) and of the [`Setup`], so a restarted daemon rebuilds it and goes on in the middle of a turn:
//!
//! - Every message that Divisi sends says in its `_meta` how much of the agent's output was read before it was sent and
//!   when; that alone fixes the order of the two journals.
//! - Messages that follow from the state (the handshake, refusals, the second half of a cancel) are not sent when
//!   something is heard but when the state is *settled*, so a replay sends exactly those that were never sent.
//! - A message of Divisi changes the state in one place, live and in a replay alike.
//!
//! The message types come from `agent-client-protocol-schema` and stay in this folder.

mod answer;
mod choose;
mod hear;
mod modes;
mod question;
mod replay;
mod say;
mod schema;
mod session;
mod setup;
mod state;
mod tool;
mod update;
mod wire;

pub use session::{Session, Stage};
pub use setup::{McpServer, Open, PartImage, PromptPart, Setup};
