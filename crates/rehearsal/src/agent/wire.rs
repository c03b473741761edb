//! JSON-RPC lines: what goes out, and which of our requests an incoming answer belongs to.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use agent_client_protocol_schema::v1::Error;
use serde::Serialize;
use serde_json::{Value, json};

use super::cancel::lock;

/// The client's side of the connection.
pub struct Wire {
    out: Mutex<Out>,
    pending: Mutex<Pending>,
}

struct Out {
    stream: Box<dyn Write + Send>,
    gone: bool,
}

#[derive(Default)]
struct Pending {
    next: i64,
    waiting: HashMap<i64, Sender<Value>>,
    closed: bool,
}

impl Wire {
    pub fn new(stream: Box<dyn Write + Send>) -> Self {
        Self { out: Mutex::new(Out { stream, gone: false }), pending: Mutex::default() }
    }

    pub fn notify(&self, method: &str, params: &impl Serialize) {
        self.line(&json!({"jsonrpc": "2.0", "method": method, "params": value(params)}));
    }

    /// Sends a request; the answer's whole message arrives at the receiver, or the receiver is cut off when the client
    /// goes.
    pub fn request(&self, method: &str, params: &impl Serialize) -> Receiver<Value> {
        let (sender, receiver) = channel();
        let id = {
            let mut pending = lock(&self.pending);
            let id = pending.next;
            pending.next += 1;
            if !pending.closed {
                pending.waiting.insert(id, sender);
            }
            id
        };
        self.line(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": value(params)}));
        receiver
    }

    pub fn answer(&self, id: &Value, result: Result<Value, Error>) {
        self.line(&match result {
            Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            Err(error) => json!({"jsonrpc": "2.0", "id": id, "error": value(&error)}),
        });
    }

    /// Gives an incoming answer to whoever waits for it; late ones are dropped.
    pub fn answered(&self, message: Value) {
        let waiting = message["id"].as_i64().and_then(|id| lock(&self.pending).waiting.remove(&id));
        if let Some(sender) = waiting {
            // The turn may have ended meanwhile.
            let _ = sender.send(message);
        }
    }

    /// The client has gone: nobody waits any longer.
    pub fn close(&self) {
        let mut pending = lock(&self.pending);
        pending.closed = true;
        pending.waiting.clear();
    }

    pub fn line(&self, message: &Value) {
        let mut line = message.to_string();
        line.push('\n');
        self.bytes(line.as_bytes());
    }

    /// Bytes as they are. A client that no longer reads is not told anything any more.
    pub fn bytes(&self, bytes: &[u8]) {
        let mut out = lock(&self.out);
        if !out.gone && out.stream.write_all(bytes).and_then(|()| out.stream.flush()).is_err() {
            out.gone = true;
        }
    }
}

/// Protocol messages are plain data, so turning them into JSON cannot fail; if it ever did, `null` is the visible sign.
pub fn value(message: &impl Serialize) -> Value {
    serde_json::to_value(message).unwrap_or(Value::Null)
}
