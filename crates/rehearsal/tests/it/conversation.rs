//! A client for tests: talks to the agent over in-process pipes and writes down both sides, trimmed and without
//! what differs from run to run.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use clap::Parser;
use divisi_rehearsal::agent::{Options, ServeError, serve};
use serde_json::{Value, json};

/// A client and the agent behind it, with a workspace and a state folder of their own.
pub struct Conversation {
    folder: tempfile::TempDir,
    to_agent: Option<PipeWriter>,
    from_agent: BufReader<PipeReader>,
    agent: Option<JoinHandle<Result<(), ServeError>>>,
    next_id: i64,
    pub session: String,
    transcript: String,
}

impl Conversation {
    /// Starts an agent and opens a session.
    pub fn start(flags: &[&str]) -> Self {
        let mut conversation = Self::connect(tempfile::tempdir().unwrap(), flags);
        conversation.initialize(json!({}));
        let cwd = conversation.workspace();
        let opened = conversation.call("session/new", json!({"cwd": cwd, "mcpServers": []}));
        conversation.session = opened["result"]["sessionId"].as_str().unwrap().to_owned();
        conversation.transcript.clear();
        conversation
    }

    /// Starts an agent, and nothing else.
    pub fn connect(folder: tempfile::TempDir, flags: &[&str]) -> Self {
        std::fs::create_dir_all(folder.path().join("work")).unwrap();
        let state = folder.path().join("state");
        let named = ["agent", "--state", state.to_str().unwrap()];
        let options = Options::parse_from(named.iter().chain(flags));
        let (agent_in, to_agent) = std::io::pipe().unwrap();
        let (from_agent, agent_out) = std::io::pipe().unwrap();
        let agent = std::thread::spawn(move || serve(options, BufReader::new(agent_in), Box::new(agent_out)));
        Self {
            folder,
            to_agent: Some(to_agent),
            from_agent: BufReader::new(from_agent),
            agent: Some(agent),
            next_id: 1,
            session: String::new(),
            transcript: String::new(),
        }
    }

    /// Ends this agent and starts another one on the same folders, as after a restart.
    pub fn restart(mut self, flags: &[&str]) -> Self {
        self.hang_up();
        let mut next = Self::connect(self.folder, flags);
        next.session = self.session;
        next.initialize(json!({}));
        next.transcript.clear();
        next
    }

    pub fn initialize(&mut self, capabilities: Value) -> Value {
        self.call("initialize", json!({"protocolVersion": 1, "clientCapabilities": capabilities}))
    }

    /// The agent's input ends; it is waited for.
    pub fn hang_up(&mut self) {
        self.to_agent = None;
        if let Some(agent) = self.agent.take() {
            agent.join().unwrap().unwrap();
        }
    }

    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.workspace().join(name)).unwrap()
    }

    pub fn state_dir(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A prompt with a script in it.
    pub fn play(&mut self, script: &str) -> String {
        self.prompt(&format!("Do it.\n```rehearsal\n{script}\n```\n"))
    }

    /// A prompt and everything until its answer; permissions are allowed once.
    pub fn prompt(&mut self, text: &str) -> String {
        self.prompt_answering(text, |_| Some("allow-once".into()))
    }

    /// Like [`Self::prompt`] with a choice for each permission; none answers as a cancelled client has to.
    pub fn prompt_answering(
        &mut self,
        text: &str,
        mut choose: impl FnMut(&Value) -> Option<String>,
    ) -> String {
        let id = self.send_prompt(text);
        loop {
            let message = self.receive();
            if message["id"] == json!(id) && message.get("method").is_none() {
                return self.take_transcript();
            }
            if message["method"] == "session/request_permission" {
                let outcome = match choose(&message["params"]) {
                    Some(option) => json!({"outcome": "selected", "optionId": option}),
                    None => json!({"outcome": "cancelled"}),
                };
                self.answer(&message["id"], json!({"outcome": outcome}));
            }
        }
    }

    pub fn send_prompt(&mut self, text: &str) -> i64 {
        let params = json!({"sessionId": self.session, "prompt": [{"type": "text", "text": text}]});
        self.send("session/prompt", params)
    }

    pub fn cancel(&mut self) {
        let params = json!({"sessionId": self.session});
        self.write(json!({"jsonrpc": "2.0", "method": "session/cancel", "params": params}));
    }

    pub fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        self.until(|message| message["id"] == json!(id) && message.get("method").is_none())
    }

    pub fn send(&mut self, method: &str, params: Value) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        self.write(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        id
    }

    pub fn answer(&mut self, id: &Value, result: Value) {
        self.write(json!({"jsonrpc": "2.0", "id": id, "result": result}));
    }

    pub fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.receive();
            if wanted(&message) {
                return message;
            }
        }
    }

    pub fn receive(&mut self) -> Value {
        let line = self.receive_line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    pub fn receive_line(&mut self) -> String {
        let mut line = String::new();
        assert!(
            self.from_agent.read_line(&mut line).unwrap() > 0,
            "the agent has gone; so far:\n{}",
            self.transcript
        );
        let shown = serde_json::from_str(&line)
            .map_or_else(|_| line.trim_end().to_owned(), |message| shown(&message));
        let shown = self.redacted(&shown);
        writeln!(self.transcript, "< {shown}").unwrap();
        line
    }

    pub fn take_transcript(&mut self) -> String {
        std::mem::take(&mut self.transcript)
    }

    fn write(&mut self, message: Value) {
        let shown = self.redacted(&shown(&message));
        writeln!(self.transcript, "> {shown}").unwrap();
        let mut line = message.to_string();
        line.push('\n');
        self.to_agent.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }

    fn redacted(&self, text: &str) -> String {
        let session = if self.session.is_empty() { "\u{0}" } else { &self.session };
        text.replace(&*path_text(self.folder.path()), "$T").replace(session, "$S")
    }
}

fn path_text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// A message in short: its method or id, and what it says.
fn shown(message: &Value) -> String {
    if let Some(update) = message["params"].get("update") {
        let mut update = update.clone();
        let kind = update["sessionUpdate"].as_str().unwrap_or_default().to_owned();
        update.as_object_mut().unwrap().remove("sessionUpdate");
        if let Some(text) = update["content"]["text"].as_str() {
            return format!("{kind} {:?} {}", text, update["messageId"].as_str().unwrap_or("-"));
        }
        return format!("{kind} {update}");
    }
    let id = message.get("id").map(|id| format!("{id} ")).unwrap_or_default();
    match (message["method"].as_str(), message.get("result"), message.get("error")) {
        (Some("session/prompt"), ..) => format!("{id}session/prompt …"),
        (Some(method), ..) => {
            let mut params = message["params"].clone();
            params.as_object_mut().unwrap().remove("sessionId");
            format!("{id}{method} {params}")
        }
        (None, Some(result), _) => format!("{id}ok {result}"),
        (None, None, error) => format!("{id}error {}", error.unwrap_or(&Value::Null)),
    }
}
