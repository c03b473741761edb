//! A live agent: its process in a launch, and the conversation over its bytes, as the engine holds them.

use std::time::Duration;

use divisi_agent::acp::{self, McpServer, Open, PromptPart, Stage};
use divisi_agent::exec::{self, Exited};
use divisi_agent::{
    Action, Asked, Conversation, ConversationSetup, Definition, Drive, ExecTurn, Failure, ModeName, Quirks,
    Reply,
};
use divisi_model::event::{Origin, SessionStart, TurnOutcome, Usage};
use divisi_model::transcript::{Entry, EntryBody};
use divisi_workspace::launch::{Followed, Follower, Launch, Outcome, State};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::desk::Desk;

/// How long a session may take to open; a cold start of the heaviest agents takes some ten seconds on two cores.
const OPEN_MAX: Duration = Duration::from_secs(60);
/// How long a turn may take that nothing disturbs.
pub const TURN_MAX: Duration = Duration::from_secs(60);
/// What the engine gives an agent to end a cancelled turn before it ends its process.
pub const CANCEL_GRACE: Duration = Duration::from_secs(20);
/// What the engine gives an agent to close its session.
const CLOSE_GRACE: Duration = Duration::from_secs(2);
/// How long a process may take to go when its input is closed.
const EOF_MAX: Duration = Duration::from_secs(10);
/// Between two looks at what is not told by the agent.
const LOOK: Duration = Duration::from_millis(50);

/// How a turn ended.
#[derive(Clone, Debug)]
pub struct Ended {
    pub outcome: TurnOutcome,
    pub usage: Usage,
}

/// What a session is opened with.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    pub mode: ModeName,
    /// The agent's own session to take up.
    pub resume: Option<String>,
    pub mcp: bool,
}

/// A session with an agent; for a command that is started anew for each turn, all its turns.
pub struct Talk<'a> {
    desk: &'a Desk<'a>,
    wish: Wish,
    live: Option<Live>,
    turns: u32,
    entries: Vec<Entry>,
    /// What the agent asks and nobody answered yet.
    pub asks: Vec<Asked>,
    /// How the session was opened, and its id.
    pub opened: Option<(String, SessionStart)>,
    pub failure: Option<Failure>,
    /// The turns that ended.
    pub ended: Vec<Ended>,
    /// Pieces of text heard since the last prompt.
    pub words: usize,
}

struct Live {
    launch: Launch,
    follower: Follower,
    conversation: Conversation,
    written: u64,
    exit: Option<String>,
}

impl<'a> Talk<'a> {
    /// Opens a session; a command's first turn does that for itself.
    pub async fn open(desk: &'a Desk<'a>, wish: Wish) -> Result<Self, String> {
        let mut talk = Self {
            desk,
            wish,
            live: None,
            turns: 0,
            entries: Vec::new(),
            asks: Vec::new(),
            opened: None,
            failure: None,
            ended: Vec::new(),
            words: 0,
        };
        if desk.definition.drive == Drive::Acp {
            talk.start(None).await?;
            let ready = |talk: &Self| talk.stage() == Stage::Idle;
            if !talk.listen(OPEN_MAX, ready).await {
                return Err(talk.why("the session did not open"));
            }
        }
        Ok(talk)
    }

    pub fn is_acp(&self) -> bool {
        self.desk.definition.drive == Drive::Acp
    }

    pub fn stage(&self) -> Stage {
        self.live.as_ref().map_or(Stage::Idle, |live| live.conversation.stage())
    }

    /// Whether the process has ended.
    pub fn is_gone(&self) -> bool {
        self.live.as_ref().is_none_or(|live| live.exit.is_some())
    }

    /// Begins a turn.
    pub async fn prompt(&mut self, text: &str) -> Result<(), String> {
        self.turns += 1;
        self.words = 0;
        let part = PromptPart::words(Origin::Person, text);
        if self.is_acp() {
            let turn = self.turns;
            let live = self.live.as_mut().ok_or("the session is closed")?;
            let actions = live
                .conversation
                .prompt(turn, &[part], Timestamp::now())
                .map_err(|error| format!("the prompt was not taken: {error}"))?;
            return self.act(actions).await;
        }
        self.start(Some(part)).await
    }

