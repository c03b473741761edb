//! The state of one session and what its owner can ask of it.

use std::collections::BTreeSet;
use std::time::Duration;

use divisi_model::event::{TurnOutcome, Usage};
use divisi_model::limits::PROMPT_BYTES;
use divisi_model::transcript::Notice;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::choose;
use super::replay::Script;
use super::setup::{PromptPart, Setup};
use super::state::{AgentFacts, Ask, AskWhat, Modes, Steer, Steps, Waiting};
use crate::action::{Action, CommandError, Failure, FailureKind, Reply};
use crate::errors::Rules;
use crate::lines::Lines;
use crate::outcome::TurnFacts;
use crate::recorder::Recorder;
use crate::usage::Meter;

/// Words in the middle of a turn that may be on their way at once.
const STEERS: usize = 16;
/// Seconds that an agent may take until its session is open, unless its definition says otherwise.
const START_SECONDS: u32 = 120;

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing was sent yet.
    New,
    /// The handshake is under way.
    Opening,
    /// The agent waits for a prompt.
    Idle,
    /// A turn is under way.
    Turn,
    /// It is being closed.
    Closing,
    /// It is over.
    Over,
}

/// One conversation with one agent process.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    pub(super) setup: Setup,
    pub(super) zone: TimeZone,
    pub(super) rules: Rules,
    pub(super) lines: Lines,
    /// Bytes of the agent's output read as whole lines.
    pub(super) seen: u64,
    /// Bytes of our own messages so far.
    pub(super) sent: u64,
    /// The last time anything was heard or sent.
    pub(super) active: Timestamp,
    pub(super) record: Recorder,
    pub(super) meter: Meter,
    pub(super) facts: TurnFacts,
    pub(super) started: bool,
    pub(super) stage: Stage,
    pub(super) next_id: i64,
    pub(super) waiting: Option<Waiting>,
    pub(super) steers: Vec<Steer>,
    pub(super) refused: Vec<PromptPart>,
    pub(super) steps: Steps,
    pub(super) agent: AgentFacts,
    pub(super) session: Option<String>,
    pub(super) modes: Modes,
    pub(super) asks: Vec<Ask>,
    pub(super) asked: u64,
    pub(super) unknown_methods: BTreeSet<String>,
    /// Messages of ours that are still to be replayed; none when live.
    pub(super) script: Option<Script>,
}

impl Session {
    /// A session that has not begun.
    pub fn new(setup: Setup, now: Timestamp) -> Self {
        let zone = setup.zone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
        let record = Recorder::new(setup.first_seq, setup.turn, now);
        let meter = Meter::from(setup.counted);
        let modes = Modes { wanted: setup.mode.clone(), ..Modes::default() };
        Self {
            rules: Rules::new(&setup.quirks.errors, setup.quirks.hidden_beginnings()),
            setup,
            zone,
            lines: Lines::default(),
            seen: 0,
            sent: 0,
            active: now,
            record,
            meter,
            facts: TurnFacts::default(),
            started: false,
            stage: Stage::New,
            next_id: 1,
            waiting: None,
            steers: Vec::new(),
            refused: Vec::new(),
            steps: Steps::default(),
            agent: AgentFacts::default(),
            session: None,
            modes,
            asks: Vec::new(),
            asked: 0,
            unknown_methods: BTreeSet::new(),
            script: None,
        }
    }

    /// Begins the handshake, or goes on with it after a replay. Safe to call again.
    pub fn start(&mut self, now: Timestamp) -> Vec<Action> {
        self.started = true;
        self.settle(now);
        self.record.take()
    }

    /// Begins a turn with one or several prompts. Only when idle: keep them queued otherwise.
    pub fn prompt(
        &mut self,
        turn: u32,
        parts: &[PromptPart],
        now: Timestamp,
    ) -> Result<Vec<Action>, CommandError> {
        self.require_open()?;
        if self.stage != Stage::Idle || self.waiting.is_some() {
            return Err(CommandError::Busy);
        }
        require_size(parts)?;
        self.send_prompt(turn, parts, now);
        self.settle(now);
        Ok(self.record.take())
    }

