//! Performs the steps of a turn, whoever listens.

use std::path::Path;
use std::time::Duration;

use agent_client_protocol_schema::v1::{StopReason, ToolCallStatus, ToolCallUpdateFields, ToolKind};

use crate::script::{Action, Crash, Fault, FaultKind, Flood, Question, Step};

use super::audience::{Audience, Decision, Reply};
use super::cancel::Cancel;
use super::files::Change;
use super::images::SeenImage;
use super::pace::Pace;
use super::stray;

/// Size of one message of a flood.
const FLOOD_PIECE_BYTES: u64 = 16 * 1024;
/// Length of one line of a flood.
const FLOOD_LINE_BYTES: usize = 80;

/// Everything a performance needs.
pub struct Performer<'a> {
    pub audience: &'a dyn Audience,
    pub workspace: &'a Path,
    pub cancel: &'a Cancel,
    pub pace: Pace,
    /// The images of the prompt.
    pub images: &'a [SeenImage],
    /// Whether changes and commands ask first.
    pub asks: bool,
    /// Whether a refusal ends the turn.
    pub reject_ends_turn: bool,
    /// Answers that hold for the session, by kind of tool.
    pub always: Vec<(ToolKind, bool)>,
    /// Number of this turn in its session: tool calls are numbered by it.
    pub turn: u32,
    /// Tool calls and messages so far.
    pub count: u32,
    pub slow: Option<Duration>,
}

/// Whether the turn goes on.
pub(super) enum Flow {
    On,
    Ended(Ending),
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// With a stop reason.
    Stop(StopReason),
    /// As a failing model provider makes it end.
    Failed(Fault),
    /// With the process.
    Crash(Crash),
}

pub(super) const CANCELLED: Flow = Flow::Ended(Ending::Stop(StopReason::Cancelled));

