//! Agents.

use axum::Json;
use axum::extract::State;

use crate::problem::{Answer, ApiError, Asked};
use crate::server::App;
use crate::types::{AgentView, Problem, ProblemKind, RootQuery};

/// All agents with their readiness, those that are ready first.
#[utoipa::path(get, path = "/v1/agents", params(RootQuery), responses((status = 200, body = Vec<AgentView>)))]
pub(crate) async fn list(State(app): State<App>, Asked(query): Asked<RootQuery>) -> Answer<Vec<AgentView>> {
    // Looking at an agent may start its program to ask for its version.
    let look = move || app.engine.agents(query.root.as_deref().map(std::path::Path::new));
    let agents = tokio::task::spawn_blocking(look).await;
    let agents =
        agents.map_err(|error| ApiError(Problem::new(ProblemKind::Internal, error.to_string(), "")))??;
    Ok(Json(agents.iter().map(AgentView::from).collect()))
}