    /// Words for the agent in the middle of its turn, where it takes such: queue them, or cancel first, where not. An
    /// agent may still refuse: see [`Session::take_refused`].
    pub fn steer(&mut self, parts: &[PromptPart], now: Timestamp) -> Result<Vec<Action>, CommandError> {
        self.require_open()?;
        if !self.can_steer() || self.steers.len() >= STEERS {
            return Err(CommandError::CannotSteer);
        }
        require_size(parts)?;
        self.send_steer(parts, now);
        Ok(self.record.take())
    }

    /// Whether words in the middle of the turn that is under way would reach the agent.
    pub fn can_steer(&self) -> bool {
        self.agent.steering && self.stage == Stage::Turn && !self.facts.cancelled
    }

    /// Words that the agent did not take in the middle of its turn after all; queue them.
    pub fn take_refused(&mut self) -> Vec<PromptPart> {
        std::mem::take(&mut self.refused)
    }

    /// Asks the agent to end its turn, and withdraws everything that it is waiting for a person to answer: without
    /// this second half some agents never end the turn. Nothing happens when no turn is under way.
    pub fn cancel(&mut self, now: Timestamp) -> Vec<Action> {
        if self.stage == Stage::Turn && !self.facts.cancelled {
            self.send_cancel(now);
            self.settle(now);
        }
        self.record.take()
    }

    /// Answers what the agent asked.
    pub fn answer(
        &mut self,
        request: &str,
        reply: &Reply,
        now: Timestamp,
    ) -> Result<Vec<Action>, CommandError> {
        self.require_open()?;
        let Some(ask) = self.asks.iter().find(|ask| ask.request == request && ask.due.is_none()) else {
            return Err(CommandError::NoSuchRequest(request.to_owned()));
        };
        let id = ask.id.clone();
        let result = match &ask.what {
            AskWhat::Permission { .. } => match choose::option(&ask.options, reply)? {
                Some(option) => super::schema::selected(&option),
                None => super::schema::not_selected(),
            },
            AskWhat::Question(form) => form.answer(reply)?,
            AskWhat::Unknown => return Err(CommandError::NoSuchRequest(request.to_owned())),
        };
        self.send_result(&id, result, now);
        self.settle(now);
        Ok(self.record.take())
    }

    /// Wants the agent in another mode; sent as soon as no turn is under way.
    pub fn set_mode(&mut self, mode: &str, now: Timestamp) -> Result<Vec<Action>, CommandError> {
        self.require_open()?;
        self.modes.wanted = Some(mode.to_owned());
        if self.session.is_some() {
            self.record.at(now, None);
            self.resolve_mode();
        }
        self.settle(now);
        Ok(self.record.take())
    }

    /// Ends the session in good order where the agent can. `Closed` follows, at once or soon; do not wait for long.
    pub fn close(&mut self, now: Timestamp) -> Vec<Action> {
        if self.stage == Stage::Idle && self.waiting.is_none() && self.agent.close {
            self.send_close(now);
        } else if self.stage != Stage::Over {
            self.stage = Stage::Over;
            self.record.act(Action::Closed);
        }
        self.record.take()
    }

    /// The agent's process is gone, or is about to be ended. A turn under way ends with `outcome`, or as cancelled if
    /// a cancel was asked for. Feed all of the agent's output first.
    pub fn ended(&mut self, outcome: TurnOutcome, now: Timestamp) -> Vec<Action> {
        self.record.at(now, None);
        match self.stage {
            Stage::Turn => {
                let outcome = if self.facts.cancelled { TurnOutcome::Cancelled } else { outcome };
                self.end_turn(outcome, None);
            }
            Stage::New | Stage::Opening => {
                let text = match outcome {
                    TurnOutcome::ProcessEnded { text } | TurnOutcome::AgentError { text } => text,
                    _ => "the agent ended before the session was open".to_owned(),
                };
                self.fail(FailureKind::ProcessEnded, text);
            }
            Stage::Idle | Stage::Closing | Stage::Over => {}
        }
        self.drop_asks();
        self.record.close_text();
        self.stage = Stage::Over;
        self.record.take()
    }

