//! What people do with comments and with the marks on viewed files.

use std::collections::BTreeMap;

use super::people::not_archived;
use super::require_attempt;
use crate::comment::{CommentStage, CommentState, NewComment, Place};
use crate::event::Event;
use crate::limits;
use crate::refusal::Refusal;
use crate::state::{AttemptState, TaskState};

pub(super) fn write(state: &TaskState, number: u16, comment: NewComment) -> Result<Vec<Event>, Refusal> {
    let attempt = require_attempt(state, number)?;
    not_archived(state)?;
    written(attempt, vec![comment])
}

/// Comments as they are written, numbered on from those there are.
pub(super) fn written(attempt: &AttemptState, new: Vec<NewComment>) -> Result<Vec<Event>, Refusal> {
    if attempt.comments.len() + new.len() > limits::COMMENTS {
        let most = limits::COMMENTS;
        return Err(Refusal::limit(format!("an attempt has at most {most} comments"), "join some of them"));
    }
    let numbered = (attempt.comments_written + 1..).zip(new);
    numbered
        .map(|(comment, written)| {
            check_words(&written.text)?;
            written.place.as_ref().map_or(Ok(()), check_place)?;
            Ok(Event::CommentWritten { attempt: attempt.number, comment, written })
        })
        .collect()
}

/// The numbers of comments that were just written.
pub(super) fn numbers(events: &[Event]) -> Vec<u32> {
    let number = |event: &Event| match event {
        Event::CommentWritten { comment, .. } => Some(*comment),
        _ => None,
    };
    events.iter().filter_map(number).collect()
}

/// What a request for changes sends: every comment that waits, and those that were just written with it.
pub(super) fn to_send(state: &TaskState, number: u16, events: &[Event]) -> Vec<CommentState> {
    let Some(attempt) = state.attempt(number) else { return Vec::new() };
    let mut waiting: Vec<_> = attempt.comments.iter().filter(|c| c.pending()).cloned().collect();
    for event in events {
        if let Event::CommentWritten { comment, written, .. } = event {
            waiting.push(CommentState::written(*comment, written, String::new(), state.changed));
        }
    }
    waiting
}

pub(super) fn edit(
    state: &TaskState,
    number: u16,
    comment: u32,
    text: String,
) -> Result<Vec<Event>, Refusal> {
    let found = draft(state, number, comment, "changed")?;
    check_words(&text)?;
    if found.text == text {
        return Ok(vec![]);
    }
    Ok(vec![Event::CommentEdited { attempt: number, comment, text }])
}

pub(super) fn delete(state: &TaskState, number: u16, comment: u32) -> Result<Vec<Event>, Refusal> {
    draft(state, number, comment, "thrown away")?;
    Ok(vec![Event::CommentDeleted { attempt: number, comment }])
}

pub(super) fn resolve(state: &TaskState, number: u16, comment: u32) -> Result<Vec<Event>, Refusal> {
    let found = sent(state, number, comment, "resolved")?;
    if found.resolved.is_some() {
        return Ok(vec![]);
    }
    Ok(vec![Event::CommentResolved { attempt: number, comment }])
}

pub(super) fn reopen(
    state: &TaskState,
    number: u16,
    comment: u32,
    text: String,
) -> Result<Vec<Event>, Refusal> {
    let found = sent(state, number, comment, "taken up again")?;
    if text.len() > limits::COMMENT_BYTES {
        return Err(too_long());
    }
    let text = text.trim().to_owned();
    if found.reopened && text.is_empty() {
        return Ok(vec![]);
    }
    Ok(vec![Event::CommentReopened { attempt: number, comment, text }])
}

pub(super) fn view(
    state: &TaskState,
    number: u16,
    mut files: BTreeMap<String, String>,
    viewed: bool,
) -> Result<Vec<Event>, Refusal> {
    let attempt = require_attempt(state, number)?;
    if files.iter().any(|(file, seen)| file.len() + seen.len() > limits::VIEWED_BYTES) {
        return Err(Refusal::limit("a path of this length cannot be marked", ""));
    }
    let new = files.keys().filter(|file| !attempt.viewed.contains_key(*file)).count();
    if viewed && attempt.viewed.len() + new > limits::VIEWED_FILES {
        let most = limits::VIEWED_FILES;
        return Err(Refusal::limit(format!("at most {most} files are marked as viewed"), ""));
    }
    files.retain(|file, seen| match viewed {
        true => !attempt.has_viewed(file, seen),
        false => attempt.viewed.contains_key(file),
    });
    if files.is_empty() {
        return Ok(vec![]);
    }
    Ok(vec![Event::FilesViewed { attempt: number, files, viewed }])
}

fn find(state: &TaskState, number: u16, comment: u32) -> Result<&CommentState, Refusal> {
    let attempt = require_attempt(state, number)?;
    attempt.comment(comment).ok_or_else(|| {
        let handle = state.handle(number);
        let hint = format!("divisi show {handle} lists them");
        Refusal::not_found(format!("{handle} has no comment {comment}"), hint)
    })
}

fn draft<'a>(
    state: &'a TaskState,
    number: u16,
    comment: u32,
    what: &str,
) -> Result<&'a CommentState, Refusal> {
    let found = find(state, number, comment)?;
    match found.stage() {
        CommentStage::Draft => Ok(found),
        _ => {
            let message = format!("comment {comment} cannot be {what}: it was sent");
            Err(Refusal::wrong_state(message, "resolve it, or take it up again with more words"))
        }
    }
}

fn sent<'a>(
    state: &'a TaskState,
    number: u16,
    comment: u32,
    what: &str,
) -> Result<&'a CommentState, Refusal> {
    let found = find(state, number, comment)?;
    match found.stage() {
        CommentStage::Draft => {
            let message = format!("comment {comment} cannot be {what}: it is a draft");
            Err(Refusal::wrong_state(message, "a draft is edited or thrown away"))
        }
        _ => Ok(found),
    }
}

fn check_words(text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::bad_input("the comment is empty", "say what should change"));
    }
    if text.len() > limits::COMMENT_BYTES { Err(too_long()) } else { Ok(()) }
}

fn check_place(place: &Place) -> Result<(), Refusal> {
    let bad =
        |message: &str| Err(Refusal::bad_input(message, "lines count from 1, the first before the last"));
    match place.lines {
        _ if place.file.is_empty() => bad("a comment on lines names their file"),
        Some(lines) if lines.first == 0 || lines.last < lines.first => bad("those are no lines"),
        _ => Ok(()),
    }
}

fn too_long() -> Refusal {
    let most = limits::COMMENT_BYTES / 1024;
    Refusal::limit(format!("a comment has at most {most} KiB"), "shorten it")
}
