//! The scripted model server: answers the model requests of real agents from a script, on the loopback interface.
//!
//! Four model interfaces, one script. It keeps nothing about a conversation that the agent keeps: every request
//! carries the whole of it, so a restart, a retry or another process changes nothing. It never calls anything itself.

mod anthropic;
mod chat;
mod conversation;
mod edit_blocks;
mod evidence;
mod fit;
mod gemini;
mod http;
mod options;
mod patch;
mod registry;
mod reply;
mod responses;
mod route;
mod run;
mod send;
mod side;
mod stream;
mod tools;
mod unanswered;

pub use evidence::{Evidence, Outcome};
pub use options::{ServerCommand, ServerOptions};
pub use run::{Handle, ServerError, model_server, model_server_main};
