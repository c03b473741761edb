//! One try at a task, with all that happened in it.

use divisi_model::event::{AttemptResult, LandingFailure, SandboxKind, Workspace};
use divisi_model::state::{AttemptState, PastResult, Review, TaskState};
use divisi_model::view;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::check::{self, CheckView, CriterionView, EvidenceView};
use super::comment::CommentView;
use super::request::CommentText;
use super::snapshot::RollbackView;
use super::task::StatusView;
use super::turn::{PromptView, TurnView, UsageView};
use super::words::Verdict;

/// One try at a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct AttemptView {
    /// What people call it: `t12`, or `t12.2` where the task has several.
    pub handle: String,
    /// Which try, from 1.
    pub number: u16,
    /// The agent that tries.
    pub agent: String,
    /// Its branch.
    pub branch: String,
    /// Its state, explained.
    pub status: StatusView,
    /// Its workspace, while it has one.
    pub workspace: Option<WorkspaceView>,
    /// What keeps its newest session in its place: `namespaces`, `writes_only` or `off`; nothing if that is not known.
    #[serde(default)]
    pub sandbox: Option<String>,
    /// Where that is now which somebody had put into its workspace's folder from outside, unseen by its agent.
    #[serde(default)]
    pub outside: Option<String>,
    /// What it handed back last.
    pub result: Option<ResultView>,
    /// Everything it handed back, oldest first.
    #[serde(default)]
    pub results: Vec<PastResultView>,
    /// The task's criteria, and whether they hold for the result.
    pub criteria: Vec<CriterionView>,
    /// All checks, and whether they hold for the result.
    pub checks: Vec<CheckView>,
    /// All evidence, oldest first; also what is stale by now.
    pub evidence: Vec<EvidenceView>,
    /// Its turns, in order.
    pub turns: Vec<TurnView>,
    /// Prompts that wait for the agent, in order.
    pub queue: Vec<PromptView>,
    /// How often it was sent back since a person last stepped in.
    pub rounds: u16,
    /// All verdicts, oldest first.
    pub reviews: Vec<ReviewView>,
    /// All comments by number.
    #[serde(default)]
    pub comments: Vec<CommentView>,
    /// Its landing.
    pub landing: Option<LandingView>,
    /// Why it did not land, last.
    pub landing_failure: Option<LandingFailureView>,
    /// Why its landing could not be taken back, last.
    pub undo_failure: Option<String>,
    /// What all its turns used.
    pub usage: UsageView,
    /// Its rollbacks, oldest first.
    #[serde(default)]
    pub rollbacks: Vec<RollbackView>,
    /// How much it may use before a person is asked.
    #[serde(default)]
    pub budget: Option<String>,
    /// It was stopped, and what it started has not ended yet.
    #[serde(default)]
    pub ending: bool,
}

/// An isolated checkout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct WorkspaceView {
    /// Absolute path.
    pub path: String,
    /// First port of its block.
    pub first_port: u16,
    /// How many ports it has.
    pub ports: u16,
    /// How it is made: `checkout` or `overlay`.
    pub kind: String,
    /// Whether a setup script ran; its log is at `…/setup-log`.
    pub has_setup_log: bool,
    /// Files copied in by `.worktreeinclude`.
    pub included: u32,
}

/// The commit that an attempt handed back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct ResultView {
    /// The turn after which it was built.
    pub turn: u32,
    /// The commit.
    pub commit: String,
    /// The base it is compared with.
    pub base: String,
    /// Files changed.
    pub files: u32,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
    /// What a reviewer must know.
    pub notes: Vec<String>,
    /// Files that it changes although they are outside of the task's scope, the first of them.
    #[serde(default)]
    pub outside_scope: Vec<String>,
}

/// A result that an attempt handed back at some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct PastResultView {
    /// The turn after which it was built.
    pub turn: u32,
    /// The commit.
    pub commit: String,
    /// The base it was compared with.
    pub base: String,
    /// When.
    pub at: Timestamp,
}

/// A verdict with its comments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct ReviewView {
    /// The commit that was looked at.
    pub commit: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The comments, as `file:line: words`.
    pub comments: Vec<CommentText>,
    /// The words on the whole.
    pub note: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Whether there is a newer result by now.
    pub stale: bool,
}

/// A result on its target branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct LandingView {
    /// The branch that moved.
    pub target: String,
    /// Where it was.
    pub before: String,
    /// Where it is now.
    pub after: String,
    /// Whether a checkout that showed the target was brought along.
    pub checkout_updated: bool,
    /// Who asked for it.
    #[serde(default)]
    pub by: Option<String>,
}

/// Why a result could not land.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct LandingFailureView {
    /// In a word: `conflict`, `checks_failed`, `checkout_dirty` or `other`.
    pub why: String,
    /// In a sentence.
    pub text: String,
    /// The files in the way, where it was files.
    pub paths: Vec<String>,
    /// Where the log of the first failed check is, relative to Divisi's data folder; empty where no check failed.
    pub log: String,
    /// The evidence of that check, by its index: the log itself is at `…/evidence/{index}/log`.
    #[serde(default)]
    pub evidence: Option<usize>,
}

