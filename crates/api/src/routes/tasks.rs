//! Tasks: list, give out, show.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use divisi_model::budget::{Budget, NotABudget};
use divisi_model::schedule::Place;
use divisi_model::task::{CheckedBy, Criterion};
use divisi_model::{AttemptId, TaskNumber, TaskState};

use super::find;
use crate::asker::Asker;
use crate::problem::{Answer, ApiError, Body, Segment};
use crate::server::App;
use crate::types::{
    CriterionRequest, ImageRequest, MoveRequest, NewTask, Problem, ProblemKind, TaskSummary, TaskView,
};

/// The header that makes giving out a task repeatable.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// All tasks by number, archived ones too.
#[utoipa::path(get, path = "/v1/tasks", responses((status = 200, body = Vec<TaskSummary>)))]
pub(crate) async fn list(State(app): State<App>) -> Result<impl IntoResponse, ApiError> {
    let trouble = |attempt| app.engine.trouble(attempt);
    let list = app.summaries.list(&app.engine.tasks(), &app.engine.projects(), trouble);
    let failed =
        |error| Problem::new(ProblemKind::Internal, format!("the list cannot be written: {error}"), "");
    let list = list.map_err(failed)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], list))
}

/// Give out a task. With an `Idempotency-Key` header the same request gives the same task.
#[utoipa::path(post, path = "/v1/tasks", request_body = NewTask,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = TaskView), (status = 400, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn add(
    app: Asker,
    headers: HeaderMap,
    Body(new): Body<NewTask>,
) -> Result<(StatusCode, Json<TaskView>), ApiError> {
    let key = headers.get(IDEMPOTENCY_KEY).map(|key| key.to_str().map(str::to_owned));
    let key = key.transpose().map_err(|_| Problem::bad_input("the Idempotency-Key is not text", ""))?;
    let number = match key {
        None => make(&app, new).await?,
        Some(key) => {
            let request = serde_json::to_vec(&new).unwrap_or_default();
            app.keys.once(&key, &request, make(&app, new)).await?
        }
    };
    let task = app
        .engine
        .task(number)
        .ok_or_else(|| Problem::not_found(format!("there is no task {number}"), ""))?;
    Ok((StatusCode::CREATED, Json(view(&app, &task))))
}

/// One task with all that happened to it.
#[utoipa::path(get, path = "/v1/tasks/{handle}",
    params(("handle" = String, Path, example = "t12")),
    responses((status = 200, body = TaskView), (status = 404, body = Problem)))]
pub(crate) async fn show(State(app): State<App>, Segment(handle): Segment<String>) -> Answer<TaskView> {
    let (task, _) = find::task(&app, &handle)?;
    Ok(Json(view(&app, &task)))
}

/// A task as it is shown.
pub(super) fn view(app: &App, task: &TaskState) -> TaskView {
    let projects = app.engine.projects();
    let id = |number| AttemptId { task: task.id, number };
    TaskView::of(task, projects.iter().find(|project| project.id == task.spec.project))
        .with(|number| app.engine.trouble(id(number)), |number| app.engine.is_ending(id(number)))
}

/// Change a staged task: the body says all that is wanted now. Its project stays.
#[utoipa::path(put, path = "/v1/tasks/{handle}", request_body = NewTask,
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn edit(
    app: Asker,
    Segment(handle): Segment<String>,
    Body(new): Body<NewTask>,
) -> Answer<TaskView> {
    let (task, _) = find::task(&app, &handle)?;
    let task = app.engine.edit_task(app.actor.clone(), &task, wanted(new)?).await?;
    Ok(Json(view(&app, &task)))
}

/// Start a staged task; one that has started stays as it is.
#[utoipa::path(post, path = "/v1/tasks/{handle}/start",
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn start(app: Asker, Segment(handle): Segment<String>) -> Answer<TaskView> {
    let (task, _) = find::task(&app, &handle)?;
    let task = app.engine.start_task(app.actor.clone(), &task).await?;
    Ok(Json(view(&app, &task)))
}

/// Give a task another place among those that wait.
#[utoipa::path(post, path = "/v1/tasks/{handle}/move", request_body = MoveRequest,
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn move_to(
    app: Asker,
    Segment(handle): Segment<String>,
    Body(asked): Body<MoveRequest>,
) -> Answer<TaskView> {
    let (task, _) = find::task(&app, &handle)?;
    let place = match &asked.before {
        Some(_) if asked.first => {
            return Err(Problem::bad_input("first and before exclude each other", "").into());
        }
        Some(before) => Place::Before(find::task(&app, before)?.0.id),
        None if asked.first => Place::First,
        None => Place::Last,
    };
    let task = app.engine.move_task(app.actor.clone(), task.id, place).await?;
    Ok(Json(view(&app, &task)))
}

async fn make(app: &Asker, new: NewTask) -> Result<TaskNumber, ApiError> {
    let new = wanted(new)?;
    if !new.root.is_absolute() {
        return Err(Problem::bad_input("the root of the project is not an absolute path", "").into());
    }
    Ok(app.engine.add_task(app.actor.clone(), new).await?.spec.number)
}

fn wanted(new: NewTask) -> Result<divisi_engine::NewTask, Problem> {
    Ok(divisi_engine::NewTask {
        root: new.root.into(),
        prompt: new.prompt,
        images: ImageRequest::read(new.images)?,
        title: new.title,
        criteria: new.criteria.into_iter().map(criterion).collect(),
        checks: new.checks,
        agents: new.agents,
        attempts: new.attempts,
        base: new.base,
        permissions: new.permissions.map(Into::into),
        rounds: new.rounds,
        scope: new.scope,
        budget: budget(new.budget.as_deref())?,
        stage: new.stage,
    })
}

/// A budget as people write it.
pub(super) fn budget(text: Option<&str>) -> Result<Option<Budget>, Problem> {
    let read = text.map(str::parse).transpose();
    read.map_err(|error: NotABudget| Problem::bad_input(error.to_string(), "--budget 2.50, or --budget 200k"))
}

fn criterion(asked: CriterionRequest) -> Criterion {
    let by = match asked.command {
        Some(command) => CheckedBy::Command { command },
        None => CheckedBy::Person,
    };
    Criterion { text: asked.text, by }
}
