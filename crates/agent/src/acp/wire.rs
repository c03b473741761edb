//! JSON-RPC 2.0, one message per line.

use agent_client_protocol_schema::v1::RequestId;
use divisi_model::image::GivenImage;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::setup::PromptPart;
use crate::errors::Report;

/// One message of the other side, its payload not yet looked at.
#[derive(Debug)]
pub(super) enum Message<'a> {
    Request { id: RequestId, method: String, params: Option<&'a RawValue> },
    Notification { method: String, params: Option<&'a RawValue> },
    Response { id: RequestId, result: Result<Option<&'a RawValue>, RpcError> },
}

/// The error of a response.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct RpcError {
    #[serde(default)]
    pub code: i64,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub data: Option<Value>,
}

/// What Divisi notes in the `_meta` of each of its messages, so that a replay knows their place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// Bytes of the agent's output that had been read as whole lines.
    pub seen: u64,
    /// When the message was made, in milliseconds since 1970.
    pub at: i64,
    /// The turn that a prompt begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
    /// Where the blocks of a prompt come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<divisi_model::event::Origin>,
    /// The images of each part of a prompt; empty where no part has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Vec<GivenImage>>,
}

/// The key of the stamp inside `_meta`.
const META_KEY: &str = "divisi";

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default, deserialize_with = "present")]
    id: Option<RequestId>,
    method: Option<String>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<RpcError>,
}

/// Reads a line; a batch gives several messages.
pub(super) fn read(line: &[u8]) -> Result<Vec<Message<'_>>, String> {
    let text = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
    if text.trim_start().starts_with('[') {
        let parts: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| "not JSON".to_owned())?;
        return parts.into_iter().map(|part| message(part.get())).collect();
    }
    message(text).map(|message| vec![message])
}

fn message(text: &str) -> Result<Message<'_>, String> {
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|e| match e.classify() {
        serde_json::error::Category::Data => "not JSON-RPC".to_owned(),
        _ => "not JSON".to_owned(),
    })?;
    match envelope {
        Envelope { id: Some(id), method: Some(method), params, .. } => {
            Ok(Message::Request { id, method, params })
        }
        Envelope { id: None, method: Some(method), params, .. } => {
            Ok(Message::Notification { method, params })
        }
        Envelope { id: Some(id), error: Some(error), .. } => Ok(Message::Response { id, result: Err(error) }),
        Envelope { id: Some(id), result, .. } => Ok(Message::Response { id, result: Ok(result) }),
        _ => Err("not JSON-RPC".to_owned()),
    }
}

pub(super) fn request(id: i64, method: &str, params: Value, stamp: &Stamp) -> Vec<u8> {
    line(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": stamped(params, stamp)}))
}

pub(super) fn notification(method: &str, params: Value, stamp: &Stamp) -> Vec<u8> {
    line(&json!({"jsonrpc": "2.0", "method": method, "params": stamped(params, stamp)}))
}

pub(super) fn result(id: &RequestId, result: Value, stamp: &Stamp) -> Vec<u8> {
    line(&json!({"jsonrpc": "2.0", "id": id, "result": stamped(result, stamp)}))
}

pub(super) fn error(id: &RequestId, code: i64, message: &str, stamp: &Stamp) -> Vec<u8> {
    line(
        &json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message, "data": stamped(json!({}), stamp)}}),
    )
}

/// Finds the stamp in a message of Divisi's own.
pub(super) fn stamp(message: &Message<'_>) -> Option<Stamp> {
    let value: Value = match message {
        Message::Request { params, .. } | Message::Notification { params, .. } => parse(*params)?,
        Message::Response { result: Ok(result), .. } => parse(*result)?,
        Message::Response { result: Err(error), .. } => error.data.clone()?,
    };
    serde_json::from_value(value.get("_meta")?.get(META_KEY)?.clone()).ok()
}

impl Stamp {
    pub fn new(seen: u64, now: Timestamp) -> Self {
        Self { seen, at: now.as_millisecond(), turn: None, origins: Vec::new(), images: Vec::new() }
    }

