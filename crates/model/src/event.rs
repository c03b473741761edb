//! Everything that can happen. Events are only ever added to: a field added later has a default, a kind is never
//! taken away, so that an old log always opens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::evidence::Evidence;
use crate::ids::{ItemId, Oid, ProjectId, TaskId};
use crate::inbox::{Answer, Ask};
use crate::project::Project;
use crate::review::{Comment, Verdict};
use crate::task::TaskSpec;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Its place in the whole log, from 1 without gaps.
    pub seq: u64,
    /// The stream it belongs to.
    pub stream: Stream,
    /// Its place in its stream, from 1 without gaps.
    pub version: u64,
    /// When it was appended.
    pub at: Timestamp,
    /// Who caused it.
    pub actor: Actor,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What an event is about; the unit of the stale-writer check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Stream {
    /// A project.
    Project(ProjectId),
    /// A task with its attempts, sessions, checks and landings.
    Task(TaskId),
}

/// Who caused an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum Actor {
    /// A person, by the name they are known by on this machine.
    Person {
        /// The name.
        name: String,
    },
    /// An agent.
    Agent {
        /// The agent's name.
        name: String,
    },
    /// Divisi itself.
    Divisi,
}

/// What happened. Fields are those of the types they carry; `attempt` is the attempt's number, `turn` and `session`
/// count from 1 in it.
#[expect(missing_docs, reason = "each variant's sentence and its field names say it")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// A project became known, or moved to another folder.
    ProjectAdded { project: Project },
    /// A task was given out.
    TaskAdded { spec: Box<TaskSpec> },
    /// The task was put away; its workspaces are removed after a full snapshot.
    TaskArchived,
    /// The task was taken out again.
    TaskRestored,
    /// A try at the task was set up.
    AttemptAdded { attempt: u16, agent: String, branch: String },
    /// A prompt waits for the attempt.
    PromptQueued { attempt: u16, prompt: Prompt },
    /// The attempt got a slot on a worker.
    AttemptLeased { attempt: u16, worker: String, slot: u16 },
    /// The workspace is ready for its agent; setup, if any, passed.
    WorkspaceReady { attempt: u16, workspace: Workspace },
    /// The workspace could not be made, or its setup failed.
    WorkspaceFailed {
        attempt: u16,
        why: String,
        #[serde(default)]
        log: Option<String>,
    },
    /// The workspace's files were brought onto another base, for example to resolve a conflict.
    BaseMoved {
        attempt: u16,
        base: Oid,
        #[serde(default)]
        conflicts: Vec<String>,
    },
    /// A session is about to speak with its agent; its launch folder is known before the agent starts.
    SessionOpened {
        attempt: u16,
        session: u32,
        launch: String,
        how: SessionStart,
        /// Not known of sessions before there was any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sandbox: Option<SandboxKind>,
    },
    /// The agent gave the session its own id, which is stored before the first prompt.
    SessionNamed { attempt: u16, session: u32, agent_session: String },
    /// The session's process is gone or was ended.
    SessionClosed {
        attempt: u16,
        session: u32,
        why: String,
        /// The agent's own memory of it is gone too, so that it cannot be taken up again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        forgotten: bool,
    },
    /// A turn began with these queued prompts.
    TurnStarted { attempt: u16, turn: u32, session: u32, prompts: Vec<u32> },
    /// The agent took a prompt in the middle of the turn.
    PromptGiven { attempt: u16, turn: u32, prompt: u32 },
    /// A person asked to end the turn.
    TurnCancelRequested { attempt: u16, turn: u32 },
    /// The whole workspace was kept on a hidden ref.
    SnapshotTaken {
        attempt: u16,
        turn: u32,
        commit: Oid,
        reference: String,
        #[serde(default)]
        notes: Vec<String>,
    },
    /// The agent is idle again.
    TurnEnded {
        attempt: u16,
        turn: u32,
        outcome: TurnOutcome,
        #[serde(default)]
        usage: Usage,
    },
    /// Divisi built the attempt's commit from the workspace.
    ResultMade { attempt: u16, result: AttemptResult },
    /// A check ended.
    EvidenceStored { attempt: u16, evidence: Box<Evidence> },
    /// All checks of a result are known.
    ChecksEnded { attempt: u16, commit: Oid, passed: bool },
    /// Something waits for a person.
    ItemOpened { item: ItemId, attempt: u16, ask: Ask },
    /// It was answered.
    ItemAnswered { item: ItemId, answer: Answer },
    /// A person gave a verdict.
    Reviewed {
        attempt: u16,
        commit: Oid,
        verdict: Verdict,
        #[serde(default)]
        comments: Vec<Comment>,
        #[serde(default)]
        note: String,
    },
    /// A person asked to land the attempt.
    LandingRequested { attempt: u16 },
    /// The combination is built and checked, and the target branch is about to move: after a crash this tells whether it has.
    LandingPrepared { attempt: u16, landing: Landing },
    /// The result is on its target branch.
    Landed { attempt: u16, landing: Landing },
    /// It could not land.
    LandingFailed { attempt: u16, why: LandingFailure },
    /// A person asked to take a landing back.
    UndoRequested { attempt: u16 },
    /// The target branch is exactly where it was before the landing.
    LandingUndone { attempt: u16, from: Oid, to: Oid },
    /// The landing could not be taken back.
    UndoFailed { attempt: u16, why: String },
    /// The attempt was stopped, by a person unless `why` says otherwise; everything it started is ended.
    AttemptStopped {
        attempt: u16,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// The attempt goes on after a stop or a stall.
    AttemptResumed { attempt: u16 },
    /// The attempt waits for its turn to begin a session until a limit ends that another attempt of its agent ran into.
    AttemptHeld { attempt: u16, until: Timestamp, why: String },
    /// The usage limit that the attempt waited for is over, or has proved to be; it goes on by itself.
    LimitOver { attempt: u16 },
    /// The attempt cannot go on without a person.
    AttemptBlocked { attempt: u16, why: Blocked },
    /// The workspace was removed after a full snapshot. `outside`: where that is now which somebody had put into its
    /// folder from outside, where its agent did not see it.
    WorkspaceArchived {
        attempt: u16,
        commit: Oid,
        reference: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outside: Option<String>,
    },
    /// The workspace is back, byte for byte. `kind`: how it is made now, if not as before. `first_port`: another where
    /// its slot was given away meanwhile.
    WorkspaceRestored {
        attempt: u16,
        path: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first_port: Option<u16>,
    },
}

