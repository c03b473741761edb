//! An ACP client as audience: every step becomes a protocol message.

use std::sync::mpsc::Receiver;

use agent_client_protocol_schema::v1::{
    CLIENT_METHOD_NAMES, Cost, CreateElicitationRequest, ElicitationFormMode, ElicitationSchema,
    ElicitationSessionScope, PermissionOption, PermissionOptionKind, Plan, PlanEntry, PlanEntryPriority,
    RequestPermissionRequest, SessionNotification, SessionUpdate, StringPropertySchema, ToolCall,
    ToolCallUpdate, ToolCallUpdateFields, ToolKind, UsageUpdate,
};
use serde_json::Value;

use crate::script::{PlanItem, Question, Tokens};

use super::audience::{Audience, Decision, Reply};
use super::session::{Session, chunk};
use super::wire::Wire;

/// The window the agent claims to have.
const CONTEXT_TOKENS: u64 = 200_000;

/// One session's client, during one turn.
pub struct Client<'a> {
    pub wire: &'a Wire,
    pub session: &'a Session,
    pub turn: u32,
    /// Whether the client said that it can be asked by a form.
    pub forms: bool,
    /// Whether a usage step was performed in this turn, and its sums.
    pub used: std::cell::Cell<Option<Tokens>>,
}

impl Client<'_> {
    fn send(&self, update: SessionUpdate) {
        self.session.keep(&update);
        let id = self.session.id.clone();
        self.wire.notify(CLIENT_METHOD_NAMES.session_update, &SessionNotification::new(id, update));
    }

    fn message_id(&self, number: u32) -> agent_client_protocol_schema::v1::MessageId {
        format!("message-{}-{number}", self.turn).into()
    }
}

impl Audience for Client<'_> {
    fn message(&self, number: u32, piece: &str) {
        self.send(SessionUpdate::AgentMessageChunk(chunk(piece).message_id(self.message_id(number))));
    }

    fn thought(&self, number: u32, piece: &str) {
        self.send(SessionUpdate::AgentThoughtChunk(chunk(piece).message_id(self.message_id(number))));
    }

    fn plan(&self, items: &[PlanItem]) {
        let entry =
            |item: &PlanItem| PlanEntry::new(&item.text, PlanEntryPriority::Medium, item.status.clone());
        self.send(SessionUpdate::Plan(Plan::new(items.iter().map(entry).collect())));
    }

    fn tool(&self, call: ToolCall) {
        self.send(SessionUpdate::ToolCall(call));
    }

    fn tool_update(&self, update: ToolCallUpdate) {
        self.send(SessionUpdate::ToolCallUpdate(update));
    }

    fn permission(&self, call: ToolCallUpdate, options: &[PermissionOptionKind]) -> Decision {
        let offered = options.iter().map(|kind| {
            let (id, name) = option_words(*kind);
            PermissionOption::new(id, name, *kind)
        });
        let request = RequestPermissionRequest::new(self.session.id.clone(), call, offered.collect());
        let answer = self.wire.request(CLIENT_METHOD_NAMES.session_request_permission, &request);
        let Some(chosen) = selected(&answer) else { return Decision::Cancelled };
        match options.iter().find(|kind| option_words(**kind).0 == chosen) {
            Some(PermissionOptionKind::AllowOnce) => Decision::Allowed { always: false },
            Some(PermissionOptionKind::AllowAlways) => Decision::Allowed { always: true },
            Some(PermissionOptionKind::RejectAlways) => Decision::Rejected { always: true },
            // An option that was never offered allows nothing.
            _ => Decision::Rejected { always: false },
        }
    }

    fn question(&self, question: &Question) -> Reply {
        if self.forms {
            return self.form(question);
        }
        if question.choices.is_empty() {
            return Reply::CannotAsk;
        }
        let call_id = format!("question-{}", self.turn);
        let fields = ToolCallUpdateFields::new().title(question.text.clone()).kind(ToolKind::Other);
        let option = |choice: &String| {
            PermissionOption::new(choice.clone(), choice.clone(), PermissionOptionKind::AllowOnce)
        };
        let options = question.choices.iter().map(option).collect();
        let request = RequestPermissionRequest::new(
            self.session.id.clone(),
            ToolCallUpdate::new(call_id, fields),
            options,
        );
        let answer = self.wire.request(CLIENT_METHOD_NAMES.session_request_permission, &request);
        selected(&answer).map_or(Reply::Cancelled, Reply::Text)
    }

    fn usage(&self, tokens: Tokens) {
        let total = self.session.add_usage(tokens);
        let mut turn = self.used.get().unwrap_or_default();
        turn.input += tokens.input;
        turn.output += tokens.output;
        turn.cached_read += tokens.cached_read;
        turn.cached_write += tokens.cached_write;
        turn.thought += tokens.thought;
        self.used.set(Some(turn));
        let context = tokens.input + tokens.cached_read + tokens.cached_write + tokens.output;
        let update = UsageUpdate::new(context.min(CONTEXT_TOKENS), CONTEXT_TOKENS);
        self.send(SessionUpdate::UsageUpdate(update.cost(Cost::new(total.cost.unwrap_or(0.0), "USD"))));
    }

    fn garbage(&self, line: &str) {
        self.wire.bytes(format!("{line}\n").as_bytes());
    }

    fn half(&self) {
        self.wire.bytes(br#"{"jsonrpc":"2.0","method":"session/upd"#);
    }
}

impl Client<'_> {
    fn form(&self, question: &Question) -> Reply {
        let choices = Some(question.choices.clone()).filter(|choices| !choices.is_empty());
        let field = StringPropertySchema::new().title(question.text.clone()).enum_values(choices);
        let schema = ElicitationSchema::new().property("answer", field, true);
        let scope = ElicitationSessionScope::new(self.session.id.clone());
        let request = CreateElicitationRequest::new(ElicitationFormMode::new(scope, schema), &question.text);
        let answer = self.wire.request(CLIENT_METHOD_NAMES.elicitation_create, &request);
        // A client that goes is the same as a cancel; one that answers with an error declines.
        let Ok(message) = answer.recv() else { return Reply::Cancelled };
        match message["result"]["action"].as_str() {
            Some("accept") => {
                Reply::Text(message["result"]["content"]["answer"].as_str().unwrap_or_default().to_owned())
            }
            Some("cancel") => Reply::Cancelled,
            _ => Reply::Declined,
        }
    }
}

/// The chosen option's id; none if the turn was cancelled, the answer was an error or the client has gone.
///
/// After a cancel the client has to answer what is pending, and like the strictest agents this one waits for it.
fn selected(answer: &Receiver<Value>) -> Option<String> {
    let message = answer.recv().ok()?;
    let outcome = &message["result"]["outcome"];
    (outcome["outcome"] == "selected").then(|| outcome["optionId"].as_str().unwrap_or_default().to_owned())
}

fn option_words(kind: PermissionOptionKind) -> (&'static str, &'static str) {
    match kind {
        PermissionOptionKind::AllowOnce => ("allow-once", "Allow"),
        PermissionOptionKind::AllowAlways => ("allow-always", "Always allow"),
        PermissionOptionKind::RejectOnce => ("reject-once", "Reject"),
        _ => ("reject-always", "Always reject"),
    }
}
