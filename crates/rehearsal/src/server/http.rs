//! One request from its bytes to its answer: reads it, and finds its step.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::script::Tokens;

use super::conversation::{Conversation, Item};
use super::evidence::{Evidence, Outcome, Records};
use super::registry::Registry;
use super::reply::{Reply, USUAL, reply};
use super::route::{Endpoint, Route, route};
use super::send::send;
use super::side::side_reply;
use super::unanswered::Unanswered;
use super::{anthropic, chat, gemini, responses};

/// Longest request, packed or unpacked.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most steps whose failures are counted; beyond it counting starts again.
const COUNTED_MAX: usize = 100_000;

/// What all requests share.
#[derive(Debug)]
pub struct Shared {
    pub registry: Registry,
    pub records: Arc<Records>,
    /// Turns true when the server ends.
    pub ending: watch::Receiver<bool>,
    unanswered: Arc<Unanswered>,
    /// How often a step has already failed as its script wants.
    failures: Mutex<HashMap<u64, u32>>,
}

impl Shared {
    pub fn new(registry: Registry, records: Arc<Records>, ending: watch::Receiver<bool>) -> Self {
        Self { registry, records, ending, unanswered: Arc::default(), failures: Mutex::default() }
    }

    /// Counts one more failure and says how many there were before.
    pub fn failed_before(&self, key: u64) -> u32 {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= COUNTED_MAX {
            failures.clear();
        }
        let count = failures.entry(key).or_default();
        *count += 1;
        *count - 1
    }
}

/// Answers every request.
pub async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let method = head.method.as_str().to_owned();
    let Route { run, endpoint } = route(&method, head.uri.path());
    let evidence = Evidence {
        run,
        endpoint: endpoint.name().to_owned(),
        request: format!("{method} {}", head.uri.path()),
        ..Evidence::default()
    };
    if head.headers.contains_key(header::UPGRADE) {
        return refuse(&shared, evidence, &endpoint, 404, "This server has no WebSocket.");
    }
    let body = match read_body(&head.headers, body).await {
        Ok(body) => body,
        Err(message) => return refuse(&shared, evidence, &endpoint, 400, &message),
    };
    match endpoint {
        Endpoint::Messages | Endpoint::Responses | Endpoint::Chat | Endpoint::Gemini { .. } => {
            model_call(&shared, evidence, &endpoint, &body).await
        }
        Endpoint::Unknown => refuse(&shared, evidence, &endpoint, 404, "There is nothing here."),
        endpoint => plain(&shared, evidence, &endpoint, &method, &body),
    }
}

/// Everything that is not a model's answer.
fn plain(
    shared: &Arc<Shared>,
    evidence: Evidence,
    endpoint: &Endpoint,
    method: &str,
    body: &[u8],
) -> Response {
    if *endpoint == Endpoint::Evidence {
        let lines = shared.records.all().into_iter().filter_map(|one| serde_json::to_string(&one).ok());
        let text: String = lines.map(|line| line + "\n").collect();
        return ([(header::CONTENT_TYPE, "application/x-ndjson")], text).into_response();
    }
    if let Endpoint::Script(name) = endpoint {
        return script(shared, method, name, body);
    }
    let answer = match endpoint {
        Endpoint::CountTokens => json!({"input_tokens": USUAL.input}),
        Endpoint::GeminiCountTokens => json!({"totalTokens": USUAL.input}),
        Endpoint::Models => json!({
            "object": "list", "has_more": false,
            "data": [{"id": "scripted-1", "object": "model", "type": "model", "created": 0, "owned_by": "rehearsal",
                "display_name": "Scripted"}],
            "models": [{"name": "models/scripted-1", "displayName": "Scripted"}],
        }),
        _ => json!({"status": "ready"}),
    };
    let mut record = shared.records.begin(evidence, body);
    record.note(200, endpoint.name(), Tokens::default());
    record.end(Outcome::Answered);
    axum::Json(answer).into_response()
}

