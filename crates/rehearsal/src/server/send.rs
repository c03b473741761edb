//! Sends a reply on its way, or what goes wrong with it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::{mpsc, watch};

use crate::script::{Fault, FaultKind, Tokens};

use super::conversation::Conversation;
use super::evidence::{Outcome, Record};
use super::http::{Shared, error};
use super::reply::{Reply, Trouble, USUAL};
use super::route::Endpoint;
use super::stream::{Cut, Frame, Piece};
use super::{anthropic, chat, gemini, responses};

/// Frames on their way to a slow client.
const FRAMES_MAX: usize = 8;

/// Sends a reply, or what goes wrong with it.
pub async fn send(
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