impl Performer<'_> {
    /// Performs a turn to its end.
    pub fn perform(&mut self, steps: &[Step]) -> Ending {
        match self.steps(steps) {
            Flow::On => Ending::Stop(StopReason::EndTurn),
            Flow::Ended(ending) => ending,
        }
    }

    fn steps(&mut self, steps: &[Step]) -> Flow {
        for step in steps {
            if self.cancel.is_cancelled() {
                return CANCELLED;
            }
            match self.step(&step.action) {
                Flow::On => {}
                ended => return ended,
            }
        }
        Flow::On
    }

    fn step(&mut self, action: &Action) -> Flow {
        match action {
            Action::Say(text) => return self.speak(text, false),
            Action::Think(text) => return self.speak(text, true),
            Action::Plan(items) => self.audience.plan(items),
            Action::Read(path) => return self.read(path),
            Action::Write { path, text } => {
                return self.change(path, "Write", Change::write(self.path(path), text));
            }
            Action::Append { path, text } => {
                return self.change(path, "Append to", Change::append(self.path(path), text));
            }
            Action::Edit { path, replacements } => {
                return self.change(path, "Edit", Change::edit(self.path(path), replacements));
            }
            Action::Delete(path) => return self.delete(path),
            Action::Move { from, to } => return self.rename(from, to),
            Action::Run(script) => return self.run(script, script, &[]),
            Action::Commit(message) => {
                let script = "git add -A && git commit -m \"$1\"";
                return self.run(&format!("git commit -m {message:?}"), script, &[message]);
            }
            Action::Tool { name, arguments } => {
                let call = self.call(name, ToolKind::Other).name(name.clone()).raw_input(arguments.clone());
                return self.tool(call, None, |_, _| Ok(Vec::new()));
            }
            Action::Ask { kind, title, options, allowed, rejected } => {
                let call = self.call(title, *kind);
                let id = call.tool_call_id.clone();
                self.audience.tool(call.clone());
                let decision = self.audience.permission(call.into(), options);
                let (status, steps) = match decision {
                    Decision::Cancelled => return CANCELLED,
                    Decision::Allowed { .. } => (ToolCallStatus::Completed, allowed),
                    Decision::Rejected { .. } => (ToolCallStatus::Failed, rejected),
                };
                self.update(&id, ToolCallUpdateFields::new().status(status));
                if matches!(decision, Decision::Rejected { .. }) && self.reject_ends_turn {
                    return CANCELLED;
                }
                // What was just allowed is not asked about again.
                let asked = std::mem::replace(&mut self.asks, false);
                let flow = self.steps(steps);
                self.asks = asked;
                return flow;
            }
            Action::Question(question) => return self.question(question),
            Action::Images(count) => return self.see(*count),
            Action::Usage(tokens) => self.audience.usage(*tokens),
            Action::Sleep(time) => return self.pause(Some(*time)),
            Action::Hang => {
                self.cancel.wait(None);
                return CANCELLED;
            }
            Action::Crash(crash) => return Flow::Ended(Ending::Crash(*crash)),
            Action::Flood(flood) => return self.flood(*flood),
            Action::Garbage(line) => self.audience.garbage(line),
            Action::IgnoreCancel => self.cancel.ignore(),
            Action::Slow(time) => self.slow = Some(*time),
            Action::Error(fault) => return Flow::Ended(Ending::Failed(fault.clone())),
            Action::Cut => {
                self.audience.half();
                return Flow::Ended(Ending::Crash(Crash::Code(1)));
            }
            Action::Stray(script) => {
                let call = self.call(&format!("Start {script}"), ToolKind::Execute);
                return self.tool(call, None, |this, _| {
                    let pid = stray::start(this.workspace, script).map_err(|error| error.to_string())?;
                    Ok(vec![pid.into()])
                });
            }
            Action::End(reason) => return Flow::Ended(Ending::Stop(*reason)),
            Action::Repeat { times, steps } => {
                for _ in 0..*times {
                    match self.steps(steps) {
                        Flow::On => {}
                        ended => return ended,
                    }
                }
            }
        }
        Flow::On
    }

    fn see(&mut self, count: usize) -> Flow {
        let seen: Vec<String> = self.images.iter().map(ToString::to_string).collect();
        if seen.len() == count {
            let what = if seen.is_empty() { "nothing".to_owned() } else { seen.join(", ") };
            return self.speak(&format!("I see {what}."), false);
        }
        let message = format!("{count} images were expected, and the prompt has {}.", seen.len());
        let kind = FaultKind::Internal;
        Flow::Ended(Ending::Failed(Fault { kind, message, retry_after: None, times: None }))
    }

    fn speak(&mut self, text: &str, thought: bool) -> Flow {
        let wait = self.pace.thought();
        if self.cancel.wait(wait.or(Some(Duration::ZERO))) {
            return CANCELLED;
        }
        let number = self.next();
        let say = |piece: &str| match thought {
            true => self.audience.thought(number, piece),
            false => self.audience.message(number, piece),
        };
        let Some(word_time) = self.slow.or_else(|| self.pace.word()) else {
            say(text);
            return Flow::On;
        };
        for word in text.split_inclusive(char::is_whitespace) {
            say(word);
            if self.cancel.wait(Some(word_time)) {
                return CANCELLED;
            }
        }
        Flow::On
    }

    fn question(&mut self, question: &Question) -> Flow {
        let answer = match self.audience.question(question) {
            Reply::Text(answer) => answer,
            Reply::Declined => String::new(),
            Reply::Cancelled => return CANCELLED,
            Reply::CannotAsk => {
                // The person answers with the next prompt, as agents without a way to ask have it.
                let number = self.next();
                self.audience.message(number, &question.text);
                return Flow::Ended(Ending::Stop(StopReason::EndTurn));
            }
        };
        let fitting = question.answers.iter().find(|(text, _)| answer.contains(text.as_str()));
        let steps = fitting.map_or(&question.otherwise, |(_, steps)| steps);
        self.steps(steps)
    }

    fn flood(&mut self, flood: Flood) -> Flow {
        let number = self.next();
        let (pieces, size) = match flood {
            Flood::Lines(lines) => (lines, FLOOD_LINE_BYTES),
            Flood::Bytes(bytes) => (bytes.div_ceil(FLOOD_PIECE_BYTES), FLOOD_PIECE_BYTES as usize),
            Flood::OneLine(bytes) => (1, usize::try_from(bytes).unwrap_or(usize::MAX)),
        };
        let mut piece = "All work and no play. ".repeat(size / 22 + 1);
        piece.truncate(size.saturating_sub(1));
        piece.push('\n');
        for _ in 0..pieces {
            self.audience.message(number, &piece);
            if self.cancel.is_cancelled() {
                return CANCELLED;
            }
        }
        Flow::On
    }

    fn pause(&self, time: Option<Duration>) -> Flow {
        if self.cancel.wait(time) { CANCELLED } else { Flow::On }
    }

    pub(super) fn next(&mut self) -> u32 {
        self.count += 1;
        self.count
    }
}
