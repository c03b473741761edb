//! From what people type to tasks, attempts and items.

use std::sync::Arc;

use divisi_model::inbox::{Ask, InboxItem};
use divisi_model::{AttemptId, Handle, ItemId, TaskState};

use crate::server::App;
use crate::types::Problem;

/// The task of a handle; an attempt in it is passed over.
pub(crate) fn task(app: &App, handle: &str) -> Result<(Arc<TaskState>, Option<u16>), Problem> {
    let handle: Handle = handle
        .parse()
        .map_err(|error| Problem::bad_input(format!("{error}"), "divisi ls lists the tasks"))?;
    let task = app.engine.task(handle.task).ok_or_else(|| {
        Problem::not_found(format!("there is no task {}", handle.task), "divisi ls lists the tasks")
    })?;
    if let Some(number) = handle.attempt
        && task.attempt(number).is_none()
    {
        if task.staged() {
            return Err(staged(&task));
        }
        let last = task.attempts.len();
        let hint = format!("its attempts are {0}.1 to {0}.{last}", handle.task);
        return Err(Problem::not_found(format!("{} has no attempt {number}", handle.task), hint));
    }
    Ok((task, handle.attempt))
}

/// The attempt of a handle; of a task with one attempt that one.
pub(crate) fn attempt(app: &App, handle: &str) -> Result<(Arc<TaskState>, u16), Problem> {
    let (task, named) = self::task(app, handle)?;
    match (named, task.attempts.len()) {
        (Some(number), _) => Ok((task, number)),
        (None, 1) => Ok((task, 1)),
        (None, 0) => Err(staged(&task)),
        (None, several) => {
            let number = task.spec.number;
            let names: Vec<_> = task.attempts.iter().map(|a| format!("{number}.{}", a.number)).collect();
            let hint = format!("name one of them: {}", names.join(", "));
            Err(Problem::bad_input(format!("{number} has {several} attempts"), hint))
        }
    }
}

/// A task that has not started has no attempt that anything could be asked of.
pub(crate) fn staged(task: &TaskState) -> Problem {
    let number = task.spec.number;
    Problem::wrong_state(format!("{number} is staged: it has not started"), format!("divisi start {number}"))
}

/// The identity of an attempt.
pub(crate) fn attempt_id(app: &App, handle: &str) -> Result<AttemptId, Problem> {
    let (task, number) = attempt(app, handle)?;
    Ok(AttemptId { task: task.id, number })
}

/// An inbox item by its handle (`t12#3`), by its id, or by the handle of a task or attempt that has only one open.
pub(crate) fn item(app: &App, name: &str) -> Result<(Arc<TaskState>, ItemId), Problem> {
    if let Ok(id) = name.parse::<ItemId>() {
        let found = app.engine.tasks().into_iter().find(|task| task.item(id).is_some());
        return found.map(|task| (task, id)).ok_or_else(|| no_item(name));
    }
    if let Some((handle, place)) = name.split_once('#') {
        let (task, _) = task(app, handle)?;
        let index = place.parse::<usize>().ok().and_then(|place| place.checked_sub(1));
        let id =
            index.and_then(|index| task.items.get(index)).map(|item| item.id).ok_or_else(|| no_item(name))?;
        return Ok((task, id));
    }
    let (task, named) = task(app, name)?;
    let of_attempt = |item: &&InboxItem| named.is_none_or(|number| item.attempt == number);
    let open: Vec<_> = task.open_items().filter(of_attempt).collect();
    let answerable: Vec<_> =
        open.iter().filter(|item| !matches!(item.ask, Ask::Review { .. } | Ask::Stall { .. })).collect();
    let id = match (answerable.as_slice(), open.as_slice()) {
        ([one], _) => one.id,
        // Refused by the rules, with the words that fit a review or a stall.
        ([], [one, ..]) => one.id,
        ([], []) => {
            let message = format!("nothing of {name} waits for an answer");
            return Err(Problem::not_found(message, "divisi inbox lists what waits"));
        }
        (several, _) => {
            let place =
                |item: &InboxItem| task.items.iter().position(|known| known.id == item.id).unwrap_or(0) + 1;
            let names: Vec<_> =
                several.iter().map(|item| format!("{}#{}", task.spec.number, place(item))).collect();
            let hint = format!("name one of them: {}", names.join(", "));
            return Err(Problem::bad_input(format!("{} items of {name} wait", several.len()), hint));
        }
    };
    Ok((task, id))
}

fn no_item(name: &str) -> Problem {
    Problem::not_found(format!("there is no inbox item {name}"), "divisi inbox lists what waits")
}
