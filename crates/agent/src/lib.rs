//! A conversation with an agent over any byte stream: the Agent Client Protocol, one-shot commands, transcripts,
//! permissions, and what is known of each agent.
//!
//! This crate starts no process, reads no environment, touches no file and asks no clock: its owner does, and hands in
//! bytes, facts and times. (One exception: a named time zone is looked up in the system's own tables.)

pub mod acp;
mod action;
mod conversation;
mod definition;
pub mod exec;
pub mod handoff;
mod home;
mod launch;
mod limit;
mod lines;
mod outcome;
mod ready;
mod recorder;
mod registry;
mod template;
mod usage;

pub use action::{Action, Asked, CommandError, Failure, FailureKind, Reply};
pub use conversation::{Conversation, ConversationSetup};
pub use definition::{
    Acp, Arg, Definition, Drive, Endpoint, Exec, FileTemplate, HandOver, Login, ModeName, ModeSetting, Modes,
    Output, Price, PromptBy, Quirks,
};
pub use home::{
    ARGUMENT_BYTES, AgentLaunch, ExecTurn, HomeFile, Identity, LaunchContext, LaunchError, LoginFile, NO_KEY,
    PASSED,
};
pub use limit::limit_end;
pub use lines::LINE_BYTES;
pub use ready::{Facts, Probe, Readiness, version_in};
pub use registry::{AGENTS, DEFINITION_BYTES, DefinitionError, Layer, Registry};