    /// A whole turn.
    pub async fn turn(&mut self, text: &str) -> Result<Ended, String> {
        self.prompt(text).await?;
        self.end_of_turn(TURN_MAX).await
    }

    /// Waits for the end of the turn under way.
    pub async fn end_of_turn(&mut self, max: Duration) -> Result<Ended, String> {
        let turns = self.turns as usize;
        let over = self.listen(max, |talk| talk.ended.len() >= turns).await;
        match self.ended.last() {
            Some(ended) if over => Ok(ended.clone()),
            _ => Err(self.why(&format!("the turn had not ended after {} s", max.as_secs()))),
        }
    }

    /// Waits until the agent asks for something.
    pub async fn until_asked(&mut self) -> Result<Asked, String> {
        let turns = self.turns as usize;
        self.listen(TURN_MAX, |talk| !talk.asks.is_empty() || talk.ended.len() >= turns).await;
        match self.asks.first() {
            Some(asked) => Ok(asked.clone()),
            None => Err("it did not ask".to_owned()),
        }
    }

    pub async fn answer(&mut self, reply: &Reply) -> Result<(), String> {
        if self.asks.is_empty() {
            return Err("there is nothing to answer".to_owned());
        }
        let asked = self.asks.remove(0);
        let live = self.live.as_mut().ok_or("the session is closed")?;
        let actions = live.conversation.answer(&asked.request, reply, Timestamp::now());
        self.act(actions.map_err(|error| error.to_string())?).await
    }

    /// Cancels as the engine does, and says how long the agent took to end its turn; none if it did not in time.
    pub async fn cancel(&mut self) -> Result<Option<Duration>, String> {
        let turns = self.turns as usize;
        let Some(live) = self.live.as_mut() else { return Err("the session is closed".to_owned()) };
        let actions = live.conversation.cancel(Timestamp::now());
        let since = Instant::now();
        let ends_process = actions.contains(&Action::Closed);
        self.act(actions).await?;
        if ends_process {
            self.terminate().await?;
        }
        let over = self.listen(CANCEL_GRACE, |talk| talk.ended.len() >= turns).await;
        Ok(over.then(|| since.elapsed()))
    }

    /// Sends a cancel that crosses the end of a turn on its way.
    pub async fn cancel_idle(&mut self) -> Result<(), String> {
        let Some((id, _)) = self.opened.clone() else { return Err("the session has no id".to_owned()) };
        let params = serde_json::json!({ "sessionId": id });
        let message = serde_json::json!({ "jsonrpc": "2.0", "method": "session/cancel", "params": params });
        self.act(vec![Action::Send(format!("{message}\n").into_bytes())]).await
    }

    /// Hears the agent out until `wanted`, or its process ends, or the time is over. Gives back whether it is so.
    pub async fn listen(&mut self, max: Duration, wanted: impl Fn(&Self) -> bool) -> bool {
        let until = Instant::now() + max;
        while !wanted(self) {
            let now = Instant::now();
            if now >= until || self.is_gone() || self.failure.is_some() {
                return wanted(self);
            }
            self.hear(LOOK.min(until - now)).await;
        }
        true
    }

    /// Everything that the agent said in the running or the last turn.
    pub fn said(&self) -> String {
        let of_turn = self.entries.iter().filter(|entry| entry.turn == self.turns);
        let words = of_turn.filter_map(|entry| match &entry.body {
            EntryBody::Message { text } => Some(text.text.as_str()),
            _ => None,
        });
        words.collect::<Vec<_>>().join("\n").trim().to_owned()
    }

    /// The transcript so far.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Closes the input and waits whether the process goes by itself.
    pub async fn goes_at_eof(&mut self) -> bool {
        self.act(vec![Action::CloseStdin]).await.is_ok() && {
            self.listen(EOF_MAX, |talk| talk.is_gone()).await;
            self.is_gone()
        }
    }

