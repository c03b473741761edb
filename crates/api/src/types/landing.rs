//! What can land, what is landing, and what has landed.

use std::sync::Arc;

use divisi_model::project::Project;
use divisi_model::state::{AttemptState, Phase, TaskState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::attempt::{LandingFailureView, LandingView, ResultView};
use super::check::{self, EvidenceView};
use super::task::StatusView;

/// What can land, what is landing, and what has landed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct LandingsView {
    /// Those that land, in their order: the first is being tried now. A landing that is taken back is among them.
    pub queue: Vec<CandidateView>,
    /// Approved results that could be landed, those that wait longest first.
    pub ready: Vec<CandidateView>,
    /// Those whose last try failed and that have not been landed since; most are on their way back by themselves.
    pub failed: Vec<CandidateView>,
    /// What is on its target branch, newest first.
    pub landed: Vec<LandedView>,
}

/// An attempt that may land.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct CandidateView {
    /// What people call it.
    pub handle: String,
    /// Its task's title.
    pub title: String,
    /// The project's name.
    pub project: String,
    /// The agent that tried.
    pub agent: String,
    /// The branch that it lands on.
    pub target: String,
    /// Its state, explained.
    pub status: StatusView,
    /// What it handed back.
    pub result: Option<ResultView>,
    /// How many required checks it faces.
    pub checks: usize,
    /// What was checked on combinations with what had landed meanwhile, oldest first.
    pub combination: Vec<EvidenceView>,
    /// Why it did not land, last.
    pub failure: Option<LandingFailureView>,
}

/// A result on its target branch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct LandedView {
    /// What people call it.
    pub handle: String,
    /// Its task's title.
    pub title: String,
    /// The project's name.
    pub project: String,
    /// The agent that tried.
    pub agent: String,
    /// Where it is.
    pub landing: LandingView,
    /// Since when.
    pub at: Timestamp,
    /// Those that landed on the same branch after it, newest first: they have to be taken back before it.
    pub undo_first: Vec<String>,
    /// Why it could not be taken back, last.
    pub undo_failure: Option<String>,
    /// Whether its task is put away.
    pub archived: bool,
}

impl LandingsView {
    /// Of all tasks.
    pub fn of(tasks: &[Arc<TaskState>], projects: &[Project]) -> Self {
        let attempts =
            || tasks.iter().flat_map(|task| task.attempts.iter().map(move |attempt| (&**task, attempt)));
        let candidates = |mut found: Vec<(&TaskState, &AttemptState)>,
                          order: fn(&AttemptState) -> (u64, Timestamp)| {
            found.sort_by_key(|(_, attempt)| order(attempt));
            found.into_iter().map(|(task, attempt)| candidate(task, attempt, projects)).collect::<Vec<_>>()
        };
        let lands = |phase: &Phase| matches!(phase, Phase::Landing | Phase::Undoing);
        let failed = |task: &TaskState, attempt: &AttemptState| {
            attempt.landing_failure.is_some()
                && attempt.landing.is_none()
                && !attempt.ended()
                && !task.archived
        };
        let queue = attempts().filter(|(_, attempt)| lands(&attempt.phase)).collect();
        let ready = attempts().filter(|(task, attempt)| {
            attempt.phase == Phase::Approved && attempt.landing_failure.is_none() && !task.archived
        });
        let failing = attempts().filter(|(task, attempt)| failed(task, attempt) && !lands(&attempt.phase));
        let mut landed: Vec<_> = attempts().filter(|(_, attempt)| attempt.phase == Phase::Landed).collect();
        landed.sort_by_key(|(_, attempt)| std::cmp::Reverse(attempt.landing_order));
        Self {
            queue: candidates(queue, |attempt| (attempt.landing_order.unwrap_or_default(), attempt.since)),
            ready: candidates(ready.collect(), |attempt| (0, attempt.since)),
            failed: candidates(failing.collect(), |attempt| (0, attempt.since)),
            landed: landed
                .iter()
                .filter_map(|(task, attempt)| landed_view(task, attempt, &landed, projects))
                .collect(),
        }
    }
}

fn project_name(task: &TaskState, projects: &[Project]) -> String {
    let project = projects.iter().find(|project| project.id == task.spec.project);
    project.map_or_else(String::new, |project| project.name.clone())
}

fn candidate(task: &TaskState, attempt: &AttemptState, projects: &[Project]) -> CandidateView {
    // Evidence of another tree than any result's is of a combination: only those are checked besides results.
    let of_result = |evidence: &EvidenceView| {
        attempt.result.as_ref().is_some_and(|result| result.commit.0 == evidence.commit)
    };
    let since = attempt.turns.last().and_then(|turn| turn.ended);
    let combination = check::evidence(attempt)
        .into_iter()
        .filter(|evidence| !of_result(evidence) && since.is_none_or(|since| evidence.started >= since));
    CandidateView {
        handle: task.handle(attempt.number).to_string(),
        title: task.spec.title.clone(),
        project: project_name(task, projects),
        agent: attempt.agent.clone(),
        target: task.spec.base.branch.clone(),
        status: divisi_model::view::status(task, attempt).into(),
        result: attempt.result.as_ref().map(ResultView::from),
        checks: task.spec.checks().iter().filter(|check| check.required).count(),
        combination: combination.collect(),
        failure: LandingFailureView::of(attempt),
    }
}

fn landed_view(
    task: &TaskState,
    attempt: &AttemptState,
    landed: &[(&TaskState, &AttemptState)],
    projects: &[Project],
) -> Option<LandedView> {
    let landing = attempt.landing.as_ref()?;
    let after = |(other, later): &&(&TaskState, &AttemptState)| {
        other.spec.project == task.spec.project
            && later.landing.as_ref().is_some_and(|later| later.target == landing.target)
            && later.landing_order > attempt.landing_order
    };
    Some(LandedView {
        handle: task.handle(attempt.number).to_string(),
        title: task.spec.title.clone(),
        project: project_name(task, projects),
        agent: attempt.agent.clone(),
        landing: LandingView::of(attempt)?,
        at: attempt.since,
        undo_first: landed.iter().filter(after).map(|(task, a)| task.handle(a.number).to_string()).collect(),
        undo_failure: attempt.undo_failure.clone(),
        archived: task.archived,
    })
}
