//! Tests of the rehearsal crate from outside.

mod agent_acp;
mod agent_faults;
mod agent_sessions;
mod conversation;
mod exec;
