//! Sessions whose client is gone: the turn is cancelled, then the session is closed where the agent can do that.

use super::line::{self, Kind, Message};
use super::routing::{Client, Owner, Pending, Routing, Step, What};

/// How long the agent may take to end a turn that was cancelled, and then to close the session, in milliseconds.
pub(super) const GRACE_MS: u64 = 10_000;

/// A session that is being put away.
#[derive(Debug)]
pub(super) struct Leaving {
    /// Until when the agent has time.
    pub until: u64,
    /// Who wants it next, with the whole request.
    pub waiting: Vec<(Client, Vec<u8>)>,
}

impl Routing {
    /// Begins to put a session away.
    pub(super) fn leave(&mut self, session: &str, now: u64) {
        let leaving = Leaving { until: now + GRACE_MS, waiting: Vec::new() };
        self.sessions.insert(session.to_owned(), Owner::Nobody(leaving));
        if self.is_in_turn(session) {
            self.steps.push(Step::Agent(line::notification("session/cancel", session)));
        } else {
            self.close(session, now);
        }
    }

    /// A turn has ended; if it was cancelled because its client is gone, the session is closed next.
    pub(super) fn turn_over(&mut self, session: &str, now: u64) {
        if matches!(self.sessions.get(session), Some(Owner::Nobody(_))) && !self.is_in_turn(session) {
            self.close(session, now);
        }
    }

    fn close(&mut self, session: &str, now: u64) {
        if !self.closes {
            return self.put_away(session);
        }
        if let Some(Owner::Nobody(leaving)) = self.sessions.get_mut(session) {
            leaving.until = now + GRACE_MS;
        }
        if self.is_closing(session) {
            return;
        }
        let pending = Pending { from: None, what: What::Close(session.to_owned()) };
        self.ask(pending, |id| line::request(id, "session/close", session));
    }

    /// The session is nobody's any more; who waited for it may have it.
    pub(super) fn put_away(&mut self, session: &str) {
        let Some(Owner::Nobody(leaving)) = self.sessions.remove(session) else { return };
        for (client, line) in leaving.waiting {
            self.take_said(client, &line);
        }
    }

    /// An agent that does not end a cancelled turn cannot go on: what it does then is nobody's. One that only does not
    /// answer the close may.
    pub(super) fn give_up(&mut self, now: u64) {
        let overdue = |owner: &Owner| matches!(owner, Owner::Nobody(leaving) if leaving.until <= now);
        let overdue = self.sessions.iter().filter(|(_, owner)| overdue(owner));
        let overdue: Vec<String> = overdue.map(|(session, _)| session.clone()).collect();
        for session in overdue {
            if self.is_in_turn(&session) {
                let why = "it did not end a turn that was cancelled because its session was over".to_owned();
                return self.steps.push(Step::End(why));
            }
            self.put_away(&session);
        }
    }

    /// Answers a request of the agent about a session whose client is gone. Without this some agents never end a
    /// cancelled turn.
    pub(super) fn withdraw_new(&mut self, message: &Message<'_>) {
        if let Some(Kind::Request { id, method }) = message.kind() {
            self.withdraw(&id, &method);
        }
    }

    pub(super) fn withdraw(&mut self, id: &str, method: &str) {
        self.answer_agent(match method {
            "session/request_permission" => line::result(id, r#"{"outcome":{"outcome":"cancelled"}}"#),
            "elicitation/create" => line::result(id, r#"{"action":"cancel"}"#),
            _ => line::error(id, "whoever could answer is gone"),
        });
    }

    pub(super) fn answer_agent(&mut self, line: Vec<u8>) {
        self.steps.push(Step::Agent(line));
    }
}
