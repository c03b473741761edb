//! What Divisi says: builds its messages, and lets each of them change the state the same way live and in a replay.

use agent_client_protocol_schema::v1::RequestId;
use divisi_model::event::Origin;
use divisi_model::image::told;
use divisi_model::transcript::{Answered, EntryBody, Journal, Notice, Source, Text, limits};
use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;

use super::modes::is_mode;
use super::schema;
use super::session::{Session, Stage};
use super::setup::{Open, PartImage, PromptPart};
use super::state::{Ask, AskWhat, Due, Request, Steer, Waiting};
use super::wire::{self, Message, Stamp};
use crate::action::{Action, FailureKind, Reply};
use crate::errors::{self, Meaning};
use crate::outcome::TurnFacts;

const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;

impl Session {
    /// Sends whatever follows from the state and was not sent yet. Live only.
    pub(super) fn settle(&mut self, now: Timestamp) {
        if self.script.is_some() {
            return;
        }
        while self.stage != Stage::Over && self.settle_once(now) {}
    }

    /// Sends one message, and tells whether there was one.
    fn settle_once(&mut self, now: Timestamp) -> bool {
        if let Some((id, due)) = self.asks.iter().find_map(|ask| ask.due.map(|due| (ask.id.clone(), due))) {
            self.send_due(&id, due, now);
            return true;
        }
        if !self.started || self.waiting.is_some() || self.stage == Stage::Closing {
            return false;
        }
        let Some(session) = self.session.clone() else { return self.open_step(now) };
        if let Some(wanted) = self.modes.wanted.clone()
            && self.send_mode(&session, &wanted, now)
        {
            return true;
        }
        if self.stage == Stage::Opening {
            self.stage = Stage::Idle;
        }
        if !self.steps.ready_told {
            self.steps.ready_told = true;
            self.record.act(Action::Ready);
        }
        false
    }

    /// The next step until the session is open.
    fn open_step(&mut self, now: Timestamp) -> bool {
        let stamp = Stamp::new(self.seen, now);
        let setup = &self.setup;
        let (method, params) = if !self.steps.initialized {
            ("initialize", schema::initialize(setup.elicitation))
        } else if let (Some(login), false) = (&setup.authenticate, self.steps.authenticated) {
            ("authenticate", schema::authenticate(login))
        } else {
            match &setup.open {
                Open::Resume(id) if !self.steps.resume_failed && self.can_resume() => {
                    if self.agent.resume {
                        ("session/resume", schema::resume_session(id, &setup.cwd, &setup.mcp_servers))
                    } else {
                        ("session/load", schema::load_session(id, &setup.cwd, &setup.mcp_servers))
                    }
                }
                _ => ("session/new", schema::new_session(&setup.cwd, &setup.mcp_servers)),
            }
        };
        self.send(wire::request(self.next_id, method, params, &stamp));
        true
    }

    /// Sends the wanted mode in the way in which the agent keeps its modes.
    fn send_mode(&mut self, session: &str, wanted: &str, now: Timestamp) -> bool {
        let stamp = Stamp::new(self.seen, now);
        let by_mode = self.modes.ids.iter().find(|id| is_mode(id, wanted));
        let by_option =
            self.modes.option.as_ref().and_then(|(option, values)| {
                Some((option, values.iter().find(|value| is_mode(value, wanted))?))
            });
        let (method, params) = match (by_mode, by_option) {
            (Some(id), _) => ("session/set_mode", schema::set_mode(session, id)),
            (None, Some((option, value))) => {
                ("session/set_config_option", schema::set_option(session, option, value))
            }
            (None, None) => return false,
        };
        self.send(wire::request(self.next_id, method, params, &stamp));
        true
    }

    pub(super) fn send_prompt(&mut self, turn: u32, parts: &[PromptPart], now: Timestamp) {
        let Some(session) = self.session.clone() else { return };
        let stamp = Stamp { turn: Some(turn), ..Stamp::of_words(self.seen, now, parts) };
        self.send(wire::request(self.next_id, "session/prompt", schema::prompt(&session, parts), &stamp));
    }

    pub(super) fn send_steer(&mut self, parts: &[PromptPart], now: Timestamp) {
        let Some(session) = self.session.clone() else { return };
        let stamp = Stamp::of_words(self.seen, now, parts);
        self.send(wire::request(self.next_id, schema::STEERING, schema::steer(&session, parts), &stamp));
    }

