//! The crate from outside: recorded conversations, replays, definitions, launches.

mod acp_agents;
mod acp_broken;
mod acp_replay;
mod conversation;
mod definitions;
mod exec;
mod launch;
