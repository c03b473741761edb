//! What a client says: it reaches the agent if it concerns the client's own session, and is refused otherwise.

use super::line::{self, Kind, Message};
use super::routing::{Client, Owner, Pending, Routing, Step, What};

/// Said to a client that names a session of somebody else, or none.
const NOT_YOURS: &str = "this session is not open here";
/// Clients that may wait for the same session to be put away.
const WAITING: usize = 8;

impl Routing {
    pub(super) fn take_said(&mut self, client: Client, line: &[u8]) {
        if line.iter().all(u8::is_ascii_whitespace) || !self.clients.contains(&client) {
            return;
        }
        let Some(messages) = line::read(line) else {
            return self.note("a client sent what cannot be read", line);
        };
        for message in &messages {
            match message.kind() {
                Some(Kind::Request { id, method }) => self.said_request(client, id, &method, message),
                Some(Kind::Notification { .. }) => {
                    if self.owns(client, message.param("sessionId").as_deref()) {
                        self.steps.push(Step::Agent(message.line(None)));
                    }
                }
                Some(Kind::Answer { id }) => {
                    if self.asked.get(&id).is_some_and(|asked| asked.client == client) {
                        self.asked.remove(&id);
                        self.steps.push(Step::Agent(message.line(None)));
                    }
                }
                None => self.note("a client sent what is not of the protocol", line),
            }
        }
    }

    fn said_request(&mut self, client: Client, id: String, method: &str, message: &Message<'_>) {
        let session = message.param("sessionId");
        let what = match (method, session) {
            ("initialize", _) => return self.greet(client, id, message),
            ("authenticate", _) => return self.log_in(client, id, message),
            ("session/new", _) => What::Open,
            ("session/fork", Some(session)) if self.is_free_for(client, &session) => What::Open,
            ("session/load" | "session/resume", Some(session)) => {
                match self.take_session(client, &session, message) {
                    Some(new) => What::Take { session, new },
                    None => return,
                }
            }
            ("session/prompt", Some(session)) if self.owns(client, Some(&session)) => What::Prompt(session),
            ("session/close", Some(session)) if self.owns(client, Some(&session)) => What::Close(session),
            (_, Some(session)) if self.owns(client, Some(&session)) => What::Other,
            _ => return self.tell(client, line::error(&id, NOT_YOURS)),
        };
        let pending = Pending { from: Some((client, id)), what };
        self.ask(pending, |id| message.line(Some(&id.to_string())));
    }

    /// Makes a session the client's that was closed, or is from another process, and tells whether it was nobody's
    /// before. None where it cannot be had, of which the client is told, or not yet: then the request waits.
    fn take_session(&mut self, client: Client, session: &str, message: &Message<'_>) -> Option<bool> {
        match self.sessions.get_mut(session) {
            None => {
                self.sessions.insert(session.to_owned(), Owner::Client(client));
                return Some(true);
            }
            Some(Owner::Client(owner)) if *owner == client => return Some(false),
            Some(Owner::Nobody(leaving)) if leaving.waiting.len() < WAITING => {
                leaving.waiting.push((client, message.line(None)));
                return None;
            }
            Some(_) => {}
        }
        if let Some(Kind::Request { id, .. }) = message.kind() {
            self.tell(client, line::error(&id, NOT_YOURS));
        }
        None
    }

    fn owns(&self, client: Client, session: Option<&str>) -> bool {
        let owner = session.and_then(|session| self.sessions.get(session));
        matches!(owner, Some(Owner::Client(owner)) if *owner == client)
    }

    fn is_free_for(&self, client: Client, session: &str) -> bool {
        !self.sessions.contains_key(session) || self.owns(client, Some(session))
    }
}
