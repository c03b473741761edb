//! Writes the transcript of a session: numbers the entries, joins the pieces of messages, keeps tool calls up to date.

use divisi_model::transcript::{
    Entry, EntryBody, Journal, Notice, PlanStep, ReportedUsage, Source, Text, ToolCall, limits,
};
use jiff::Timestamp;

use crate::action::Action;

/// Bytes of a growing message after which its entry is stored again.
const TOLD_EVERY_BYTES: usize = 4 * 1024;
/// Tool calls kept in their newest state; beyond that the oldest is forgotten and would begin anew.
const TOOL_CALLS_KEPT: usize = 128;
/// Notices about broken lines that are written out; the rest is only counted.
pub(crate) const PROTOCOL_NOTICES: u64 = 20;

/// The transcript under way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recorder {
    next_seq: u64,
    turn: u32,
    now: Timestamp,
    source: Option<Source>,
    open: Option<OpenText>,
    plan: Option<Entry>,
    usage: Option<Entry>,
    tools: Vec<Entry>,
    broken: u64,
    actions: Vec<Action>,
}

/// Whose words a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    Message,
    Thought,
}

#[derive(Clone, Debug, PartialEq)]
struct OpenText {
    entry: Entry,
    voice: Voice,
    id: Option<String>,
    untold: usize,
}

impl Recorder {
    pub fn new(first_seq: u64, turn: u32, now: Timestamp) -> Self {
        Self {
            next_seq: first_seq,
            turn,
            now,
            source: None,
            open: None,
            plan: None,
            usage: None,
            tools: Vec::new(),
            broken: 0,
            actions: Vec::new(),
        }
    }

    /// Says where and when what follows was heard.
    pub fn at(&mut self, now: Timestamp, source: Option<Source>) {
        self.now = now;
        self.source = source;
    }

