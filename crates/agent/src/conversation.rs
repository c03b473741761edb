//! One face for both ways of driving an agent, so that its owner needs no two loops.

use std::time::Duration;

use divisi_model::event::{TurnOutcome, Usage};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::acp::{self, PromptPart, Stage};
use crate::action::{Action, CommandError, Reply};
use crate::exec::{self, Exited};

/// What a conversation needs to know. Store it with the launch: a replay takes the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "drive", rename_all = "snake_case")]
pub enum ConversationSetup {
    /// By ACP.
    Acp(acp::Setup),
    /// One turn of a one-shot command.
    Exec(exec::Setup),
}

/// A conversation with an agent's process.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant)]
pub enum Conversation {
    /// By ACP.
    Acp(acp::Session),
    /// One turn of a one-shot command.
    Exec(exec::Session),
}

impl Conversation {
    /// A conversation that is rebuilt from its journals, or a new one if they are empty. Feed the out journal, then
    /// call [`Self::live`], then [`Self::start`] if the process still runs.
    pub fn replaying(setup: ConversationSetup, in_journal: &[u8], since: Timestamp) -> Self {
        match setup {
            ConversationSetup::Acp(setup) => Self::Acp(acp::Session::replaying(setup, in_journal, since)),
            ConversationSetup::Exec(setup) => Self::Exec(exec::Session::new(setup, since)),
        }
    }

    /// Ends a replay; see [`acp::Session::live`].
    pub fn live(&mut self, now: Timestamp) -> Vec<Action> {
        match self {
            Self::Acp(session) => session.live(now),
            Self::Exec(session) => session.start(now),
        }
    }

    /// Begins, or goes on; see [`acp::Session::start`].
    pub fn start(&mut self, now: Timestamp) -> Vec<Action> {
        match self {
            Self::Acp(session) => session.start(now),
            Self::Exec(session) => session.start(now),
        }
    }

    /// Takes a piece of the agent's output; see [`acp::Session::feed_out`].
    pub fn feed_out(&mut self, piece: &[u8], offset: u64, now: Timestamp) -> Vec<Action> {
        match self {
            Self::Acp(session) => session.feed_out(piece, offset, now),
            Self::Exec(session) => session.feed_out(piece, offset, now),
        }
    }

    /// Begins a turn. A one-shot command has its prompt from its launch: it is busy until its process ends, and then
    /// the next turn is a launch of its own.
    pub fn prompt(
        &mut self,
        turn: u32,
        parts: &[PromptPart],
        now: Timestamp,
    ) -> Result<Vec<Action>, CommandError> {
        match self {
            Self::Acp(session) => session.prompt(turn, parts, now),
            Self::Exec(session) if session.is_over() => Err(CommandError::Over),
            Self::Exec(_) => Err(CommandError::Busy),
        }
    }

    /// Words in the middle of a turn; see [`acp::Session::steer`].
    pub fn steer(&mut self, parts: &[PromptPart], now: Timestamp) -> Result<Vec<Action>, CommandError> {
        match self {
            Self::Acp(session) => session.steer(parts, now),
            Self::Exec(session) if session.is_over() => Err(CommandError::Over),
            Self::Exec(_) => Err(CommandError::CannotSteer),
        }
    }

    /// Words that the agent did not take after all; queue them.
    pub fn take_refused(&mut self) -> Vec<PromptPart> {
        match self {
            Self::Acp(session) => session.take_refused(),
            Self::Exec(_) => Vec::new(),
        }
    }

    /// Ends the turn before its time; for a one-shot command `Closed` follows, so that its process is ended.
    pub fn cancel(&mut self, now: Timestamp) -> Vec<Action> {
        match self {
            Self::Acp(session) => session.cancel(now),
            Self::Exec(session) => session.cancel(now),
        }
    }

    /// Answers what the agent asked; a one-shot command never asks.
    pub fn answer(
        &mut self,
        request: &str,
        reply: &Reply,
        now: Timestamp,
    ) -> Result<Vec<Action>, CommandError> {
        match self {
            Self::Acp(session) => session.answer(request, reply, now),
            Self::Exec(_) => Err(CommandError::NoSuchRequest(request.to_owned())),
        }
    }

    /// Ends the session in good order where the agent can.
    pub fn close(&mut self, now: Timestamp) -> Vec<Action> {
        match self {
            Self::Acp(session) => session.close(now),
            Self::Exec(_) => vec![Action::Closed],
        }
    }

    /// The process is gone. Feed all of its output first.
    pub fn exited(&mut self, exit: &Exited, now: Timestamp) -> Vec<Action> {
        match self {
            Self::Acp(session) => session.ended(TurnOutcome::ProcessEnded { text: exit.text.clone() }, now),
            Self::Exec(session) => session.exited(exit, now),
        }
    }

    /// Gives up an agent that does not open its session in time; see [`acp::Session::look_at_start`].
    pub fn look_at_start(&mut self, taken: Duration, now: Timestamp) -> Vec<Action> {
        match self {
            Self::Acp(session) => session.look_at_start(taken, now),
            Self::Exec(_) => Vec::new(),
        }
    }

    /// How far the conversation is.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Acp(session) => session.stage(),
            Self::Exec(session) if session.is_over() => Stage::Over,
            Self::Exec(_) => Stage::Turn,
        }
    }

    /// The agent's id of the session, once it is known.
    pub fn session_id(&self) -> Option<&str> {
        match self {
            Self::Acp(session) => session.session_id(),
            Self::Exec(session) => session.session_id(),
        }
    }

    /// The model that the agent says it uses; a command does not say.
    pub fn model(&self) -> Option<&str> {
        match self {
            Self::Acp(session) => session.model(),
            Self::Exec(_) => None,
        }
    }

    /// What the running turn used so far, as the agent reported it; many report only at its end.
    pub fn used(&self) -> Usage {
        match self {
            Self::Acp(session) => session.used(),
            Self::Exec(session) => session.used(),
        }
    }

    /// Whether the agent can be shown images; a command only reads.
    pub fn takes_images(&self) -> bool {
        match self {
            Self::Acp(session) => session.takes_images(),
            Self::Exec(_) => false,
        }
    }

    /// The requests that wait for an answer, oldest first.
    pub fn open_requests(&self) -> Vec<&str> {
        match self {
            Self::Acp(session) => session.open_requests(),
            Self::Exec(_) => Vec::new(),
        }
    }

    /// Where the next byte of the agent's output belongs; feed from here.
    pub fn out_offset(&self) -> u64 {
        match self {
            Self::Acp(session) => session.out_offset(),
            Self::Exec(session) => session.out_offset(),
        }
    }

    /// The number that the next entry gets.
    pub fn next_seq(&self) -> u64 {
        match self {
            Self::Acp(session) => session.next_seq(),
            Self::Exec(session) => session.next_seq(),
        }
    }
}
