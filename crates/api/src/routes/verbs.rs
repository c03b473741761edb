//! What can be asked of a task or attempt. Each verb answers with the task as it is then.

use std::sync::Arc;

use axum::Json;
use divisi_model::{Command, Oid, TaskState, decide};
use uuid::Uuid;

use super::{find, tasks};
use crate::asker::Asker;
use crate::problem::{Answer, ApiError, Body, Segment};
use crate::types::{
    BudgetRequest, ImageRequest, LandRequest, Problem, ReviewRequest, RollbackRequest, SendRequest, TaskView,
};

/// Most attempts in one request to land.
const LAND_AT_ONCE_MAX: usize = 100;

/// Words for the agent: after the turn, at its next safe moment, or now.
#[utoipa::path(post, path = "/v1/tasks/{handle}/send", request_body = SendRequest,
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn send(
    app: Asker,
    Segment(handle): Segment<String>,
    Body(asked): Body<SendRequest>,
) -> Answer<TaskView> {
    let words = (asked.text, ImageRequest::read(asked.images)?, asked.delivery.into());
    let task = app.engine.send(app.actor.clone(), find::attempt_id(&app, &handle)?, words).await?;
    Ok(Json(tasks::view(&app, &task)))
}

/// Take words back that no agent has got yet.
#[utoipa::path(delete, path = "/v1/tasks/{handle}/queue/{prompt}",
    params(("handle" = String, Path), ("prompt" = u32, Path)),
    responses((status = 200, body = TaskView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn take_back(
    app: Asker,
    Segment((handle, prompt)): Segment<(String, u32)>,
) -> Answer<TaskView> {
    of_attempt(&app, &handle, |attempt| Command::TakeBack { attempt, prompt }).await
}

/// Bring files back as a snapshot has them, after a snapshot of what is there now. Only between turns; the answer is the
/// task while that goes on.
#[utoipa::path(post, path = "/v1/tasks/{handle}/rollback", request_body = RollbackRequest,
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn roll_back(
    app: Asker,
    Segment(handle): Segment<String>,
    Body(asked): Body<RollbackRequest>,
) -> Answer<TaskView> {
    of_attempt(&app, &handle, |attempt| Command::RollBack { attempt, to: Oid(asked.to), paths: asked.paths })
        .await
}

/// End the running turn; the session stays.
#[utoipa::path(post, path = "/v1/tasks/{handle}/cancel",
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn cancel(app: Asker, Segment(handle): Segment<String>) -> Answer<TaskView> {
    of_attempt(&app, &handle, |attempt| Command::Cancel { attempt }).await
}

/// A verdict on the result. A request for changes sends every comment that waits, as one turn.
#[utoipa::path(post, path = "/v1/tasks/{handle}/review", request_body = ReviewRequest,
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn review(
    app: Asker,
    Segment(handle): Segment<String>,
    Body(asked): Body<ReviewRequest>,
) -> Answer<TaskView> {
    let comments = asked.comments.iter().filter_map(|comment| comment.read()).collect();
    let (commit, verdict) = (asked.commit.map(Oid), asked.verdict.into());
    let asked = divisi_engine::AskedReview { commit, verdict, comments, note: asked.note };
    let id = find::attempt_id(&app, &handle)?;
    let task = app.engine.review(app.actor.clone(), id, asked).await?;
    Ok(Json(tasks::view(&app, &task)))
}

/// Land the result.
#[utoipa::path(post, path = "/v1/tasks/{handle}/land",
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn land(app: Asker, Segment(handle): Segment<String>) -> Answer<TaskView> {
    of_attempt(&app, &handle, |attempt| Command::Land { attempt }).await
}

/// Land several results in this order. Nothing is landed when one of them cannot be.
#[utoipa::path(post, path = "/v1/landings", request_body = LandRequest,
    responses((status = 200, body = Vec<TaskView>), (status = 409, body = Problem)))]
pub(crate) async fn land_several(app: Asker, Body(asked): Body<LandRequest>) -> Answer<Vec<TaskView>> {
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
pub(crate) async fn undo(app: Asker, Segment(handle): Segment<String>) -> Answer<TaskView> {
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
pub(crate) async fn stop(app: Asker, Segment(handle): Segment<String>) -> Answer<TaskView> {
    let (task, named) = find::task(&app, &handle)?;
    if named.is_some() || task.attempts.len() <= 1 {
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
pub(crate) async fn resume(app: Asker, Segment(handle): Segment<String>) -> Answer<TaskView> {
    of_attempt(&app, &handle, |attempt| Command::Resume { attempt }).await
}

/// Give an attempt another budget, without going on.
#[utoipa::path(post, path = "/v1/tasks/{handle}/budget", request_body = BudgetRequest,
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn budget(
    app: Asker,
    Segment(handle): Segment<String>,
    Body(asked): Body<BudgetRequest>,
) -> Answer<TaskView> {
    let budget = tasks::budget(asked.budget.as_deref())?;
    of_attempt(&app, &handle, |attempt| Command::SetBudget { attempt, budget }).await
}

/// Put a task away; its workspaces are removed after a full snapshot, and the terminals in them are closed.
#[utoipa::path(post, path = "/v1/tasks/{handle}/archive",
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn archive(app: Asker, Segment(handle): Segment<String>) -> Answer<TaskView> {
    let (task, _) = find::task(&app, &handle)?;
    let answer = submit(&app, &task, Command::Archive).await?;
    // A shell that is kept for a page that has gone would hold its workspace for as long.
    app.terminals.end_of(task.id);
    Ok(answer)
}

/// Take a task out again, with its workspaces as they were.
#[utoipa::path(post, path = "/v1/tasks/{handle}/restore",
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 404, body = Problem)))]
pub(crate) async fn restore(app: Asker, Segment(handle): Segment<String>) -> Answer<TaskView> {
    let (task, _) = find::task(&app, &handle)?;
    submit(&app, &task, Command::Restore).await
}

pub(super) async fn of_attempt(
    app: &Asker,
    handle: &str,
    command: impl FnOnce(u16) -> Command,
) -> Answer<TaskView> {
    let (task, number) = find::attempt(app, handle)?;
    submit(app, &task, command(number)).await
}

async fn submit(app: &Asker, task: &Arc<TaskState>, command: Command) -> Answer<TaskView> {
    let task = app.engine.submit(app.actor.clone(), task.id, command).await.map_err(ApiError::from)?;
    Ok(Json(tasks::view(app, &task)))
}
