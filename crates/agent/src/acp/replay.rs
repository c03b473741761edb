//! Rebuilds a session from its two journals after the daemon was restarted, in the middle of whatever went on.

use std::collections::VecDeque;

use agent_client_protocol_schema::v1::RequestId;
use jiff::Timestamp;

use super::session::Session;
use super::setup::Setup;
use super::wire::{self, Message};
use crate::action::Action;

/// Our own messages that were not replayed yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Script {
    messages: VecDeque<Spoken>,
}

#[derive(Clone, Debug, PartialEq)]
struct Spoken {
    offset: u64,
    bytes: Vec<u8>,
    /// How much of the agent's output had been read; none in journals that others wrote.
    seen: Option<u64>,
}

impl Session {
    /// A session as it was when both journals were written, ready to go on. The setup must be the one it was begun
    /// with. Gives the actions again, with the same numbers and request names as before, and at the end what was due
    /// but never sent. The whole out journal need not be at hand: see [`Session::replaying`].
    pub fn replay(
        setup: Setup,
        in_journal: &[u8],
        out_journal: &[u8],
        now: Timestamp,
    ) -> (Self, Vec<Action>) {
        let mut session = Self::replaying(setup, in_journal, now);
        let mut actions = session.feed_out(out_journal, 0, now);
        actions.extend(session.live(now));
        (session, actions)
    }

    /// Begins a replay with what Divisi wrote. Feed the whole out journal in pieces of any size, then call
    /// [`Session::live`]. `since` is the time of what was heard before the first message.
    pub fn replaying(setup: Setup, in_journal: &[u8], since: Timestamp) -> Self {
        let mut session = Self::new(setup, since);
        session.script = Some(Script::read(in_journal));
        session
    }

    /// Ends a replay: everything after this is new. Gives what was due but never sent.
    pub fn live(&mut self, now: Timestamp) -> Vec<Action> {
        self.replay_until(u64::MAX);
        if self.script.take().is_some() {
            self.active = self.active.max(now);
            self.settle(now);
        }
        self.record.take()
    }

    /// Bytes at the end of the in journal that are not a whole message, so were never sent as one. Cut them off
    /// before anything is appended.
    pub fn torn_bytes(in_journal: &[u8]) -> usize {
        in_journal.iter().rev().take_while(|b| **b != b'\n').count()
    }

    /// Replays our messages that were sent before the agent's line at `offset` was read.
    pub(super) fn replay_until(&mut self, offset: u64) {
        while let Some(next) = self.script.as_ref().and_then(|script| script.messages.front()) {
            let due = offset == u64::MAX
                || next.seen.map_or_else(|| self.could_be_said(&next.bytes), |s| s <= offset);
            if !due {
                return;
            }
            let Some(next) = self.script.as_mut().and_then(|script| script.messages.pop_front()) else {
                return;
            };
            self.said(&next.bytes, next.offset, next.bytes.len() as u64);
        }
    }

    /// For a message that does not tell its place: whether it would make sense now.
    fn could_be_said(&self, bytes: &[u8]) -> bool {
        let Ok(messages) = wire::read(bytes) else { return true };
        messages.iter().all(|message| match message {
            Message::Request { .. } => self.waiting.is_none(),
            Message::Notification { .. } => true,
            Message::Response { id, .. } => self.is_asked(id),
        })
    }

    fn is_asked(&self, id: &RequestId) -> bool {
        self.asks.iter().any(|ask| ask.id == *id)
    }
}

impl Script {
    fn read(journal: &[u8]) -> Self {
        let mut messages = VecDeque::new();
        let torn = Session::torn_bytes(journal);
        let mut offset = 0;
        for line in journal[..journal.len() - torn].split_inclusive(|b| *b == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let stamp = wire::read(text).ok().and_then(|m| m.first().and_then(wire::stamp));
            messages.push_back(Spoken { offset, bytes: line.to_vec(), seen: stamp.map(|s| s.seen) });
            offset += line.len() as u64;
        }
        Self { messages }
    }
}