/// `PUT /scripts/NAME` registers the body, `GET` gives it back.
fn script(shared: &Shared, method: &str, name: &str, body: &[u8]) -> Response {
    match method {
        "PUT" | "POST" => match std::str::from_utf8(body).map_err(|error| error.to_string()) {
            Ok(text) => match shared.registry.put(name, text) {
                Ok(()) => StatusCode::NO_CONTENT.into_response(),
                Err(message) => (StatusCode::BAD_REQUEST, message + "\n").into_response(),
            },
            Err(message) => (StatusCode::BAD_REQUEST, message + "\n").into_response(),
        },
        "GET" => match shared.registry.get(name) {
            Some(text) => text.into_response(),
            None => (StatusCode::NOT_FOUND, "There is no such script.\n").into_response(),
        },
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

async fn model_call(
    shared: &Arc<Shared>,
    mut evidence: Evidence,
    endpoint: &Endpoint,
    body: &[u8],
) -> Response {
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        return refuse(shared, evidence, endpoint, 400, "The request is not JSON.");
    };
    let conversation = match endpoint {
        Endpoint::Messages => anthropic::read(&json),
        Endpoint::Responses => responses::read(&json),
        Endpoint::Gemini { model, stream } => gemini::read(&json, model, *stream),
        _ => chat::read(&json),
    };
    let prompts = shared.unanswered.take_apart(&evidence.run, &conversation.prompts());
    evidence.model = conversation.model.clone();
    evidence.stream = conversation.stream;
    evidence.tools = conversation.tools.iter().map(|tool| tool.name.clone()).collect();
    evidence.prompts = prompts.len();
    evidence.step = conversation.answers_since_prompt();
    evidence.class = "main".to_owned();
    let answer = match side_reply(&conversation) {
        Some((class, answer)) => {
            evidence.class = class.to_owned();
            answer
        }
        None => match shared.registry.follow(&prompts) {
            Ok(part) => {
                let turn = part.current().cloned().unwrap_or_default();
                reply(&turn, &conversation, evidence.step)
            }
            Err(error) => Reply { text: error.to_string(), ..Reply::default() },
        },
    };
    let key = key_of(&evidence, &prompts, &conversation);
    let is_main = evidence.class == "main";
    let waiting = is_main.then(|| shared.unanswered.remember(&evidence.run, &prompts)).flatten();
    let mut record = shared.records.begin(evidence, body);
    record.answers(waiting);
    send(shared, endpoint, &conversation, answer, record, key).await
}

fn refuse(
    shared: &Arc<Shared>,
    evidence: Evidence,
    endpoint: &Endpoint,
    status: u16,
    message: &str,
) -> Response {
    let mut record = shared.records.begin(evidence, &[]);
    record.note(status, message, Tokens::default());
    record.end(Outcome::Answered);
    error(endpoint, status, message)
}

pub fn error(endpoint: &Endpoint, status: u16, message: &str) -> Response {
    let body = match endpoint {
        Endpoint::Messages | Endpoint::CountTokens => anthropic::error(status, message),
        Endpoint::Gemini { .. } | Endpoint::GeminiCountTokens => gemini::error(status, message),
        _ => chat::error(status, message),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, axum::Json(body)).into_response()
}

/// Tells one step of one conversation from all others, so that its failures can be counted.
fn key_of(evidence: &Evidence, prompts: &[String], conversation: &Conversation) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&evidence.run, prompts, evidence.step).hash(&mut hasher);
    for item in &conversation.items {
        if let Item::Assistant(calls) = item {
            calls.hash(&mut hasher);
        }
    }
    hasher.finish()
}

async fn read_body(headers: &HeaderMap, body: Body) -> Result<Bytes, String> {
    let bytes = axum::body::to_bytes(body, BODY_BYTES_MAX).await.map_err(|error| error.to_string())?;
    match headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok()) {
        None | Some("identity") => Ok(bytes),
        Some("gzip") => {
            let mut unpacked = Vec::new();
            let mut reader = flate2::read::GzDecoder::new(&bytes[..]).take(BODY_BYTES_MAX as u64);
            reader
                .read_to_end(&mut unpacked)
                .map_err(|error| format!("The request cannot be unpacked: {error}."))?;
            Ok(unpacked.into())
        }
        Some(other) => Err(format!("The content encoding {other} is not known here.")),
    }
}