    /// Ends the process as the engine does, and says what lives on.
    pub async fn end(&mut self) -> Result<Vec<String>, String> {
        if self.is_acp() && self.stage() == Stage::Idle && !self.is_gone() {
            let actions = self.live.as_mut().map(|live| live.conversation.close(Timestamp::now()));
            self.act(actions.unwrap_or_default()).await?;
            self.listen(CLOSE_GRACE, |talk| talk.stage() == Stage::Over).await;
        }
        if self.live.is_some() {
            self.terminate().await?;
        }
        Ok(self.desk.processes())
    }

    async fn terminate(&mut self) -> Result<(), String> {
        let Some(live) = self.live.as_ref() else { return Ok(()) };
        live.launch.terminate(None).await.map_err(|error| error.to_string())?;
        // The grace of the launch, the kill after it, and some.
        let until = Instant::now() + 2 * CANCEL_GRACE;
        while !self.is_gone() && Instant::now() < until {
            self.hear(LOOK).await;
        }
        if self.is_gone() { Ok(()) } else { Err("its process did not end".to_owned()) }
    }

    async fn start(&mut self, exec: Option<PromptPart>) -> Result<(), String> {
        let dir = self.desk.launch_folder();
        let definition = &self.desk.definition;
        let (setup, spec) = match exec {
            None => {
                let (plan, spec) = self.desk.plan(self.wish.mode, None, &dir)?;
                (ConversationSetup::Acp(self.acp_setup(&plan)), spec)
            }
            Some(part) => {
                let (setup, turn) = self.exec_setup(definition, part);
                let (_, spec) = self.desk.plan(self.wish.mode, Some(turn), &dir)?;
                (ConversationSetup::Exec(setup), spec)
            }
        };
        let launch =
            Launch::start(&dir, &spec, &self.desk.shim()).await.map_err(|error| error.to_string())?;
        self.desk.started(&launch);
        let follower = launch.follow(0).map_err(|error| error.to_string())?;
        let mut conversation = Conversation::replaying(setup, b"", Timestamp::now());
        let mut actions = conversation.live(Timestamp::now());
        actions.extend(conversation.start(Timestamp::now()));
        self.live = Some(Live { launch, follower, conversation, written: 0, exit: None });
        self.act(actions).await
    }

    fn acp_setup(&self, plan: &divisi_agent::AgentLaunch) -> acp::Setup {
        let server = McpServer::Stdio {
            name: crate::board::NAME.to_owned(),
            command: self.desk.agent.own_program.clone(),
            args: vec!["mcp-server".to_owned(), self.desk.board().to_string_lossy().into_owned()],
            env: Default::default(),
        };
        // Whether it can take up a session is what is to be seen, so it is tried whatever the definition says.
        let quirks = Quirks { load_once: false, ..self.desk.definition.quirks.clone() };
        acp::Setup {
            cwd: self.desk.workspace(),
            open: self.wish.resume.clone().map_or(Open::New, Open::Resume),
            mcp_servers: if self.wish.mcp { vec![server] } else { Vec::new() },
            mode: plan.mode_id.clone(),
            authenticate: plan.authenticate.clone(),
            elicitation: self.desk.definition.acp.questions,
            quirks,
            zone: None,
            first_seq: 1,
            turn: 0,
            counted: Default::default(),
            start_seconds: self.desk.definition.acp.start_seconds,
        }
    }

    /// What the engine does for a command's next turn: resume where the agent can, a hand-off where it cannot.
    fn exec_setup(&self, definition: &Definition, part: PromptPart) -> (exec::Setup, ExecTurn) {
        let earlier = self.opened.as_ref().map(|(id, _)| id.clone());
        let resume = earlier.is_some() && definition.can_resume() && self.turns > 1;
        let mut prompts = vec![part];
        if self.turns > 1 && !resume {
            let packet =
                divisi_agent::handoff::HandOff { task: &self.first_prompt(), entries: &self.entries };
            let text = divisi_agent::handoff::packet(&packet);
            prompts.insert(0, PromptPart::words(Origin::Task, text));
        }
        let prompt = prompts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join("\n\n");
        let session = if resume { earlier } else { None };
        let setup = exec::Setup {
            output: definition.exec.output,
            turn: self.turns,
            prompts,
            session: session.clone(),
            resume,
            quirks: definition.quirks.clone(),
            zone: None,
            first_seq: 1 + self.entries.len() as u64,
            counted: Default::default(),
        };
        (setup, ExecTurn { prompt, session, resume })
    }

