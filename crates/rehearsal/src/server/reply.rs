//! Turns the steps of a turn into the answers of a model: text and at most one tool call each.

use std::time::Duration;

use agent_client_protocol_schema::v1::StopReason;

use crate::script::{Action, Fault, Flood, Step, Tokens, Turn};

use super::conversation::Conversation;
use super::edit_blocks;
use super::tools::{Call, Mapper};

/// Most text of a flood in one answer.
const FLOOD_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What every answer is said to have used, unless the script says otherwise: three different numbers, so that
/// sums can be checked to the token.
pub const USUAL: Tokens =
    Tokens { input: 1000, output: 50, cached_read: 200, cached_write: 0, thought: 0, cost: None };

/// One answer of the model.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// Thoughts before the answer.
    pub thoughts: Vec<String>,
    /// What is said.
    pub text: String,
    /// What is called; none ends the agent's turn.
    pub call: Option<Call>,
    /// How it ends, where not as usual.
    pub stop: Option<StopReason>,
    /// What it is said to have used.
    pub usage: Option<Tokens>,
    /// Waits before the first byte.
    pub wait: Duration,
    /// Time per word.
    pub slow: Option<Duration>,
    /// What goes wrong first.
    pub trouble: Option<Trouble>,
}

/// What goes wrong with an answer before it is given.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// An error instead of it, so many times.
    Error(Fault),
    /// The connection ends in its middle, the first time.
    Cut,
    /// It begins and then no byte follows.
    Stall,
}

/// The answer number `step` of a turn, or its last one, which calls nothing. Answers behind it are not even made, so
/// that a long repetition costs nothing.
pub fn reply(turn: &Turn, conversation: &Conversation, step: usize) -> Reply {
    let (mapper, reply) = (Mapper::new(conversation), Reply::default());
    let words = edit_blocks::is_wanted(conversation).then_some(conversation);
    let mut builder = Builder { mapper, words, before: step, found: None, reply, ended: false };
    builder.steps(&turn.steps);
    let mut last = builder.reply;
    if last.text.is_empty() {
        // An answer that never ends must not look like one that has.
        let broken = matches!(last.trouble, Some(Trouble::Stall | Trouble::Cut));
        last.text = if broken { "Let me see …" } else { "Done." }.to_owned();
    }
    builder.found.unwrap_or(last)
}

struct Builder<'a> {
    mapper: Mapper<'a>,
    /// The conversation, where its agent takes edits out of the model's words.
    words: Option<&'a Conversation>,
    /// How many answers come before the wanted one.
    before: usize,
    found: Option<Reply>,
    /// The answer being made.
    reply: Reply,
    /// What follows is not reached: the wanted answer, or the turn's last one, is complete.
    ended: bool,
}

impl Builder<'_> {
    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            if self.ended {
                return;
            }
            self.step(&step.action);
        }
    }

    fn step(&mut self, action: &Action) {
        match action {
            Action::Say(text) => self.say(text),
            Action::Think(text) => self.reply.thoughts.push(text.clone()),
            Action::Usage(tokens) => self.reply.usage = Some(*tokens),
            Action::Sleep(time) => self.reply.wait += *time,
            Action::Slow(time) => self.reply.slow = Some(*time),
            Action::Flood(flood) => {
                let bytes = match flood {
                    Flood::Lines(lines) => lines.saturating_mul(80),
                    Flood::Bytes(bytes) | Flood::OneLine(bytes) => *bytes,
                };
                let text = "All work and no play. ".repeat((bytes.min(FLOOD_BYTES_MAX) / 22 + 1) as usize);
                self.say(&text);
            }
            Action::Error(fault) => self.reply.trouble = Some(Trouble::Error(fault.clone())),
            Action::Cut => self.reply.trouble = Some(Trouble::Cut),
            Action::Hang => self.reply.trouble = Some(Trouble::Stall),
            Action::End(reason) => {
                self.reply.stop = Some(*reason);
                self.ended = true;
            }
            // A real agent asks by itself, for the tools called here.
            Action::Ask { title, allowed, .. } => {
                let before = self.mapper.escalate(Some(title.clone()));
                self.steps(allowed);
                self.mapper.escalate(before);
            }
            Action::Question(question) => {
                self.say(&question.text);
                self.ended = true;
            }
            Action::Repeat { times, steps } => {
                for _ in 0..*times {
                    if self.ended {
                        break;
                    }
                    self.steps(steps);
                }
            }
            // The agent is real: a model cannot crash it, nor decide what it does with a cancel.
            Action::Crash(_) | Action::IgnoreCancel | Action::Images(_) => {}
            action => self.call(action),
        }
    }

    fn say(&mut self, text: &str) {
        if !self.reply.text.is_empty() {
            self.reply.text.push('\n');
        }
        self.reply.text.push_str(text);
    }

    /// One answer per call; the mapper leaves out what the offered tools have no use for.
    fn call(&mut self, action: &Action) {
        if let Some(conversation) = self.words {
            match edit_blocks::words(action, conversation) {
                Ok(words) if words.is_empty() => {}
                Ok(words) => self.say(&words),
                Err(missing) => {
                    self.say(&missing);
                    self.ended = true;
                }
            }
            return;
        }
        let calls = match self.mapper.calls(action) {
            Ok(calls) => calls,
            Err(missing) => {
                self.say(&missing);
                self.ended = true;
                return;
            }
        };
        for call in calls {
            let slow = self.reply.slow;
            self.reply.call = Some(call);
            let made = std::mem::replace(&mut self.reply, Reply { slow, ..Reply::default() });
            if self.before == 0 {
                self.found = Some(made);
                self.ended = true;
                return;
            }
            self.before -= 1;
        }
    }
}
