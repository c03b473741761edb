//! The state of one turn of a one-shot command.

use divisi_model::event::{SessionStart, TurnOutcome, Usage};
use divisi_model::transcript::{EntryBody, Notice, ReportedCost, Text, Tokens, UsageScope, limits};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::read::{self, Piece};
use crate::acp::PromptPart;
use crate::action::Action;
use crate::definition::{Output, Quirks};
use crate::errors::{Report, Rules};
use crate::lines::{Line, Lines};
use crate::outcome::{self, Bench, TurnFacts};
use crate::recorder::{self, Recorder, Voice};
use crate::usage::Meter;

/// Longest end of stderr that is looked at.
pub const ERROR_TAIL_BYTES: usize = 4 * 1024;

/// All that a turn needs to know. Store it with the launch: a replay takes the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// What the command writes.
    pub output: Output,
    /// The turn.
    pub turn: u32,
    /// Its prompts.
    pub prompts: Vec<PromptPart>,
    /// The session that is resumed, or the name that Divisi gave to the new one.
    #[serde(default)]
    pub session: Option<String>,
    /// Whether there was a turn before that this one goes on from.
    #[serde(default)]
    pub resume: bool,
    /// What is peculiar about the agent.
    #[serde(default)]
    pub quirks: Quirks,
    /// The IANA name of the time zone in which the agent writes clock times; UTC if unknown.
    #[serde(default)]
    pub zone: Option<String>,
    /// What earlier turns of the session used that is taken up.
    #[serde(default)]
    pub counted: crate::usage::Counted,
    /// The number of the first entry.
    pub first_seq: u64,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exited {
    /// Its exit code; none where a signal ended it or it never started.
    pub code: Option<i32>,
    /// How it ended, for people.
    pub text: String,
    /// The end of its stderr.
    pub errors: String,
}

/// One turn of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    setup: Setup,
    zone: TimeZone,
    rules: Rules,
    lines: Lines,
    record: Recorder,
    facts: TurnFacts,
    begun: bool,
    over: bool,
    session: Option<String>,
    error: Option<String>,
    tokens: Tokens,
}

impl Session {
    /// A turn whose command is started, or was started before a restart: there is nothing that a replay must know
    /// besides the agent's output.
    pub fn new(setup: Setup, now: Timestamp) -> Self {
        let zone = setup.zone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
        let rules = Rules::new(&setup.quirks.errors, setup.quirks.hidden_beginnings());
        let prompt = setup.prompts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join("\n");
        Self {
            zone,
            rules,
            lines: Lines::default(),
            record: Recorder::new(setup.first_seq, setup.turn, now),
            facts: TurnFacts { prompt, ..TurnFacts::default() },
            begun: false,
            over: false,
            session: None,
            error: None,
            tokens: Tokens::default(),
            setup,
        }
    }

    /// Writes the prompt into the transcript. Safe to call again.
    pub fn start(&mut self, now: Timestamp) -> Vec<Action> {
        self.begin(now);
        self.record.take()
    }

    /// Takes a piece of the command's output that stands at `offset` in the out journal.
    pub fn feed_out(&mut self, piece: &[u8], offset: u64, now: Timestamp) -> Vec<Action> {
        self.begin(now);
        if let Ok(lines) = self.lines.feed(piece, offset) {
            for line in lines {
                self.hear(&line, now);
            }
        }
        self.record.take()
    }

    /// Ends the turn before its time: the owner ends the process.
    pub fn cancel(&mut self, now: Timestamp) -> Vec<Action> {
        if self.begun && !self.over && !self.facts.cancelled {
            self.facts.cancelled = true;
            self.record.at(now, None);
            self.record.notice(Notice::Cancel, "Divisi ends the agent's process.");
            self.record.act(Action::Closed);
        }
        self.record.take()
    }

    /// What the turn used so far, as reported.
    pub fn used(&self) -> Usage {
        // Each turn is a process of its own, but some count from the beginning of the session.
        let mut meter = match self.setup.quirks.usage_scope {
            UsageScope::Session if self.setup.resume => Meter::from(self.setup.counted),
            _ => Meter::default(),
        };
        meter.turn_ended(self.record.reported())
    }

    /// The process is gone. Feed all of its output first.
    pub fn exited(&mut self, exit: &Exited, now: Timestamp) -> Vec<Action> {
        self.begin(now);
        if self.over {
            return self.record.take();
        }
        if let Some(rest) = self.lines.rest() {
            self.hear(&rest, now);
        }
        self.over = true;
        self.record.at(now, None);
        let outcome = self.judge(exit, now);
        let used = self.used();
        let stop_reason = Some(exit.text.clone()).filter(|text| !text.is_empty());
        self.record.add(EntryBody::TurnEnded { outcome: outcome.clone(), stop_reason });
        self.record.act(Action::TurnEnded { turn: self.setup.turn, outcome, usage: used });
        self.record.take()
    }

