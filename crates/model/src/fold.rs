//! From events to state. Folding the same events always gives the same state.

mod comments;
mod rollbacks;

use std::collections::BTreeMap;

use crate::event::{Actor, Envelope, Event, TurnOutcome};
use crate::ids::TaskId;
use crate::inbox::{Answer, Ask, InboxItem};
use crate::review::Verdict;
use crate::state::{
    AttemptState, PastResult, Phase, Review, RollbackEnd, SessionState, TaskState, TurnState,
};

/// Applies one event of a task's stream: `None` becomes a state by [`Event::TaskAdded`] alone, and an event that does
/// not fit is passed over, so that a log of a newer version still opens.
pub fn fold(state: Option<TaskState>, task: TaskId, envelope: &Envelope) -> Option<TaskState> {
    let mut state = match (state, &envelope.event) {
        (None, Event::TaskAdded { spec }) => TaskState {
            id: task,
            spec: (**spec).clone(),
            version: 0,
            added: envelope.at,
            changed: envelope.at,
            archived: false,
            attempts: Vec::new(),
            items: Vec::new(),
            moved_to: None,
        },
        (None, _) => return None,
        (Some(state), _) => state,
    };
    state.version = envelope.version;
    state.changed = envelope.at;
    apply(&mut state, envelope);
    Some(state)
}

fn apply(state: &mut TaskState, envelope: &Envelope) {
    let at = envelope.at;
    match &envelope.event {
        Event::ProjectAdded { .. } | Event::TaskAdded { .. } => {}
        Event::TaskEdited { spec } if state.staged() => state.spec = (**spec).clone(),
        Event::TaskMoved { since } => state.moved_to = Some(*since),
        Event::TaskArchived => state.archived = true,
        Event::TaskRestored => state.archived = false,
        Event::AttemptAdded { attempt, agent, branch } => {
            if usize::from(*attempt) == state.attempts.len() + 1 {
                state.attempts.push(new_attempt(state, *attempt, agent, branch, at));
            }
        }
        Event::ItemOpened { item, attempt, ask } => {
            state.items.push(InboxItem {
                id: *item,
                attempt: *attempt,
                ask: ask.clone(),
                since: at,
                answer: None,
                by: None,
            });
        }
        Event::ItemAnswered { item, answer } => {
            if let Some(item) = state.items.iter_mut().find(|i| i.id == *item) {
                item.answer = Some(answer.clone());
                let by_person = matches!(envelope.actor, Actor::Person { .. });
                item.by = by_person.then(|| envelope.actor.to_string());
            }
        }
        event => {
            let Some(number) = attempt_of(event) else { return };
            withdraw_what_is_over(state, number, event);
            let Some(attempt) = usize::from(number).checked_sub(1).and_then(|i| state.attempts.get_mut(i))
            else {
                return;
            };
            apply_to_attempt(attempt, event, envelope);
        }
    }
}

/// The attempt that an event is about.
pub fn attempt_of(event: &Event) -> Option<u16> {
    match event {
        Event::ProjectAdded { .. }
        | Event::TaskAdded { .. }
        | Event::TaskEdited { .. }
        | Event::TaskMoved { .. }
        | Event::TaskArchived
        | Event::TaskRestored
        | Event::ItemAnswered { .. } => None,
        Event::AttemptAdded { attempt, .. }
        | Event::PromptQueued { attempt, .. }
        | Event::PromptTakenBack { attempt, .. }
        | Event::RollbackRequested { attempt, .. }
        | Event::RolledBack { attempt, .. }
        | Event::RollbackFailed { attempt, .. }
        | Event::AttemptLeased { attempt, .. }
        | Event::WorkspaceReady { attempt, .. }
        | Event::WorkspaceFailed { attempt, .. }
        | Event::BaseMoved { attempt, .. }
        | Event::SessionOpened { attempt, .. }
        | Event::SessionNamed { attempt, .. }
        | Event::SessionClosed { attempt, .. }
        | Event::TurnStarted { attempt, .. }
        | Event::PromptGiven { attempt, .. }
        | Event::TurnCancelRequested { attempt, .. }
        | Event::SnapshotTaken { attempt, .. }
        | Event::TurnEnded { attempt, .. }
        | Event::ResultMade { attempt, .. }
        | Event::EvidenceStored { attempt, .. }
        | Event::ChecksEnded { attempt, .. }
        | Event::ItemOpened { attempt, .. }
        | Event::CommentWritten { attempt, .. }
        | Event::CommentEdited { attempt, .. }
        | Event::CommentDeleted { attempt, .. }
        | Event::CommentResolved { attempt, .. }
        | Event::CommentReopened { attempt, .. }
        | Event::FilesViewed { attempt, .. }
        | Event::Reviewed { attempt, .. }
        | Event::LandingRequested { attempt }
        | Event::LandingPrepared { attempt, .. }
        | Event::Landed { attempt, .. }
        | Event::LandingFailed { attempt, .. }
        | Event::UndoRequested { attempt }
        | Event::LandingUndone { attempt, .. }
        | Event::UndoFailed { attempt, .. }
        | Event::AttemptStopped { attempt, .. }
        | Event::AttemptResumed { attempt }
        | Event::AttemptHeld { attempt, .. }
        | Event::LimitOver { attempt }
        | Event::AttemptBlocked { attempt, .. }
        | Event::BudgetSet { attempt, .. }
        | Event::WorkspaceArchived { attempt, .. }
        | Event::WorkspaceRestored { attempt, .. } => Some(*attempt),
    }
}

