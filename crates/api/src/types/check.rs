//! Criteria, checks and their evidence.

use divisi_model::evidence::{CheckOutcome, Evidence};
use divisi_model::state::{AttemptState, TaskState};
use divisi_model::task::{Check, CheckedBy};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// One acceptance criterion, and whether it holds for an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct CriterionView {
    /// Its number in the task, from 1.
    pub number: usize,
    /// What must hold, in words.
    pub text: String,
    /// The command that proves it; none where a person judges.
    pub command: Option<String>,
    /// Whether it holds. In a task it is `unknown`; each attempt has its own.
    pub state: CheckState,
}

/// One thing that Divisi runs to prove a result: a gate, or a criterion with a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct CheckView {
    /// The gate's name, or `criterion 2`.
    pub name: String,
    /// Run by `sh -c`.
    pub command: String,
    /// Whether its failure sends the attempt back.
    pub required: bool,
    /// What is known about the present result.
    pub state: CheckState,
    /// The evidence for that, as its place in the attempt's list.
    pub evidence: Option<usize>,
}

/// A check in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct CheckBrief {
    /// The gate's name, or `criterion 2`.
    pub name: String,
    /// What is known about the present result.
    pub state: CheckState,
}

impl From<CheckView> for CheckBrief {
    fn from(check: CheckView) -> Self {
        Self { name: check.name, state: check.state }
    }
}

/// What is known about a criterion or check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Nothing: it was never run, or nobody judged it.
    Unknown,
    /// It ran on the present result and passed, or a person said that it holds.
    Holds,
    /// It ran on the present result and failed, or a person said that it does not hold.
    Fails,
    /// It was run, but on something else than the present result.
    Stale,
}

/// The stored result of one check on one commit, run by Divisi in a clean checkout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct EvidenceView {
    /// Its place in the attempt's list, from 0; its log is at `…/evidence/{index}/log`.
    pub index: usize,
    /// The check's name.
    pub check: String,
    /// The command that ran.
    pub command: String,
    /// Whether its failure sends the attempt back.
    pub required: bool,
    /// The criterion it proves, from 1.
    pub criterion: Option<usize>,
    /// The commit that was checked out.
    pub commit: String,
    /// Whether it passed.
    pub passed: bool,
    /// How it ended, in words.
    pub outcome: String,
    /// The exit code, where there was one.
    pub exit_code: Option<i32>,
    /// When it started.
    pub started: Timestamp,
    /// How long it ran, in milliseconds.
    pub millis: u64,
    /// SHA-256 of the whole log, in hex.
    pub log_sha256: String,
    /// Tests counted in the log, where a known runner said so.
    pub counts: Option<CountsView>,
    /// What it ran on.
    pub environment: String,
    /// Whether it says nothing about the present result any more.
    pub stale: bool,
}

/// What a test runner counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct CountsView {
    /// Tests that passed.
    pub passed: u32,
    /// Tests that failed.
    pub failed: u32,
    /// Tests that were left out.
    pub skipped: u32,
}

/// The criteria of a task, with what is known for one attempt; with none, what is known is nothing.
pub(super) fn criteria(task: &TaskState, attempt: Option<&AttemptState>) -> Vec<CriterionView> {
    let checks = task.spec.checks();
    let state = |index: usize, by: &CheckedBy| match (by, attempt) {
        (_, None) => CheckState::Unknown,
        (CheckedBy::Person, Some(attempt)) => match task.judged(attempt.number, index) {
            Some(true) => CheckState::Holds,
            Some(false) => CheckState::Fails,
            None => CheckState::Unknown,
        },
        (CheckedBy::Command { .. }, Some(attempt)) => checks
            .iter()
            .find(|check| check.criterion == Some(index))
            .map_or(CheckState::Unknown, |check| state_of(attempt, check)),
    };
    let view = |(index, criterion): (usize, &divisi_model::task::Criterion)| CriterionView {
        number: index + 1,
        text: criterion.text.clone(),
        command: match &criterion.by {
            CheckedBy::Command { command } => Some(command.clone()),
            CheckedBy::Person => None,
        },
        state: state(index, &criterion.by),
    };
    task.spec.criteria.iter().enumerate().map(view).collect()
}

/// All checks of a task, with what is known about an attempt's present result.
pub(super) fn checks(task: &TaskState, attempt: &AttemptState) -> Vec<CheckView> {
    let view = |check: Check| CheckView {
        state: state_of(attempt, &check),
        evidence: attempt.evidence.iter().rposition(|evidence| evidence.check == check.name),
        name: check.name,
        command: check.command,
        required: check.required,
    };
    task.spec.checks().into_iter().map(view).collect()
}

/// All evidence of an attempt, oldest first.
pub(super) fn evidence(attempt: &AttemptState) -> Vec<EvidenceView> {
    let fresh =
        |evidence: &Evidence| attempt.result.as_ref().is_some_and(|result| !evidence.stale(&result.tree));
    let view = |(index, evidence): (usize, &Evidence)| EvidenceView {
        index,
        check: evidence.check.clone(),
        command: evidence.command.clone(),
        required: evidence.required,
        criterion: evidence.criterion.map(|criterion| criterion + 1),
        commit: evidence.commit.to_string(),
        passed: evidence.passed(),
        outcome: evidence.outcome.to_string(),
        exit_code: match evidence.outcome {
            CheckOutcome::Passed => Some(0),
            CheckOutcome::Failed { code } => Some(code),
            _ => None,
        },
        started: evidence.started,
        millis: evidence.millis,
        log_sha256: evidence.log_sha256.clone(),
        counts: evidence.counts.map(|counts| CountsView {
            passed: counts.passed,
            failed: counts.failed,
            skipped: counts.skipped,
        }),
        environment: evidence.environment.clone(),
        stale: !fresh(evidence),
    };
    attempt.evidence.iter().enumerate().map(view).collect()
}

fn state_of(attempt: &AttemptState, check: &Check) -> CheckState {
    let fresh = attempt.result.as_ref().and_then(|result| attempt.evidence_for(&check.name, &result.tree));
    match fresh {
        Some(evidence) if evidence.passed() => CheckState::Holds,
        Some(_) => CheckState::Fails,
        None if attempt.evidence.iter().any(|evidence| evidence.check == check.name) => CheckState::Stale,
        None => CheckState::Unknown,
    }
}
