//! Everything in one file.

use axum::Json;
use axum::extract::State;

use crate::auth::{Caller, owner_only};
use crate::problem::{Answer, Body};
use crate::server::App;
use crate::types::{ExportRequest, ExportView, Problem};

/// Write everything to one file, from which another machine can go on; agents at work go on meanwhile.
#[utoipa::path(post, path = "/v1/export", request_body = ExportRequest,
    responses((status = 200, body = ExportView), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 403, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn make(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<ExportRequest>,
) -> Answer<ExportView> {
    owner_only(&caller)?;
    Ok(Json(app.engine.export(request.into()).await?.into()))
}