    pub fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    pub fn take(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// What entries that follow belong to.
    pub fn begin_turn(&mut self, turn: u32) {
        self.close_text();
        self.turn = turn;
        self.plan = None;
        self.usage = None;
    }

    pub fn turn(&self) -> u32 {
        self.turn
    }

    /// The number that the next entry gets.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Adds an entry.
    pub fn add(&mut self, body: EntryBody) {
        self.close_text();
        let entry = self.entry(body);
        self.actions.push(Action::Entry(entry));
    }

    pub fn notice(&mut self, notice: Notice, text: &str) {
        self.add(EntryBody::Notice { notice, text: Text::clip(text, limits::RAW_BYTES) });
    }

    /// A line that is not of the protocol. The first few are shown, all are counted.
    pub fn broken(&mut self, why: &str, line: &[u8]) {
        self.broken += 1;
        if self.broken <= PROTOCOL_NOTICES {
            let shown = Text::clip(&String::from_utf8_lossy(line), 512);
            self.notice(Notice::Protocol, &format!("{why}: {shown}"));
        }
    }

    pub fn broken_lines(&self) -> u64 {
        self.broken
    }

    /// Adds a piece of a message or thought. Pieces join as long as voice and id stay the same and nothing else
    /// was added in between.
    pub fn text(&mut self, voice: Voice, id: Option<&str>, piece: &str) {
        if piece.is_empty() {
            return;
        }
        if self.is_fresh(voice, id) {
            self.close_text();
            let mut text = Text::default();
            text.push(piece, limits::MESSAGE_BYTES);
            let entry = self.entry(match voice {
                Voice::Message => EntryBody::Message { text },
                Voice::Thought => EntryBody::Thought { text },
            });
            self.actions.push(Action::Entry(entry.clone()));
            self.open = Some(OpenText { entry, voice, id: id.map(str::to_owned), untold: 0 });
            return;
        }
        let source = self.source;
        let Some(open) = &mut self.open else { return };
        extend(&mut open.entry, source);
        let (EntryBody::Message { text } | EntryBody::Thought { text }) = &mut open.entry.body else {
            return;
        };
        let kept = text.push(piece, limits::MESSAGE_BYTES);
        open.untold += piece.len();
        if open.untold >= TOLD_EVERY_BYTES {
            open.untold = 0;
            self.actions.push(Action::Entry(open.entry.clone()));
        } else if !kept.is_empty() {
            self.actions.push(Action::Text { seq: open.entry.seq, text: kept.to_owned() });
        }
    }

    /// Whether a piece with this voice and id would begin an entry.
    pub fn is_fresh(&self, voice: Voice, id: Option<&str>) -> bool {
        !self.open.as_ref().is_some_and(|open| open.voice == voice && open.id.as_deref() == id)
    }

    /// Ends the message under way.
    pub fn close_text(&mut self) {
        if let Some(open) = self.open.take()
            && open.untold > 0
        {
            self.actions.push(Action::Entry(open.entry));
        }
    }

    /// Changes a tool call, or begins it.
    pub fn tool(&mut self, id: &str, change: impl FnOnce(&mut ToolCall)) -> ToolCall {
        let source = self.source;
        let known = self.tools.iter().position(|e| tool_of(e).is_some_and(|call| call.id == id));
        let mut entry = match known {
            Some(at) => self.tools.remove(at),
            None => {
                self.close_text();
                self.entry(EntryBody::ToolCall(Box::new(ToolCall::new(id))))
            }
        };
        extend(&mut entry, source);
        let mut call = ToolCall::default();
        if let EntryBody::ToolCall(kept) = &mut entry.body {
            change(kept);
            call = (**kept).clone();
        }
        self.actions.push(Action::Entry(entry.clone()));
        if self.tools.len() >= TOOL_CALLS_KEPT {
            let oldest_over = self.tools.iter().position(|e| tool_of(e).is_some_and(ToolCall::is_over));
            self.tools.remove(oldest_over.unwrap_or(0));
        }
        self.tools.push(entry);
        call
    }

    /// Replaces the turn's plan.
    pub fn plan(&mut self, steps: Vec<PlanStep>) {
        let source = self.source;
        let mut entry = match self.plan.take() {
            Some(entry) => entry,
            None => {
                self.close_text();
                self.entry(EntryBody::Plan { steps: Vec::new() })
            }
        };
        extend(&mut entry, source);
        entry.body = EntryBody::Plan { steps };
        self.actions.push(Action::Entry(entry.clone()));
        self.plan = Some(entry);
    }

    /// Changes what the turn used; an entry comes only if that says something new.
    pub fn usage(&mut self, change: impl FnOnce(&mut ReportedUsage)) {
        let source = self.source;
        let mut usage = self.reported().cloned().unwrap_or_default();
        change(&mut usage);
        if self.reported() == Some(&usage) || usage == ReportedUsage::default() {
            return;
        }
        let mut entry = match self.usage.take() {
            Some(entry) => entry,
            None => self.entry(EntryBody::Usage(Box::default())),
        };
        extend(&mut entry, source);
        entry.body = EntryBody::Usage(Box::new(usage));
        self.actions.push(Action::Entry(entry.clone()));
        self.usage = Some(entry);
    }

    /// What the turn used so far, as reported.
    pub fn reported(&self) -> Option<&ReportedUsage> {
        match &self.usage.as_ref()?.body {
            EntryBody::Usage(usage) => Some(usage),
            _ => None,
        }
    }

    fn entry(&mut self, body: EntryBody) -> Entry {
        let seq = self.next_seq;
        self.next_seq += 1;
        Entry { seq, at: self.now, turn: self.turn, source: self.source, body }
    }
}

/// A place in the agent's journal.
pub(crate) fn out(offset: u64, len: u64) -> Option<Source> {
    Some(Source { journal: Journal::Out, offset, len })
}

/// Makes the span of an entry reach to the end of another line of the same journal.
fn extend(entry: &mut Entry, source: Option<Source>) {
    if let (Some(span), Some(line)) = (&mut entry.source, source)
        && span.journal == line.journal
    {
        span.len = span.len.max((line.offset + line.len).saturating_sub(span.offset));
    }
}

fn tool_of(entry: &Entry) -> Option<&ToolCall> {
    match &entry.body {
        EntryBody::ToolCall(call) => Some(call),
        _ => None,
    }
}