    pub(super) fn send_cancel(&mut self, now: Timestamp) {
        let Some(session) = self.session.clone() else { return };
        let stamp = Stamp::new(self.seen, now);
        self.send(wire::notification("session/cancel", schema::cancel(&session), &stamp));
    }

    pub(super) fn send_close(&mut self, now: Timestamp) {
        let Some(session) = self.session.clone() else { return };
        let stamp = Stamp::new(self.seen, now);
        self.send(wire::request(self.next_id, "session/close", schema::close(&session), &stamp));
    }

    pub(super) fn send_result(&mut self, id: &RequestId, result: Value, now: Timestamp) {
        let stamp = Stamp::new(self.seen, now);
        self.send(wire::result(id, result, &stamp));
    }

    fn send_due(&mut self, id: &RequestId, due: Due, now: Timestamp) {
        let stamp = Stamp::new(self.seen, now);
        let Some(ask) = self.asks.iter().find(|ask| ask.id == *id) else { return };
        let bytes = match (due, &ask.what) {
            (Due::Withdraw, AskWhat::Question(form)) => match form.answer(&Reply::Withdraw) {
                Ok(result) => wire::result(id, result, &stamp),
                Err(_) => wire::error(id, INVALID_PARAMS, "withdrawn", &stamp),
            },
            (Due::Withdraw, _) => wire::result(id, schema::not_selected(), &stamp),
            (Due::NotFound, _) => {
                wire::error(id, METHOD_NOT_FOUND, "this client does not offer that", &stamp)
            }
            (Due::Invalid, _) => wire::error(id, INVALID_PARAMS, "not understood", &stamp),
        };
        self.send(bytes);
    }

    /// Lets a new message change the state and asks for it to be sent.
    fn send(&mut self, bytes: Vec<u8>) {
        let (offset, len) = (self.sent, bytes.len() as u64);
        self.record.act(Action::Send(bytes.clone()));
        self.said(&bytes, offset, len);
    }

    /// A message of Divisi's takes effect, whether it is new or replayed.
    pub(super) fn said(&mut self, bytes: &[u8], offset: u64, len: u64) {
        self.sent = offset + len;
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let Ok(messages) = wire::read(line) else { return };
        for message in &messages {
            let stamp = wire::stamp(message);
            let at = stamp.as_ref().and_then(Stamp::time).unwrap_or(self.active);
            self.active = at;
            self.record.at(at, Some(Source { journal: Journal::In, offset, len }));
            match message {
                Message::Request { id, method, params } => {
                    self.said_request(id, method, *params, stamp.as_ref())
                }
                Message::Notification { method, .. } if method == "session/cancel" => self.said_cancel(),
                Message::Notification { .. } => {}
                Message::Response { id, result } => {
                    self.said_response(id, result.as_ref().ok().copied().flatten())
                }
            }
        }
    }

    fn said_request(
        &mut self,
        id: &RequestId,
        method: &str,
        params: Option<&RawValue>,
        stamp: Option<&Stamp>,
    ) {
        let RequestId::Number(id) = *id else { return };
        self.started = true;
        self.next_id = id.saturating_add(1);
        let params: Value = params.and_then(|p| serde_json::from_str(p.get()).ok()).unwrap_or_default();
        let text = |key: &str| params.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let what = match method {
            "initialize" => Request::Initialize,
            "authenticate" => Request::Authenticate,
            "session/new" => Request::OpenNew,
            "session/load" => Request::OpenOld { by_load: true },
            "session/resume" => Request::OpenOld { by_load: false },
            "session/set_mode" => Request::SetMode(text("modeId")),
            "session/set_config_option" => Request::SetMode(text("value")),
            "session/prompt" => Request::Prompt,
            "session/close" => Request::Close,
            schema::STEERING => {
                let parts = self.said_words(&params, stamp);
                return self.steers.push(Steer { id, parts });
            }
            _ => return,
        };
        match what {
            Request::Prompt => self.said_prompt(&params, stamp),
            Request::Close => self.stage = Stage::Closing,
            Request::SetMode(_) => self.modes.wanted = None,
            _ => self.stage = Stage::Opening,
        }
        self.waiting = Some(Waiting { id, what });
    }

