//! One request from its bytes to its answer: reads it, finds its step, and sends the reply or its trouble.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::script::{Fault, FaultKind, Tokens};

use super::conversation::{Conversation, Item};
use super::evidence::{Evidence, Outcome, Record, Records};
use super::registry::Registry;
use super::reply::{Reply, Trouble, USUAL, reply};
use super::route::{Endpoint, Route, route};
use super::side::side_reply;
use super::stream::{Cut, Frame, Piece};
use super::{anthropic, chat, gemini, responses};

/// Longest request, packed or unpacked.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Frames on their way to a slow client.
const FRAMES_MAX: usize = 8;
/// Most steps whose failures are counted; beyond it counting starts again.
const COUNTED_MAX: usize = 100_000;

/// What all requests share.
#[derive(Debug)]
pub struct Shared {
    pub registry: Registry,
    pub records: Arc<Records>,
    /// Turns true when the server ends.
    pub ending: watch::Receiver<bool>,
    /// How often a step has already failed as its script wants.
    failures: Mutex<HashMap<u64, u32>>,
}

impl Shared {
    pub fn new(registry: Registry, records: Arc<Records>, ending: watch::Receiver<bool>) -> Self {
        Self { registry, records, ending, failures: Mutex::default() }
    }

    /// Counts one more failure and says how many there were before.
    fn failed_before(&self, key: u64) -> u32 {
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
    let prompts = conversation.prompts();
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
    let key = key_of(&evidence, &conversation);
    let record = shared.records.begin(evidence, body);
    send(shared, endpoint, &conversation, answer, record, key).await
}

/// Sends a reply, or what goes wrong with it.
async fn send(
    shared: &Arc<Shared>,
    endpoint: &Endpoint,
    conversation: &Conversation,
    reply: Reply,
    mut record: Record,
    key: u64,
) -> Response {
    let tokens = reply.usage.unwrap_or(USUAL);
    let mut ending = shared.ending.clone();
    if !wait(reply.wait, &mut ending).await {
        record.end(Outcome::ShutDown);
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let trouble = match &reply.trouble {
        Some(Trouble::Error(fault)) if fault.times.is_none_or(|times| shared.failed_before(key) < times) => {
            let status = status_of(fault);
            record.note(status, &format!("error {status}"), Tokens::default());
            record.end(Outcome::Answered);
            return failure(endpoint, fault);
        }
        Some(Trouble::Error(_)) => None,
        Some(Trouble::Cut) if shared.failed_before(key) > 0 => None,
        trouble => trouble.clone(),
    };
    let action = match (&trouble, &reply.call) {
        (Some(Trouble::Stall), _) => "stall".to_owned(),
        (Some(Trouble::Cut), _) => "cut".to_owned(),
        (_, Some(call)) => format!("call {}", call.name),
        (_, None) => "text".to_owned(),
    };
    record.note(200, &action, tokens);
    let id = uuid::Uuid::now_v7().simple().to_string();
    let model = &conversation.model;
    if !conversation.stream {
        if trouble.is_some() {
            // Without a stream both kinds of trouble look alike: nothing comes, until the client or the server ends it.
            let cut = matches!(trouble, Some(Trouble::Cut));
            let stopped = if cut { true } else { wait(Duration::MAX, &mut ending).await };
            record.end(if stopped { Outcome::Cut } else { Outcome::ShutDown });
            return Response::new(Body::from_stream(tokio_stream::iter([Piece::Err(Cut)])));
        }
        let answer = match endpoint {
            Endpoint::Messages => anthropic::whole(&id, model, &reply, tokens),
            Endpoint::Responses => responses::whole(&id, model, &reply, tokens),
            Endpoint::Gemini { .. } => gemini::whole(&id, model, &reply, tokens),
            _ => chat::whole(&id, model, &reply, tokens),
        };
        record.end(Outcome::Answered);
        return axum::Json(answer).into_response();
    }
    let frames = match endpoint {
        Endpoint::Messages => anthropic::streamed(&id, model, &reply, tokens),
        Endpoint::Responses => responses::streamed(&id, model, &reply, tokens),
        Endpoint::Gemini { .. } => gemini::streamed(&id, model, &reply, tokens),
        _ => chat::streamed(&id, model, &reply, tokens),
    };
    let (sender, receiver) = mpsc::channel(FRAMES_MAX);
    tokio::spawn(stream(frames, trouble, sender, ending, record));
    let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver));
    ([(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")], body).into_response()
}

/// Sends frames until they end, the client goes, or something goes wrong as it should.
async fn stream(
    frames: Vec<Frame>,
    trouble: Option<Trouble>,
    sender: mpsc::Sender<Piece>,
    mut ending: watch::Receiver<bool>,
    record: Record,
) {
    // Both kinds of trouble come when the answer has visibly begun.
    let until = if trouble.is_some() { frames.len().div_ceil(2) } else { frames.len() };
    for frame in frames.into_iter().take(until) {
        let (waits, time) = (frame.wait.is_some(), frame.wait.unwrap_or_default());
        if sender.send(Ok(frame.bytes)).await.is_err() {
            return record.end(Outcome::AbortedByClient);
        }
        if waits {
            tokio::select! {
                going = wait(time, &mut ending) => if !going { return record.end(Outcome::ShutDown) },
                () = sender.closed() => return record.end(Outcome::AbortedByClient),
            }
        }
    }
    match trouble {
        None => {
            // A client that hangs up while the last frames are on their way has aborted, too.
            let outcome = if sender.is_closed() { Outcome::AbortedByClient } else { Outcome::Answered };
            record.end(outcome);
        }
        Some(Trouble::Stall) => {
            tokio::select! {
                _ = wait(Duration::MAX, &mut ending) => record.end(Outcome::ShutDown),
                () = sender.closed() => record.end(Outcome::AbortedByClient),
            }
        }
        Some(_) => {
            // The receiver may have gone already, which is a cut as well.
            let _ = sender.send(Err(Cut)).await;
            record.end(Outcome::Cut);
        }
    }
}

/// Waits that long; false if the server ends first.
async fn wait(time: Duration, ending: &mut watch::Receiver<bool>) -> bool {
    if time.is_zero() {
        return true;
    }
    // The longest sleep that timers take.
    let time = time.min(Duration::from_secs(60 * 60 * 24 * 365));
    tokio::select! {
        () = tokio::time::sleep(time) => true,
        _ = ending.wait_for(|ending| *ending) => false,
    }
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

fn error(endpoint: &Endpoint, status: u16, message: &str) -> Response {
    let body = match endpoint {
        Endpoint::Messages | Endpoint::CountTokens => anthropic::error(status, message),
        Endpoint::Gemini { .. } | Endpoint::GeminiCountTokens => gemini::error(status, message),
        _ => chat::error(status, message),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, axum::Json(body)).into_response()
}

fn failure(endpoint: &Endpoint, fault: &Fault) -> Response {
    let mut response = error(endpoint, status_of(fault), &fault.message);
    if let Some(wait) = fault.retry_after {
        let seconds = wait.as_secs_f64().ceil().to_string();
        if let Ok(value) = seconds.parse() {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
    }
    response
}

fn status_of(fault: &Fault) -> u16 {
    match fault.kind {
        FaultKind::Unauthorized => 401,
        FaultKind::UsageLimit | FaultKind::RateLimit => 429,
        FaultKind::Overloaded => 529,
        FaultKind::Internal => 500,
    }
}

/// Tells one step of one conversation from all others, so that its failures can be counted.
fn key_of(evidence: &Evidence, conversation: &Conversation) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&evidence.run, conversation.prompts(), evidence.step).hash(&mut hasher);
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
            let reader = flate2::read::GzDecoder::new(&bytes[..]).take(BODY_BYTES_MAX as u64);
            let mut reader = reader;
            reader
                .read_to_end(&mut unpacked)
                .map_err(|error| format!("The request cannot be unpacked: {error}."))?;
            Ok(unpacked.into())
        }
        Some(other) => Err(format!("The content encoding {other} is not known here.")),
    }
}
