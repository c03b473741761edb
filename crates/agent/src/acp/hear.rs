//! What the agent says: every line of its output changes the state here.

use agent_client_protocol_schema::v1 as acp;
use agent_client_protocol_schema::v1::RequestId;
use divisi_model::event::{SessionStart, TurnOutcome};
use divisi_model::transcript::{EntryBody, Notice, ReportedCost, Text, limits};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::question::Form;
use super::say::is_mode;
use super::schema::{self, clip};
use super::session::{Ask, AskWhat, Due, OPEN_REQUESTS, Open, Request, Session, Stage};
use super::wire::{self, Message, RpcError};
use crate::action::{Action, Asked, FailureKind};
use crate::lines::Line;
use crate::outcome::{self, Bench};
use crate::recorder::{self, Voice};
use crate::usage;

/// Methods that are not offered and for which a notice is written; further ones are refused in silence.
const UNKNOWN_METHODS_TOLD: usize = 16;
/// Modes of an agent that are remembered.
const MODES: usize = 64;

impl Session {
    /// Takes a piece of the agent's output that stands at `offset` in the out journal. Bytes that were taken before are
    /// skipped. A piece that leaves a gap is not taken: feed from [`Session::out_offset`].
    pub fn feed_out(&mut self, piece: &[u8], offset: u64, now: Timestamp) -> Vec<Action> {
        let Ok(lines) = self.lines.feed(piece, offset) else { return self.record.take() };
        for line in lines {
            self.replay_until(line.offset);
            let heard = if self.script.is_some() { self.active } else { now };
            self.active = self.active.max(heard);
            self.record.at(heard, recorder::out(line.offset, line.len));
            self.hear(&line, heard);
            self.seen = line.end();
            self.settle(heard);
        }
        self.record.take()
    }

    fn hear(&mut self, line: &Line, now: Timestamp) {
        if line.too_long {
            self.record.broken(&format!("a line of {} bytes was skipped", line.len), &line.bytes);
            return;
        }
        if line.bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        match wire::read(&line.bytes) {
            Err(why) => self.record.broken(&why, &line.bytes),
            Ok(messages) => {
                for message in messages {
                    self.hear_message(message, now);
                }
            }
        }
    }

    fn hear_message(&mut self, message: Message<'_>, now: Timestamp) {
        match message {
            Message::Notification { method, params } => match (method.as_str(), params) {
                ("session/update", Some(params)) => self.hear_update(params),
                ("$/cancel_request", Some(params)) => self.hear_taken_back(params),
                _ => {}
            },
            Message::Request { id, method, params } => self.hear_request(id, &method, params),
            Message::Response { id, result } => self.hear_response(&id, result, now),
        }
    }

