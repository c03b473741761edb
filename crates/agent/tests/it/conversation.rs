//! A conversation for tests: plays the agent's lines to a session, keeps both journals and the transcript as their
//! owner would.

use std::collections::BTreeMap;

use divisi_agent::acp::{Open, PromptPart, Session, Setup};
use divisi_agent::{Action, CommandError, Quirks, Reply};
use divisi_model::event::Origin;
use divisi_model::transcript::{Answered, Entry, EntryBody};
use jiff::Timestamp;
use serde_json::Value;

pub struct Conversation {
    pub setup: Setup,
    pub session: Session,
    pub in_journal: Vec<u8>,
    pub out_journal: Vec<u8>,
    pub entries: BTreeMap<u64, Entry>,
    pub actions: Vec<Action>,
    /// Lengths of both journals after each step, in and out.
    pub steps: Vec<(usize, usize)>,
}

pub fn now() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().unwrap()
}

pub fn setup() -> Setup {
    Setup {
        cwd: "/repo/tree".into(),
        open: Open::New,
        mcp_servers: Vec::new(),
        mode: None,
        authenticate: None,
        elicitation: false,
        start_seconds: None,
        quirks: Quirks::default(),
        zone: None,
        counted: divisi_agent::Counted::default(),
        first_seq: 1,
        turn: 0,
    }
}

pub const INITIALIZED: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1,"agentCapabilities":{"promptCapabilities":{"image":true,"embeddedContext":true},"mcpCapabilities":{"http":true,"sse":true},"loadSession":true,"sessionCapabilities":{"close":{},"list":{},"resume":{}}},"agentInfo":{"name":"fake","version":"0.1.0"},"authMethods":[]}}"#;

impl Conversation {
    pub fn new(setup: Setup) -> Self {
        let session = Session::new(setup.clone(), now());
        let mut new = Self {
            setup,
            session,
            in_journal: Vec::new(),
            out_journal: Vec::new(),
            entries: BTreeMap::new(),
            actions: Vec::new(),
            steps: vec![(0, 0)],
        };
        let actions = new.session.start(now());
        new.took(actions);
        new
    }

    /// A session that waits for its first prompt.
    pub fn opened(setup: Setup) -> Self {
        let mut new = Self::new(setup);
        new.hear(INITIALIZED);
        new.hear(r#"{"jsonrpc":"2.0","id":2,"result":{"sessionId":"s-1"}}"#);
        new
    }

    pub fn took(&mut self, actions: Vec<Action>) {
        for action in &actions {
            match action {
                Action::Send(bytes) => self.in_journal.extend_from_slice(bytes),
                Action::Entry(entry) => {
                    self.entries.insert(entry.seq, entry.clone());
                }
                _ => {}
            }
        }
        self.actions.extend(actions);
        self.steps.push((self.in_journal.len(), self.out_journal.len()));
    }

    /// The agent writes a line.
    pub fn hear(&mut self, line: &str) {
        let offset = self.out_journal.len() as u64;
        let bytes = format!("{line}\n").into_bytes();
        self.out_journal.extend_from_slice(&bytes);
        let actions = self.session.feed_out(&bytes, offset, now());
        self.took(actions);
    }

    /// The agent sends an update of the session.
    pub fn update(&mut self, update: &str) {
        self.hear(&format!(
            r#"{{"jsonrpc":"2.0","method":"session/update","params":{{"sessionId":"s-1","update":{update}}}}}"#
        ));
    }

    pub fn say(&mut self, text: &str) {
        self.update(&format!(
            r#"{{"sessionUpdate":"agent_message_chunk","content":{{"type":"text","text":{}}}}}"#,
            Value::from(text)
        ));
    }

    pub fn prompt(&mut self, turn: u32, text: &str) {
        let part = PromptPart::words(Origin::Person, text);
        let actions = self.session.prompt(turn, &[part], now()).unwrap();
        self.took(actions);
    }

    pub fn answer(&mut self, request: &str, reply: Reply) -> Result<(), CommandError> {
        let actions = self.session.answer(request, &reply, now())?;
        self.took(actions);
        Ok(())
    }

    pub fn cancel(&mut self) {
        let actions = self.session.cancel(now());
        self.took(actions);
    }

    /// Everything that was sent, without the notes in `_meta`.
    pub fn sent(&self) -> Vec<Value> {
        sent(&self.in_journal)
    }

    pub fn last_sent(&self) -> Value {
        self.sent().pop().unwrap()
    }

    /// The transcript in short lines.
    pub fn transcript(&self) -> String {
        self.entries.values().map(|entry| format!("{} {}\n", entry.turn, short(&entry.body))).collect()
    }
}

pub fn sent(journal: &[u8]) -> Vec<Value> {
    let lines = journal.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let mut value: Value = serde_json::from_slice(line).unwrap();
            for key in ["params", "result"] {
                if let Some(Value::Object(map)) = value.get_mut(key) {
                    map.remove("_meta");
                }
            }
            if let Some(Value::Object(error)) = value.get_mut("error") {
                error.remove("data");
            }
            value
        })
        .collect()
}

