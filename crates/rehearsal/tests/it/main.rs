//! Tests of the rehearsal crate from outside.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod agent_acp;
mod agent_faults;
mod agent_sessions;
mod conversation;
mod exec;
mod guide;
mod scripts;
mod server;
mod server_agents;
mod server_faults;