    fn hear_update(&mut self, params: &RawValue) {
        #[derive(Deserialize)]
        struct Named<'a> {
            #[serde(rename = "sessionId")]
            session: Option<String>,
            #[serde(borrow)]
            update: &'a RawValue,
        }
        let Ok(named) = serde_json::from_str::<Named<'_>>(params.get()) else {
            return self.record.broken("an update without its content", params.get().as_bytes());
        };
        // One process may hold several sessions of its own, such as those of sub-agents.
        if let (Some(ours), Some(theirs)) = (&self.session, &named.session)
            && ours != theirs
        {
            return self.keep_raw("session/update of another session", params.get());
        }
        match serde_json::from_str::<acp::SessionUpdate>(named.update.get()) {
            Ok(update) => self.update(update),
            Err(_) => {
                let value: Value = serde_json::from_str(named.update.get()).unwrap_or_default();
                let name = value.get("sessionUpdate").and_then(Value::as_str).unwrap_or("session/update");
                self.keep_raw(name, named.update.get());
            }
        }
    }

    fn update(&mut self, update: acp::SessionUpdate) {
        // A load repeats what is in our transcript already; only what tells the present counts.
        let repeated = matches!(&self.waiting, Some(w) if w.what == Request::OpenOld { by_load: true });
        match update {
            acp::SessionUpdate::CurrentModeUpdate(mode) => self.mode_is(&mode.current_mode_id.to_string()),
            acp::SessionUpdate::ConfigOptionUpdate(update) => self.learn_options(&update.config_options),
            acp::SessionUpdate::AvailableCommandsUpdate(_) | acp::SessionUpdate::SessionInfoUpdate(_) => {}
            _ if repeated => {}
            acp::SessionUpdate::AgentMessageChunk(chunk) => {
                if let Some(usage) = chunk.meta.as_ref().and_then(|m| m.get("usage")) {
                    self.add_usage(usage);
                }
                self.chunk(Voice::Message, &chunk);
            }
            acp::SessionUpdate::AgentThoughtChunk(chunk) => self.chunk(Voice::Thought, &chunk),
            acp::SessionUpdate::UserMessageChunk(_) => {}
            acp::SessionUpdate::ToolCall(call) => {
                let update = acp::ToolCallUpdate::from(call);
                self.tool(&update.tool_call_id.to_string(), update.fields);
            }
            acp::SessionUpdate::ToolCallUpdate(update) => {
                self.tool(&update.tool_call_id.to_string(), update.fields);
            }
            acp::SessionUpdate::Plan(plan) => {
                self.facts.anything = true;
                self.record.plan(schema::steps(&plan));
            }
            acp::SessionUpdate::UsageUpdate(update) => self.record.usage(|usage| {
                usage.context_used = Some(update.used);
                usage.context_size = Some(update.size);
                if let Some(cost) = update.cost {
                    usage.cost = Some(ReportedCost { amount: cost.amount, currency: clip(&cost.currency) });
                }
            }),
            acp::SessionUpdate::Notice(notice) => {
                let detail = notice.description.map(|d| format!(": {d}")).unwrap_or_default();
                self.record.notice(Notice::Agent, &format!("{}{detail}", notice.title));
            }
            other => {
                let json = serde_json::to_string(&other).unwrap_or_default();
                self.keep_raw("session/update", &json);
            }
        }
    }

    fn chunk(&mut self, voice: Voice, chunk: &acp::ContentChunk) {
        let text = schema::block_text(&chunk.content);
        let id = chunk.message_id.as_ref().map(ToString::to_string);
        let fresh = self.record.is_fresh(voice, id.as_deref());
        self.record.text(voice, id.as_deref(), &text);
        if voice == Voice::Message {
            self.facts.hear(&text, fresh);
        } else {
            self.facts.anything |= !text.is_empty();
        }
    }

    fn tool(&mut self, id: &str, fields: acp::ToolCallUpdateFields) -> divisi_model::transcript::ToolCall {
        self.facts.anything = true;
        self.record.tool(&clip(id), |call| schema::update_tool(call, fields))
    }

    /// Usage of one request to the model, as some agents attach it to their messages.
    fn add_usage(&mut self, value: &Value) {
        let Some(more) = usage::tokens(value) else { return };
        self.record.usage(|usage| usage.tokens.get_or_insert_default().add(&more));
    }

    fn keep_raw(&mut self, name: &str, json: &str) {
        self.record.add(EntryBody::Raw { name: clip(name), json: Text::clip(json, limits::RAW_BYTES) });
    }

    fn hear_request(&mut self, id: RequestId, method: &str, params: Option<&RawValue>) {
        let mut ask =
            Ask { id, request: String::new(), what: AskWhat::Unknown, options: Vec::new(), due: None };
        if self.asks.len() >= OPEN_REQUESTS {
            ask.due = Some(Due::Invalid);
            return self.asks.push(ask);
        }
        let params: Value = params.and_then(|p| serde_json::from_str(p.get()).ok()).unwrap_or_default();
        let understood = match method {
            "session/request_permission" => self.hear_permission(&mut ask, params),
            "elicitation/create" if self.setup.elicitation => self.hear_question(&mut ask, &params),
            _ => {
                if self.unknown_methods.len() < UNKNOWN_METHODS_TOLD
                    && self.unknown_methods.insert(clip(method))
                {
                    let text =
                        format!("The agent asked for `{}`, which is not offered; refused.", clip(method));
                    self.record.notice(Notice::Protocol, &text);
                }
                ask.due = Some(Due::NotFound);
                true
            }
        };
        if !understood {
            self.record.broken("a request that cannot be read", params_text(method).as_bytes());
            ask.what = AskWhat::Unknown;
            ask.due = Some(Due::Invalid);
        } else if ask.what != AskWhat::Unknown && (self.facts.cancelled || self.stage != Stage::Turn) {
            // Nobody may answer any more, or nobody asked for anything.
            ask.due = Some(Due::Withdraw);
        }
        self.asks.push(ask);
    }

    fn hear_permission(&mut self, ask: &mut Ask, mut params: Value) -> bool {
        let options =
            schema::options(params.get("options").and_then(Value::as_array).map_or(&[], Vec::as_slice));
        let call = params.get_mut("toolCall").map(Value::take).unwrap_or_default();
        let Ok(update) = serde_json::from_value::<acp::ToolCallUpdate>(call) else { return false };
        if options.is_empty() {
            return false;
        }
        let call = self.tool(&update.tool_call_id.to_string(), update.fields);
        self.number(ask);
        ask.options = options.clone();
        ask.what = AskWhat::Permission { tool_call: call.id.clone() };
        self.record.add(EntryBody::PermissionRequest {
            request: ask.request.clone(),
            tool_call: call.id.clone(),
            title: call.title.clone(),
            options: options.clone(),
        });
        self.record.act(Action::Asked(Asked {
            request: ask.request.clone(),
            title: call.title.clone(),
            tool: Some(Box::new(call)),
            options,
        }));
        true
    }

    fn hear_question(&mut self, ask: &mut Ask, params: &Value) -> bool {
        let Some(form) = Form::read(params) else { return false };
        self.number(ask);
        let (text, options) = (form.text(), form.options());
        ask.options = options.clone();
        ask.what = AskWhat::Question(form);
        self.facts.anything = true;
        self.record.add(EntryBody::Question {
            request: ask.request.clone(),
            text: Text::clip(&text, limits::MESSAGE_BYTES),
            options: options.clone(),
        });
        self.record.act(Action::Asked(Asked {
            request: ask.request.clone(),
            title: clip(&text),
            tool: None,
            options,
        }));
        true
    }

    /// The name of a request counts what the agent asked, so it is the same after a replay; the agent's own ids may
    /// come again.
    fn number(&mut self, ask: &mut Ask) {
        self.asked += 1;
        ask.request = self.asked.to_string();
    }

    /// The agent needs no answer to a request of its own any more.
    fn hear_taken_back(&mut self, params: &RawValue) {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct TakenBack {
            request_id: RequestId,
        }
        if let Ok(back) = serde_json::from_str::<TakenBack>(params.get())
            && let Some(ask) = self.asks.iter_mut().find(|ask| ask.id == back.request_id)
        {
            ask.due.get_or_insert(Due::Withdraw);
        }
    }

    fn hear_response(&mut self, id: &RequestId, result: Result<Option<&RawValue>, RpcError>, now: Timestamp) {
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
                } else if error.code == RpcError::AUTH_REQUIRED {
                    TurnOutcome::NeedsLogin { text: error.text() }
                } else {
                    outcome::judge_error(&error.text(), now, &self.zone)
                };
                self.end_turn(outcome, None);
            }
            (Request::Close, _) => {
                self.stage = Stage::Over;
                self.record.act(Action::Closed);
            }
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

    /// Wants no mode that the agent is in already or does not have.
    pub(super) fn resolve_mode(&mut self) {
        let Some(wanted) = self.modes.wanted.clone() else { return };
        if self.modes.current.as_deref().is_some_and(|current| is_mode(current, &wanted)) {
            self.modes.wanted = None;
            return;
        }
        let offered = self.modes.ids.iter().chain(self.modes.option.iter().flat_map(|(_, values)| values));
        if !offered.clone().any(|id| is_mode(id, &wanted)) {
            let list = offered.cloned().collect::<Vec<_>>().join(", ");
            let text = format!("The agent has no mode `{wanted}`; it offers: {list}");
            self.modes.wanted = None;
            self.record.notice(Notice::Agent, &text);
        }
    }

    /// The mode may be one of the agent's configuration options.
    fn learn_options(&mut self, options: &[acp::SessionConfigOption]) {
        let is_mode_option = |o: &&acp::SessionConfigOption| {
            o.category == Some(acp::SessionConfigOptionCategory::Mode) || o.id.to_string() == "mode"
        };
        let Some(option) = options.iter().find(is_mode_option) else { return };
        let acp::SessionConfigKind::Select(select) = &option.kind else { return };
        let values: Vec<String> = match &select.options {
            acp::SessionConfigSelectOptions::Ungrouped(list) => {
                list.iter().map(|v| v.value.to_string()).collect()
            }
            acp::SessionConfigSelectOptions::Grouped(groups) => {
                groups.iter().flat_map(|g| &g.options).map(|v| v.value.to_string()).collect()
            }
            _ => return,
        };
        let known = self.modes.option.is_some();
        self.modes.option = Some((option.id.to_string(), values.into_iter().take(MODES).collect()));
        let current = select.current_value.to_string();
        if known {
            self.mode_is(&current);
        } else if self.modes.ids.is_empty() {
            self.modes.current = Some(current);
        }
    }

    fn mode_is(&mut self, mode: &str) {
        if self.modes.current.as_deref() != Some(mode) {
            self.modes.current = Some(clip(mode));
            self.record.add(EntryBody::ModeChanged { mode: clip(mode) });
        }
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
        let quirks = &self.setup.quirks;
        let bench = Bench {
            errors_as_end_turn: quirks.errors_as_end_turn,
            error_texts: &quirks.error_texts,
            reject_ends_turn: quirks.reject_ends_turn,
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

fn params_text(method: &str) -> String {
    format!("`{}`", clip(method))
}
