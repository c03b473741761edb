//! The state, and what its owner can tell it and is told by it.

use std::collections::{BTreeMap, BTreeSet};

use super::common::Common;
use super::leaving::Leaving;

/// A client, by a number that no other ever had.
pub type Client = u64;

/// Lines that are kept of sessions that are just being opened.
pub(super) const KEPT_LINES: usize = 256;
/// And their bytes.
pub(super) const KEPT_BYTES: usize = 4 * 1024 * 1024;
/// Requests of the agent that may wait for an answer at once, over all clients.
pub(super) const ASKS: usize = 1024;
/// How much of a line is shown that nobody can read, in bytes.
const SHOWN_BYTES: usize = 200;

/// What is to be done next. Lines end with a line feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Give the agent a line.
    Agent(Vec<u8>),
    /// Give a client a line.
    Client(Client, Vec<u8>),
    /// Tell whoever looks for a cause.
    Note(String),
    /// End the agent, and all clients with it.
    End(String),
}

/// One agent between many clients.
#[derive(Debug, Default)]
pub struct Routing {
    /// The id of the last request to the agent.
    pub(super) last_id: u64,
    pub(super) clients: BTreeSet<Client>,
    /// Requests that are asked once for all, by what they ask.
    pub(super) common: BTreeMap<String, Common>,
    /// The agent offers `session/close`.
    pub(super) closes: bool,
    /// Requests to the agent that wait for its answer.
    pub(super) pending: BTreeMap<u64, Pending>,
    /// Whose a session is.
    pub(super) sessions: BTreeMap<String, Owner>,
    /// Whom the agent waits for, by the ids of its requests.
    pub(super) asked: BTreeMap<String, Asked>,
    /// What the agent said of sessions that nobody knows yet, in order.
    pub(super) kept: Vec<(String, Vec<u8>)>,
    pub(super) steps: Vec<Step>,
}

/// Whose a session is.
#[derive(Debug)]
pub(super) enum Owner {
    Client(Client),
    /// Its client is gone and it is being put away.
    Nobody(Leaving),
}

/// A request to the agent.
#[derive(Debug)]
pub(super) struct Pending {
    /// Who asked, under which id of its own; nobody when the client is gone or Divisi itself asked.
    pub from: Option<(Client, String)>,
    pub what: What,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Something that is asked once for all.
    Common(String),
    /// A session whose id the answer says.
    Open,
    /// A session of this id; whether it was nobody's before.
    Take {
        session: String,
        new: bool,
    },
    Prompt(String),
    Close(String),
    Other,
}

/// A request of the agent.
#[derive(Debug)]
pub(super) struct Asked {
    pub client: Client,
    pub method: String,
}

impl Routing {
    /// A client is there.
    pub fn joined(&mut self, client: Client) {
        self.clients.insert(client);
    }

    /// A line of a client.
    pub fn said(&mut self, client: Client, line: &[u8]) -> Vec<Step> {
        self.take_said(client, line);
        std::mem::take(&mut self.steps)
    }

    /// A line of the agent, at this moment in milliseconds.
    pub fn heard(&mut self, line: &[u8], now: u64) -> Vec<Step> {
        self.take_heard(line, now);
        std::mem::take(&mut self.steps)
    }

    /// A client is gone. Its turns are cancelled and its sessions closed.
    pub fn left(&mut self, client: Client, now: u64) -> Vec<Step> {
        self.take_leave(client, now);
        std::mem::take(&mut self.steps)
    }

    /// Looks who was given time and has used it up.
    pub fn look_at_clock(&mut self, now: u64) -> Vec<Step> {
        self.give_up(now);
        std::mem::take(&mut self.steps)
    }

    /// When to look at the clock; never while there is nothing to wait for.
    pub fn due(&self) -> Option<u64> {
        let leaving = self.sessions.values().filter_map(|owner| match owner {
            Owner::Nobody(leaving) => Some(leaving.until),
            Owner::Client(_) => None,
        });
        leaving.min()
    }

    /// Sends the agent a request under an id of ours.
    pub(super) fn ask(&mut self, pending: Pending, line: impl FnOnce(u64) -> Vec<u8>) {
        self.last_id += 1;
        self.steps.push(Step::Agent(line(self.last_id)));
        self.pending.insert(self.last_id, pending);
    }

    pub(super) fn tell(&mut self, client: Client, line: Vec<u8>) {
        if self.clients.contains(&client) {
            self.steps.push(Step::Client(client, line));
        }
    }

    pub(super) fn note(&mut self, what: &str, line: &[u8]) {
        let shown = &line[..line.len().min(SHOWN_BYTES)];
        self.steps.push(Step::Note(format!("{what}: {}", String::from_utf8_lossy(shown).trim_end())));
    }

    pub(super) fn is_closing(&self, session: &str) -> bool {
        self.pending.values().any(|pending| matches!(&pending.what, What::Close(of) if of == session))
    }

    pub(super) fn is_in_turn(&self, session: &str) -> bool {
        self.pending.values().any(|pending| matches!(&pending.what, What::Prompt(of) if of == session))
    }
}
