//! The log, followed live.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use divisi_model::Stream as LogStream;
use futures::{Stream, stream};

use crate::problem::{ApiError, Asked};
use crate::server::App;
use crate::types::{AfterQuery, EventView, Problem};

/// How often a silent feed says that it lives, so that dead connections are noticed on both sides.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The log from a number on, then everything new. Each event's id is its `seq`; a client that was cut off goes on with
/// `Last-Event-ID`.
#[utoipa::path(get, path = "/v1/events", params(AfterQuery, ("Last-Event-ID" = Option<u64>, Header)),
    responses((status = 200, body = EventView, content_type = "text/event-stream")))]
pub(crate) async fn follow(
    State(app): State<App>,
    headers: HeaderMap,
    Asked(query): Asked<AfterQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let after = last_event_id(&headers)?.or(query.after).unwrap_or_else(|| app.engine.last_seq());
    let feed = app.engine.feed(after);
    let events = stream::unfold((feed, app), |(mut feed, app)| async move {
        let envelope = tokio::select! {
            () = app.stop.cancelled() => return None,
            next = feed.next() => next.inspect_err(|error| tracing::warn!(%error, "a feed ended")).ok()?,
        };
        let task = match envelope.stream {
            LogStream::Task(id) => {
                app.engine.tasks().iter().find(|task| task.id == id).map(|task| task.spec.number.to_string())
            }
            LogStream::Project(_) => None,
        };
        let event = sse(envelope.seq, &EventView::of(&envelope, task));
        Some((Ok(event), (feed, app)))
    });
    Ok(Sse::new(events).keep_alive(keep_alive()))
}

/// What the client has already, as it says in `Last-Event-ID`.
pub(super) fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    number
        .map(Some)
        .ok_or_else(|| Problem::bad_input("Last-Event-ID is not a number", "send back the last id you got"))
}

/// One event of a feed. JSON has no raw line breaks, so it always fits the format.
pub(super) fn sse(id: u64, data: &impl serde::Serialize) -> Event {
    let json = serde_json::to_string(data).unwrap_or_default();
    Event::default().id(id.to_string()).data(json)
}

/// Keeps a feed alive.
pub(super) fn keep_alive() -> KeepAlive {
    KeepAlive::new().interval(KEEP_ALIVE)
}
