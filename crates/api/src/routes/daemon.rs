//! The daemon itself.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use jiff::Timestamp;

use crate::auth::{Caller, owner_only};
use crate::problem::ApiError;
use crate::server::App;
use crate::types::{AliveView, CountView, HealthView, Problem};

/// That the daemon lives; needs no token.
#[utoipa::path(get, path = "/healthz", security(()), responses((status = 200, body = AliveView)))]
pub(crate) async fn alive(State(app): State<App>) -> Json<AliveView> {
    Json(AliveView { status: "ok".to_owned(), version: app.engine.health().version })
}

/// How the daemon is.
#[utoipa::path(get, path = "/v1/health", responses((status = 200, body = HealthView)))]
pub(crate) async fn health(State(app): State<App>) -> Json<HealthView> {
    let health = app.engine.health();
    let count = |(attention, tasks): &(divisi_model::view::Attention, usize)| CountView {
        attention: (*attention).into(),
        tasks: *tasks,
    };
    Json(HealthView {
        version: health.version,
        pid: std::process::id(),
        started: health.started,
        last_seq: health.last_seq,
        tasks: health.tasks.iter().map(count).collect(),
        live_sessions: health.live_sessions,
        log_trouble: health.log_trouble.map(Into::into),
    })
}

/// What a monitoring system reads, in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let page = crate::metrics::page(&app.engine.health(), &app.requests, Timestamp::now());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page)
}

/// End the daemon. Agents live on in their shims and are taken up again at the next start.
#[utoipa::path(post, path = "/v1/shutdown", responses((status = 202), (status = 403, body = Problem)))]
pub(crate) async fn shutdown(State(app): State<App>, caller: Caller) -> Result<StatusCode, ApiError> {
    owner_only(&caller)?;
    app.stop.cancel();
    Ok(StatusCode::ACCEPTED)
}
