//! What goes on in a turn: the agent's updates become entries.

use agent_client_protocol_schema::v1 as acp;
use divisi_model::transcript::{EntryBody, Notice, ReportedCost, Text, ToolCall, limits};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::schema::{self, clip};
use super::session::Session;
use super::state::Request;
use super::tool;
use crate::recorder::Voice;
use crate::usage;

impl Session {
    pub(super) fn hear_update(&mut self, params: &RawValue) {
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
                self.tool(acp::ToolCallUpdate::from(call));
            }
            acp::SessionUpdate::ToolCallUpdate(update) => {
                self.tool(update);
            }
            acp::SessionUpdate::Plan(plan) => {
                self.facts.act();
                self.record.plan(schema::steps(&plan));
            }
            acp::SessionUpdate::UsageUpdate(update) => self.record.usage(|usage| {
                usage.context_used = Some(update.used);
                usage.context_size = Some(update.size);
                // Who knows no price says 0.
                if let Some(cost) = update.cost.filter(|cost| cost.amount > 0.0) {
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
            // An error is a piece of its own, and may follow others with nothing in between.
            if !fresh && self.rules.begin(&text) {
                self.facts.hear("\n", false);
            }
            self.facts.hear(&text, fresh);
        } else {
            self.facts.anything |= !text.is_empty();
            self.facts.spoke_last &= text.trim().is_empty();
        }
    }

    pub(super) fn tool(&mut self, update: acp::ToolCallUpdate) -> ToolCall {
        self.facts.act();
        let id = clip(&update.tool_call_id.to_string());
        self.record.tool(&id, |call| tool::update(call, update.fields, update.meta.as_ref()))
    }

    /// Usage of one request to the model, as some agents attach it to their messages.
    fn add_usage(&mut self, value: &Value) {
        let Some(more) = usage::tokens(value) else { return };
        self.record.usage(|usage| usage.tokens.get_or_insert_default().add(&more));
    }

    fn keep_raw(&mut self, name: &str, json: &str) {
        self.record.add(EntryBody::Raw { name: clip(name), json: Text::clip(json, limits::RAW_BYTES) });
    }
}
