//! A scripted agent that speaks ACP byte by byte: it hears whole lines, takes its steps with pauses between them, and
//! misbehaves as often as the scenario says.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use divisi_workspace::launch::{EndedBy, Outcome};
use serde_json::{Value, json};

use crate::chance::Chance;
use crate::process::{Body, Process};
use crate::world::{Next, World};

/// One agent process.
pub(crate) struct Agent {
    attempt: String,
    trouble: u64,
    /// The session that it speaks in.
    session: String,
    /// It can take an earlier session up again, and how.
    resumes: bool,
    steers: bool,
    closes: bool,
    /// It takes no notice of a cancel.
    deaf: bool,
    turn: Option<Turn>,
    /// Counts what makes earlier steps void.
    era: u64,
    requests: i64,
}

/// What it is doing.
struct Turn {
    id: Value,
    number: u64,
    steps: VecDeque<Step>,
    /// What it waits for a person to say.
    asks: Option<i64>,
}

/// One thing that it does in a turn.
#[derive(Clone, Debug)]
enum Step {
    Say(&'static str),
    Edit(String, String),
    Ask,
    Question,
    End(&'static str),
    Fail(&'static str),
    Die,
    Hang,
}

impl Agent {
    pub(crate) fn new(attempt: &str, chance: &mut Chance, trouble: u64) -> Self {
        Self {
            attempt: attempt.to_owned(),
            trouble,
            session: String::new(),
            resumes: chance.percent(70),
            steers: chance.percent(40),
            closes: chance.percent(50),
            deaf: chance.percent(trouble / 3),
            turn: None,
            era: 0,
            requests: 100,
        }
    }
}

impl World {
    /// An agent reads what was sent to it.
    pub(crate) fn hear(&mut self, dir: &Path) {
        loop {
            let Some(process) = self.processes.get_mut(dir).filter(|process| process.runs()) else { return };
            let rest = &process.input[process.read..];
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { break };
            let line = rest[..end].to_vec();
            process.read += end + 1;
            match serde_json::from_slice::<Value>(&line) {
                Ok(message) => self.hear_message(dir, &message),
                Err(error) => self.violate(format!("the agent got a line that is not JSON: {error}")),
            }
        }
        let closed = self.processes.get(dir).is_some_and(|process| process.input_closed);
        if closed {
            self.end(dir, 50, Outcome::Exited { code: 0 }, None);
        }
    }

    fn agent(&mut self, dir: &Path) -> Option<&mut Agent> {
        match &mut self.processes.get_mut(dir).filter(|process| process.runs())?.body {
            Body::Agent(agent) => Some(agent),
            _ => None,
        }
    }

    /// Whether an agent of the attempt is in a turn, and may write files at any moment.
    pub(crate) fn in_turn(&self, attempt: &str) -> bool {
        let works = |process: &Process| match &process.body {
            Body::Agent(agent) => agent.attempt == attempt && agent.turn.is_some(),
            Body::Tool | Body::Command { .. } => false,
        };
        self.processes.values().filter(|process| process.runs()).any(works)
    }

    fn send(&mut self, dir: &Path, message: &Value) {
        self.write_out(dir, &format!("{message}\n"));
    }

    fn reply(&mut self, dir: &Path, id: &Value, result: Value) {
        self.send(dir, &json!({"jsonrpc": "2.0", "id": id, "result": result}));
    }

    fn refuse(&mut self, dir: &Path, id: &Value, code: i64, text: &str) {
        self.send(dir, &json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": text}}));
    }

    fn hear_message(&mut self, dir: &Path, message: &Value) {
        let Some(agent) = self.agent(dir) else { return };
        let (resumes, steers, closes, trouble) = (agent.resumes, agent.steers, agent.closes, agent.trouble);
        let id = message.get("id").cloned().unwrap_or(Value::Null);
        let params = message.get("params").cloned().unwrap_or(Value::Null);
        match message.get("method").and_then(Value::as_str) {
            Some("initialize") => {
                let session = if closes { json!({"close": {}}) } else { json!({}) };
                let result = json!({
                    "protocolVersion": 1,
                    "agentCapabilities": {"loadSession": resumes, "sessionCapabilities": session},
                    "agentInfo": {"name": "sim", "version": "1"},
                    "_meta": {"steering": {"supported": steers}},
                });
                self.reply(dir, &id, result);
            }
            Some("session/new") => {
                if self.chance.percent(trouble / 5) {
                    return self.refuse(dir, &id, -32000, "Authentication required: please log in");
                }
                self.ids += 1;
                let session = format!("s{}", self.ids);
                self.sessions.insert(session.clone());
                self.opened(dir, &session);
                self.reply(dir, &id, json!({"sessionId": session}));
            }
            Some("session/load" | "session/resume") => {
                let known = params.get("sessionId").and_then(Value::as_str).unwrap_or_default().to_owned();
                match self.sessions.contains(&known) && !self.chance.percent(trouble / 4) {
                    true => {
                        self.opened(dir, &known);
                        self.reply(dir, &id, json!({}));
                    }
                    false => self.refuse(dir, &id, -32603, "no such session"),
                }
            }
            Some("session/prompt") => self.hear_prompt(dir, id, &params),
            Some("session/cancel") => self.hear_cancel(dir),
            Some("_session/steering") => {
                let taken = self.agent(dir).is_some_and(|agent| agent.turn.is_some());
                let outcome = if taken { "injected" } else { "promptRequired" };
                self.reply(dir, &id, json!({"outcome": outcome}));
            }
            Some("session/close") => {
                self.reply(dir, &id, json!({}));
                self.end(dir, 20, Outcome::Exited { code: 0 }, None);
            }
            Some(_) => self.reply(dir, &id, json!({})),
            None => self.hear_answer(dir, &id, message),
        }
    }

    fn opened(&mut self, dir: &Path, session: &str) {
        if let Some(agent) = self.agent(dir) {
            agent.session = session.to_owned();
        }
    }

    fn hear_prompt(&mut self, dir: &Path, id: Value, params: &Value) {
        let Some(agent) = self.agent(dir) else { return };
        let attempt = agent.attempt.clone();
        let turn = params.pointer("/_meta/divisi/turn").and_then(Value::as_u64).unwrap_or_default();
        let given = self.given.entry((attempt.clone(), turn)).or_default();
        *given += 1;
        if *given > 1 {
            self.violate(format!("turn {turn} of {attempt} was given to its agent twice"));
        }
        let steps = self.script(&attempt, turn);
        self.note(&format!("{attempt} begins turn {turn}: {steps:?}"));
        if let Some(agent) = self.agent(dir) {
            if agent.turn.is_some() {
                return self.violate(format!("{attempt} got a prompt in the middle of a turn"));
            }
            agent.era += 1;
            agent.turn = Some(Turn { id, number: turn, steps, asks: None });
        }
        self.next_step(dir);
    }

    /// What it will do in a turn.
    fn script(&mut self, attempt: &str, turn: u64) -> VecDeque<Step> {
        let own = format!("{attempt}.txt");
        let marked: Vec<String> = self.spaces.get(attempt).map_or_else(Vec::new, |space| {
            let marked =
                space.files.iter().filter(|(_, text)| text.contains("<<<<<<< ") || text.contains("bug"));
            marked.map(|(path, _)| path.clone()).collect()
        });
        self.ids += 1;
        let stamp = format!("{attempt} wrote this as number {}\n", self.ids);
        let mut steps = VecDeque::from([Step::Say("I look. ")]);
        if self.plan.silent && turn == 1 {
            steps.push_back(Step::Hang);
            return steps;
        }
        let trouble = if self.calm { 0 } else { self.plan.trouble };
        let mends = !self.chance.percent(trouble);
        steps.extend(marked.into_iter().filter(|_| mends).map(|path| Step::Edit(path, stamp.clone())));
        if self.chance.percent(trouble) {
            steps.push_back(Step::Edit("shared.txt".to_owned(), stamp.clone()));
        }
        match self.chance.below(400) {
            n if n < trouble => steps.push_back(Step::Ask),
            n if n < 2 * trouble => steps.push_back(Step::Question),
            _ => {}
        }
        let text = if self.chance.percent(trouble / 2) { format!("bug\n{stamp}") } else { stamp };
        if !self.chance.percent(trouble / 4) {
            steps.push_back(Step::Edit(own, text));
        }
        steps.push_back(Step::Say("Done."));
        let end = match self.chance.below(800) {
            n if n < trouble => Step::Die,
            n if n < 2 * trouble => Step::Hang,
            n if n < 3 * trouble => Step::Fail("You have hit your usage limit, try again in 2 hours"),
            n if n < 4 * trouble => Step::Fail("Internal error"),
            n if n < 5 * trouble => Step::End("refusal"),
            n if n < 6 * trouble => Step::End("max_tokens"),
            _ => Step::End("end_turn"),
        };
        steps.push_back(end);
        steps
    }

    fn next_step(&mut self, dir: &Path) {
        let Some(agent) = self.agent(dir) else { return };
        let era = agent.era;
        let millis = self.chance.between(1, 20_000);
        self.later(millis, Next::Step(dir.to_owned(), era));
    }

    /// The next step of its turn is due.
    pub(crate) fn step(&mut self, dir: &Path, era: u64) {
        let Some(agent) = self.agent(dir) else { return };
        let attempt = agent.attempt.clone();
        if agent.era != era {
            return;
        }
        let Some(step) = agent.turn.as_mut().and_then(|turn| turn.steps.pop_front()) else { return };
        match step {
            Step::Say(words) => self.say(dir, words),
            Step::Edit(path, text) => self.edit(&attempt, &path, &text),
            Step::Ask => return self.ask_permission(dir, &attempt),
            Step::Question => return self.ask_question(dir),
            Step::End(why) => return self.end_turn(dir, why),
            Step::Fail(text) => {
                if let Some(turn) = self.agent(dir).and_then(|agent| agent.turn.take()) {
                    self.refuse(dir, &turn.id, -32603, text);
                }
                return;
            }
            Step::Die => return self.end(dir, 1, Outcome::Exited { code: 101 }, Some(EndedBy::Kill)),
            Step::Hang => return,
        }
        self.next_step(dir);
    }

    fn say(&mut self, dir: &Path, words: &str) {
        let session = self.agent(dir).map(|agent| agent.session.clone()).unwrap_or_default();
        let update =
            json!({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": words}});
        self.send(
            dir,
            &json!({"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": session, "update": update}}),
        );
    }

    fn request(&mut self, dir: &Path, method: &str, params: &Value) {
        let Some(agent) = self.agent(dir) else { return };
        agent.requests += 1;
        let id = agent.requests;
        if let Some(turn) = &mut agent.turn {
            turn.asks = Some(id);
        }
        self.send(dir, &json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
    }

    fn ask_permission(&mut self, dir: &Path, attempt: &str) {
        let session = self.agent(dir).map(|agent| agent.session.clone()).unwrap_or_default();
        let path = PathBuf::from("/sim/workspaces").join(attempt).join("a.txt");
        let params = json!({
            "sessionId": session,
            "toolCall": {"toolCallId": "call", "title": "Write a.txt", "kind": "execute", "locations": [{"path": path}]},
            "options": [
                {"optionId": "yes", "name": "Yes", "kind": "allow_once"},
                {"optionId": "no", "name": "No", "kind": "reject_once"},
            ],
        });
        self.request(dir, "session/request_permission", &params);
    }

    fn ask_question(&mut self, dir: &Path) {
        let session = self.agent(dir).map(|agent| agent.session.clone()).unwrap_or_default();
        let schema = json!({"type": "object", "properties": {"name": {"type": "string", "title": "Name"}}});
        let params = json!({"sessionId": session, "mode": "form", "message": "Which name?", "requestedSchema": schema});
        self.request(dir, "elicitation/create", &params);
    }

    fn hear_answer(&mut self, dir: &Path, id: &Value, _answer: &Value) {
        let Some(agent) = self.agent(dir) else { return };
        let Some(turn) = &mut agent.turn else { return };
        if turn.asks.is_some_and(|asked| id.as_i64() == Some(asked)) {
            turn.asks = None;
            self.next_step(dir);
        }
    }

    fn hear_cancel(&mut self, dir: &Path) {
        let Some(agent) = self.agent(dir) else { return };
        if agent.deaf {
            return;
        }
        agent.era += 1;
        if let Some(turn) = &mut agent.turn {
            turn.steps = VecDeque::from([Step::End("cancelled")]);
            self.next_step(dir);
        }
    }

    fn end_turn(&mut self, dir: &Path, why: &str) {
        let Some(agent) = self.agent(dir) else { return };
        let attempt = agent.attempt.clone();
        let Some(turn) = agent.turn.take() else { return };
        let (input, output) = (self.chance.between(1, 1000), self.chance.between(1, 1000));
        self.used.insert((attempt, turn.number), (input, output));
        let usage = json!({"inputTokens": input, "outputTokens": output, "totalTokens": input + output});
        self.reply(dir, &turn.id, json!({"stopReason": why, "usage": usage}));
    }
}
