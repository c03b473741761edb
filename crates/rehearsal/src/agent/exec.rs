//! The single run without a protocol: a prompt in, plain text out, an exit code at the end.

use std::cell::Cell;
use std::io::Write;
use std::process::ExitCode;

use agent_client_protocol_schema::v1::{
    ContentBlock, PermissionOptionKind, PlanEntryStatus, StopReason, ToolCall, ToolCallContent,
    ToolCallStatus, ToolCallUpdate,
};

use crate::script::{PlanItem, Question, Tokens, Turn};

use super::audience::{Audience, Decision, Reply};
use super::cancel::Cancel;
use super::options::{Mode, Options};
use super::pace::Pace;
use super::perform::{Ending, Performer};
use super::scripts::{Found, Scripts, ScriptsError, fallback};
use super::turn::die;

/// Performs the first turn for `prompt` in the current folder.
///
/// Ends with 0 for a turn that ended by itself, 1 for one that failed or was refused, 2 for a wrong script.
pub fn exec(options: &Options, prompt: &str) -> ExitCode {
    let turn = match first_turn(options, prompt) {
        Ok(turn) => turn,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let workspace = match std::env::current_dir() {
        Ok(workspace) => workspace,
        Err(error) => {
            eprintln!("The current folder cannot be used: {error}.");
            return ExitCode::FAILURE;
        }
    };
    let reader = Reader { number: Cell::new(0) };
    let mut performer = Performer {
        audience: &reader,
        workspace: &workspace,
        cancel: &Cancel::default(),
        images: &[],
        pace: Pace::new(options.pace, options.seed),
        asks: options.mode == Mode::Ask,
        reject_ends_turn: options.reject_ends_turn,
        always: Vec::new(),
        turn: 1,
        count: 0,
        slow: None,
    };
    let ending = performer.perform(&turn.steps);
    reader.put("\n");
    match ending {
        Ending::Crash(crash) => die(crash),
        Ending::Failed(fault) => {
            eprintln!("Error: {}", fault.message);
            ExitCode::from(u8::from(!options.errors_as_end_turn))
        }
        Ending::Stop(StopReason::EndTurn) => ExitCode::SUCCESS,
        Ending::Stop(_) => ExitCode::FAILURE,
    }
}

fn first_turn(options: &Options, prompt: &str) -> Result<Turn, ScriptsError> {
    let script = match Scripts::from_options(options)?.find(prompt)? {
        Found::New(_, script) | Found::Fallback(Some((_, script))) => script,
        Found::Fallback(None) => fallback(prompt)?,
    };
    let mut part = crate::script::Part::new(script);
    part.take(prompt);
    Ok(part.current().cloned().unwrap_or_default())
}

/// A person, or a pipe, that only reads.
struct Reader {
    number: Cell<u32>,
}

impl Reader {
    fn put(&self, text: &str) {
        // A reader that has gone ends nothing.
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    fn line(&self, text: &str) {
        let before = if self.number.replace(0) == 0 { "" } else { "\n" };
        self.put(&format!("{before}{text}\n"));
    }
}

impl Audience for Reader {
    fn message(&self, number: u32, piece: &str) {
        let before = self.number.replace(number);
        let gap = if before == 0 || before == number { "" } else { "\n" };
        self.put(&format!("{gap}{piece}"));
    }

    fn thought(&self, _: u32, _: &str) {}

    fn plan(&self, items: &[PlanItem]) {
        for item in items {
            let mark = match item.status {
                PlanEntryStatus::Completed => "x",
                PlanEntryStatus::InProgress => ">",
                _ => " ",
            };
            self.line(&format!("[{mark}] {}", item.text));
        }
    }

    fn tool(&self, call: ToolCall) {
        self.line(&format!("* {}", call.title));
    }

    fn tool_update(&self, update: ToolCallUpdate) {
        let failed = update.fields.status == Some(ToolCallStatus::Failed);
        for content in update.fields.content.iter().flatten().filter(|_| failed) {
            if let ToolCallContent::Content(content) = content
                && let ContentBlock::Text(text) = &content.content
            {
                self.line(&format!("  failed: {}", text.text.trim_end()));
            }
        }
    }

    fn permission(&self, call: ToolCallUpdate, _: &[PermissionOptionKind]) -> Decision {
        let title = call.fields.title.unwrap_or_default();
        self.line(&format!("  not allowed, because nobody is there to ask: {title}"));
        Decision::Rejected { always: false }
    }

    fn question(&self, question: &Question) -> Reply {
        self.line(&question.text);
        Reply::Declined
    }

    fn usage(&self, tokens: Tokens) {
        let cost = tokens.cost.map_or_else(String::new, |cost| format!(", ${cost}"));
        self.line(&format!("tokens: {} in, {} out{cost}", tokens.input, tokens.output));
    }

    fn garbage(&self, line: &str) {
        self.line(line);
    }

    fn half(&self) {
        self.put("half of a");
    }
}