/// Words for the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Its number in the attempt, from 1.
    pub id: u32,
    /// The words.
    pub text: String,
    /// Where they come from.
    pub origin: Origin,
    /// When they reach the agent.
    #[serde(default)]
    pub delivery: Delivery,
}

/// Where a prompt comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The task itself.
    Task,
    /// A person's message.
    Person,
    /// A failed check.
    Check,
    /// A review.
    Review,
    /// A conflict with what landed meanwhile.
    Conflict,
    /// A usage limit that is over: what was asked before it.
    Limit,
}

/// When a message reaches an agent that is in the middle of a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// After the turn.
    #[default]
    Queue,
    /// At the next safe moment of the running turn, where the agent can; otherwise after the turn, before what is queued.
    Steer,
    /// Now: the running turn is cancelled first.
    Interrupt,
}

/// An isolated checkout with its branch and ports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// Absolute path.
    pub path: String,
    /// Its branch.
    pub branch: String,
    /// First port of its block.
    pub first_port: u16,
    /// How many ports it has.
    pub ports: u16,
    /// How it is made: `checkout` or `overlay`.
    pub kind: String,
    /// The setup script's log, relative to the data folder, where one ran.
    #[serde(default)]
    pub setup_log: Option<String>,
    /// Files copied in by `.worktreeinclude`.
    #[serde(default)]
    pub included: u32,
}

