//! Many clients of one agent process: which line goes to whom.
//!
//! [`Routing`] is a state machine without I/O: lines in, [`Step`]s out. To each client it is an agent of the client's
//! own. `initialize` and `authenticate` go to the agent once; requests get ids that no other client has; what the agent
//! says goes to the client whose session it names, and a client reaches no session but its own.
//!
//! Nothing here looks into what is said, and nothing is changed in a line but its id.

mod clients;
mod common;
mod heard;
mod leaving;
mod line;
mod routing;
mod said;

pub use routing::{Client, Routing, Step};
