//! The record of an attempt's sessions, read and followed.

use std::convert::Infallible;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, Sse};
use futures::{Stream, stream};

use super::{events, find};
use crate::problem::{Answer, ApiError, Asked, Segment};
use crate::server::App;
use crate::types::{AfterQuery, Problem, TranscriptEntryView, TranscriptQuery};

/// Most entries given at once.
const ENTRIES_MAX: usize = 1000;

/// Entries of the transcript in the order of their revisions, at most a thousand at once; ask again with `after`. With
/// `last`, its end in its own order; ask again with `before` for what stands above, and follow on from the highest
/// revision.
#[utoipa::path(get, path = "/v1/tasks/{handle}/transcript", params(("handle" = String, Path), TranscriptQuery),
    responses((status = 200, body = Vec<TranscriptEntryView>), (status = 404, body = Problem)))]
pub(crate) async fn read(
    State(app): State<App>,
    Segment(handle): Segment<String>,
    Asked(query): Asked<TranscriptQuery>,
) -> Answer<Vec<TranscriptEntryView>> {
    let id = find::attempt_id(&app, &handle)?;
    let limit = if query.limit == 0 { ENTRIES_MAX } else { query.limit.min(ENTRIES_MAX) };
    let entries = match query.last {
        0 => app.engine.transcript(id, query.after, limit).await?,
        last => {
            let before = query.before.as_deref().map(place).transpose()?;
            app.engine.transcript_tail(id, before, last.min(ENTRIES_MAX)).await?
        }
    };
    let views = entries.into_iter().map(|stored| TranscriptEntryView {
        rev: stored.rev,
        session: stored.session,
        entry: stored.entry,
    });
    Ok(Json(views.collect()))
}

/// Reads the place of an entry, `SESSION.SEQ`.
fn place(text: &str) -> Result<(u32, u64), Problem> {
    let read =
        text.split_once('.').and_then(|(session, seq)| Some((session.parse().ok()?, seq.parse().ok()?)));
    read.ok_or_else(|| {
        Problem::bad_input(format!("{text} names no entry"), "before=SESSION.SEQ, such as 1.240")
    })
}

/// The transcript from a revision on (by default from its beginning), then everything new. Each event's id is its
/// revision; an entry seen again, by `session` and `seq`, replaces the one before.
#[utoipa::path(get, path = "/v1/tasks/{handle}/transcript/live",
    params(("handle" = String, Path), AfterQuery, ("Last-Event-ID" = Option<u64>, Header)),
    responses((status = 200, body = TranscriptEntryView, content_type = "text/event-stream")))]
pub(crate) async fn follow(
    State(app): State<App>,
    Segment(handle): Segment<String>,
    headers: HeaderMap,
    Asked(query): Asked<AfterQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let id = find::attempt_id(&app, &handle)?;
    let after = events::last_event_id(&headers)?.or(query.after).unwrap_or(0);
    let feed = app.engine.follow_transcript(id, after);
    let entries = stream::unfold((feed, app), |(mut feed, app)| async move {
        let stored = tokio::select! {
            () = app.stop.cancelled() => return None,
            next = feed.next() => next.inspect_err(|error| tracing::warn!(%error, "a feed ended")).ok()?,
        };
        let view = TranscriptEntryView { rev: stored.rev, session: stored.session, entry: stored.entry };
        Some((Ok(events::sse(view.rev, &view)), (feed, app)))
    });
    Ok(Sse::new(entries).keep_alive(events::keep_alive()))
}
