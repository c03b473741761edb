//! A task driven by commands, as the authority would, without a store.

use divisi_model::event::{AttemptResult, TurnOutcome, Usage, Workspace};
use divisi_model::evidence::{CheckOutcome, Evidence};
use divisi_model::task::{Asked, Base, CheckedBy, Criterion, Gate, TaskSettings, TaskSpec};
use divisi_model::{
    Actor, Command, Envelope, Event, Oid, ProjectId, Refusal, Stream, TaskId, TaskNumber, TaskState, decide,
    fold,
};
use jiff::Timestamp;
use uuid::Uuid;

pub struct Board {
    pub state: Option<TaskState>,
    pub log: Vec<Envelope>,
    /// By how many seconds somebody set the clock.
    pub clock_set: i64,
    ids: u128,
    task: TaskId,
}

pub fn spec(gates: &[&str], criteria: &[&str], attempts: usize) -> TaskSpec {
    TaskSpec {
        number: TaskNumber(7),
        project: ProjectId(Uuid::from_u128(1)),
        title: "Fix the parser".into(),
        prompt: "Fix the parser".into(),
        images: vec![],
        criteria: criteria.iter().map(|c| Criterion { text: (*c).into(), by: CheckedBy::Person }).collect(),
        base: Base { branch: "main".into(), commit: oid(0) },
        agents: vec!["rehearsal".into(); attempts],
        settings: TaskSettings {
            gates: gates
                .iter()
                .map(|g| Gate {
                    name: (*g).into(),
                    command: (*g).into(),
                    required: true,
                    timeout_seconds: 60,
                })
                .collect(),
            rounds: 2,
            ..TaskSettings::default()
        },
        scope: vec![],
        budget: None,
        asked: Asked::default(),
    }
}

pub fn oid(n: u32) -> Oid {
    Oid(format!("{n:040x}"))
}

impl Board {
    pub fn new(spec: TaskSpec) -> Self {
        Self::of(TaskId(Uuid::from_u128(2)), spec)
    }

    /// The board of a second task.
    pub fn another(spec: TaskSpec) -> Self {
        Self::of(TaskId(Uuid::from_u128(3)), spec)
    }

    /// The board of a task that is staged.
    pub fn staged(spec: TaskSpec) -> Self {
        Self::with(TaskId(Uuid::from_u128(4)), spec, true)
    }

    fn of(task: TaskId, spec: TaskSpec) -> Self {
        Self::with(task, spec, false)
    }

    fn with(task: TaskId, spec: TaskSpec, stage: bool) -> Self {
        let mut board = Self { state: None, log: Vec::new(), clock_set: 0, ids: 100, task };
        board.ask(Command::Add { spec: Box::new(spec), stage }).unwrap();
        board
    }

    pub fn ask(&mut self, command: Command) -> Result<Vec<&'static str>, Refusal> {
        self.ask_as(Actor::Divisi, command)
    }

    pub fn ask_as(&mut self, actor: Actor, command: Command) -> Result<Vec<&'static str>, Refusal> {
        let ids = &mut self.ids;
        let events = decide(self.state.as_ref(), command, &mut || {
            *ids += 1;
            Uuid::from_u128(*ids)
        })?;
        let mut kinds = Vec::new();
        for event in events {
            kinds.push(kind(&event));
            let seq = self.log.len() as u64 + 1;
            let task = self.task;
            let at = Timestamp::from_second(seq as i64 + self.clock_set).unwrap();
            let stream = Stream::Task(task);
            let envelope = Envelope { seq, stream, version: seq, at, actor: actor.clone(), event };
            self.state = fold(self.state.take(), task, &envelope);
            self.log.push(envelope);
        }
        Ok(kinds)
    }

    pub fn tell(&mut self, event: Event) -> Result<Vec<&'static str>, Refusal> {
        self.ask(Command::Report(event))
    }

    pub fn state(&self) -> &TaskState {
        self.state.as_ref().unwrap()
    }

    pub fn status(&self) -> String {
        divisi_model::view::task_status(self.state()).unwrap().state
    }

    pub fn start_turn(&mut self) {
        if self.state().attempts[0].lease.is_none() {
            self.tell(Event::AttemptLeased { attempt: 1, worker: "local".into(), slot: 0 }).unwrap();
            self.tell(Event::WorkspaceReady { attempt: 1, workspace: workspace() }).unwrap();
        }
        if self.state().attempts[0].open_session().is_none() {
            let session = self.state().attempts[0].sessions.len() as u32 + 1;
            let how = divisi_model::event::SessionStart::New;
            self.tell(Event::SessionOpened { attempt: 1, session, launch: "s".into(), how, sandbox: None })
                .unwrap();
        }
        let attempt = &self.state().attempts[0];
        let (turn, session) = (attempt.turns.len() as u32 + 1, attempt.sessions.len() as u32);
        let prompts = attempt.queue.iter().map(|p| p.id).collect();
        self.tell(Event::TurnStarted { attempt: 1, turn, session, prompts }).unwrap();
    }

    pub fn end_turn(&mut self, outcome: TurnOutcome) -> Vec<&'static str> {
        let turn = self.state().attempts[0].turns.len() as u32;
        self.tell(Event::TurnEnded { attempt: 1, turn, outcome, usage: Usage::default() }).unwrap()
    }

    pub fn result(&mut self, n: u32, files: u32) -> Vec<&'static str> {
        let result = result(n, files);
        self.tell(Event::ResultMade { attempt: 1, result, comments: vec![] }).unwrap()
    }

    pub fn check(&mut self, n: u32, check: &str, passed: bool) {
        self.tell(Event::EvidenceStored { attempt: 1, evidence: Box::new(evidence(n, check, passed)) })
            .unwrap();
    }

    pub fn in_review() -> Self {
        let mut board = Self::new(spec(&["tests"], &[], 1));
        board.start_turn();
        board.end_turn(TurnOutcome::Completed);
        board.result(1, 1);
        board.check(1, "tests", true);
        board.tell(Event::ChecksEnded { attempt: 1, commit: oid(1), passed: true }).unwrap();
        board
    }
}

pub fn result(n: u32, files: u32) -> AttemptResult {
    let (commit, tree, base) = (oid(n), oid(1000 + n), oid(0));
    AttemptResult {
        turn: 1,
        commit,
        tree,
        base,
        files,
        added: 1,
        removed: 0,
        notes: vec![],
        outside_scope: vec![],
    }
}

pub fn evidence(n: u32, check: &str, passed: bool) -> Evidence {
    Evidence {
        check: check.into(),
        command: check.into(),
        required: true,
        criterion: None,
        commit: oid(n),
        tree: oid(1000 + n),
        outcome: if passed { CheckOutcome::Passed } else { CheckOutcome::Failed { code: 1 } },
        started: Timestamp::UNIX_EPOCH,
        millis: 1,
        log_sha256: String::new(),
        log: String::new(),
        counts: None,
        environment: String::new(),
    }
}

pub fn workspace() -> Workspace {
    Workspace {
        path: "/w".into(),
        branch: "divisi/t7-fix-the-parser".into(),
        first_port: 20_000,
        ports: 10,
        kind: "checkout".into(),
        setup_log: None,
        included: 0,
    }
}

fn kind(event: &Event) -> &'static str {
    let value = serde_json::to_value(event).unwrap();
    let kind = value["kind"].as_str().unwrap().to_owned();
    Box::leak(kind.into_boxed_str())
}
