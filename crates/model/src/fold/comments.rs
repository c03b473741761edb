//! What events make of comments and of the marks on viewed files.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::comment::{CommentMove, CommentState};
use crate::event::{Envelope, Event};
use crate::ids::Oid;
use crate::limits::{VIEWED_CONTENTS, VIEWED_FILES};
use crate::review::Verdict;
use crate::state::AttemptState;

pub(super) fn apply(attempt: &mut AttemptState, event: &Event, envelope: &Envelope) {
    let at = envelope.at;
    match event {
        Event::CommentWritten { comment, written, .. } => {
            attempt.comments_written = attempt.comments_written.max(*comment);
            let by = envelope.actor.to_string();
            attempt.comments.push(CommentState::written(*comment, written, by, at));
        }
        Event::CommentEdited { comment, text, .. } => {
            if let Some(comment) = find(attempt, *comment) {
                comment.text.clone_from(text);
            }
        }
        Event::CommentDeleted { comment, .. } => attempt.comments.retain(|c| c.number != *comment),
        Event::CommentResolved { comment, .. } => {
            if let Some(comment) = find(attempt, *comment) {
                comment.resolved = Some((at, envelope.actor.to_string()));
                comment.reopened = false;
            }
        }
        Event::CommentReopened { comment, text, .. } => {
            if let Some(comment) = find(attempt, *comment) {
                comment.resolved = None;
                comment.reopened = true;
                comment.more.extend((!text.is_empty()).then(|| text.clone()));
            }
        }
        Event::FilesViewed { files, viewed, .. } => mark(&mut attempt.viewed, files, *viewed),
        _ => {}
    }
}

/// A verdict sends comments. With a request for changes they are in the prompt that follows in the same breath.
pub(super) fn sent(attempt: &mut AttemptState, sent: &[u32], verdict: Verdict, at: Timestamp) {
    let prompt = (verdict == Verdict::ChangesRequested).then_some(attempt.prompts + 1);
    for number in sent {
        if let Some(comment) = find(attempt, *number) {
            comment.sent = Some(at);
            comment.prompt = prompt;
            comment.answered = None;
            comment.reopened = false;
        }
    }
}

/// There is a newer result, and this is where the comments stand in it.
pub(super) fn moved(attempt: &mut AttemptState, moves: &[CommentMove], commit: &Oid) {
    for step in moves {
        let Some(comment) = find(attempt, step.comment) else { continue };
        comment.gone = step.place.is_none();
        if step.place.is_some() {
            comment.now.clone_from(&step.place);
        }
        let waits = comment.sent.is_some() && !comment.reopened && comment.answered.is_none();
        if step.touched && waits {
            comment.answered = Some(commit.clone());
        }
    }
}

fn mark(viewed: &mut BTreeMap<String, Vec<String>>, files: &BTreeMap<String, String>, add: bool) {
    for (file, seen) in files {
        if !add {
            viewed.remove(file);
        } else if viewed.contains_key(file) || viewed.len() < VIEWED_FILES {
            let marks = viewed.entry(file.clone()).or_default();
            marks.retain(|mark| mark != seen);
            marks.push(seen.clone());
            let surplus = marks.len().saturating_sub(VIEWED_CONTENTS);
            marks.drain(..surplus);
        }
    }
}

fn find(attempt: &mut AttemptState, number: u32) -> Option<&mut CommentState> {
    attempt.comments.iter_mut().find(|comment| comment.number == number)
}
