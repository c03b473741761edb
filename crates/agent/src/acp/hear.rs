//! What the agent says: every line of its output changes the state here.

use agent_client_protocol_schema::v1 as acp;
use agent_client_protocol_schema::v1::RequestId;
use divisi_model::transcript::{EntryBody, Notice, Text, limits};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::question::Form;
use super::schema::{self, clip};
use super::session::{Session, Stage};
use super::state::{Ask, AskWhat, Due};
use super::tool;
use super::wire::{self, Message};
use crate::action::{Action, Asked};
use crate::lines::Line;
use crate::recorder;

/// Requests of the agent that may be open at once; more are refused.
const OPEN_REQUESTS: usize = 64;
/// Methods that are not offered and for which a notice is written; further ones are refused in silence.
const UNKNOWN_METHODS_TOLD: usize = 16;

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
                // Some agents ask for files and terminals although none were offered, and do without.
                let known = method.starts_with("fs/") || method.starts_with("terminal/");
                if !known
                    && self.unknown_methods.len() < UNKNOWN_METHODS_TOLD
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
            self.record.broken("a request that cannot be read", clip(method).as_bytes());
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
        let call = self.tool(update);
        let title = tool::headline(&call, &self.setup.cwd);
        self.number(ask);
        ask.options = options.clone();
        ask.what = AskWhat::Permission { tool_call: call.id.clone() };
        self.record.add(EntryBody::PermissionRequest {
            request: ask.request.clone(),
            tool_call: call.id.clone(),
            title: title.clone(),
            options: options.clone(),
        });
        self.record.act(Action::Asked(Asked {
            request: ask.request.clone(),
            title,
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
}