fn new_attempt(
    state: &TaskState,
    number: u16,
    agent: &str,
    branch: &str,
    at: jiff::Timestamp,
) -> AttemptState {
    AttemptState {
        number,
        agent: agent.to_owned(),
        branch: branch.to_owned(),
        phase: Phase::Waiting,
        since: at,
        queue: Vec::new(),
        prompts: 0,
        lease: None,
        workspace: None,
        archived_as: None,
        outside: None,
        setup_failed: None,
        base: state.spec.base.commit.clone(),
        conflicts: Vec::new(),
        move_base_to: None,
        sessions: Vec::new(),
        turns: Vec::new(),
        result: None,
        results: Vec::new(),
        evidence: Vec::new(),
        rounds: 0,
        reviews: Vec::new(),
        comments: Vec::new(),
        comments_written: 0,
        viewed: BTreeMap::new(),
        landing_order: None,
        prepared: None,
        landing: None,
        undo_failure: None,
        landing_failure: None,
        landing_by: None,
        usage: crate::event::Usage::default(),
        held: None,
        goes_now: false,
        stopped_because: None,
        rollbacks: Vec::new(),
        budget: state.spec.budget,
    }
}

/// Items whose question has lost its point end with the event that took it away.
fn withdraw_what_is_over(state: &mut TaskState, attempt: u16, event: &Event) {
    let blocked = |attempt: &AttemptState| matches!(attempt.phase, Phase::Blocked { .. });
    let over: (&str, fn(&Ask) -> bool) = match event {
        // What blocks the attempt stays in the inbox when its turn has ended and its agent is closed.
        Event::TurnEnded { .. } | Event::SessionClosed { .. }
            if state.attempt(attempt).is_some_and(blocked) =>
        {
            ("the turn is over", |ask| matches!(ask, Ask::Permission { .. } | Ask::Question { .. }))
        }
        Event::TurnEnded { .. } | Event::SessionClosed { .. } => ("the turn is over", |ask| {
            matches!(ask, Ask::Permission { .. } | Ask::Question { .. } | Ask::Stall { .. })
        }),
        Event::AttemptResumed { .. } | Event::LimitOver { .. } | Event::PromptQueued { .. } => {
            ("the attempt goes on", |ask| matches!(ask, Ask::Stall { .. } | Ask::Review { .. }))
        }
        Event::Reviewed { .. } => ("a verdict was given", |ask| matches!(ask, Ask::Review { .. })),
        Event::ResultMade { .. } => ("there is a newer result", |ask| {
            matches!(ask, Ask::Review { .. } | Ask::Criterion { .. } | Ask::Stall { .. })
        }),
        Event::AttemptStopped { .. } => ("the attempt was stopped", |_| true),
        Event::Landed { .. } => ("it landed", |_| true),
        _ => return,
    };
    for item in state.items.iter_mut().filter(|i| i.attempt == attempt && i.answer.is_none()) {
        if over.1(&item.ask) {
            item.answer = Some(Answer::Withdrawn { why: over.0.to_owned() });
        }
    }
}