    /// The session to resume with the next turn, once known.
    pub fn session_id(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// Whether the process may still say something.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Where the next byte of the command's output belongs.
    pub fn out_offset(&self) -> u64 {
        self.lines.end()
    }

    /// The number that the next entry gets.
    pub fn next_seq(&self) -> u64 {
        self.record.next_seq()
    }

    fn begin(&mut self, now: Timestamp) {
        if self.begun {
            return;
        }
        self.begun = true;
        self.record.at(now, None);
        for part in &self.setup.prompts {
            let text = Text::clip(&part.text, limits::MESSAGE_BYTES);
            self.record.add(EntryBody::Prompt { origin: part.origin, text, images: part.given() });
        }
        if let Some(name) = self.setup.session.clone() {
            self.opened(&name);
        }
    }

    fn opened(&mut self, id: &str) {
        if self.session.as_deref() == Some(id) || id.is_empty() || id.len() > limits::NAME_BYTES {
            return;
        }
        self.session = Some(id.to_owned());
        let how = if self.setup.resume { SessionStart::Resumed } else { SessionStart::New };
        self.record.act(Action::SessionOpened { id: id.to_owned(), how });
    }

    fn hear(&mut self, line: &Line, now: Timestamp) {
        self.record.at(now, recorder::out(line.offset, line.len));
        if line.too_long {
            return self.record.broken(&format!("a line of {} bytes was skipped", line.len), &line.bytes);
        }
        let text = String::from_utf8_lossy(&line.bytes);
        if self.setup.output == Output::Json
            && let Ok(value @ Value::Object(_)) = serde_json::from_str(text.trim())
        {
            match read::pieces(&value) {
                Some(pieces) => pieces.into_iter().for_each(|piece| self.take(piece)),
                None => self.record.add(EntryBody::Raw {
                    name: value
                        .get("type")
                        .and_then(Value::as_str)
                        .unwrap_or("json")
                        .chars()
                        .take(100)
                        .collect(),
                    json: Text::clip(&text, limits::RAW_BYTES),
                }),
            }
            return;
        }
        let words = format!("{}\n", read::plain(&text));
        if words.trim().is_empty() && !self.facts.anything {
            return;
        }
        self.take(Piece::Text { voice: Voice::Message, id: None, text: words });
    }

    fn take(&mut self, piece: Piece) {
        match piece {
            Piece::Text { voice, id, text } => {
                let fresh = self.record.is_fresh(voice, id.as_deref());
                self.record.text(voice, id.as_deref(), &text);
                if voice == Voice::Message && !text.trim().is_empty() {
                    self.facts.hear(&text, fresh);
                }
            }
            Piece::Tool(update) => {
                self.facts.act();
                self.record.tool(&update.id.clone(), |call| update.apply(call));
            }
            Piece::Plan(steps) => {
                self.facts.act();
                self.record.plan(steps);
            }
            Piece::Tokens { tokens, adds } => {
                if adds {
                    self.tokens.add(&tokens);
                } else {
                    self.tokens = tokens;
                }
                let (tokens, scope) = (self.tokens, self.setup.quirks.usage_scope);
                self.record.usage(|usage| {
                    usage.tokens = Some(tokens);
                    usage.scope = scope;
                });
            }
            // Who knows no price says 0.
            Piece::Cost { amount, .. } if amount <= 0.0 => {}
            Piece::Cost { amount, adds } => self.record.usage(|usage| {
                let before = usage.cost.as_ref().map_or(0.0, |cost| cost.amount);
                let amount = if adds { before + amount } else { amount };
                usage.cost = Some(ReportedCost { amount, currency: "USD".to_owned() });
            }),
            Piece::Session(id) => self.opened(&id),
            Piece::Error(text) => {
                self.record.notice(Notice::Agent, &text);
                self.error = Some(text);
            }
        }
    }

    /// A good exit code is not believed where the words say otherwise; a bad one is, with the words as its reason.
    fn judge(&self, exit: &Exited, now: Timestamp) -> TurnOutcome {
        if self.facts.cancelled {
            return TurnOutcome::Cancelled;
        }
        if let Some(error) = &self.error {
            return outcome::judge_error(Report::words(error), now, &self.zone);
        }
        let bench = Bench {
            rules: &self.rules,
            all_printed: self.setup.output == Output::Text,
            reject_ends_turn: false,
            now,
            zone: &self.zone,
        };
        match exit.code {
            Some(0) => {
                // Many good tools say nothing, so silence is no sign of anything here.
                let facts = TurnFacts { anything: true, ..self.facts.clone() };
                outcome::judge("end_turn", &facts, &bench)
            }
            Some(_) => {
                // Some print what went wrong, and something else on stderr.
                if let Some(known) = outcome::hidden_error(&self.facts, &bench) {
                    return known;
                }
                let mut words = exit.errors.trim();
                if words.is_empty() {
                    words = self.facts.last_message.trim();
                }
                let tail = words.len().saturating_sub(ERROR_TAIL_BYTES);
                let tail = (tail..=words.len()).find_map(|at| words.get(at..)).unwrap_or_default();
                let text = format!("{}\n{tail}", exit.text);
                let report = Report { printed: true, ..Report::words(&text) };
                outcome::judge_error(report, now, &self.zone)
            }
            None => TurnOutcome::ProcessEnded { text: exit.text.clone() },
        }
    }
}