impl Workspace {
    /// Gives it another block of ports; what its setup wrote no longer fits then. Whether they are others.
    pub fn move_ports(&mut self, first_port: u16) -> bool {
        let others = self.first_port != first_port;
        if others {
            self.first_port = first_port;
            self.setup_log = None;
        }
        others
    }
}

/// What keeps a session in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxKind {
    /// Namespaces: the machine is read-only but for what is its own, and Divisi's data is hidden.
    Namespaces,
    /// It can write only what is its own, and see everything.
    WritesOnly,
    /// Nothing: it may do all that its user may.
    Off,
}

/// How a session began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionStart {
    /// From nothing.
    New,
    /// The agent took up its earlier session.
    Resumed,
    /// The agent could not, and got a hand-off of what happened.
    HandOff,
}

/// How a turn ended, judged from the protocol and the process, not from an exit code alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum TurnOutcome {
    /// The agent is done and says so.
    Completed,
    /// It was cancelled.
    Cancelled,
    /// The agent's model refused.
    Refused,
    /// The agent needs a login.
    NeedsLogin {
        /// What it said.
        text: String,
        /// The exact command that logs in, where one is known.
        #[serde(default)]
        command: Option<String>,
    },
    /// A usage limit was reached that ends by itself.
    UsageLimit {
        /// What it said.
        text: String,
        /// When it ends, or is to be tried again.
        #[serde(default)]
        until: Option<Timestamp>,
        /// Nobody said when it ends: the time is Divisi's own, to try again.
        #[serde(default)]
        guessed: bool,
    },
    /// Somebody must pay before the agent goes on.
    NeedsCredit {
        /// What it said.
        text: String,
    },
    /// The agent reported an error or broke the protocol.
    AgentError {
        /// What it said.
        text: String,
    },
    /// The agent stopped in the middle of the work, at a limit of its own (tokens, requests).
    CutShort {
        /// Which limit, in the agent's words.
        text: String,
    },
    /// A permission was denied and the agent ended its turn over it instead of going on.
    Denied,
    /// The agent said it was done but neither said nor did anything, or gave no sign of life for too long.
    NoProgress,
    /// The agent's process ended in the middle of the turn.
    ProcessEnded {
        /// How.
        text: String,
    },
}

/// What a turn used, as the agent reported it and made per turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Input tokens.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// Input tokens read from a cache.
    pub cached_read: u64,
    /// Input tokens written to a cache.
    pub cached_write: u64,
    /// The input counts what was read from a cache too, in logs of 0.1.0; nothing sets it any more: that comes on top.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cached_in_input: bool,
    /// The tokens are a lower bound: the agent reports less than the turn.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub at_least: bool,
    /// Cost in millionths of a US dollar. None: not known, which is not nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_micros: Option<u64>,
    /// The cost was computed from prices; otherwise the agent reported it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    /// In a sum: the cost of some of the tokens is not known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unpriced: bool,
    /// Cost in US dollars as the agent reported it, in logs of 0.1.0; nothing sets it any more.
    pub cost_usd: Option<f64>,
}

/// The commit that an attempt hands back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptResult {
    /// The turn after which it was built.
    pub turn: u32,
    /// The commit in the hub.
    pub commit: Oid,
    /// Its tree.
    pub tree: Oid,
    /// The base it is compared with.
    pub base: Oid,
    /// Files changed.
    pub files: u32,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
    /// What a reviewer must know, for example files that only a changed ignore rule hides.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// A result on its target branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landing {
    /// The branch that moved.
    pub target: String,
    /// Where it was.
    pub before: Oid,
    /// Where it is now.
    pub after: Oid,
    /// The result that landed.
    pub result: Oid,
    /// Whether a checkout of the user showed the target and was brought along.
    #[serde(default)]
    pub checkout_updated: bool,
}

