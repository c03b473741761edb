//! A task as its events have made it. Every field is derived by [`crate::fold`]; nothing else writes here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::budget::{Budget, Spent};
use crate::comment::CommentState;
use crate::event::{
    AttemptResult, Blocked, Landing, LandingFailure, Origin, Prompt, SandboxKind, SessionStart, TurnOutcome,
    Usage, Workspace,
};
use crate::evidence::Evidence;
use crate::ids::{Handle, ItemId, Oid, TaskId};
use crate::inbox::InboxItem;
use crate::review::{Comment, Verdict};
use crate::task::{CheckedBy, TaskSpec};

/// A task with all that happened to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskState {
    /// Its identity.
    pub id: TaskId,
    /// What is wanted.
    pub spec: TaskSpec,
    /// The version of its stream: the number of its events.
    pub version: u64,
    /// When it was added.
    pub added: Timestamp,
    /// When something last happened to it.
    pub changed: Timestamp,
    /// Whether it is put away.
    pub archived: bool,
    /// Its attempts; number n stands at n − 1.
    pub attempts: Vec<AttemptState>,
    /// Everything that waited or waits for a person, oldest first.
    pub items: Vec<InboxItem>,
    /// Its place among those that wait, where a person gave it one: as if it had waited since then.
    #[serde(default)]
    pub moved_to: Option<Timestamp>,
}

/// One try at a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptState {
    /// Which try, from 1.
    pub number: u16,
    /// The agent that tries.
    pub agent: String,
    /// Its branch.
    pub branch: String,
    /// What it is doing or waiting for.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// Prompts not yet given to the agent, in order.
    pub queue: Vec<Prompt>,
    /// How many prompts it ever had.
    pub prompts: u32,
    /// The worker that has it and its slot there; the slot chooses its ports.
    pub lease: Option<(String, u16)>,
    /// Its workspace.
    pub workspace: Option<Workspace>,
    /// The log of the setup script that failed last.
    #[serde(default)]
    pub setup_failed: Option<String>,
    /// The snapshot that holds its removed workspace.
    pub archived_as: Option<(Oid, String)>,
    /// Where that is now which somebody had put into the folder of its workspace from outside.
    #[serde(default)]
    pub outside: Option<String>,
    /// The commit that its result is compared with.
    pub base: Oid,
    /// Files that had conflict markers when the workspace was brought onto its base.
    #[serde(default)]
    pub conflicts: Vec<String>,
    /// Whether the workspace has yet to be brought onto the target because of a failed landing.
    pub move_base_to: Option<Oid>,
    /// Its sessions, in order.
    pub sessions: Vec<SessionState>,
    /// Its turns, in order.
    pub turns: Vec<TurnState>,
    /// What it handed back last.
    pub result: Option<AttemptResult>,
    /// Everything it handed back, oldest first.
    #[serde(default)]
    pub results: Vec<PastResult>,
    /// All evidence, oldest first; also what is stale by now.
    pub evidence: Vec<Evidence>,
    /// How often it was sent back since a person last stepped in.
    pub rounds: u16,
    /// All verdicts, oldest first.
    pub reviews: Vec<Review>,
    /// All comments by number, without the drafts that were thrown away.
    #[serde(default)]
    pub comments: Vec<CommentState>,
    /// How many comments it ever had.
    #[serde(default)]
    pub comments_written: u32,
    /// Files that were viewed, each with what was seen of it, oldest first.
    #[serde(default)]
    pub viewed: BTreeMap<String, Vec<String>>,
    /// The order in which landing was asked for: the log's number of that event.
    pub landing_order: Option<u64>,
    /// Who asked for that.
    #[serde(default)]
    pub landing_by: Option<String>,
    /// The landing that is about to happen, or did just before a crash.
    #[serde(default)]
    pub prepared: Option<Landing>,
    /// Its landing.
    pub landing: Option<Landing>,
    /// Why its landing could not be taken back, last.
    #[serde(default)]
    pub undo_failure: Option<String>,
    /// Why it did not land, last.
    pub landing_failure: Option<LandingFailure>,
    /// The sum of what its turns used.
    pub usage: Usage,
    /// The limit of its agent that it is held back by, while it waits for a slot.
    #[serde(default)]
    pub held: Option<Held>,
    /// A person said that it goes on now, whatever limit its agent ran into.
    #[serde(default)]
    pub goes_now: bool,
    /// Why it was stopped, where no person did.
    #[serde(default)]
    pub stopped_because: Option<String>,
    /// Its rollbacks, oldest first.
    #[serde(default)]
    pub rollbacks: Vec<RollbackState>,
    /// How much it may use before a person is asked.
    #[serde(default)]
    pub budget: Option<Budget>,
}

/// Files that were brought back as a snapshot has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackState {
    /// The snapshot.
    pub to: Oid,
    /// Files and folders; the whole workspace, where there are none.
    pub paths: Vec<String>,
    /// The turn that was its last then; 0 before the first.
    pub after_turn: u32,
    /// When it was asked for.
    pub asked: Timestamp,
    /// Who asked.
    pub by: String,
    /// What the attempt was doing or waiting for.
    pub from: Phase,
    /// How it ended, once it has.
    pub ended: Option<RollbackEnd>,
}