    fn said_prompt(&mut self, params: &Value, stamp: Option<&Stamp>) {
        self.stage = Stage::Turn;
        self.steps.ready_told = false;
        self.facts = TurnFacts::default();
        let turn = stamp.and_then(|stamp| stamp.turn).unwrap_or(self.record.turn() + 1);
        self.record.begin_turn(turn);
        let parts = self.said_words(params, stamp);
        self.facts.prompt = parts.into_iter().map(|part| part.text).collect::<Vec<_>>().join("\n");
    }

    fn said_words(&mut self, params: &Value, stamp: Option<&Stamp>) -> Vec<PromptPart> {
        let blocks = params.get("prompt").and_then(Value::as_array).cloned().unwrap_or_default();
        let is_words = |block: &&Value| block.get("type").and_then(Value::as_str) != Some("image");
        let part = |(n, block): (usize, &Value)| {
            let given = stamp.and_then(|stamp| stamp.images.get(n).cloned()).unwrap_or_default();
            let read = block.get("text").and_then(Value::as_str).unwrap_or_default();
            let image = |given| PartImage { given, data: String::new() };
            PromptPart {
                origin: stamp.and_then(|stamp| stamp.origins.get(n).copied()).unwrap_or(Origin::Person),
                text: read.strip_suffix(&told(&given)).unwrap_or(read).to_owned(),
                images: given.into_iter().map(image).collect(),
            }
        };
        let parts: Vec<PromptPart> = blocks.iter().filter(is_words).enumerate().map(part).collect();
        for part in &parts {
            let text = Text::clip(&part.text, limits::MESSAGE_BYTES);
            self.record.add(EntryBody::Prompt { origin: part.origin, text, images: part.given() });
        }
        parts
    }

    fn said_cancel(&mut self) {
        self.facts.cancelled = true;
        self.record.notice(Notice::Cancel, "Divisi asked the agent to end its turn.");
        self.withdraw_asks();
    }

    fn said_response(&mut self, id: &RequestId, result: Option<&RawValue>) {
        let Some(at) = self.asks.iter().position(|ask| ask.id == *id) else { return };
        let ask = self.asks.remove(at);
        if ask.what == AskWhat::Unknown {
            return;
        }
        let result: Value = result.and_then(|r| serde_json::from_str(r.get()).ok()).unwrap_or_default();
        let answer = self.answered(&ask, &result);
        self.record.add(EntryBody::Answered { request: ask.request.clone(), answer });
        self.record.act(Action::AskOver { request: ask.request });
    }

    /// What an answer of ours says.
    fn answered(&mut self, ask: &Ask, result: &Value) -> Answered {
        use divisi_model::inbox::Effect;
        match &ask.what {
            AskWhat::Question(form) => form.answered(result),
            _ => match result.pointer("/outcome/optionId").and_then(Value::as_str) {
                Some(option) => {
                    let chosen = ask.options.iter().find(|o| o.id == option);
                    if chosen.is_some_and(|o| matches!(o.effect, Effect::DenyOnce | Effect::DenyAlways)) {
                        self.facts.denied = true;
                    }
                    Answered::Chosen { option: option.to_owned() }
                }
                None => Answered::Withdrawn,
            },
        }
    }

    /// All that waits for a person is answered as withdrawn when the state is settled.
    pub(super) fn withdraw_asks(&mut self) {
        for ask in &mut self.asks {
            ask.due.get_or_insert(Due::Withdraw);
        }
    }

    /// Forgets what waits for a person, because nobody is there to hear the answer.
    pub(super) fn drop_asks(&mut self) {
        for ask in std::mem::take(&mut self.asks) {
            if ask.what != AskWhat::Unknown {
                self.record
                    .add(EntryBody::Answered { request: ask.request.clone(), answer: Answered::Withdrawn });
                self.record.act(Action::AskOver { request: ask.request });
            }
        }
    }

    /// The agent refused a step of the handshake.
    pub(super) fn refuse(&mut self, step: &str, error: &wire::RpcError) {
        let mut kind = FailureKind::Session;
        let words = error.text();
        let (meaning, _) = errors::meaning(error.report(&words));
        if error.code == wire::RpcError::AUTH_REQUIRED || meaning == Meaning::Login {
            kind = FailureKind::NeedsLogin;
        } else if step == "initialize" {
            kind = FailureKind::Protocol;
        }
        let mut text = format!("the agent refused {step}: {words}");
        if kind == FailureKind::NeedsLogin && !self.agent.login_methods.is_empty() {
            text.push_str(&format!("; it offers to log in by: {}", self.agent.login_methods.join(", ")));
        }
        self.fail(kind, text);
    }
}
