//! What can be asked of a task or attempt. Each verb answers with the task as it is then.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use divisi_model::{Command, Oid, TaskState, decide};
use uuid::Uuid;

use super::{find, tasks};
use crate::problem::{Answer, ApiError, Body, Segment};
use crate::server::App;
use crate::types::{LandRequest, Problem, ReviewRequest, SendRequest, TaskView};

/// Most attempts in one request to land.
const LAND_AT_ONCE_MAX: usize = 100;

/// Words for the agent: after the turn, at its next safe moment, or now.
#[utoipa::path(post, path = "/v1/tasks/{handle}/send", request_body = SendRequest,
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn send(
    State(app): State<App>,
    Segment(handle): Segment<String>,
    Body(asked): Body<SendRequest>,
) -> Answer<TaskView> {
    let delivery = asked.delivery.into();
    of_attempt(&app, &handle, |attempt| Command::Send { attempt, text: asked.text, delivery }).await
}

/// End the running turn; the session stays.
#[utoipa::path(post, path = "/v1/tasks/{handle}/cancel",
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn cancel(State(app): State<App>, Segment(handle): Segment<String>) -> Answer<TaskView> {
    of_attempt(&app, &handle, |attempt| Command::Cancel { attempt }).await
}

/// A verdict on the result.
#[utoipa::path(post, path = "/v1/tasks/{handle}/review", request_body = ReviewRequest,
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn review(
    State(app): State<App>,
    Segment(handle): Segment<String>,
    Body(asked): Body<ReviewRequest>,
) -> Answer<TaskView> {
    let comments = asked.comments.iter().filter_map(|comment| comment.read()).collect();
    let command = |attempt| Command::Review {
        attempt,
        commit: asked.commit.map(Oid),
        verdict: asked.verdict.into(),
        comments,
        note: asked.note,
    };
    of_attempt(&app, &handle, command).await
}

/// Land the result.
#[utoipa::path(post, path = "/v1/tasks/{handle}/land",
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn land(State(app): State<App>, Segment(handle): Segment<String>) -> Answer<TaskView> {
    of_attempt(&app, &handle, |attempt| Command::Land { attempt }).await
}

/// Land several results in this order. Nothing is landed when one of them cannot be.
#[utoipa::path(post, path = "/v1/landings", request_body = LandRequest,
    responses((status = 200, body = Vec<TaskView>), (status = 409, body = Problem)))]
pub(crate) async fn land_several(
    State(app): State<App>,
    Body(asked): Body<LandRequest>,
) -> Answer<Vec<TaskView>> {
    if asked.handles.is_empty() || asked.handles.len() > LAND_AT_ONCE_MAX {
        let message = format!("1 to {LAND_AT_ONCE_MAX} attempts land at once");
        return Err(Problem::bad_input(message, "divisi land t1 t2").into());
    }
    let mut attempts = Vec::new();
    for handle in &asked.handles {
        let (task, attempt) = find::attempt(&app, handle)?;
        decide(Some(&task), Command::Land { attempt }, &mut Uuid::now_v7)?;
        attempts.push((task.id, attempt));
    }
    let mut landed = Vec::new();
    for (task, attempt) in attempts {
        let task = app.engine.submit(app.actor.clone(), task, Command::Land { attempt }).await?;
        landed.push(tasks::view(&app, &task));
    }
    Ok(Json(landed))
}

/// Take the landing back.
#[utoipa::path(post, path = "/v1/tasks/{handle}/undo",
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn undo(State(app): State<App>, Segment(handle): Segment<String>) -> Answer<TaskView> {
    // Of several attempts at most one has landed, so the task alone names it.
    let (task, named) = find::task(&app, &handle)?;
    let landed = task.attempts.iter().find(|attempt| attempt.landing.is_some()).map(|attempt| attempt.number);
    let number = match named.or(landed) {
        Some(number) => number,
        None => find::attempt(&app, &handle)?.1,
    };
    submit(&app, &task, Command::Undo { attempt: number }).await
}

/// Stop an attempt, or all attempts of a task, and end all they started.
#[utoipa::path(post, path = "/v1/tasks/{handle}/stop",
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn stop(State(app): State<App>, Segment(handle): Segment<String>) -> Answer<TaskView> {
    let (task, named) = find::task(&app, &handle)?;
    if named.is_some() || task.attempts.len() == 1 {
        return of_attempt(&app, &handle, |attempt| Command::Stop { attempt }).await;
    }
    let mut last = tasks::view(&app, &task);
    for attempt in task.attempts.iter().filter(|attempt| !attempt.ended()) {
        let command = Command::Stop { attempt: attempt.number };
        last = tasks::view(&app, &*app.engine.submit(app.actor.clone(), task.id, command).await?);
    }
    Ok(Json(last))
}

/// Go on after a stop, a stall or a cancelled turn.
#[utoipa::path(post, path = "/v1/tasks/{handle}/resume",
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn resume(State(app): State<App>, Segment(handle): Segment<String>) -> Answer<TaskView> {
    of_attempt(&app, &handle, |attempt| Command::Resume { attempt }).await
}

/// Put a task away; its workspaces are removed after a full snapshot.
#[utoipa::path(post, path = "/v1/tasks/{handle}/archive",
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn archive(State(app): State<App>, Segment(handle): Segment<String>) -> Answer<TaskView> {
    let (task, _) = find::task(&app, &handle)?;
    submit(&app, &task, Command::Archive).await
}

/// Take a task out again, with its workspaces as they were.
#[utoipa::path(post, path = "/v1/tasks/{handle}/restore",
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 404, body = Problem)))]
pub(crate) async fn restore(State(app): State<App>, Segment(handle): Segment<String>) -> Answer<TaskView> {
    let (task, _) = find::task(&app, &handle)?;
    submit(&app, &task, Command::Restore).await
}

async fn of_attempt(app: &App, handle: &str, command: impl FnOnce(u16) -> Command) -> Answer<TaskView> {
    let (task, number) = find::attempt(app, handle)?;
    submit(app, &task, command(number)).await
}

async fn submit(app: &App, task: &Arc<TaskState>, command: Command) -> Answer<TaskView> {
    let task = app.engine.submit(app.actor.clone(), task.id, command).await.map_err(ApiError::from)?;
    Ok(Json(tasks::view(app, &task)))
}
