//! What attempts at work did last, looked up now and then rather than followed line by line: a fleet writes thousands of
//! entries in a second, and a board shows one line of each attempt.

use std::collections::BTreeMap;

use divisi_engine::StoredEntry;
use divisi_model::AttemptId;
use divisi_model::transcript::EntryBody;
use tokio::sync::watch;

use crate::server::App;
use crate::types::{ActivityView, Attention, StatusView, attempt_handle};

/// How many of the last entries are looked at for one that says something.
const LOOK_BACK: usize = 8;
/// Longest line, in characters.
const LINE_CHARS_MAX: usize = 160;

/// What was told last, and what is news.
pub(super) struct Activity {
    changes: watch::Receiver<u64>,
    told: BTreeMap<String, ActivityView>,
    news: Vec<ActivityView>,
}

impl Activity {
    pub(super) fn new(app: &App) -> Self {
        let mut changes = app.engine.transcript_changes();
        changes.mark_changed();
        Self { changes, told: BTreeMap::new(), news: Vec::new() }
    }

    pub(super) fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// What is new since it was taken last.
    pub(super) fn take(&mut self) -> Vec<ActivityView> {
        std::mem::take(&mut self.news)
    }

    /// Looks at all attempts at work, if any transcript has changed.
    pub(super) async fn look(&mut self, app: &App) {
        if !self.changes.has_changed().unwrap_or(false) {
            return;
        }
        self.changes.mark_unchanged();
        let mut present = BTreeMap::new();
        for task in app.engine.tasks().iter().filter(|task| !task.archived) {
            for attempt in task.attempts.iter().filter(|attempt| !attempt.ended()) {
                let status = StatusView::from(divisi_model::view::status(task, attempt));
                let handle = attempt_handle(task, attempt);
                if !matches!(status.attention, Attention::Working | Attention::NeedsYou) {
                    continue;
                }
                let id = AttemptId { task: task.id, number: attempt.number };
                let Ok(entries) = app.engine.transcript_tail(id, None, LOOK_BACK).await else { continue };
                if let Some(last) = entries.iter().rev().find_map(|entry| says(&handle, entry)) {
                    if self.told.get(&handle) != Some(&last) {
                        self.news.push(last.clone());
                    }
                    present.insert(handle, last);
                }
            }
        }
        self.told = present;
    }
}

/// What an entry says in a line; none for those that say nothing to a person.
fn says(attempt: &str, stored: &StoredEntry) -> Option<ActivityView> {
    let entry = &stored.entry;
    let text = match &entry.body {
        EntryBody::Prompt { text, .. }
        | EntryBody::Message { text }
        | EntryBody::Thought { text }
        | EntryBody::Question { text, .. }
        | EntryBody::Notice { text, .. } => text.text.as_str(),
        EntryBody::ToolCall(call) => call.title.as_str(),
        EntryBody::PermissionRequest { title, .. } => title.as_str(),
        EntryBody::Plan { .. }
        | EntryBody::Answered { .. }
        | EntryBody::Usage(_)
        | EntryBody::ModeChanged { .. }
        | EntryBody::TurnEnded { .. }
        | EntryBody::Raw { .. } => return None,
    };
    // Of words that still come, the newest are at the end.
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    Some(ActivityView {
        attempt: attempt.to_owned(),
        kind: entry.kind().to_owned(),
        line: line.chars().take(LINE_CHARS_MAX).collect(),
        at: entry.at,
    })
}
