//! Comments on a result, and the marks on viewed files. Each answers with the task as it is then.

use axum::Json;
use divisi_model::{AttemptId, Command};

use super::verbs::of_attempt;
use super::{find, tasks};
use crate::asker::Asker;
use crate::problem::{Answer, Body, Segment};
use crate::types::{CommentRequest, Problem, TaskView, ViewedRequest, WordsRequest};

/// Write a comment; it is a draft until a request for changes sends it.
#[utoipa::path(post, path = "/v1/tasks/{handle}/comments", request_body = CommentRequest,
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 400, body = Problem)))]
pub(crate) async fn write(
    app: Asker,
    Segment(handle): Segment<String>,
    Body(asked): Body<CommentRequest>,
) -> Answer<TaskView> {
    let (task, number) = find::attempt(&app, &handle)?;
    let id = AttemptId { task: task.id, number };
    let task = app.engine.comment(app.actor.clone(), id, asked.into()).await?;
    Ok(Json(tasks::view(&app, &task)))
}

/// Change the words of a draft.
#[utoipa::path(put, path = "/v1/tasks/{handle}/comments/{comment}", request_body = WordsRequest,
    params(("handle" = String, Path), ("comment" = u32, Path)),
    responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn edit(
    app: Asker,
    Segment((handle, comment)): Segment<(String, u32)>,
    Body(asked): Body<WordsRequest>,
) -> Answer<TaskView> {
    let command = |attempt| Command::EditComment { attempt, comment, text: asked.text };
    of_attempt(&app, &handle, command).await
}

/// Throw a draft away.
#[utoipa::path(delete, path = "/v1/tasks/{handle}/comments/{comment}",
    params(("handle" = String, Path), ("comment" = u32, Path)),
    responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn delete(
    app: Asker,
    Segment((handle, comment)): Segment<(String, u32)>,
) -> Answer<TaskView> {
    of_attempt(&app, &handle, |attempt| Command::DeleteComment { attempt, comment }).await
}

/// Settle a comment that was sent.
#[utoipa::path(post, path = "/v1/tasks/{handle}/comments/{comment}/resolve",
    params(("handle" = String, Path), ("comment" = u32, Path)),
    responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn resolve(
    app: Asker,
    Segment((handle, comment)): Segment<(String, u32)>,
) -> Answer<TaskView> {
    of_attempt(&app, &handle, |attempt| Command::ResolveComment { attempt, comment }).await
}

/// Take a comment up again: it goes to the agent once more with the next request for changes.
#[utoipa::path(post, path = "/v1/tasks/{handle}/comments/{comment}/reopen", request_body = WordsRequest,
    params(("handle" = String, Path), ("comment" = u32, Path)),
    responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn reopen(
    app: Asker,
    Segment((handle, comment)): Segment<(String, u32)>,
    Body(asked): Body<WordsRequest>,
) -> Answer<TaskView> {
    let command = |attempt| Command::ReopenComment { attempt, comment, text: asked.text };
    of_attempt(&app, &handle, command).await
}

/// Mark files as viewed, or take the marks away.
#[utoipa::path(post, path = "/v1/tasks/{handle}/viewed", request_body = ViewedRequest,
    params(("handle" = String, Path)), responses((status = 200, body = TaskView), (status = 400, body = Problem)))]
pub(crate) async fn viewed(
    app: Asker,
    Segment(handle): Segment<String>,
    Body(asked): Body<ViewedRequest>,
) -> Answer<TaskView> {
    let files = asked.files.into_iter().map(|file| (file.path, file.seen)).collect();
    let command = |attempt| Command::MarkViewed { attempt, files, viewed: asked.viewed };
    of_attempt(&app, &handle, command).await
}
