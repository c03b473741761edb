//! The agent's answers to our requests: the steps of the handshake, and the end of a turn.

use agent_client_protocol_schema::v1 as acp;
use agent_client_protocol_schema::v1::RequestId;
use divisi_model::event::{SessionStart, TurnOutcome};
use divisi_model::transcript::{EntryBody, Notice, UsageScope, limits};
use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;

use super::modes::MODES;
use super::schema::clip;
use super::session::{Session, Stage};
use super::setup::Open;
use super::state::{Request, Steer};
use super::wire::RpcError;
use crate::action::{Action, FailureKind};
use crate::outcome::{self, Bench};
use crate::usage::{self, Meter};

impl Session {
    pub(super) fn hear_response(
        &mut self,
        id: &RequestId,
        result: Result<Option<&RawValue>, RpcError>,
        now: Timestamp,
    ) {
        if let RequestId::Number(id) = id
            && let Some(at) = self.steers.iter().position(|steer| steer.id == *id)
        {
            let steer = self.steers.remove(at);
            return self.hear_steered(steer, result);
        }
        let ours = matches!((id, &self.waiting), (RequestId::Number(id), Some(waiting)) if *id == waiting.id);
        let Some(waiting) = self.waiting.take_if(|_| ours) else {
            let text = format!("an answer to request {id}, which nobody waits for");
            return self.record.broken(&text, b"");
        };
        let value = |raw: Option<&RawValue>| -> Value {
            raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
        };
        match (waiting.what, result) {
            (Request::Initialize, Ok(result)) => self.hear_initialized(&value(result)),
            (Request::Initialize, Err(error)) => self.refuse("initialize", &error),
            (Request::Authenticate, Ok(_)) => self.steps.authenticated = true,
            (Request::Authenticate, Err(error)) => {
                let error = RpcError { code: RpcError::AUTH_REQUIRED, ..error };
                self.refuse("authenticate", &error);
            }
            (Request::OpenNew, Ok(result)) => self.hear_opened(None, &value(result)),
            (Request::OpenNew, Err(error)) => self.refuse("session/new", &error),
            (Request::OpenOld { .. }, Ok(result)) => {
                let old = match &self.setup.open {
                    Open::Resume(id) => id.clone(),
                    Open::New => String::new(),
                };
                self.hear_opened(Some(old), &value(result));
            }
            (Request::OpenOld { .. }, Err(error)) if error.code == RpcError::AUTH_REQUIRED => {
                self.refuse("session/load", &error);
            }
            (Request::OpenOld { .. }, Err(error)) => {
                self.steps.resume_failed = true;
                let text = format!("The agent could not take up its earlier session: {}", error.text());
                self.record.notice(Notice::Process, &text);
            }
            (Request::SetMode(mode), Ok(result)) => {
                let result = value(result);
                if let Some(options) = result.get("configOptions") {
                    self.learn_options(
                        &serde_json::from_value::<Vec<_>>(options.clone()).unwrap_or_default(),
                    );
                }
                self.mode_is(&mode);
            }
            (Request::SetMode(mode), Err(error)) => {
                let text = format!("The agent refused the mode `{mode}`: {}", error.text());
                self.record.notice(Notice::Agent, &text);
            }
            (Request::Prompt, Ok(result)) => self.hear_turn_ended(&value(result), now),
            (Request::Prompt, Err(error)) => {
                let outcome = if self.facts.cancelled || error.code == RpcError::CANCELLED {
                    TurnOutcome::Cancelled
                } else {
                    let judged = outcome::judge_error(error.report(&error.text()), now, &self.zone);
                    match judged {
                        TurnOutcome::AgentError { text } if error.code == RpcError::AUTH_REQUIRED => {
                            TurnOutcome::NeedsLogin { text, command: None }
                        }
                        judged => judged,
                    }
                };
                self.end_turn(outcome, None);
            }
            (Request::Close, _) => {
                self.stage = Stage::Over;
                self.record.act(Action::Closed);
            }
        }
    }

    fn hear_steered(&mut self, steer: Steer, result: Result<Option<&RawValue>, RpcError>) {
        let result: Value = match result {
            Ok(Some(raw)) => serde_json::from_str(raw.get()).unwrap_or_default(),
            _ => Value::Null,
        };
        if result.get("outcome").and_then(Value::as_str) != Some("injected") {
            let text =
                "The agent did not take these words in the middle of its turn; they wait for its next one.";
            self.record.notice(Notice::Agent, text);
            self.refused.extend(steer.parts);
        }
    }

