//! A conversation with an agent over any byte stream: the Agent Client Protocol, one-shot commands, transcripts,
//! permissions, and what is known of each agent.
//!
//! This crate starts no process, reads no environment, touches no file and asks no clock: its owner does, and hands in
//! bytes, facts and times. (One exception: a named time zone is looked up in the system's own tables.)
//!
//! # How an owner uses it
//!
//! An agent is data ([`Registry`], [`Definition`]). Facts about the machine decide whether it is ready
//! ([`Definition::readiness`]) and give the plan of its launch ([`Definition::launch`]). The conversation is a state
//! machine: every call gives [`Action`]s, which the owner carries out in their order.
//!
//! ```
//! use divisi_agent::acp::{Open, PromptPart, Setup};
//! use divisi_agent::{Action, Conversation, ConversationSetup, Facts, LaunchContext, Registry, Reply};
//! use divisi_model::event::Origin;
//! # use jiff::Timestamp;
//! # fn launch(_: &divisi_agent::AgentLaunch) {}
//! # fn carry_out(_: Vec<Action>) {}
//! # let now = Timestamp::UNIX_EPOCH;
//! let registry = Registry::shipped();
//! let agent = registry.require("rehearsal")?;
//! // What `agent.probe()` asks for: the program's path, which login files and variables there are.
//! let facts = Facts { program: Some("/usr/bin/divisi".into()), ..Facts::default() };
//! assert!(agent.readiness(&facts).is_ready());
//! let plan = agent.launch(&facts, &LaunchContext::default())?;
//! let setup = Setup {
//!     cwd: "/repo/t1.1".into(),
//!     open: Open::New, // or `Open::Resume(id)`
//!     mcp_servers: Vec::new(),
//!     mode: plan.mode_id.clone(),
//!     authenticate: plan.authenticate.clone(),
//!     elicitation: agent.acp.questions,
//!     start_seconds: agent.acp.start_seconds,
//!     quirks: agent.quirks.clone(),
//!     zone: None,
//!     counted: divisi_agent::Counted::default(),
//!     first_seq: 1,
//!     turn: 0,
//! };
//! // Store the setup, then start the process, then speak. After a restart it goes on from here with the journals.
//! launch(&plan);
//! let (in_journal, out_journal) = (b"", b"");
//! let mut talk = Conversation::replaying(ConversationSetup::Acp(setup), in_journal, now);
//! carry_out(talk.feed_out(out_journal, 0, now)); // entries again, with the same numbers
//! carry_out(talk.live(now)); // what was due but never sent
//! carry_out(talk.start(now)); // `Action::Send(initialize …)` if that was not sent yet
//! // … bytes of the agent → talk.feed_out(…) → `SessionOpened`, then `Ready`:
//! let words = PromptPart::words(Origin::Person, "Mend the parser.");
//! if let Ok(actions) = talk.prompt(1, &[words], now) {
//!     carry_out(actions);
//! }
//! // … `Action::Asked` → an inbox item → talk.answer(&request, &Reply::Allow { always: false }, now)
//! // … `Action::TurnEnded` → snapshot, checks; the next prompt is a new turn.
//! # let _ = Reply::Withdraw;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod acp;
mod action;
mod conversation;
mod cost;
mod definition;
mod errors;
pub mod exec;
pub mod handoff;
mod home;
mod launch;
mod limit;
mod lines;
mod listed;
mod outcome;
mod ready;
mod recorder;
mod registry;
pub mod share;
mod template;
mod usage;

pub use action::{Action, Asked, CommandError, Failure, FailureKind, Reply};
pub use conversation::{Conversation, ConversationSetup};
pub use definition::{
    Acp, Arg, Definition, Drive, Endpoint, Exec, FileTemplate, HandOver, Login, ModeName, ModeSetting, Modes,
    Output, Price, PromptBy, Quirks,
};
pub use errors::{ErrorRule, Meaning};
pub use home::{
    ARGUMENT_BYTES, AgentLaunch, ExecTurn, HomeFile, Identity, LaunchContext, LaunchError, LoginFile, NO_KEY,
    PASSED,
};
pub use limit::limit_end;
pub use lines::LINE_BYTES;
pub use listed::{LISTING_BYTES, Listed, ListingError, Way, platform};
pub use ready::{Facts, Probe, Readiness, version_in};
pub use registry::{AGENTS, DEFINITION_BYTES, DefinitionError, Layer, Registry};
pub use usage::Counted;