fn apply_to_attempt(attempt: &mut AttemptState, event: &Event, envelope: &Envelope) {
    let at = envelope.at;
    let before = attempt.phase.clone();
    match event {
        Event::PromptQueued { prompt, .. } => {
            attempt.prompts = attempt.prompts.max(prompt.id);
            match prompt.delivery {
                crate::event::Delivery::Queue => attempt.queue.push(prompt.clone()),
                _ => attempt.queue.insert(0, prompt.clone()),
            }
            match attempt.phase {
                Phase::Queued | Phase::Preparing | Phase::Working => {}
                Phase::RollingBack => rollbacks::then_queued(attempt),
                _ => attempt.phase = Phase::Queued,
            }
            use crate::event::Origin;
            if matches!(prompt.origin, Origin::Check | Origin::Conflict | Origin::Scope) {
                attempt.rounds += 1;
            } else if !matches!(prompt.origin, Origin::Task | Origin::Limit) {
                attempt.rounds = 0;
            }
        }
        Event::PromptTakenBack { prompt, .. } => {
            attempt.queue.retain(|queued| queued.id != *prompt);
            if attempt.phase == Phase::Queued && attempt.queue.is_empty() {
                attempt.phase = rollbacks::without_words(attempt);
            }
        }
        Event::RollbackRequested { to, paths, .. } => {
            rollbacks::requested(attempt, to, paths, envelope);
        }
        Event::RolledBack { before, reference, files, kept, .. } => {
            let before = (before.clone(), reference.clone());
            rollbacks::ended(attempt, RollbackEnd::Done { before, files: *files, kept: kept.clone() });
        }
        Event::RollbackFailed { why, .. } => {
            rollbacks::ended(attempt, RollbackEnd::Failed { why: why.clone() });
        }
        Event::AttemptLeased { worker, slot, .. } => {
            attempt.lease = Some((worker.clone(), *slot));
            attempt.held = None;
            attempt.phase = Phase::Preparing;
        }
        Event::WorkspaceReady { workspace, .. } => {
            attempt.workspace = Some(workspace.clone());
            attempt.archived_as = None;
            attempt.phase = Phase::Working;
        }
        Event::WorkspaceFailed { log, .. } => attempt.setup_failed.clone_from(log),
        Event::BaseMoved { base, conflicts, .. } => {
            attempt.conflicts.clone_from(conflicts);
            attempt.base = base.clone();
            attempt.move_base_to = None;
        }
        Event::SessionOpened { session, launch, how, sandbox, .. } => attempt.sessions.push(SessionState {
            number: *session,
            launch: launch.clone(),
            agent_session: None,
            how: *how,
            sandbox: *sandbox,
            opened: at,
            closed: None,
        }),
        Event::SessionNamed { session, agent_session, .. } => {
            if let Some(open) = attempt.sessions.iter_mut().find(|s| s.number == *session) {
                open.agent_session = Some(agent_session.clone());
            }
        }
        Event::SessionClosed { session, why, forgotten, .. } => {
            if let Some(open) = attempt.sessions.iter_mut().find(|s| s.number == *session) {
                open.closed.get_or_insert_with(|| why.clone());
                if *forgotten {
                    open.agent_session = None;
                }
            }
        }
        Event::TurnStarted { turn, session, prompts, .. } => {
            let (taken, left) =
                std::mem::take(&mut attempt.queue).into_iter().partition(|p| prompts.contains(&p.id));
            attempt.queue = left;
            attempt.turns.push(TurnState {
                number: *turn,
                session: *session,
                prompts: taken,
                started: at,
                started_by: envelope.seq,
                ended: None,
                ended_by: 0,
                outcome: None,
                cancel_requested: false,
                snapshot: None,
                usage: crate::event::Usage::default(),
            });
            attempt.phase = Phase::Working;
            attempt.goes_now = false;
        }
        Event::PromptGiven { turn, prompt, .. } => {
            let place = attempt.queue.iter().position(|queued| queued.id == *prompt);
            let running = attempt.turns.iter_mut().find(|t| t.number == *turn);
            if let (Some(place), Some(running)) = (place, running) {
                running.prompts.push(attempt.queue.remove(place));
            }
        }
        Event::TurnCancelRequested { turn, .. } => {
            if let Some(running) = attempt.turns.iter_mut().find(|t| t.number == *turn) {
                running.cancel_requested = true;
            }
        }
        Event::SnapshotTaken { turn, commit, reference, .. } => {
            if let Some(ended) = attempt.turns.iter_mut().find(|t| t.number == *turn) {
                ended.snapshot = Some((commit.clone(), reference.clone()));
            }
        }
        Event::TurnEnded { turn, outcome, usage, .. } => {
            if let Some(running) = attempt.turns.iter_mut().find(|t| t.number == *turn) {
                running.ended = Some(at);
                running.ended_by = envelope.seq;
                running.outcome = Some(outcome.clone());
                running.usage = *usage;
            }
            attempt.usage.add(usage);
            attempt.phase = match outcome {
                _ if attempt.phase != Phase::Working => attempt.phase.clone(),
                _ if !attempt.queue.is_empty() => Phase::Working,
                TurnOutcome::Completed => Phase::Checking,
                _ => Phase::Waiting,
            };
            if attempt.phase != Phase::Working {
                attempt.lease = None;
            }
        }
        Event::ResultMade { result, comments, .. } => {
            let (turn, commit, base) = (result.turn, result.commit.clone(), result.base.clone());
            attempt.results.push(PastResult { turn, commit, base, at });
            attempt.result = Some(result.clone());
            comments::moved(attempt, comments, &result.commit);
        }
        Event::EvidenceStored { evidence, .. } => attempt.evidence.push((**evidence).clone()),
        Event::ChecksEnded { passed, .. } => {
            if *passed && attempt.phase == Phase::Checking {
                attempt.phase = Phase::InReview;
            }
        }
        Event::CommentWritten { .. }
        | Event::CommentEdited { .. }
        | Event::CommentDeleted { .. }
        | Event::CommentResolved { .. }
        | Event::CommentReopened { .. }
        | Event::FilesViewed { .. } => comments::apply(attempt, event, envelope),
        Event::Reviewed { commit, verdict, comments, note, sent, .. } => {
            comments::sent(attempt, sent, *verdict, at);
            attempt.reviews.push(Review {
                commit: commit.clone(),
                verdict: *verdict,
                comments: comments.clone(),
                sent: sent.clone(),
                note: note.clone(),
                at,
                by: envelope.actor.to_string(),
            });
            match verdict {
                Verdict::Approved => attempt.phase = Phase::Approved,
                Verdict::Withdrawn => {
                    attempt.phase = Phase::InReview;
                    attempt.landing_failure = None;
                }
                Verdict::ChangesRequested => {}
            }
        }
        Event::LandingRequested { .. } => {
            attempt.phase = Phase::Landing;
            attempt.landing_order = Some(envelope.seq);
            attempt.landing_by = Some(envelope.actor.to_string());
            attempt.landing_failure = None;
        }
        Event::LandingPrepared { landing, .. } => attempt.prepared = Some(landing.clone()),
        Event::Landed { landing, .. } => {
            attempt.prepared = None;
            attempt.landing = Some(landing.clone());
            attempt.phase = Phase::Landed;
        }
        Event::LandingFailed { why, .. } => {
            attempt.landing_failure = Some(why.clone());
            attempt.prepared = None;
            attempt.landing_order = None;
            attempt.phase = Phase::Approved;
            if let crate::event::LandingFailure::Conflict { target, .. }
            | crate::event::LandingFailure::ChecksFailed { target, .. } = why
            {
                attempt.move_base_to = Some(target.clone());
            }
        }
        Event::UndoRequested { .. } => {
            attempt.phase = Phase::Undoing;
            attempt.undo_failure = None;
        }
        Event::LandingUndone { .. } => {
            attempt.landing = None;
            attempt.landing_order = None;
            attempt.phase = Phase::Approved;
        }
        Event::UndoFailed { why, .. } => {
            attempt.phase = Phase::Landed;
            attempt.undo_failure = Some(why.clone());
        }
        Event::AttemptStopped { why, .. } => {
            attempt.phase = Phase::Stopped;
            attempt.stopped_because.clone_from(why);
            attempt.lease = None;
            attempt.held = None;
        }
        Event::AttemptResumed { .. } => {
            attempt.phase = Phase::Queued;
            attempt.rounds = 0;
            attempt.held = None;
            attempt.goes_now = true;
        }
        Event::AttemptHeld { until, why, .. } => {
            attempt.held = Some(crate::state::Held { until: *until, why: why.clone() });
        }
        Event::LimitOver { .. } => {
            if matches!(&attempt.phase, Phase::Blocked { why } if why.ends_at().is_some()) {
                attempt.phase = Phase::Queued;
            }
            attempt.held = None;
        }
        Event::AttemptBlocked { why, .. } => {
            attempt.phase = Phase::Blocked { why: why.clone() };
            attempt.lease = None;
        }
        Event::BudgetSet { budget, .. } => attempt.budget = *budget,
        Event::WorkspaceArchived { commit, reference, outside, .. } => {
            attempt.archived_as = Some((commit.clone(), reference.clone()));
            if outside.is_some() {
                attempt.outside = outside.clone();
            }
        }
        Event::WorkspaceRestored { path, kind, first_port, .. } => {
            attempt.archived_as = None;
            if let Some(workspace) = &mut attempt.workspace {
                workspace.path = path.clone();
                workspace.kind = kind.clone().unwrap_or_else(|| workspace.kind.clone());
                workspace.move_ports(first_port.unwrap_or(workspace.first_port));
            }
        }
        Event::ProjectAdded { .. }
        | Event::TaskAdded { .. }
        | Event::TaskEdited { .. }
        | Event::TaskMoved { .. }
        | Event::TaskArchived
        | Event::TaskRestored
        | Event::AttemptAdded { .. }
        | Event::ItemOpened { .. }
        | Event::ItemAnswered { .. } => {}
    }
    if attempt.phase != before {
        attempt.since = at;
    }
}
