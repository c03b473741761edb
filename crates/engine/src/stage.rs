//! The shape of a stage: a reconciler. Woken by the log and by a clock, it looks which attempts wait for it and takes
//! one idempotent step for each, never two at once for the same attempt. After a crash nothing special happens: the
//! stages look again.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use divisi_model::{AttemptId, AttemptState, Event, TaskState};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::context::Context;

/// How long a stage sleeps at most before it looks again by itself.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// The first pause after a step failed for a reason of Divisi's own; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// How long steps may take to leave when the engine shuts down.
const LEAVE_MAX: Duration = Duration::from_secs(15);
/// After how many failed steps in a row a person is told. Until then the state says that it is being worked on.
const TRIES: u32 = 5;
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// One stage of the work.
pub(crate) trait Stage: Send + Sync + 'static {
    /// Its name in logs.
    const NAME: &'static str;

    /// How many of its steps may run at once.
    fn at_once(&self) -> usize {
        usize::MAX
    }

    /// Whether an attempt waits for this stage.
    fn waiting(&self, task: &TaskState, attempt: &AttemptState) -> bool;

    /// The order in which waiting attempts are taken, lowest first.
    fn order(&self, _task: &TaskState, attempt: &AttemptState) -> u64 {
        u64::try_from(attempt.since.as_millisecond()).unwrap_or_default()
    }

    /// One idempotent step. An error is logged and tried again later; what a person must know is reported as an event.
    fn step(
        &self,
        context: Arc<Context>,
        attempt: AttemptId,
    ) -> impl Future<Output = Result<(), StepError>> + Send;

    /// What a person is told when steps for an attempt fail again and again; none if there is nothing to decide.
    fn give_up(&self, attempt: &AttemptState, why: String) -> Option<Event>;
}

/// A step failed for a reason of Divisi's own.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StepError(pub String);

impl From<divisi_model::Refusal> for StepError {
    fn from(refusal: divisi_model::Refusal) -> Self {
        Self(refusal.to_string())
    }
}

impl StepError {
    /// Wraps an error with its causes.
    pub fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        Self(crate::authority::with_sources(error))
    }
}

/// Runs a stage until the engine shuts down.
pub(crate) async fn run<S: Stage>(stage: S, context: Arc<Context>) {
    let stage = Arc::new(stage);
    let mut changes = context.authority.changes();
    let mut steps: JoinSet<(AttemptId, Result<(), StepError>)> = JoinSet::new();
    let mut running: HashMap<AttemptId, tokio::task::Id> = HashMap::new();
    let mut pauses: HashMap<AttemptId, Pause> = HashMap::new();
    loop {
        changes.mark_seen();
        for id in look(&*stage, &context, &running, &pauses) {
            if running.len() >= stage.at_once() {
                break;
            }
            let (stage, context) = (Arc::clone(&stage), Arc::clone(&context));
            let handle = steps.spawn(async move { (id, stage.step(context, id).await) });
            running.insert(id, handle.id());
        }
        let now = Instant::now();
        let soonest = pauses.values().map(|pause| pause.until).filter(|until| *until > now).min();
        let look_again = soonest.unwrap_or(now + LOOK_AGAIN).min(now + LOOK_AGAIN);
        tokio::select! {
            biased;
            () = context.stop.cancelled() => break,
            Some(ended) = steps.join_next_with_id(), if !steps.is_empty() => match ended {
                Ok((_, (id, Ok(())))) => {
                    running.remove(&id);
                    pauses.remove(&id);
                }
                Ok((_, (id, Err(error)))) => {
                    tracing::warn!(stage = S::NAME, attempt = %id, %error, "a step failed and is tried again");
                    running.remove(&id);
                    if pause(&mut pauses, id) == TRIES {
                        give_up(&*stage, &context, id, error.0).await;
                    }
                }
                Err(error) => {
                    tracing::error!(stage = S::NAME, %error, "a step ended abnormally and is tried again");
                    let id = running.iter().find(|(_, task)| **task == error.id()).map(|(id, _)| *id);
                    if let Some(id) = id {
                        running.remove(&id);
                        pause(&mut pauses, id);
                    }
                }
            },
            () = changes.changed() => {}
            () = tokio::time::sleep_until(look_again) => {}
        }
    }
    // Steps leave by themselves at the next safe moment; what they are ending is ended first.
    let left = async { while steps.join_next().await.is_some() {} };
    if tokio::time::timeout(LEAVE_MAX, left).await.is_err() {
        tracing::warn!(stage = S::NAME, "a step did not leave in time and is taken up at the next start");
    }
    steps.shutdown().await;
}

/// An attempt whose step failed.
struct Pause {
    until: Instant,
    length: Duration,
    failed: u32,
}

/// Makes an attempt wait, longer each time; how often its step has failed in a row.
fn pause(pauses: &mut HashMap<AttemptId, Pause>, id: AttemptId) -> u32 {
    let last = pauses.get(&id);
    let length = last.map_or(FIRST_PAUSE, |last| (last.length * 2).min(LONGEST_PAUSE));
    let failed = last.map_or(0, |last| last.failed) + 1;
    pauses.insert(id, Pause { until: Instant::now() + length, length, failed });
    failed
}

async fn give_up<S: Stage>(stage: &S, context: &Context, id: AttemptId, why: String) {
    let Ok(task) = context.task(id) else { return };
    let waiting = task.attempt(id.number).filter(|attempt| stage.waiting(&task, attempt));
    let Some(event) = waiting.and_then(|attempt| stage.give_up(attempt, why)) else { return };
    if let Err(error) = context.report(id, event).await {
        tracing::warn!(stage = S::NAME, attempt = %id, %error, "giving up could not be recorded");
    }
}

fn look<S: Stage>(
    stage: &S,
    context: &Context,
    running: &HashMap<AttemptId, tokio::task::Id>,
    pauses: &HashMap<AttemptId, Pause>,
) -> Vec<AttemptId> {
    let now = Instant::now();
    let mut found = Vec::new();
    for task in context.authority.tasks() {
        for attempt in &task.attempts {
            let id = AttemptId { task: task.id, number: attempt.number };
            let paused = pauses.get(&id).is_some_and(|pause| pause.until > now);
            if !running.contains_key(&id) && !paused && stage.waiting(&task, attempt) {
                found.push((stage.order(&task, attempt), id));
            }
        }
    }
    found.sort_unstable();
    found.into_iter().map(|(_, id)| id).collect()
}