/// How a rollback ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum RollbackEnd {
    /// The workspace holds the files.
    Done {
        /// The snapshot that was taken first: commit and hidden ref.
        before: (Oid, String),
        /// How many files it changed.
        files: u32,
        /// Files that were in the way and in no snapshot, and where they are now.
        kept: Vec<String>,
    },
    /// It could not be done.
    Failed {
        /// Why.
        why: String,
    },
}

/// What holds an attempt back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Until when.
    pub until: Timestamp,
    /// Which limit, in the agent's words.
    pub why: String,
}

/// What an attempt is doing or waiting for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// It waits for a free slot.
    Queued,
    /// Its workspace is being made ready.
    Preparing,
    /// Its agent works, or is about to.
    Working,
    /// The turn is over; the result is built and checked.
    Checking,
    /// The result waits for review.
    InReview,
    /// Approved: it can land.
    Approved,
    /// It is landing, or waits for its turn to.
    Landing,
    /// It is on its target branch.
    Landed,
    /// Its landing is being taken back.
    Undoing,
    /// Files of its workspace are brought back as a snapshot has them.
    RollingBack,
    /// It waits for the next instruction.
    Waiting,
    /// It cannot go on without a person.
    Blocked {
        /// Why.
        why: Blocked,
    },
    /// It was stopped, mostly by a person.
    Stopped,
}

impl Phase {
    /// Whether Divisi itself is at work on the result.
    pub fn is_checking(&self) -> bool {
        matches!(self, Self::Checking | Self::Landing | Self::Undoing)
    }
}

/// One conversation with an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionState {
    /// Its number in the attempt, from 1.
    pub number: u32,
    /// Its launch folder, relative to the data folder.
    pub launch: String,
    /// The agent's own id for it.
    pub agent_session: Option<String>,
    /// How it began.
    pub how: SessionStart,
    /// What keeps it in its place, as far as that is known.
    #[serde(default)]
    pub sandbox: Option<SandboxKind>,
    /// When.
    pub opened: Timestamp,
    /// Why it is over, once it is.
    pub closed: Option<String>,
}

/// One prompt, or several given together, and everything until the agent was idle again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TurnState {
    /// Its number in the attempt, from 1.
    pub number: u32,
    /// The session it belongs to.
    pub session: u32,
    /// What the agent was given.
    pub prompts: Vec<Prompt>,
    /// When it began.
    pub started: Timestamp,
    /// The number of the event with which it began. Clocks are set; numbers tell what came first.
    #[serde(default)]
    pub started_by: u64,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The number of the event with which it ended; 0 before that.
    #[serde(default)]
    pub ended_by: u64,
    /// How it ended.
    pub outcome: Option<TurnOutcome>,
    /// Whether a person asked to end it.
    pub cancel_requested: bool,
    /// The snapshot taken after it: commit and hidden ref.
    pub snapshot: Option<(Oid, String)>,
    /// What it used.
    pub usage: Usage,
}

/// A result that an attempt handed back at some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastResult {
    /// The turn after which it was built.
    pub turn: u32,
    /// The commit.
    pub commit: Oid,
    /// The base it was compared with.
    pub base: Oid,
    /// When.
    pub at: Timestamp,
}

/// A verdict with its comments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The commit that was looked at.
    pub commit: Oid,
    /// The verdict.
    pub verdict: Verdict,
    /// The comments of a log before comments were objects.
    pub comments: Vec<Comment>,
    /// The numbers of the comments that it sent.
    #[serde(default)]
    pub sent: Vec<u32>,
    /// The words on the whole.
    pub note: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
}

impl TaskState {
    /// Whether it is only on the board: nobody has started it yet.
    pub fn staged(&self) -> bool {
        self.attempts.is_empty()
    }

    /// Its place among those that wait: what has waited longer, or as if, comes first.
    pub fn waits_since(&self) -> Timestamp {
        let queued = self.attempts.iter().filter(|attempt| attempt.phase == Phase::Queued);
        self.moved_to.or_else(|| queued.map(|attempt| attempt.since).min()).unwrap_or(self.added)
    }

    /// The attempt with this number.
    pub fn attempt(&self, number: u16) -> Option<&AttemptState> {
        self.attempts.get(usize::from(number).checked_sub(1)?)
    }

    /// The item with this id.
    pub fn item(&self, id: ItemId) -> Option<&InboxItem> {
        self.items.iter().find(|item| item.id == id)
    }

    /// What still waits for a person.
    pub fn open_items(&self) -> impl Iterator<Item = &InboxItem> {
        self.items.iter().filter(|item| item.answer.is_none())
    }

    /// The handle of an attempt: the task's own where it has only one.
    pub fn handle(&self, attempt: u16) -> Handle {
        Handle { task: self.spec.number, attempt: (self.attempts.len() > 1).then_some(attempt) }
    }