    fn first_prompt(&self) -> String {
        let prompt = self.entries.iter().find_map(|entry| match &entry.body {
            EntryBody::Prompt { text, .. } => Some(text.text.clone()),
            _ => None,
        });
        prompt.unwrap_or_default()
    }

    /// Takes what the agent says within `max`.
    async fn hear(&mut self, max: Duration) {
        let Some(live) = self.live.as_mut().filter(|live| live.exit.is_none()) else { return };
        let Ok(heard) = tokio::time::timeout(max, live.follower.next()).await else { return };
        let actions = match heard {
            Ok(Followed::Bytes { offset, bytes }) => {
                live.conversation.feed_out(&bytes, offset, Timestamp::now())
            }
            Ok(Followed::Ended(exit)) => {
                let code = match exit.outcome {
                    Outcome::Exited { code } => Some(code),
                    _ => None,
                };
                let errors = live.launch.load_err_tail(2000).unwrap_or_default();
                let errors = String::from_utf8_lossy(&errors).into_owned();
                let text = format!("the agent's process ended: {:?}", exit.outcome);
                live.exit = Some(text.clone());
                live.conversation.exited(&Exited { code, text, errors }, Timestamp::now())
            }
            Err(error) => {
                live.exit = Some(format!("its output cannot be read: {error}"));
                Vec::new()
            }
        };
        // What cannot be written to a process that is gone is told by its end.
        drop(self.act(actions).await);
    }

    async fn act(&mut self, actions: Vec<Action>) -> Result<(), String> {
        for action in actions {
            match action {
                Action::Send(bytes) => {
                    let Some(live) = self.live.as_mut() else { continue };
                    match live.launch.write(live.written, &bytes).await {
                        Ok(next) => live.written = next,
                        Err(_) if matches!(live.launch.status().state, State::Ended(_)) => {}
                        Err(error) => return Err(format!("nothing can be sent: {error}")),
                    }
                }
                Action::CloseStdin => {
                    if let Some(live) = &self.live {
                        drop(live.launch.close_stdin(live.written).await);
                    }
                }
                Action::Entry(entry) => {
                    self.words += usize::from(matches!(entry.body, EntryBody::Message { .. }));
                    match self.entries.iter_mut().rev().find(|known| known.seq == entry.seq) {
                        Some(known) => *known = entry,
                        None => self.entries.push(entry),
                    }
                }
                Action::Text { seq, text } => {
                    self.words += 1;
                    let known = self.entries.iter_mut().rev().find(|known| known.seq == seq);
                    if let Some(EntryBody::Message { text: kept }) = known.map(|entry| &mut entry.body) {
                        kept.text.push_str(&text);
                    }
                }
                Action::SessionOpened { id, how } => self.opened = Some((id, how)),
                Action::Asked(asked) => {
                    if self.asks.iter().all(|known| known.request != asked.request) {
                        self.asks.push(asked);
                    }
                }
                Action::AskOver { request } => self.asks.retain(|asked| asked.request != request),
                Action::TurnEnded { outcome, usage, .. } => {
                    self.ended.push(Ended { outcome, usage });
                }
                Action::Failed(failure) => self.failure = Some(failure),
                Action::Ready | Action::Closed => {}
            }
        }
        Ok(())
    }

    /// Why something did not come, as far as is known.
    fn why(&self, what: &str) -> String {
        if let Some(failure) = &self.failure {
            return format!("{what}: {}", one_line(&failure.text));
        }
        match self.live.as_ref().and_then(|live| live.exit.clone()) {
            Some(exit) => format!("{what}: {}{}", exit, self.last_error()),
            None => what.to_owned(),
        }
    }

    fn last_error(&self) -> String {
        let tail =
            self.live.as_ref().and_then(|live| live.launch.load_err_tail(2000).ok()).unwrap_or_default();
        let text = String::from_utf8_lossy(&tail).into_owned();
        text.lines().last().map(|line| format!(" ({})", one_line(line))).unwrap_or_default()
    }
}

/// The beginning of a text as one line.
pub fn one_line(text: &str) -> String {
    const WORDS: usize = 160;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(WORDS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}