/// Why a result could not land.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum LandingFailure {
    /// It changes the same lines as something that landed meanwhile.
    Conflict {
        /// The files.
        paths: Vec<String>,
        /// The target's commit at that time.
        target: Oid,
    },
    /// A check failed on the combination.
    ChecksFailed {
        /// The checks.
        checks: Vec<String>,
        /// The target's commit at that time.
        target: Oid,
        /// The end of the first failed log.
        log: String,
    },
    /// The user's checkout of the target has local changes in the way.
    CheckoutDirty {
        /// The files.
        paths: Vec<String>,
    },
    /// Anything else.
    Other {
        /// What.
        text: String,
    },
}

/// Why an attempt cannot go on without a person.
#[expect(missing_docs, reason = "each variant's sentence and its field names say it")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "blocked", rename_all = "snake_case")]
pub enum Blocked {
    /// The agent needs a login, with the command for it where one is known.
    Login {
        text: String,
        #[serde(default)]
        command: Option<String>,
    },
    /// A usage limit, with its end where known; without one it waits for a person.
    UsageLimit {
        text: String,
        until: Option<Timestamp>,
        #[serde(default)]
        guessed: bool,
    },
    /// Somebody must pay first.
    Credit { text: String },
    /// Checks or conflicts sent it back as often as is allowed.
    OutOfRounds { rounds: u16 },
    /// The workspace or its setup failed.
    Workspace { why: String },
    /// The agent failed or refused.
    Agent { text: String },
    /// No sign of life.
    Stalled { minutes: u32 },
    /// The turn ended without any change.
    NoChange,
}

impl From<Stream> for String {
    fn from(stream: Stream) -> Self {
        stream.to_string()
    }
}

impl std::fmt::Display for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Project(id) => write!(f, "project/{id}"),
            Self::Task(id) => write!(f, "task/{id}"),
        }
    }
}

/// The text names no stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no stream")]
pub struct NotAStream(pub String);

impl TryFrom<String> for Stream {
    type Error = NotAStream;

    fn try_from(text: String) -> Result<Self, NotAStream> {
        let parsed = match text.split_once('/') {
            Some(("project", id)) => id.parse().ok().map(Self::Project),
            Some(("task", id)) => id.parse().ok().map(Self::Task),
            _ => None,
        };
        parsed.ok_or(NotAStream(text))
    }
}

impl Blocked {
    /// When it ends by itself; none where a person is needed.
    pub fn ends_at(&self) -> Option<Timestamp> {
        match self {
            Self::UsageLimit { until, .. } => *until,
            _ => None,
        }
    }
}

impl Usage {
    /// Whether any tokens are known.
    pub fn counts(&self) -> bool {
        self.input + self.output + self.cached_read + self.cached_write > 0
    }

    /// Input tokens without those that were read from a cache.
    pub fn fresh_input(&self) -> u64 {
        self.input.saturating_sub(if self.cached_in_input { self.cached_read } else { 0 })
    }

    /// The cost in millionths of a US dollar, where it is known.
    pub fn cost(&self) -> Option<u64> {
        let old = self.cost_usd.filter(|cost| cost.is_finite() && (0.0..1e9).contains(cost));
        let old = old.map(|cost| (cost * 1e6).round() as u64);
        match (self.cost_micros, old) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        }
    }

    /// Whether the real cost may be higher than the one that is known.
    pub fn cost_at_least(&self) -> bool {
        self.unpriced || (self.estimated && self.at_least)
    }

    /// Adds another turn's usage.
    pub fn add(&mut self, other: &Self) {
        self.input = self.fresh_input() + other.fresh_input();
        self.cached_in_input = false;
        self.output += other.output;
        self.cached_read += other.cached_read;
        self.cached_write += other.cached_write;
        self.unpriced |= other.unpriced || (other.counts() && other.cost().is_none());
        self.at_least |= other.at_least;
        self.estimated |= other.estimated;
        self.cost_micros = match (self.cost_micros, other.cost_micros) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        };
        self.cost_usd = match (self.cost_usd, other.cost_usd) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0.0) + b.unwrap_or(0.0)),
        };
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person { name } | Self::Agent { name } => f.write_str(name),
            Self::Divisi => f.write_str("divisi"),
        }
    }
}
