//! What an attempt did: its change, and the logs of its checks and setup.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::find;
use crate::problem::{Answer, ApiError, Asked, Segment};
use crate::server::App;
use crate::types::{DiffQuery, DiffScope, DiffView, Problem};

/// What an attempt changed.
#[utoipa::path(get, path = "/v1/tasks/{handle}/diff", params(("handle" = String, Path), DiffQuery),
    responses((status = 200, body = DiffView), (status = 404, body = Problem)))]
pub(crate) async fn diff(
    State(app): State<App>,
    Segment(handle): Segment<String>,
    Asked(query): Asked<DiffQuery>,
) -> Answer<DiffView> {
    let (task, number) = find::attempt(&app, &handle)?;
    let has_result = task.attempt(number).is_some_and(|attempt| attempt.result.is_some());
    let scope = match query.scope {
        DiffScope::Result if has_result => divisi_engine::DiffScope::Result,
        DiffScope::Result | DiffScope::Live => divisi_engine::DiffScope::Now,
        DiffScope::Turn => divisi_engine::DiffScope::Turn(query.turn),
    };
    let id = divisi_model::AttemptId { task: task.id, number };
    Ok(Json(DiffView::from(app.engine.diff(id, scope).await?)))
}

/// The whole log of a check, as it came. It is bytes of the checked program, not of Divisi.
#[utoipa::path(get, path = "/v1/tasks/{handle}/evidence/{index}/log",
    params(("handle" = String, Path), ("index" = usize, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 404, body = Problem)))]
pub(crate) async fn check_log(
    State(app): State<App>,
    Segment((handle, index)): Segment<(String, usize)>,
) -> Result<impl IntoResponse, ApiError> {
    let id = find::attempt_id(&app, &handle)?;
    Ok(plain(app.engine.check_log(id, index).await?))
}

/// The whole log of the setup script.
#[utoipa::path(get, path = "/v1/tasks/{handle}/setup-log", params(("handle" = String, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 404, body = Problem)))]
pub(crate) async fn setup_log(
    State(app): State<App>,
    Segment(handle): Segment<String>,
) -> Result<impl IntoResponse, ApiError> {
    let id = find::attempt_id(&app, &handle)?;
    Ok(plain(app.engine.setup_log(id).await?))
}

/// Bytes that no browser may take for a page.
fn plain(log: Vec<u8>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], log)
}
