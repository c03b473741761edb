//! Everything that can happen. Events are only ever added to: a field added later has a default, a kind is never
//! taken away, so that an old log always opens.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::budget::Budget;
use crate::comment::{CommentMove, NewComment};
use crate::evidence::Evidence;
use crate::ids::{ItemId, Oid, ProjectId, TaskId};
use crate::inbox::{Answer, Ask};
use crate::project::Project;
use crate::review::{Comment, Verdict};
use crate::task::TaskSpec;

mod prompt;
mod turn;

pub use prompt::{Delivery, Origin, Prompt};
pub use turn::{TurnOutcome, Usage};

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
        /// The paired device that they did it with, by the name it had then; none: the machine itself, by the command
        /// line or the owner's own browser.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<String>,
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
    /// A task that is staged was changed: this is what is wanted now.
    TaskEdited { spec: Box<TaskSpec> },
    /// A person gave the task another place among those that wait: as if it had waited since then.
    TaskMoved { since: Timestamp },
    /// The task was put away; its workspaces are removed after a full snapshot.
    TaskArchived,
    /// The task was taken out again.
    TaskRestored,
    /// A try at the task was set up.
    AttemptAdded { attempt: u16, agent: String, branch: String },
    /// A prompt waits for the attempt.
    PromptQueued { attempt: u16, prompt: Prompt },
    /// A person took words back that no agent had got yet.
    PromptTakenBack { attempt: u16, prompt: u32 },
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
    /// Divisi built the attempt's commit from the workspace. `comments`: where those that were written before stand in it.
    ResultMade {
        attempt: u16,
        result: AttemptResult,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        comments: Vec<CommentMove>,
    },
    /// A check ended.
    EvidenceStored { attempt: u16, evidence: Box<Evidence> },
    /// All checks of a result are known.
    ChecksEnded { attempt: u16, commit: Oid, passed: bool },
    /// Something waits for a person.
    ItemOpened { item: ItemId, attempt: u16, ask: Ask },
    /// It was answered.
    ItemAnswered { item: ItemId, answer: Answer },
    /// A person wrote a comment, which is a draft until a verdict sends it.
    CommentWritten { attempt: u16, comment: u32, written: NewComment },
    /// The words of a draft changed.
    CommentEdited { attempt: u16, comment: u32, text: String },
    /// A draft was thrown away.
    CommentDeleted { attempt: u16, comment: u32 },
    /// A comment that was sent is settled.
    CommentResolved { attempt: u16, comment: u32 },
    /// It was taken up again, with these words.
    CommentReopened {
        attempt: u16,
        comment: u32,
        #[serde(default)]
        text: String,
    },
    /// A person viewed these files, each with the content that was seen, or takes that back.
    FilesViewed { attempt: u16, files: BTreeMap<String, String>, viewed: bool },
    /// A person gave a verdict. `comments`: those of logs before comments were objects. `sent`: the numbers of those that
    /// go with it.
    Reviewed {
        attempt: u16,
        commit: Oid,
        verdict: Verdict,
        #[serde(default)]
        comments: Vec<Comment>,
        #[serde(default)]
        note: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sent: Vec<u32>,
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
    /// A person asked for the files of an earlier snapshot: those at `paths` and below them, or all where there are none.
    RollbackRequested {
        attempt: u16,
        to: Oid,
        #[serde(default)]
        paths: Vec<String>,
    },
    /// The workspace holds them. `before` and `reference`: the snapshot that was taken first; `files`: how many files were
    /// changed by it; `kept`: files that were in the way and in no snapshot, and where they are now.
    RolledBack {
        attempt: u16,
        before: Oid,
        reference: String,
        files: u32,
        #[serde(default)]
        kept: Vec<String>,
    },
    /// The files could not be brought back.
    RollbackFailed { attempt: u16, why: String },
    /// A person gave the attempt another budget; none: it has no limit.
    BudgetSet { attempt: u16, budget: Option<Budget> },
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
    /// Files that it changes although they are outside of the task's scope, the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside_scope: Vec<String>,
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
        /// Where the log of the first of them is, relative to Divisi's data folder, as its evidence says.
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
    /// What it may use is used up; or, where the cost is not known, nobody can tell.
    Budget { budget: Budget, unknown: bool },
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

impl Actor {
    /// A person at the machine itself.
    pub fn person(name: impl Into<String>) -> Self {
        Self::Person { name: name.into(), device: None }
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person { name, device: Some(device) } => write!(f, "{name} on {device}"),
            Self::Person { name, device: None } | Self::Agent { name } => f.write_str(name),
            Self::Divisi => f.write_str("divisi"),
        }
    }
}