    fn hear_initialized(&mut self, result: &Value) {
        let Ok(answer) = serde_json::from_value::<acp::InitializeResponse>(result.clone()) else {
            let text = "the agent's answer to `initialize` cannot be read".to_owned();
            return self.fail(FailureKind::Protocol, text);
        };
        let version = answer.protocol_version.as_u16();
        if version == 0 {
            return self
                .fail(FailureKind::Protocol, format!("the agent speaks version {version} of the protocol"));
        }
        if version != 1 {
            // Goose has been seen to echo whatever number it is offered; it speaks version 1 all the same.
            let text = format!("The agent answered version {version} where 1 was offered; going on with 1.");
            self.record.notice(Notice::Protocol, &text);
        }
        self.steps.initialized = true;
        let info = answer.agent_info;
        self.agent.name = info.as_ref().map(|i| clip(&i.name)).unwrap_or_default();
        self.agent.version = info.map(|i| clip(&i.version)).unwrap_or_default();
        let session = answer.agent_capabilities.session_capabilities;
        self.agent.steering =
            result.pointer("/_meta/steering/supported").and_then(Value::as_bool) == Some(true);
        self.agent.images = answer.agent_capabilities.prompt_capabilities.image;
        self.agent.load = answer.agent_capabilities.load_session;
        self.agent.resume = session.resume.is_some();
        self.agent.close = session.close.is_some();
        let methods = result.get("authMethods").and_then(Value::as_array).cloned().unwrap_or_default();
        self.agent.login_methods =
            methods.iter().filter_map(|m| m.get("name")?.as_str()).take(limits::OPTIONS).map(clip).collect();
    }

    /// A session is open: the one with the id `old`, or a new one.
    fn hear_opened(&mut self, old: Option<String>, result: &Value) {
        let resumed = old.is_some();
        let id = old.or_else(|| result.get("sessionId").and_then(Value::as_str).map(str::to_owned));
        let Some(id) = id.filter(|id| !id.is_empty() && id.len() <= limits::NAME_BYTES) else {
            return self.fail(FailureKind::Session, "the agent opened a session without an id".to_owned());
        };
        if let Some(modes) = result.get("modes") {
            self.modes.current = modes.get("currentModeId").and_then(Value::as_str).map(clip);
            let ids = modes.get("availableModes").and_then(Value::as_array).cloned().unwrap_or_default();
            self.modes.ids =
                ids.iter().filter_map(|mode| mode.get("id")?.as_str()).take(MODES).map(clip).collect();
        }
        if let Some(options) = result.get("configOptions").and_then(Value::as_array) {
            let options: Vec<_> =
                options.iter().filter_map(|o| serde_json::from_value(o.clone()).ok()).collect();
            self.learn_options(&options);
        }
        let is_model = |option: &&Value| {
            let says = |key: &str| option.get(key).and_then(Value::as_str) == Some("model");
            says("category") || says("id")
        };
        let options = result.get("configOptions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let model = options.iter().find(is_model).and_then(|option| option.get("currentValue"));
        let model = result.pointer("/models/currentModelId").or(model).and_then(Value::as_str);
        self.agent.model = model.map(clip);
        if !resumed {
            self.meter = Meter::default();
        }
        let how = match (&self.setup.open, resumed) {
            (Open::New, _) => SessionStart::New,
            (Open::Resume(_), true) => SessionStart::Resumed,
            (Open::Resume(_), false) => SessionStart::HandOff,
        };
        match how {
            SessionStart::New => {}
            SessionStart::Resumed => {
                self.record.notice(Notice::Resumed, "The agent took up its earlier session.")
            }
            SessionStart::HandOff => self.record.notice(
                Notice::HandOff,
                "The agent has no memory of the earlier session; a new one begins with what happened so far.",
            ),
        }
        self.session = Some(id.clone());
        self.steps.opened = Some(how);
        self.record.act(Action::SessionOpened { id, how });
        self.resolve_mode();
    }

    fn hear_turn_ended(&mut self, result: &Value, now: Timestamp) {
        let stop = result.get("stopReason").and_then(Value::as_str).unwrap_or("end_turn");
        let scope = self.setup.quirks.usage_scope;
        let tokens = result.get("usage").and_then(usage::tokens);
        let tokens = tokens.or_else(|| result.pointer("/_meta/quota/token_count").and_then(usage::tokens));
        if let Some(tokens) = tokens {
            self.record.usage(|usage| {
                usage.tokens = Some(tokens);
                usage.scope = scope;
            });
        }
        self.facts.model_wrote = scope == UsageScope::Turn && tokens.is_some_and(|tokens| tokens.output > 0);
        let bench = Bench {
            rules: &self.rules,
            all_printed: false,
            reject_ends_turn: self.setup.quirks.reject_ends_turn,
            now,
            zone: &self.zone,
        };
        let outcome = outcome::judge(stop, &self.facts, &bench);
        self.end_turn(outcome, Some(clip(stop)));
    }

    /// The turn is over, however.
    pub(super) fn end_turn(&mut self, outcome: TurnOutcome, stop_reason: Option<String>) {
        self.waiting = None;
        self.stage = Stage::Idle;
        self.withdraw_asks();
        let reported = self.record.reported().cloned();
        let used = self.meter.turn_ended(reported.as_ref());
        self.record.add(EntryBody::TurnEnded { outcome: outcome.clone(), stop_reason });
        self.record.act(Action::TurnEnded { turn: self.record.turn(), outcome, usage: used });
    }
}
