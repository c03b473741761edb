//! JSON lines of one-shot commands: which vendor's shape a line has, and what it says.

use divisi_model::transcript::{FileDiff, Location, PlanStep, Text, ToolCall, ToolKind, ToolStatus, limits};
use serde_json::Value;

use super::known;
use crate::recorder::Voice;

/// Something that a line says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Text {
        voice: Voice,
        id: Option<String>,
        text: String,
    },
    Tool(Box<ToolUpdate>),
    Plan(Vec<PlanStep>),
    /// Counts of this turn: the whole so far, or one more request.
    Tokens {
        tokens: divisi_model::transcript::Tokens,
        adds: bool,
    },
    Cost {
        amount: f64,
        adds: bool,
    },
    Session(String),
    Error(String),
}

/// What a line says of a tool call; the rest stays as it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ToolUpdate {
    pub id: String,
    pub name: Option<String>,
    pub title: Option<String>,
    pub kind: Option<ToolKind>,
    pub status: Option<ToolStatus>,
    pub input: Option<Value>,
    pub output: Option<String>,
    pub paths: Vec<String>,
    pub diffs: Vec<FileDiff>,
}

/// Reads a line. None if no known command writes such a thing; an empty list if it says nothing that matters.
pub(super) fn pieces(value: &Value) -> Option<Vec<Piece>> {
    known::READERS.iter().find_map(|reader| reader(value))
}

/// A line without the colours of a terminal and other control characters.
pub(super) fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.trim_end_matches('\r').chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            if chars.next_if_eq(&'[').is_some() {
                while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
            }
        } else if c == '\t' || !c.is_control() {
            out.push(c);
        }
    }
    out
}

impl ToolUpdate {
    pub fn new(id: &str) -> Self {
        Self { id: cut(id), ..Self::default() }
    }

    /// A call with a name and what it is called with: the kind and the files are read off both.
    pub fn called(id: &str, name: &str, input: Option<&Value>) -> Self {
        let path = input.and_then(|input| {
            ["file_path", "path", "filePath", "absolute_path", "notebook_path"]
                .iter()
                .find_map(|key| input.get(key).and_then(Value::as_str))
        });
        let command = input.and_then(|input| input.get("command")).and_then(Value::as_str);
        Self {
            name: Some(cut(name)),
            title: Some(cut(&match (path, command) {
                (Some(path), _) => format!("{name} {path}"),
                (None, Some(command)) => command.to_owned(),
                (None, None) => name.to_owned(),
            })),
            kind: Some(kind_of(name)),
            status: Some(ToolStatus::InProgress),
            input: input.cloned(),
            paths: path.map(cut).into_iter().collect(),
            ..Self::new(id)
        }
    }

    pub fn ended(id: &str, output: Option<String>, failed: bool) -> Self {
        let status = if failed { ToolStatus::Failed } else { ToolStatus::Completed };
        Self { status: Some(status), output, ..Self::new(id) }
    }

    pub fn apply(self, call: &mut ToolCall) {
        call.name = self.name.or(call.name.take());
        call.title = self.title.unwrap_or_else(|| std::mem::take(&mut call.title));
        call.kind = self.kind.unwrap_or(call.kind);
        call.status = self.status.unwrap_or(call.status);
        if let Some(input) = self.input {
            call.input = Some(Text::clip(&input.to_string(), limits::OUTPUT_BYTES));
        }
        if let Some(output) = self.output {
            call.output = Some(Text::clip(&output, limits::OUTPUT_BYTES));
        }
        if !self.paths.is_empty() {
            let place = |path| Location { path, line: None };
            call.locations = self.paths.into_iter().take(limits::LOCATIONS).map(place).collect();
        }
        if !self.diffs.is_empty() {
            call.diffs = self.diffs.into_iter().take(limits::DIFFS).collect();
        }
    }
}

/// The kind of tool by its name.
fn kind_of(name: &str) -> ToolKind {
    let name = name.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["todo", "think", "plan"]) {
        ToolKind::Think
    } else if has(&["fetch", "web"]) {
        ToolKind::Fetch
    } else if has(&["bash", "shell", "exec", "terminal", "command"]) {
        ToolKind::Execute
    } else if has(&["grep", "glob", "search", "find", "list", "ls"]) {
        ToolKind::Search
    } else if has(&["write", "edit", "patch", "replace", "create"]) {
        ToolKind::Edit
    } else if has(&["read", "view", "open"]) {
        ToolKind::Read
    } else {
        ToolKind::Other
    }
}

/// Words, wherever vendors put them: a string, or a list of blocks with a `text`.
pub(super) fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(blocks) => {
            let texts: Vec<&str> =
                blocks.iter().filter_map(|b| b.get("text").and_then(Value::as_str)).collect();
            (!texts.is_empty()).then(|| texts.join("\n"))
        }
        Value::Object(map) => {
            ["text", "content", "message", "output"].iter().find_map(|key| words(map.get(*key)?))
        }
        _ => None,
    }
}

pub(super) fn cut(text: &str) -> String {
    Text::clip(text, limits::NAME_BYTES).text
}
