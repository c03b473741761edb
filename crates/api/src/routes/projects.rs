//! Projects.

use axum::Json;
use axum::extract::State;

use crate::problem::{Answer, Body};
use crate::server::App;
use crate::types::{NewProject, Problem, ProjectView};

/// All projects.
#[utoipa::path(get, path = "/v1/projects", responses((status = 200, body = Vec<ProjectView>)))]
pub(crate) async fn list(State(app): State<App>) -> Json<Vec<ProjectView>> {
    Json(app.engine.projects().iter().map(ProjectView::from).collect())
}

/// Make a project known; one that is known already is returned as it is, and one whose repository was moved is found again.
#[utoipa::path(post, path = "/v1/projects", request_body = NewProject,
    responses((status = 200, body = ProjectView), (status = 400, body = Problem)))]
pub(crate) async fn add(State(app): State<App>, Body(new): Body<NewProject>) -> Answer<ProjectView> {
    let known = app.engine.add_project(app.actor.clone(), new.root.as_ref()).await?;
    Ok(Json(ProjectView { moved_from: known.moved_from, ..ProjectView::from(&known.project) }))
}
