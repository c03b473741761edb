//! Performs the steps of a turn, whoever listens.

use std::path::{Path, PathBuf};
use std::time::Duration;

use agent_client_protocol_schema::v1::{
    Diff, StopReason, ToolCall, ToolCallContent, ToolCallLocation, ToolCallStatus, ToolCallUpdate,
    ToolCallUpdateFields, ToolKind,
};

use crate::script::{Action, Crash, Fault, Flood, Question, Step};

use super::audience::{Audience, Decision, Reply};
use super::cancel::Cancel;
use super::files::Change;
use super::pace::Pace;
use super::{command, files, stray};

/// Size of one message of a flood.
const FLOOD_PIECE_BYTES: u64 = 16 * 1024;
/// Length of one line of a flood.
const FLOOD_LINE_BYTES: usize = 80;
/// Most of a file that a read shows.
const READ_BYTES_MAX: usize = 16 * 1024;

/// Everything a performance needs.
pub struct Performer<'a> {
    pub audience: &'a dyn Audience,
    pub workspace: &'a Path,
    pub cancel: &'a Cancel,
    pub pace: Pace,
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
enum Flow {
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

const CANCELLED: Flow = Flow::Ended(Ending::Stop(StopReason::Cancelled));

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

    fn read(&mut self, path: &str) -> Flow {
        let file = self.path(path);
        let call =
            self.call(&format!("Read {path}"), ToolKind::Read).locations(vec![ToolCallLocation::new(&file)]);
        self.tool(call, None, |_, _| {
            let bytes = std::fs::read(&file)
                .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(READ_BYTES_MAX)]).into_owned();
            Ok(vec![shown.into()])
        })
    }

    fn change(&mut self, path: &str, verb: &str, change: Result<Change, String>) -> Flow {
        let call = self.call(&format!("{verb} {path}"), ToolKind::Edit);
        let call = call.locations(vec![ToolCallLocation::new(self.path(path))]);
        let change = match change {
            Ok(change) => change,
            Err(error) => return self.tool(call, None, |_, _| Err(error)),
        };
        self.tool(call.content(vec![change.diff().into()]), Some(ToolKind::Edit), |_, _| {
            change.apply().map(|()| vec![change.diff().into()])
        })
    }

    fn delete(&mut self, path: &str) -> Flow {
        let file = self.path(path);
        let call = self
            .call(&format!("Delete {path}"), ToolKind::Delete)
            .locations(vec![ToolCallLocation::new(&file)]);
        let gone = Diff::new(&file, "").old_text(files::shown(&file));
        self.tool(call, Some(ToolKind::Delete), |_, _| files::delete(&file).map(|()| vec![gone.into()]))
    }

    fn rename(&mut self, from: &str, to: &str) -> Flow {
        let (old, new) = (self.path(from), self.path(to));
        let locations = vec![ToolCallLocation::new(&old), ToolCallLocation::new(&new)];
        let call = self.call(&format!("Move {from} to {to}"), ToolKind::Move).locations(locations);
        self.tool(call, Some(ToolKind::Move), |_, _| files::rename(&old, &new).map(|()| Vec::new()))
    }

    fn run(&mut self, title: &str, script: &str, args: &[&str]) -> Flow {
        let call = self.call(title, ToolKind::Execute).raw_input(serde_json::json!({"command": title}));
        self.tool(call, Some(ToolKind::Execute), |this, id| {
            let progress = |output: &str| {
                let content = vec![output.to_owned().into()];
                let fields = ToolCallUpdateFields::new().status(ToolCallStatus::InProgress).content(content);
                this.audience.tool_update(ToolCallUpdate::new(id.tool_call_id.clone(), fields));
            };
            let ran = command::run(this.workspace, script, args, this.cancel, progress)?;
            let code = ran.status.and_then(|status| status.code());
            let fields = ToolCallUpdateFields::new().raw_output(serde_json::json!({"exitCode": code}));
            this.audience.tool_update(ToolCallUpdate::new(id.tool_call_id.clone(), fields));
            match code {
                Some(0) => Ok(vec![ran.output.into()]),
                Some(code) => Err(format!("{}(exit code {code})", ran.output)),
                None => Err(format!("{}(killed)", ran.output)),
            }
        })
    }

    /// Shows a tool call from its beginning to its end; `changes` is the kind that has to be allowed first.
    fn tool(
        &mut self,
        call: ToolCall,
        changes: Option<ToolKind>,
        act: impl FnOnce(&mut Self, &ToolCall) -> Result<Vec<ToolCallContent>, String>,
    ) -> Flow {
        let asks = changes.filter(|_| self.asks);
        let status = if asks.is_some() { ToolCallStatus::Pending } else { ToolCallStatus::InProgress };
        self.audience.tool(call.clone().status(status));
        if let Some(kind) = asks {
            match self.decide(kind, &call) {
                Decision::Cancelled => return CANCELLED,
                Decision::Rejected { .. } => {
                    let fields = ToolCallUpdateFields::new().status(ToolCallStatus::Failed);
                    self.update(
                        &call.tool_call_id,
                        fields.content(vec!["The person said no.".to_owned().into()]),
                    );
                    return if self.reject_ends_turn { CANCELLED } else { Flow::On };
                }
                Decision::Allowed { .. } => {
                    self.update(
                        &call.tool_call_id,
                        ToolCallUpdateFields::new().status(ToolCallStatus::InProgress),
                    );
                }
            }
        }
        let wait = self.pace.tool();
        if self.cancel.wait(wait.or(Some(Duration::ZERO))) {
            return CANCELLED;
        }
        let fields = ToolCallUpdateFields::new();
        let fields = match act(self, &call) {
            Ok(content) if content.is_empty() => fields.status(ToolCallStatus::Completed),
            Ok(content) => fields.status(ToolCallStatus::Completed).content(content),
            Err(error) => fields.status(ToolCallStatus::Failed).content(vec![error.into()]),
        };
        self.update(&call.tool_call_id, fields);
        Flow::On
    }

    fn decide(&mut self, kind: ToolKind, call: &ToolCall) -> Decision {
        use agent_client_protocol_schema::v1::PermissionOptionKind::{AllowAlways, AllowOnce, RejectOnce};
        if let Some((_, allowed)) = self.always.iter().find(|(known, _)| *known == kind) {
            let always = true;
            return if *allowed { Decision::Allowed { always } } else { Decision::Rejected { always } };
        }
        let decision = self.audience.permission(call.clone().into(), &[AllowOnce, AllowAlways, RejectOnce]);
        match decision {
            Decision::Allowed { always: true } => self.always.push((kind, true)),
            Decision::Rejected { always: true } => self.always.push((kind, false)),
            _ => {}
        }
        decision
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

    fn call(&mut self, title: &str, kind: ToolKind) -> ToolCall {
        let number = self.next();
        let id = format!("call-{}-{number}", self.turn);
        ToolCall::new(id, title).kind(kind)
    }

    fn update(&self, id: &agent_client_protocol_schema::v1::ToolCallId, fields: ToolCallUpdateFields) {
        self.audience.tool_update(ToolCallUpdate::new(id.clone(), fields));
    }

    fn next(&mut self) -> u32 {
        self.count += 1;
        self.count
    }

    fn path(&self, path: &str) -> PathBuf {
        self.workspace.join(path)
    }
}
