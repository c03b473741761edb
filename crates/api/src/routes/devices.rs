//! Browsers that were let in, and how they are.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use uuid::Uuid;

use super::push;
use crate::access::{Known, Origin};
use crate::auth::{self, Address, Caller, owner_only};
use crate::problem::{Answer, ApiError, Body, Segment};
use crate::server::App;
use crate::types::{DeviceView, EnterRequest, EntryRequest, EntryView, Problem, ProblemKind};

/// A link that lets one browser in, once, within ten minutes.
#[utoipa::path(post, path = "/v1/entries", request_body = EntryRequest,
    responses((status = 200, body = EntryView), (status = 403, body = Problem)))]
pub(crate) async fn entry(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<EntryRequest>,
) -> Answer<EntryView> {
    owner_only(&caller)?;
    Ok(Json(app.access.entry(&request)?))
}

/// Enter with the code of a link. The answer sets the cookie of this browser; the page must be one of ours.
#[utoipa::path(post, path = "/v1/enter", security(()), request_body = EnterRequest,
    responses((status = 200, body = DeviceView), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 429, body = Problem)))]
pub(crate) async fn enter(
    State(app): State<App>,
    from: Address,
    headers: HeaderMap,
    Body(request): Body<EnterRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let Some(origin) = auth::origin(&app.access, &headers) else {
        let message = "the request does not say from which page it comes";
        return Err(Problem::new(ProblemKind::Forbidden, message, "only the page of the link enters").into());
    };
    let cookies = auth::cookies(&headers);
    let entered = app.access.enter(&request, &cookies, from.0, Origin::is_secure(origin)).await?;
    Ok((AppendHeaders([(header::SET_COOKIE, entered.cookie)]), Json(entered.device)))
}

/// All browsers that were let in, the one that was seen last first.
#[utoipa::path(get, path = "/v1/devices", responses((status = 200, body = Vec<DeviceView>)))]
pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Json<Vec<DeviceView>> {
    let mut devices = app.access.devices(device(&caller).map(|known| known.id));
    let subscribed = app.push.map(|push| push.devices()).unwrap_or_default();
    for device in &mut devices {
        device.push = subscribed.contains(&device.id);
    }
    Json(devices)
}

/// Let a browser in no longer; its live feeds end at once. A paired device may revoke itself only.
#[utoipa::path(delete, path = "/v1/devices/{id}", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment<Uuid>,
) -> Result<StatusCode, ApiError> {
    if device(&caller).is_none_or(|known| known.id != id) {
        owner_only(&caller)?;
    }
    app.access.revoke(id).await?;
    if let Some(push) = app.push {
        push::blocking(move || push.unsubscribe(id)).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn device(caller: &Caller) -> Option<&Known> {
    match caller {
        Caller::Device(known) => Some(known),
        Caller::Program => None,
    }
}
