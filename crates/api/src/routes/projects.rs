//! Projects.

use axum::Json;
use axum::extract::State;

use crate::asker::Asker;
use crate::problem::{Answer, Asked, Body};
use crate::server::App;
use crate::types::{FilesQuery, NewProject, Problem, ProjectView};

/// All projects.
#[utoipa::path(get, path = "/v1/projects", responses((status = 200, body = Vec<ProjectView>)))]
pub(crate) async fn list(State(app): State<App>) -> Json<Vec<ProjectView>> {
    Json(app.engine.projects().iter().map(ProjectView::from).collect())
}

/// Make a project known; one that is known already is returned as it is, and one whose repository was moved is found again.
#[utoipa::path(post, path = "/v1/projects", request_body = NewProject,
    responses((status = 200, body = ProjectView), (status = 400, body = Problem)))]
pub(crate) async fn add(app: Asker, Body(new): Body<NewProject>) -> Answer<ProjectView> {
    let known = app.engine.add_project(app.actor.clone(), new.root.as_ref()).await?;
    Ok(Json(ProjectView { moved_from: known.moved_from, ..ProjectView::from(&known.project) }))
}

/// Files of a project's base whose paths fit a few letters, the best first; at most fifty.
#[utoipa::path(get, path = "/v1/projects/files", params(FilesQuery),
    responses((status = 200, body = Vec<String>), (status = 404, body = Problem)))]
pub(crate) async fn files(State(app): State<App>, Asked(query): Asked<FilesQuery>) -> Answer<Vec<String>> {
    Ok(Json(app.engine.files(&query.root, query.base, &query.query).await?))
}
