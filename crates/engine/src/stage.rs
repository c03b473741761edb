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
use crate::pauses::Pauses;

/// How long a stage sleeps at most before it looks again by itself.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// How long steps may take to leave when the engine shuts down.
const LEAVE_MAX: Duration = Duration::from_secs(15);
/// After how many failed steps in a row a person is told. Until then the state says that it is being worked on.
const TRIES: u32 = 5;

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

    /// What a person is told when steps for an attempt fail again and again, or come to nothing; none if there is
    /// nothing to decide, or it cannot be said yet.
    fn give_up(
        &self,
        context: &Context,
        task: &TaskState,
        attempt: &AttemptState,
        why: String,
    ) -> impl Future<Output = Option<Event>> + Send;
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
    let mut steps: JoinSet<(AttemptId, u64, Result<(), StepError>)> = JoinSet::new();
    let mut running: HashMap<AttemptId, tokio::task::Id> = HashMap::new();
    let mut pauses = Pauses::default();
    let mut recoveries = context.troubles.recoveries();
    loop {
        changes.mark_seen();
        // What failed because of the log alone need not wait any longer.
        if std::mem::replace(&mut recoveries, context.troubles.recoveries()) != recoveries {
            pauses.lift();
        }
        pauses.keep(|id| waits(&*stage, &context, id).is_some());
        context.troubles.set(S::NAME, pauses.failing());
        for (id, version) in look(&*stage, &context, &running, &pauses) {
            if running.len() >= stage.at_once() {
                break;
            }
            let (stage, context) = (Arc::clone(&stage), Arc::clone(&context));
            let under_way = context.steps.begin(id);
            let handle = steps.spawn(async move {
                let _under_way = under_way;
                (id, version, stage.step(context, id).await)
            });
            running.insert(id, handle.id());
        }
        let now = Instant::now();
        let look_again = pauses.soonest(now).unwrap_or(now + LOOK_AGAIN).min(now + LOOK_AGAIN);
        tokio::select! {
            biased;
            () = context.stop.cancelled() => break,
            Some(ended) = steps.join_next_with_id(), if !steps.is_empty() => match ended {
                Ok((_, (id, version, ended))) => {
                    running.remove(&id);
                    let times = match ended {
                        Ok(()) if is_unchanged(&*stage, &context, id, version) => {
                            tracing::warn!(stage = S::NAME, attempt = %id, "a step changed nothing");
                            pauses.unchanged(id, version, Instant::now())
                        }
                        Ok(()) => {
                            pauses.over(id);
                            0
                        }
                        Err(error) => {
                            tracing::warn!(stage = S::NAME, attempt = %id, %error, "a step failed and is tried again");
                            pauses.failed(id, error.0, Instant::now())
                        }
                    };
                    // A log that cannot be written is nobody's fault here, and could not be told in it either.
                    let log_holds = context.authority.store().trouble().is_some();
                    if log_holds {
                        context.troubles.log_failed.tell();
                    } else if times >= TRIES && let Some(why) = pauses.why(id) {
                        give_up(&*stage, &context, id, why.to_owned()).await;
                    }
                }
                Err(error) => {
                    tracing::error!(stage = S::NAME, %error, "a step ended abnormally and is tried again");
                    let id = running.iter().find(|(_, task)| **task == error.id()).map(|(id, _)| *id);
                    if let Some(id) = id {
                        running.remove(&id);
                        pauses.failed(id, "its next step ended abnormally".to_owned(), Instant::now());
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

/// Whether a step that succeeded left everything as it was: the next one would do the same again.
fn is_unchanged<S: Stage>(stage: &S, context: &Context, id: AttemptId, version: u64) -> bool {
    waits(stage, context, id) == Some(version) && !context.stop.is_cancelled()
}

/// The version of the task, where the attempt waits for the stage.
fn waits<S: Stage>(stage: &S, context: &Context, id: AttemptId) -> Option<u64> {
    let task = context.task(id).ok()?;
    let attempt = task.attempt(id.number)?;
    stage.waiting(&task, attempt).then_some(task.version)
}

async fn give_up<S: Stage>(stage: &S, context: &Context, id: AttemptId, why: String) {
    let Ok(task) = context.task(id) else { return };
    let waiting = task.attempt(id.number).filter(|attempt| stage.waiting(&task, attempt));
    let Some(attempt) = waiting else { return };
    let Some(event) = stage.give_up(context, &task, attempt, why).await else { return };
    if let Err(error) = context.report(id, event).await {
        tracing::warn!(stage = S::NAME, attempt = %id, %error, "giving up could not be recorded");
    }
}

fn look<S: Stage>(
    stage: &S,
    context: &Context,
    running: &HashMap<AttemptId, tokio::task::Id>,
    pauses: &Pauses,
) -> Vec<(AttemptId, u64)> {
    let now = Instant::now();
    let mut found = Vec::new();
    for task in context.authority.tasks() {
        for attempt in &task.attempts {
            let id = AttemptId { task: task.id, number: attempt.number };
            let paused = pauses.holds(id, task.version, now);
            if !running.contains_key(&id) && !paused && stage.waiting(&task, attempt) {
                found.push((stage.order(&task, attempt), id, task.version));
            }
        }
    }
    found.sort_unstable();
    found.into_iter().map(|(_, id, version)| (id, version)).collect()
}