    /// That of a message with words for the agent.
    pub fn of_words(seen: u64, now: Timestamp, parts: &[PromptPart]) -> Self {
        let origins = parts.iter().map(|part| part.origin).collect();
        let any = parts.iter().any(|part| !part.images.is_empty());
        let images = if any { parts.iter().map(PromptPart::given).collect() } else { Vec::new() };
        Self { origins, images, ..Self::new(seen, now) }
    }

    pub fn time(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.at).ok()
    }
}

impl RpcError {
    /// Login needed, by the protocol.
    pub const AUTH_REQUIRED: i64 = -32000;
    /// The agent cancelled the request.
    pub const CANCELLED: i64 = -32800;

    /// The error as a whole, with these words.
    pub fn report<'a>(&'a self, text: &'a str) -> Report<'a> {
        Report { code: Some(self.code), data: self.data.as_ref(), ..Report::words(text) }
    }

    /// What people should read: the message and, where agents put the real cause into `data`, that too.
    pub fn text(&self) -> String {
        let detail = match &self.data {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Object(map)) => ["details", "message", "error", "reason"]
                .iter()
                .find_map(|key| map.get(*key).and_then(Value::as_str).map(str::to_owned)),
            _ => None,
        };
        match detail {
            Some(detail) if !self.message.contains(&detail) => {
                format!("{}: {detail} ({})", self.message, self.code)
            }
            _ => format!("{} ({})", self.message, self.code),
        }
    }
}

fn stamped(mut params: Value, stamp: &Stamp) -> Value {
    if let (Value::Object(map), Ok(stamp)) = (&mut params, serde_json::to_value(stamp)) {
        if !map.get("_meta").is_some_and(Value::is_object) {
            map.insert("_meta".to_owned(), json!({}));
        }
        map["_meta"][META_KEY] = stamp;
    }
    params
}

fn line(message: &Value) -> Vec<u8> {
    let mut bytes = message.to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}

fn parse(raw: Option<&RawValue>) -> Option<Value> {
    serde_json::from_str(raw?.get()).ok()
}

/// An `id` of `null` is an id, a missing one is not.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<RequestId>, D::Error> {
    RequestId::deserialize(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_shapes_are_told_apart() {
        let shape = |line: &str| match read(line.as_bytes()) {
            Ok(messages) => messages
                .iter()
                .map(|m| match m {
                    Message::Request { .. } => "request",
                    Message::Notification { .. } => "notification",
                    Message::Response { result: Ok(_), .. } => "result",
                    Message::Response { result: Err(_), .. } => "error",
                })
                .collect::<Vec<_>>()
                .join("+"),
            Err(why) => why,
        };
        assert_eq!(shape(r#"{"id":0,"method":"x","params":{}}"#), "request");
        assert_eq!(shape(r#"{"jsonrpc":"2.0","id":"a-b","method":"x"}"#), "request");
        assert_eq!(shape(r#"{"method":"x"}"#), "notification");
        assert_eq!(shape(r#"{"id":1,"result":null}"#), "result");
        assert_eq!(shape(r#"{"id":1,"error":{"code":-32000,"message":"no"}}"#), "error");
        assert_eq!(shape(r#"[{"method":"x"},{"id":1,"result":{}}]"#), "notification+result");
        assert_eq!(shape("npm warn deprecated"), "not JSON");
        assert_eq!(shape("42"), "not JSON-RPC");
        assert_eq!(shape(r#"{"level":"info"}"#), "not JSON-RPC");
        assert_eq!(shape(&"[".repeat(10_000)), "not JSON");
    }

    #[test]
    fn a_stamp_is_found_again_in_every_shape() {
        let mut stamp_in = Stamp::new(7, Timestamp::UNIX_EPOCH);
        stamp_in.turn = Some(3);
        let id = RequestId::Str("q".into());
        for bytes in [
            request(1, "session/prompt", json!({}), &stamp_in),
            notification("session/cancel", json!({"sessionId": "s"}), &stamp_in),
            result(&id, json!({"outcome": {}}), &stamp_in),
            error(&id, -32601, "no", &stamp_in),
        ] {
            let messages = read(&bytes[..bytes.len() - 1]).unwrap();
            assert_eq!(stamp(&messages[0]), Some(stamp_in.clone()));
        }
    }
}
