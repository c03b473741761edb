//! What the agent says: it goes to the client whose session it names, or whose request it answers.

use super::line::{self, Kind, Message};
use super::routing::{ASKS, Asked, KEPT_BYTES, KEPT_LINES, Owner, Routing, What};

/// Said to an agent that asks about a session that nobody has.
const NOBODY: &str = "nobody has this session";

impl Routing {
    pub(super) fn take_heard(&mut self, line: &[u8], now: u64) {
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let Some(messages) = line::read(line) else {
            return self.note("the agent printed what cannot be read", line);
        };
        for message in &messages {
            match message.kind() {
                Some(Kind::Answer { id }) => self.hear_answer(&id, message, now),
                Some(Kind::Request { .. } | Kind::Notification { .. }) => self.hear_of_session(message),
                None => self.note("the agent printed what is not of the protocol", line),
            }
        }
    }

    fn hear_answer(&mut self, id: &str, message: &Message<'_>, now: u64) {
        let pending = id.parse().ok().and_then(|id: u64| self.pending.remove(&id));
        let Some(pending) = pending else {
            return self.note("the agent answered what nobody asked", id.as_bytes());
        };
        let mut answer = pending.from.as_ref().map(|(_, id)| message.line(Some(id)));
        let client = pending.from.as_ref().map(|(client, _)| *client);
        match pending.what {
            What::Common(key) => return self.hear_common(key, message),
            What::Open => {
                if let Some(session) = message.result_text("sessionId").filter(|_| !message.is_error()) {
                    if self.sessions.contains_key(&session) {
                        // Two conversations under one name cannot be told apart.
                        let why = "the agent opened a session that is open already";
                        answer = pending.from.as_ref().map(|(_, id)| line::error(id, why));
                    } else {
                        self.opened(session, client, now);
                    }
                }
                if !self.is_opening() {
                    self.drop_kept();
                }
            }
            What::Take { session, new } => {
                if message.is_error() && new {
                    self.put_away(&session);
                }
            }
            What::Prompt(session) => self.turn_over(&session, now),
            What::Close(session) => {
                let is_over = match self.sessions.get(&session) {
                    Some(Owner::Client(owner)) => client == Some(*owner) && !message.is_error(),
                    Some(Owner::Nobody(_)) => true,
                    None => false,
                };
                if is_over {
                    self.put_away(&session);
                }
            }
            What::Other => {}
        }
        if let (Some(client), Some(answer)) = (client, answer) {
            self.tell(client, answer);
        }
    }

    /// A session is there: what was said of it before its answer comes first, as the agent said it.
    fn opened(&mut self, session: String, client: Option<u64>, now: u64) {
        match client {
            Some(client) => drop(self.sessions.insert(session.clone(), Owner::Client(client))),
            None => self.leave(&session, now),
        }
        let (its, others) = std::mem::take(&mut self.kept).into_iter().partition(|(of, _)| *of == session);
        self.kept = others;
        let its: Vec<(String, Vec<u8>)> = its;
        for (_, line) in its {
            for message in line::read(&line).iter().flatten() {
                self.hear_of_session(message);
            }
        }
    }

    fn hear_of_session(&mut self, message: &Message<'_>) {
        let Some(session) = message.param("sessionId") else { return self.hear_of_nobody(message) };
        match self.sessions.get(&session) {
            Some(Owner::Client(client)) => {
                let client = *client;
                if let Some(Kind::Request { id, method }) = message.kind() {
                    if self.asked.len() >= ASKS {
                        return self.refuse(message);
                    }
                    self.asked.insert(id, Asked { client, method });
                }
                self.tell(client, message.line(None));
            }
            Some(Owner::Nobody(_)) => self.withdraw_new(message),
            None if self.is_opening() && self.has_room() => self.kept.push((session, message.line(None))),
            None => self.refuse(message),
        }
    }

    /// The agent takes a request of its own back, or says something that concerns no session.
    fn hear_of_nobody(&mut self, message: &Message<'_>) {
        match message.kind() {
            Some(Kind::Notification { method }) if method == "$/cancel_request" => {
                let asked = message.param_id("requestId").and_then(|id| self.asked.get(&id));
                if let Some(client) = asked.map(|asked| asked.client) {
                    self.tell(client, message.line(None));
                }
            }
            _ => self.refuse(message),
        }
    }

    fn refuse(&mut self, message: &Message<'_>) {
        if let Some(Kind::Request { id, .. }) = message.kind() {
            self.answer_agent(line::error(&id, NOBODY));
        }
    }

    fn is_opening(&self) -> bool {
        self.pending.values().any(|pending| pending.what == What::Open)
    }

    fn has_room(&self) -> bool {
        let bytes: usize = self.kept.iter().map(|(_, line)| line.len()).sum();
        self.kept.len() < KEPT_LINES && bytes < KEPT_BYTES
    }

    /// Nobody is going to have these sessions.
    fn drop_kept(&mut self) {
        for (_, line) in std::mem::take(&mut self.kept) {
            for message in line::read(&line).iter().flatten() {
                self.refuse(message);
            }
        }
    }
}
