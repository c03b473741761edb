//! A person's shell in the workspace of an attempt, and the bytes that its agents wrote.

use axum::Json;
use axum::body::Body as Bytes;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use divisi_engine::worker::Output;
use divisi_workspace::launch::Followed;
use futures::{StreamExt as _, stream};

use super::find;
use crate::auth::{self, Caller, owner_only};
use crate::problem::{Answer, ApiError, Asked, Body, Segment};
use crate::server::App;
use crate::terminals::{MESSAGE_BYTES_MAX, connect};
use crate::types::{FromQuery, JournalView, Problem, ProblemKind, TerminalRequest, TerminalView};

/// The shells that this browser has in an attempt's workspace.
#[utoipa::path(get, path = "/v1/tasks/{handle}/terminals", params(("handle" = String, Path)),
    responses((status = 200, body = Vec<TerminalView>), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Segment(handle): Segment<String>,
) -> Answer<Vec<TerminalView>> {
    allowed(&app, &caller)?;
    Ok(Json(app.terminals.of(&caller, find::attempt_id(&app, &handle)?)))
}

/// Open a shell in an attempt's workspace, for the owner alone. It ends when it is closed, some minutes after its page has
/// gone, and in the moment in which the browser is revoked, with everything that came out of it.
#[utoipa::path(post, path = "/v1/tasks/{handle}/terminals", params(("handle" = String, Path)),
    request_body = TerminalRequest,
    responses((status = 201, body = TerminalView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn open(
    State(app): State<App>,
    caller: Caller,
    Segment(handle): Segment<String>,
    Body(size): Body<TerminalRequest>,
) -> Result<(StatusCode, Json<TerminalView>), ApiError> {
    allowed(&app, &caller)?;
    let of = find::attempt_id(&app, &handle)?;
    let opened = app.terminals.open(&app, &caller, of, size).await?;
    Ok((StatusCode::CREATED, Json(opened)))
}

/// Close a shell. Everything that came out of it ends too.
#[utoipa::path(delete, path = "/v1/tasks/{handle}/terminals/{terminal}",
    params(("handle" = String, Path), ("terminal" = String, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn close(
    State(app): State<App>,
    caller: Caller,
    Segment((handle, terminal)): Segment<(String, String)>,
) -> Result<StatusCode, ApiError> {
    allowed(&app, &caller)?;
    app.terminals.find(&caller, find::attempt_id(&app, &handle)?, &terminal)?.end();
    Ok(StatusCode::NO_CONTENT)
}

/// Speak to a shell, as a WebSocket: its bytes as binary messages both ways, `TerminalNews` and `TerminalWord` as text beside
/// them. The page must be one of ours. Who comes back says how many bytes it has seen.
#[utoipa::path(get, path = "/v1/tasks/{handle}/terminals/{terminal}",
    params(("handle" = String, Path), ("terminal" = String, Path), FromQuery),
    responses((status = 101), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(crate) async fn speak(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Segment((handle, terminal)): Segment<(String, String)>,
    Asked(query): Asked<FromQuery>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    allowed(&app, &caller)?;
    // A WebSocket is a GET, and browsers let every page open one.
    if auth::origin(&app.access, &headers).is_none() {
        let message = "the request does not say from which page it comes";
        let hint = "only a page of the dashboard may speak to a terminal";
        return Err(Problem::new(ProblemKind::Forbidden, message, hint).into());
    }
    let held = app.terminals.find(&caller, find::attempt_id(&app, &handle)?, &terminal)?;
    let upgrade =
        upgrade.map_err(|error| Problem::bad_input(error.body_text(), "speak to it by a WebSocket"))?;
    let upgrade = upgrade.max_message_size(MESSAGE_BYTES_MAX).max_frame_size(MESSAGE_BYTES_MAX);
    Ok(upgrade.on_upgrade(move |socket| connect(socket, held, query.from, caller, app.stop)))
}

/// What the agents of an attempt wrote, session by session. The bytes themselves are read one session at a time.
#[utoipa::path(get, path = "/v1/tasks/{handle}/journals", params(("handle" = String, Path)),
    responses((status = 200, body = Vec<JournalView>), (status = 404, body = Problem)))]
pub(crate) async fn journals(
    State(app): State<App>,
    Segment(handle): Segment<String>,
) -> Answer<Vec<JournalView>> {
    let found = app.engine.journals(find::attempt_id(&app, &handle)?).await?;
    Ok(Json(found.into_iter().map(JournalView::from).collect()))
}

/// The bytes that the agent of a session wrote, from one of them on, as they came and followed until the session ends. They
/// are the agent's, not Divisi's.
#[utoipa::path(get, path = "/v1/tasks/{handle}/journals/{session}",
    params(("handle" = String, Path), ("session" = u32, Path), FromQuery),
    responses((status = 200, body = String, content_type = "application/octet-stream"),
        (status = 404, body = Problem)))]
pub(crate) async fn journal(
    State(app): State<App>,
    caller: Caller,
    Segment((handle, session)): Segment<(String, u32)>,
    Asked(query): Asked<FromQuery>,
) -> Result<impl IntoResponse, ApiError> {
    let id = find::attempt_id(&app, &handle)?;
    let output = app.engine.follow_journal(id, session, query.from).await?;
    let pieces = stream::unfold(output, next).take_until(async move {
        tokio::select! {
            () = caller.revoked() => {}
            () = app.stop.cancelled() => {}
        }
    });
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], Bytes::from_stream(pieces)))
}

async fn next(mut output: Box<dyn Output>) -> Option<(std::io::Result<Vec<u8>>, Box<dyn Output>)> {
    match output.next().await {
        Ok(Followed::Bytes { bytes, .. }) => Some((Ok(bytes), output)),
        Ok(Followed::Ended(_)) => None,
        Err(error) => {
            tracing::warn!(%error, "a journal cannot be read further");
            Some((Err(error), output))
        }
    }
}

/// Terminals are for the person at the machine itself, where they are allowed at all.
fn allowed(app: &App, caller: &Caller) -> Result<(), Problem> {
    owner_only(caller)?;
    if app.terminal {
        return Ok(());
    }
    let hint = "terminal = true in your own configuration allows them, once the daemon is started again";
    Err(Problem::new(ProblemKind::Forbidden, "terminals are switched off here", hint))
}