impl AttemptView {
    /// An attempt of a task.
    pub fn of(task: &TaskState, attempt: &AttemptState) -> Self {
        let present = attempt.result.as_ref().map(|result| &result.commit);
        Self {
            handle: task.handle(attempt.number).to_string(),
            number: attempt.number,
            agent: attempt.agent.clone(),
            branch: attempt.branch.clone(),
            status: view::status(task, attempt).into(),
            workspace: attempt.workspace.as_ref().map(WorkspaceView::from),
            sandbox: attempt.sessions.last().and_then(|session| session.sandbox).map(sandbox),
            outside: attempt.outside.clone(),
            result: attempt.result.as_ref().map(ResultView::from),
            results: attempt.results.iter().map(PastResultView::from).collect(),
            criteria: check::criteria(task, Some(attempt)),
            checks: check::checks(task, attempt),
            evidence: check::evidence(attempt),
            turns: attempt.turns.iter().map(TurnView::from).collect(),
            queue: attempt.queue.iter().map(PromptView::from).collect(),
            rounds: attempt.rounds,
            reviews: attempt.reviews.iter().map(|r| review(attempt, r, present == Some(&r.commit))).collect(),
            comments: CommentView::all(attempt),
            landing: LandingView::of(attempt),
            landing_failure: LandingFailureView::of(attempt),
            undo_failure: attempt.undo_failure.clone(),
            usage: attempt.usage.into(),
            rollbacks: attempt.rollbacks.iter().map(RollbackView::from).collect(),
            budget: attempt.budget.map(|budget| budget.to_string()),
            ending: false,
        }
    }
}

fn sandbox(kind: SandboxKind) -> String {
    let name = match kind {
        SandboxKind::Namespaces => "namespaces",
        SandboxKind::WritesOnly => "writes_only",
        SandboxKind::Off => "off",
    };
    name.to_owned()
}

impl From<&Workspace> for WorkspaceView {
    fn from(workspace: &Workspace) -> Self {
        Self {
            path: workspace.path.clone(),
            first_port: workspace.first_port,
            ports: workspace.ports,
            kind: workspace.kind.clone(),
            has_setup_log: workspace.setup_log.is_some(),
            included: workspace.included,
        }
    }
}

impl From<&AttemptResult> for ResultView {
    fn from(result: &AttemptResult) -> Self {
        Self {
            turn: result.turn,
            commit: result.commit.to_string(),
            base: result.base.to_string(),
            files: result.files,
            added: result.added,
            removed: result.removed,
            notes: result.notes.clone(),
            outside_scope: result.outside_scope.clone(),
        }
    }
}

impl LandingView {
    /// Where an attempt has landed.
    pub(super) fn of(attempt: &AttemptState) -> Option<Self> {
        attempt.landing.as_ref().map(|landing| Self {
            target: landing.target.clone(),
            before: landing.before.to_string(),
            after: landing.after.to_string(),
            checkout_updated: landing.checkout_updated,
            by: attempt.landing_by.clone(),
        })
    }
}

impl LandingFailureView {
    /// Why an attempt did not land, last.
    pub(super) fn of(attempt: &AttemptState) -> Option<Self> {
        let failure = attempt.landing_failure.as_ref()?;
        let (why, paths, log) = match failure {
            LandingFailure::Conflict { paths, .. } => ("conflict", paths.clone(), String::new()),
            LandingFailure::ChecksFailed { log, .. } => ("checks_failed", vec![], log.clone()),
            LandingFailure::CheckoutDirty { paths } => ("checkout_dirty", paths.clone(), String::new()),
            LandingFailure::Other { .. } => ("other", vec![], String::new()),
        };
        let evidence = attempt.evidence.iter().rposition(|evidence| !log.is_empty() && evidence.log == log);
        Some(Self { why: why.to_owned(), text: failure.to_string(), paths, log, evidence })
    }
}

impl From<&PastResult> for PastResultView {
    fn from(result: &PastResult) -> Self {
        let (commit, base) = (result.commit.to_string(), result.base.to_string());
        Self { turn: result.turn, commit, base, at: result.at }
    }
}

fn review(attempt: &AttemptState, review: &Review, present: bool) -> ReviewView {
    let sent = review.sent.iter().filter_map(|number| attempt.comment(*number));
    let sent = sent.map(|comment| match &comment.place {
        Some(place) => CommentText(format!("{place}: {}", comment.text)),
        None => CommentText(comment.text.clone()),
    });
    ReviewView {
        commit: review.commit.to_string(),
        verdict: review.verdict.into(),
        comments: review
            .comments
            .iter()
            .map(|comment| CommentText(comment.to_string()))
            .chain(sent)
            .collect(),
        note: review.note.clone(),
        at: review.at,
        by: review.by.clone(),
        stale: !present,
    }
}
