//! What waits for a person, and answers.

use axum::Json;
use axum::extract::State;
use divisi_model::Command;
use divisi_model::inbox::Answer as ItemAnswer;

use super::{find, tasks};
use crate::asker::Asker;
use crate::problem::{Answer, Body, Segment};
use crate::server::App;
use crate::types::{AnswerRequest, AnswerView, InboxView, Problem, TaskView};

/// Everything that waits for a person, oldest first.
#[utoipa::path(get, path = "/v1/inbox", responses((status = 200, body = InboxView)))]
pub(crate) async fn list(State(app): State<App>) -> Json<InboxView> {
    Json(InboxView::of(app.engine.tasks().iter().map(AsRef::as_ref)))
}

/// Answer an item. It is named by its handle (`t12#3`, as `t12%233`), by its id, or by its task or attempt where only
/// one item of that waits.
#[utoipa::path(post, path = "/v1/inbox/{item}/answer", request_body = AnswerView,
    params(("item" = String, Path)), responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(crate) async fn answer(
    app: Asker,
    Segment(item): Segment<String>,
    Body(given): Body<AnswerRequest>,
) -> Answer<TaskView> {
    let (task, id) = find::item(&app, &item)?;
    let answer = match given {
        AnswerView::Approved { always } => ItemAnswer::Approved { always },
        AnswerView::Denied { reason } => ItemAnswer::Denied { reason },
        AnswerView::Chosen { option } => ItemAnswer::Chosen { option },
        AnswerView::Text { text } => ItemAnswer::Text { text },
        AnswerView::Withdrawn { .. } => {
            return Err(Problem::bad_input("a person cannot withdraw a question", "deny it instead").into());
        }
    };
    let command = Command::Answer { item: id, answer };
    let task = app.engine.submit(app.actor.clone(), task.id, command).await?;
    Ok(Json(tasks::view(&app, &task)))
}
