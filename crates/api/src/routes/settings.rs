//! The files with settings, as text. They are the owner's alone: they say which programs are run. Only what was chosen for the
//! dashboard is read by every browser that was let in, so that it looks and answers keys as the person wants.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sha2::{Digest, Sha256};

use crate::auth::{Caller, owner_only};
use crate::problem::{Answer, ApiError, Body, Segment};
use crate::server::App;
use crate::settings::{SettingsError, SettingsFile, SettingsFiles};
use crate::types::{
    Problem, ProblemKind, SettingsCheckRequest, SettingsCheckView, SettingsFileView, SettingsKind,
    SettingsTextRequest, SettingsTextView, SettingsView,
};

/// What names the file of the dashboard in paths.
const DASHBOARD: &str = "dashboard";

/// Every file with settings, and what they say about this machine.
#[utoipa::path(get, path = "/v1/settings",
    responses((status = 200, body = SettingsView), (status = 403, body = Problem)))]
pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Answer<SettingsView> {
    owner_only(&caller)?;
    let projects = app.engine.projects();
    on_disk(&app, move |files| {
        let own = [("user", SettingsFile::User), (DASHBOARD, SettingsFile::Dashboard)];
        let user = own.map(|(id, file)| (id.to_owned(), file, String::new()));
        let of_projects = projects.iter().map(|project| {
            (
                format!("project-{}", project.id.0),
                SettingsFile::Project((&project.root).into()),
                project.name.clone(),
            )
        });
        let agents = files.agents().into_iter();
        let of_agents = agents.map(|name| (format!("agent-{name}"), SettingsFile::Agent(name.clone()), name));
        let all = user.into_iter().chain(of_projects).chain(of_agents);
        let views = all.map(|(id, file, name)| {
            let path = files.path(&file)?;
            let kind = match file {
                SettingsFile::User => SettingsKind::User,
                SettingsFile::Project(_) => SettingsKind::Project,
                SettingsFile::Agent(_) => SettingsKind::Agent,
                SettingsFile::Dashboard => SettingsKind::Dashboard,
            };
            Ok(SettingsFileView { id, kind, name, exists: path.exists(), path: path.display().to_string() })
        });
        let limits = files.limits();
        Ok(SettingsView {
            files: views.collect::<Result<_, SettingsError>>()?,
            parallel: limits.parallel,
            checks_parallel: limits.checks_parallel,
        })
    })
    .await
}

/// The text of a file and what is wrong with it.
#[utoipa::path(get, path = "/v1/settings/{id}", params(("id" = String, Path)),
    responses((status = 200, body = SettingsTextView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment<String>,
) -> Answer<SettingsTextView> {
    if id != DASHBOARD {
        owner_only(&caller)?;
    }
    let file = named(&app, &id)?;
    on_disk(&app, move |files| shown(files, id, &file)).await
}

/// What is wrong with a text for a file; nothing is written.
#[utoipa::path(post, path = "/v1/settings/{id}/check", params(("id" = String, Path)), request_body = SettingsCheckRequest,
    responses((status = 200, body = SettingsCheckView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn check(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment<String>,
    Body(request): Body<SettingsCheckRequest>,
) -> Answer<SettingsCheckView> {
    owner_only(&caller)?;
    let file = named(&app, &id)?;
    on_disk(&app, move |files| Ok(files.check(&file, &request.text))).await
}

/// Write a file, if it is right and nobody else has changed it since it was read. It counts for what begins after it.
#[utoipa::path(put, path = "/v1/settings/{id}", params(("id" = String, Path)), request_body = SettingsTextRequest,
    responses((status = 200, body = SettingsTextView), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn write(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment<String>,
    Body(request): Body<SettingsTextRequest>,
) -> Answer<SettingsTextView> {
    owner_only(&caller)?;
    let file = named(&app, &id)?;
    on_disk(&app, move |files| {
        let is_as_read = |text: Option<&str>| text.map(hash).unwrap_or_default() == request.hash;
        files.write(&file, &request.text, &is_as_read)?;
        shown(files, id, &file)
    })
    .await
}

fn shown(
    files: &dyn SettingsFiles,
    id: String,
    file: &SettingsFile,
) -> Result<SettingsTextView, SettingsError> {
    let text = files.read(file)?;
    let hash = text.as_deref().map(hash).unwrap_or_default();
    let text = text.unwrap_or_default();
    Ok(SettingsTextView { id, check: files.check(file, &text), hash, text })
}

/// The file that an id names; that of an agent may have to be made first.
fn named(app: &App, id: &str) -> Result<SettingsFile, Problem> {
    let project = |id: &str| {
        let found = app.engine.projects().into_iter().find(|project| project.id.0.to_string() == id);
        found.map(|project| SettingsFile::Project(project.root.into()))
    };
    let file = match id.split_once('-') {
        None if id == "user" => Some(SettingsFile::User),
        None if id == DASHBOARD => Some(SettingsFile::Dashboard),
        Some(("project", id)) => project(id),
        Some(("agent", name)) => Some(SettingsFile::Agent(name.to_owned())),
        _ => None,
    };
    file.ok_or_else(|| Problem::not_found("there is no such file", "GET /v1/settings lists them"))
}

async fn on_disk<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&dyn SettingsFiles) -> Result<T, SettingsError> + Send + 'static,
) -> Answer<T> {
    let files = Arc::clone(&app.settings);
    let done = tokio::task::spawn_blocking(move || work(files.as_ref())).await;
    let done = done.map_err(|error| ApiError(Problem::new(ProblemKind::Internal, error.to_string(), "")))?;
    Ok(Json(done.map_err(problem)?))
}

fn problem(error: SettingsError) -> Problem {
    let message = error.to_string();
    match error {
        SettingsError::Unknown => Problem::not_found(message, "GET /v1/settings lists them"),
        SettingsError::Changed => Problem::wrong_state(message, "read it again and change that"),
        SettingsError::Wrong { hint, .. } => Problem::bad_input(message, hint),
        SettingsError::File { .. } => {
            Problem::new(ProblemKind::Internal, message, "see whether you may write there")
        }
    }
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