pub fn short(body: &EntryBody) -> String {
    match body {
        EntryBody::Prompt { origin, text, .. } => format!("prompt({origin:?}): {text}"),
        EntryBody::Message { text } => format!("message: {text}"),
        EntryBody::Thought { text } => format!("thought: {text}"),
        EntryBody::Plan { steps } => {
            let steps: Vec<String> = steps.iter().map(|s| format!("{} {:?}", s.text, s.status)).collect();
            format!("plan: {}", steps.join(", "))
        }
        EntryBody::ToolCall(call) => {
            let diffs: Vec<String> = call
                .diffs
                .iter()
                .map(|d| format!("{}: {:?} -> {:?}", d.path, d.old.as_ref().map(|t| &t.text), d.new.text))
                .collect();
            let output = call.output.as_ref().map(|o| o.text.as_str()).unwrap_or_default();
            format!(
                "tool {} [{}, {:?}] {} {{{}}} {output}",
                call.id,
                call.kind.as_str(),
                call.status,
                call.title,
                diffs.join("; ")
            )
        }
        EntryBody::PermissionRequest { request, tool_call, title, options } => {
            let options: Vec<&str> = options.iter().map(|o| o.id.as_str()).collect();
            format!("permission {request} for {tool_call}: {title} ({})", options.join("/"))
        }
        EntryBody::Question { request, text, .. } => format!("question {request}: {text}"),
        EntryBody::Answered { request, answer } => match answer {
            Answered::Chosen { option } => format!("answered {request}: {option}"),
            Answered::Words { text } => format!("answered {request}: {text:?}"),
            Answered::Declined => format!("answered {request}: declined"),
            Answered::Withdrawn => format!("answered {request}: withdrawn"),
        },
        EntryBody::Usage(usage) => {
            let tokens = usage.tokens.unwrap_or_default();
            let cost =
                usage.cost.as_ref().map(|c| format!(" {}{}", c.amount, c.currency)).unwrap_or_default();
            format!(
                "usage: {}+{} cached {}/{} {:?} of {:?}{cost}",
                tokens.input,
                tokens.output,
                tokens.cached_read,
                tokens.cached_write,
                usage.context_used,
                usage.context_size
            )
        }
        EntryBody::ModeChanged { mode } => format!("mode: {mode}"),
        EntryBody::Notice { notice, text } => format!("notice({notice:?}): {text}"),
        EntryBody::TurnEnded { outcome, stop_reason } => {
            format!("turn ended: {outcome:?} ({})", stop_reason.as_deref().unwrap_or("-"))
        }
        EntryBody::Raw { name, json } => format!("raw {name}: {json}"),
    }
}