    /// Gives up an agent that has not opened its session in time; nothing when it has, or still may. `taken` is how long
    /// ago it was started, by a clock that nobody sets; `now` only stamps what is said about it.
    pub fn look_at_start(&mut self, taken: Duration, now: Timestamp) -> Vec<Action> {
        let seconds = self.setup.start_seconds.unwrap_or(START_SECONDS);
        let late = taken >= Duration::from_secs(u64::from(seconds));
        if self.started && self.stage == Stage::Opening && late {
            let step = self.waiting.as_ref().map_or("initialize", |waiting| waiting.what.method());
            let mut text = format!("the agent did not answer `{step}` within {seconds} seconds");
            if self.record.broken_lines() > 0 {
                text.push_str(" and printed lines that are not of the protocol");
            }
            self.record.at(now, None);
            self.fail(FailureKind::Protocol, text);
        }
        self.record.take()
    }

    /// How far the session is.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The agent's id of the session, once it is open.
    pub fn session_id(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The agent's own name and version, once the handshake said them.
    pub fn agent(&self) -> Option<(&str, &str)> {
        self.steps.initialized.then_some((self.agent.name.as_str(), self.agent.version.as_str()))
    }

    /// The mode that the agent says it is in.
    pub fn mode(&self) -> Option<&str> {
        self.modes.current.as_deref()
    }

    /// The model that the agent says it uses.
    pub fn model(&self) -> Option<&str> {
        self.agent.model.as_deref()
    }

    /// What the running turn used so far, as reported.
    pub fn used(&self) -> Usage {
        self.meter.clone().turn_ended(self.record.reported())
    }

    /// Whether the agent says that it can take up a session again in a new process.
    pub fn can_resume(&self) -> bool {
        (self.agent.resume || self.agent.load) && !self.setup.quirks.load_once
    }

    /// Whether the agent says that it takes images in prompts.
    pub fn takes_images(&self) -> bool {
        self.agent.images
    }

    /// The requests that wait for an answer, oldest first.
    pub fn open_requests(&self) -> Vec<&str> {
        let open = self.asks.iter().filter(|ask| ask.due.is_none() && ask.what != AskWhat::Unknown);
        open.map(|ask| ask.request.as_str()).collect()
    }

    /// Where the next byte of the agent's output belongs; feed from here.
    pub fn out_offset(&self) -> u64 {
        self.lines.end()
    }

    /// The number that the next entry gets.
    pub fn next_seq(&self) -> u64 {
        self.record.next_seq()
    }

    /// Lines of the agent that were not of the protocol.
    pub fn broken_lines(&self) -> u64 {
        self.record.broken_lines()
    }

    pub(super) fn require_open(&self) -> Result<(), CommandError> {
        match self.stage {
            Stage::Over | Stage::Closing => Err(CommandError::Over),
            _ => Ok(()),
        }
    }

    pub(super) fn fail(&mut self, kind: FailureKind, text: String) {
        self.stage = Stage::Over;
        self.waiting = None;
        self.record.notice(Notice::Process, &text);
        self.record.act(Action::Failed(Failure { kind, text }));
    }
}

fn require_size(parts: &[PromptPart]) -> Result<(), CommandError> {
    let bytes: usize = parts.iter().map(|part| part.text.len()).sum();
    if bytes > PROMPT_BYTES {
        Err(CommandError::PromptTooLong { bytes, limit: PROMPT_BYTES })
    } else {
        Ok(())
    }
}
