//! JSON-RPC messages of which only the envelope is looked at.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Why a request is refused, by the numbers of JSON-RPC.
pub(super) const INVALID_PARAMS: i64 = -32602;

/// One message, its fields as they were written.
#[derive(Debug)]
pub(super) struct Message<'a>(BTreeMap<String, &'a RawValue>);

/// What a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Request { id: String, method: String },
    Notification { method: String },
    Answer { id: String },
}

/// The messages of a line; a batch has several. None if it cannot be read.
pub(super) fn read(line: &[u8]) -> Option<Vec<Message<'_>>> {
    let text = std::str::from_utf8(line).ok()?;
    if text.trim_start().starts_with('[') {
        let parts: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        return parts.into_iter().map(|part| serde_json::from_str(part.get()).ok().map(Message)).collect();
    }
    Some(vec![Message(serde_json::from_str(text).ok()?)])
}

impl Message<'_> {
    /// What it is; none if it is nothing of the protocol. Ids are in the one way in which they are written here.
    pub fn kind(&self) -> Option<Kind> {
        let id = self.0.get("id").and_then(|id| canonical(id));
        let method = self.0.get("method").and_then(|method| serde_json::from_str(method.get()).ok());
        match (id, method) {
            (Some(id), Some(method)) => Some(Kind::Request { id, method }),
            (None, Some(method)) => Some(Kind::Notification { method }),
            (Some(id), None) => Some(Kind::Answer { id }),
            (None, None) => None,
        }
    }

    /// A text among the parameters.
    pub fn param(&self, name: &str) -> Option<String> {
        text_in(self.0.get("params")?, name)
    }

    /// An id among the parameters.
    pub fn param_id(&self, name: &str) -> Option<String> {
        let params: BTreeMap<String, &RawValue> = serde_json::from_str(self.0.get("params")?.get()).ok()?;
        canonical(params.get(name)?)
    }

    /// A text in the result.
    pub fn result_text(&self, name: &str) -> Option<String> {
        text_in(self.0.get("result")?, name)
    }

    /// The result, unless it is an error.
    pub fn result(&self) -> Option<&str> {
        if self.is_error() { None } else { Some(self.0.get("result").map_or("null", |result| result.get())) }
    }

    /// Whether it is the answer that something went wrong.
    pub fn is_error(&self) -> bool {
        self.0.get("error").is_some_and(|error| error.get() != "null")
    }

    /// The whole message as a line, under another id where one is given.
    pub fn line(&self, id: Option<&str>) -> Vec<u8> {
        let mut line = String::from("{");
        for (n, (name, value)) in self.0.iter().enumerate() {
            let value = id.filter(|_| name == "id").unwrap_or(value.get());
            line.push_str(if n == 0 { "" } else { "," });
            line.push_str(&Value::from(name.as_str()).to_string());
            line.push(':');
            // A line feed between the parts of a value is no part of it.
            line.extend(value.chars().filter(|c| !matches!(c, '\n' | '\r')));
        }
        line.push_str("}\n");
        line.into_bytes()
    }
}

/// A good answer.
pub(super) fn result(id: &str, result: &str) -> Vec<u8> {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}\n").into_bytes()
}

/// A refusal.
pub(super) fn error(id: &str, why: &str) -> Vec<u8> {
    let why = Value::from(why);
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{{\"code\":{INVALID_PARAMS},\"message\":{why}}}}}\n")
        .into_bytes()
}

/// A request of our own about a session.
pub(super) fn request(id: u64, method: &str, session: &str) -> Vec<u8> {
    let session = Value::from(session);
    format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{method}\",\"params\":{{\"sessionId\":{session}}}}}\n"
    )
    .into_bytes()
}

/// A notification of our own about a session.
pub(super) fn notification(method: &str, session: &str) -> Vec<u8> {
    let session = Value::from(session);
    format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{{\"sessionId\":{session}}}}}\n")
        .into_bytes()
}

/// The same id may be written in several ways.
fn canonical(id: &RawValue) -> Option<String> {
    let id: Value = serde_json::from_str(id.get()).ok()?;
    Some(id.to_string())
}

fn text_in(raw: &RawValue, name: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Fields<'a>(#[serde(borrow)] BTreeMap<String, &'a RawValue>);
    let Fields(fields) = serde_json::from_str(raw.get()).ok()?;
    serde_json::from_str(fields.get(name)?.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_id_of_a_line_changes() {
        let messages =
            read(b"{\"id\": 3, \"method\":\"a\",\n\"params\":{\"x\": 1.0, \"s\":\"a\\nb\"},\"z\":null}")
                .unwrap();
        let line = String::from_utf8(messages[0].line(Some("41"))).unwrap();
        assert_eq!(
            line,
            "{\"id\":41,\"method\":\"a\",\"params\":{\"x\": 1.0, \"s\":\"a\\nb\"},\"z\":null}\n"
        );
        assert_eq!(messages[0].kind(), Some(Kind::Request { id: "3".into(), method: "a".into() }));
        assert_eq!(messages[0].param("s"), Some("a\nb".into()));
    }

    #[test]
    fn what_is_not_of_the_protocol_is_nothing() {
        assert!(read(b"npm warn").is_none());
        assert!(read(b"42").is_none());
        assert_eq!(read(b"{\"level\":\"info\"}").unwrap()[0].kind(), None);
        assert_eq!(
            read(b"[{\"method\":\"x\"},{\"id\":\"\\u0061\"}]").unwrap()[1].kind(),
            Some(Kind::Answer { id: "\"a\"".into() })
        );
    }
}
