//! What an attempt did: the logs of its checks and setup.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use jiff::Timestamp;

use super::find;
use crate::problem::{Answer, ApiError, Segment};
use crate::server::App;
use crate::types::{Problem, ResourcesView, StandingView, WorkspaceSnapshotView};

/// The snapshots of an attempt in the order of time, from its base on.
#[utoipa::path(get, path = "/v1/tasks/{handle}/snapshots", params(("handle" = String, Path)),
    responses((status = 200, body = Vec<WorkspaceSnapshotView>), (status = 404, body = Problem)))]
pub(crate) async fn snapshots(
    State(app): State<App>,
    Segment(handle): Segment<String>,
) -> Answer<Vec<WorkspaceSnapshotView>> {
    let id = find::attempt_id(&app, &handle)?;
    let found = app.engine.snapshots(id).await?;
    Ok(Json(found.into_iter().map(WorkspaceSnapshotView::from).collect()))
}

/// What an attempt uses at this moment: processes, processor time, memory, disk. Looked at for this request alone.
#[utoipa::path(get, path = "/v1/tasks/{handle}/resources", params(("handle" = String, Path)),
    responses((status = 200, body = ResourcesView), (status = 404, body = Problem)))]
pub(crate) async fn resources(
    State(app): State<App>,
    Segment(handle): Segment<String>,
) -> Answer<ResourcesView> {
    let id = find::attempt_id(&app, &handle)?;
    Ok(Json(ResourcesView::of(app.engine.resources(id).await?, Timestamp::now())))
}

/// Where an attempt's workspace stands: against its base and its target, and who listens on its ports.
#[utoipa::path(get, path = "/v1/tasks/{handle}/workspace", params(("handle" = String, Path)),
    responses((status = 200, body = StandingView), (status = 404, body = Problem)))]
pub(crate) async fn standing(
    State(app): State<App>,
    Segment(handle): Segment<String>,
) -> Answer<StandingView> {
    let id = find::attempt_id(&app, &handle)?;
    Ok(Json(StandingView::from(app.engine.standing(id).await?)))
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
