//! The crate from outside: recorded conversations, replays, definitions, launches.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod acp_agents;
mod acp_broken;
mod acp_replay;
mod conversation;
mod definitions;
mod errors;
mod exec;
mod launch;
mod listed;
mod recorded;
mod share;
