//! Notices to browsers whose page is closed. A browser subscribes itself, and nobody else.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use uuid::Uuid;

use super::devices::device;
use crate::auth::Caller;
use crate::problem::{Answer, ApiError, Body};
use crate::push::Push;
use crate::server::App;
use crate::types::{LookingRequest, Problem, ProblemKind, PushRequest, PushView};

/// Whether this browser gets notices while its page is closed, and how it could.
#[utoipa::path(get, path = "/v1/push", responses((status = 200, body = PushView)))]
pub(crate) async fn show(State(app): State<App>, caller: Caller) -> Answer<PushView> {
    let Some(push) = app.push else { return Ok(Json(PushView::default())) };
    let asks = device(&caller).map(|known| known.id);
    blocking(move || {
        let subscription = asks.and_then(|id| push.subscription(id));
        Ok(Json(PushView { key: Some(push.key()?), subscription }))
    })
    .await
}

/// Subscribe this browser, or change what it is told.
#[utoipa::path(put, path = "/v1/push", request_body = PushRequest,
    responses((status = 204), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn subscribe(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<PushRequest>,
) -> Result<StatusCode, ApiError> {
    let (push, id) = of(&app, &caller)?;
    blocking(move || push.subscribe(id, request)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send this browser nothing any more.
#[utoipa::path(delete, path = "/v1/push", responses((status = 204), (status = 403, body = Problem)))]
pub(crate) async fn unsubscribe(State(app): State<App>, caller: Caller) -> Result<StatusCode, ApiError> {
    let (push, id) = of(&app, &caller)?;
    blocking(move || push.unsubscribe(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send this browser a notice that says nothing, to see that it comes.
#[utoipa::path(post, path = "/v1/push/test",
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn test(State(app): State<App>, caller: Caller) -> Result<StatusCode, ApiError> {
    let (push, id) = of(&app, &caller)?;
    push.test(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A page of this browser is looked at, or is no longer: what happens meanwhile is not sent to it. Said again within a
/// minute, or it is not believed.
#[utoipa::path(put, path = "/v1/push/looking", request_body = LookingRequest,
    responses((status = 204), (status = 403, body = Problem)))]
pub(crate) async fn looking(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<LookingRequest>,
) -> Result<StatusCode, ApiError> {
    let (push, id) = of(&app, &caller)?;
    push.looking(id, request.looking);
    Ok(StatusCode::NO_CONTENT)
}

/// Who sends notices, and to which device.
fn of(app: &App, caller: &Caller) -> Result<(Arc<dyn Push>, Uuid), Problem> {
    let push = app.push.clone().ok_or_else(|| {
        let hint = "enabled = true below [push] in your configuration switches them on";
        Problem::wrong_state("notices to browsers are switched off", hint)
    })?;
    let known = device(caller).ok_or_else(|| {
        let hint = "divisi open lets a browser in; it subscribes in Settings, Notifications";
        Problem::new(ProblemKind::Forbidden, "only a browser can be sent notices", hint)
    })?;
    Ok((push, known.id))
}

/// Runs what may wait for the disk.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    let failed = |error: tokio::task::JoinError| Problem::new(ProblemKind::Internal, error.to_string(), "");
    Ok(done.map_err(failed)??)
}