    /// Whether a criterion that a person judges holds for the attempt: `None` while nobody said so.
    pub fn judged(&self, attempt: u16, criterion: usize) -> Option<bool> {
        self.items.iter().rev().find_map(|item| match (&item.ask, &item.answer) {
            (crate::inbox::Ask::Criterion { criterion: c, .. }, Some(answer))
                if *c == criterion && item.attempt == attempt =>
            {
                match answer {
                    crate::inbox::Answer::Approved { .. } => Some(true),
                    crate::inbox::Answer::Denied { .. } => Some(false),
                    _ => None,
                }
            }
            _ => None,
        })
    }

    /// The criteria that a person must judge and that nobody has found to hold.
    pub fn unjudged(&self, attempt: u16) -> impl Iterator<Item = usize> + '_ {
        self.spec.criteria.iter().enumerate().filter_map(move |(i, criterion)| {
            (criterion.by == CheckedBy::Person && self.judged(attempt, i) != Some(true)).then_some(i)
        })
    }
}

impl AttemptState {
    /// The turn that is running.
    pub fn running_turn(&self) -> Option<&TurnState> {
        self.turns.last().filter(|turn| turn.ended.is_none())
    }

    /// The session that is open.
    pub fn open_session(&self) -> Option<&SessionState> {
        self.sessions.last().filter(|session| session.closed.is_none())
    }

    /// The comment with this number.
    pub fn comment(&self, number: u32) -> Option<&CommentState> {
        self.comments.iter().find(|comment| comment.number == number)
    }

    /// Whether a file was viewed with this content.
    pub fn has_viewed(&self, file: &str, seen: &str) -> bool {
        self.viewed.get(file).is_some_and(|marks| marks.iter().any(|mark| mark == seen))
    }

    /// The rollback that is being done.
    pub fn open_rollback(&self) -> Option<&RollbackState> {
        self.rollbacks.last().filter(|rollback| rollback.ended.is_none())
    }

    /// The rollbacks that were done since the last turn ended, which its agent knows nothing of.
    pub fn rollbacks_since_turn(&self, turn: u32) -> impl Iterator<Item = &RollbackState> {
        let done =
            |rollback: &&RollbackState| matches!(rollback.ended, Some(RollbackEnd::Done { files: 1.., .. }));
        self.rollbacks.iter().filter(move |rollback| rollback.after_turn == turn).filter(done)
    }

    /// Whether this is its base or one of its snapshots.
    pub fn has_snapshot(&self, commit: &Oid) -> bool {
        let of_turn = |turn: &TurnState| turn.snapshot.as_ref().is_some_and(|(taken, _)| taken == commit);
        let of_rollback = |rollback: &RollbackState| matches!(&rollback.ended, Some(RollbackEnd::Done { before: (taken, _), .. }) if taken == commit);
        self.base == *commit || self.turns.iter().any(of_turn) || self.rollbacks.iter().any(of_rollback)
    }

    /// Why it may not go on, where its budget does not allow it after this was used.
    pub fn over_budget(&self, used: &Usage) -> Option<Blocked> {
        let budget = self.budget?;
        match budget.after(used) {
            Spent::Within => None,
            Spent::All => Some(Blocked::Budget { budget, unknown: false }),
            Spent::Unknown => Some(Blocked::Budget { budget, unknown: true }),
        }
    }

    /// Whether it was sent back because it changed files outside of the task's scope.
    pub fn told_of_scope(&self) -> bool {
        let given = self.turns.iter().flat_map(|turn| &turn.prompts);
        given.chain(&self.queue).any(|prompt| prompt.origin == Origin::Scope)
    }

    /// The newest evidence of a check for a tree.
    pub fn evidence_for(&self, check: &str, tree: &Oid) -> Option<&Evidence> {
        self.evidence.iter().rev().find(|evidence| evidence.check == check && !evidence.stale(tree))
    }

    /// Whether every required check has fresh evidence that it passed on the result.
    pub fn proven(&self, spec: &TaskSpec) -> bool {
        self.result.as_ref().is_some_and(|result| {
            spec.checks()
                .iter()
                .filter(|check| check.required)
                .all(|check| self.evidence_for(&check.name, &result.tree).is_some_and(Evidence::passed))
        })
    }

    /// Whether it goes on without anybody having to ask for it.
    pub fn goes_on_by_itself(&self) -> bool {
        match &self.phase {
            Phase::Queued
            | Phase::Preparing
            | Phase::Working
            | Phase::Checking
            | Phase::Landing
            | Phase::Undoing
            | Phase::RollingBack => true,
            Phase::Blocked { why } => why.ends_at().is_some(),
            Phase::InReview | Phase::Approved | Phase::Landed | Phase::Waiting | Phase::Stopped => false,
        }
    }

    /// Whether it is over for good, as far as is known.
    pub fn ended(&self) -> bool {
        matches!(self.phase, Phase::Landed | Phase::Stopped)
    }
}
