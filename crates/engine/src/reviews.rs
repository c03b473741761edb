//! What people say of a result: comments as they come in get the words of the lines that they stand at.

use std::sync::Arc;

use divisi_model::comment::{Lines, NewComment, Place, Side};
use divisi_model::review::{Comment, Verdict};
use divisi_model::{Actor, AttemptId, Command, Oid, Refusal, TaskState};

use crate::authority::internal;
use crate::context::Context;

/// A verdict as it is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The commit that was looked at; none: the newest.
    pub commit: Option<Oid>,
    /// The verdict.
    pub verdict: Verdict,
    /// Comments that are sent with it, besides those that wait.
    pub comments: Vec<Comment>,
    /// Words on the whole.
    pub note: String,
}

/// Writes a comment, which is a draft.
pub(crate) async fn comment(
    context: &Arc<Context>,
    actor: Actor,
    id: AttemptId,
    mut comment: NewComment,
) -> Result<Arc<TaskState>, Refusal> {
    if let Some(place) = &mut comment.place {
        place.quote = quote(context, id, place).await?;
    }
    context.authority.submit(actor, id.task, Command::Comment { attempt: id.number, comment }).await
}

/// Gives a verdict.
pub(crate) async fn review(
    context: &Arc<Context>,
    actor: Actor,
    id: AttemptId,
    asked: Asked,
) -> Result<Arc<TaskState>, Refusal> {
    let task = context.task(id).map_err(|error| internal(error.0))?;
    let result = task.attempt(id.number).and_then(|attempt| attempt.result.as_ref());
    let mut comments = Vec::new();
    for typed in asked.comments {
        let lines = typed.line.map(|first| Lines { first, last: typed.last.unwrap_or(first) });
        let place = typed.file.zip(result).map(|(file, result)| Place {
            commit: result.commit.clone(),
            file,
            side: Side::After,
            lines,
            quote: String::new(),
        });
        let mut comment = NewComment { place, text: typed.text };
        if let Some(place) = &mut comment.place {
            place.quote = quote(context, id, place).await?;
        }
        comments.push(comment);
    }
    let Asked { commit, verdict, note, .. } = asked;
    let command = Command::Review { attempt: id.number, commit, verdict, comments, note };
    context.authority.submit(actor, id.task, command).await
}

async fn quote(context: &Context, id: AttemptId, place: &Place) -> Result<String, Refusal> {
    let Some(lines) = place.lines else { return Ok(String::new()) };
    let task = context.task(id).map_err(|error| internal(error.0))?;
    let project = context.project(&task).map_err(|error| internal(error.0))?;
    let (commit, file) = (place.commit.clone(), place.file.clone());
    context.worker.quote(project, commit, file, lines).await.map_err(|error| internal(error.0))
}
