//! What is asked once for all clients: the greeting and the login.

use super::line::{self, Message};
use super::routing::{Client, Pending, Routing, What};

/// Ways to log in that are remembered; all clients of a host use the same.
const COMMON: usize = 16;
/// The greeting.
const GREETING: &str = "initialize";

/// How far a question for all is.
#[derive(Debug)]
pub(super) enum Common {
    /// The agent was asked; these wait, under these ids of theirs.
    Asked(Vec<(Client, String)>),
    /// Its answer.
    Known(String),
}

impl Routing {
    /// `initialize`.
    pub(super) fn greet(&mut self, client: Client, id: String, message: &Message<'_>) {
        self.ask_once(GREETING.to_owned(), client, id, message);
    }

    /// `authenticate`.
    pub(super) fn log_in(&mut self, client: Client, id: String, message: &Message<'_>) {
        let way = message.param("methodId").unwrap_or_default();
        self.ask_once(format!("authenticate {way}"), client, id, message);
    }

    fn ask_once(&mut self, key: String, client: Client, id: String, message: &Message<'_>) {
        let is_full = self.common.len() >= COMMON;
        match self.common.get_mut(&key) {
            Some(Common::Known(result)) => {
                let answer = line::result(&id, result);
                self.tell(client, answer);
            }
            Some(Common::Asked(waiting)) => waiting.push((client, id)),
            None if is_full => {
                self.tell(client, line::error(&id, "there are too many ways to log in"));
            }
            None => {
                self.common.insert(key.clone(), Common::Asked(vec![(client, id)]));
                let pending = Pending { from: None, what: What::Common(key) };
                self.ask(pending, |id| message.line(Some(&id.to_string())));
            }
        }
    }

    /// The answer is everybody's. An error is told to those who wait, and the next one may try again.
    pub(super) fn hear_common(&mut self, key: String, message: &Message<'_>) {
        let Some(Common::Asked(waiting)) = self.common.remove(&key) else { return };
        for (client, id) in waiting {
            self.tell(client, message.line(Some(&id)));
        }
        let Some(result) = message.result() else { return };
        if key == GREETING {
            self.closes = offers_close(result);
        }
        let result = result.replace(['\n', '\r'], "");
        self.common.insert(key, Common::Known(result));
    }
}

fn offers_close(greeting: &str) -> bool {
    let greeting: serde_json::Value = serde_json::from_str(greeting).unwrap_or_default();
    greeting["agentCapabilities"]["sessionCapabilities"]["close"].is_object()
}
