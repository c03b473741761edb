//! Land: approved results go onto their target branch, one after the other in the order that was asked for. The
//! combination with what landed meanwhile is built and checked before the branch moves, and the branch moves only if it
//! is still where it was.

use std::sync::Arc;

use divisi_model::event::{Event, LandingFailure, Origin};
use divisi_model::{AttemptId, AttemptState, Command, Phase, TaskState};

use crate::checks;
use crate::context::Context;
use crate::stage::{Stage, StepError};
use crate::stages::check::send_back_prompt;
use crate::worker::{Built, Moved};

/// See the module.
pub(crate) struct Land;

impl Stage for Land {
    const NAME: &'static str = "land";

    fn at_once(&self) -> usize {
        1
    }

    fn waiting(&self, _task: &TaskState, attempt: &AttemptState) -> bool {
        matches!(attempt.phase, Phase::Landing | Phase::Undoing)
    }

    fn order(&self, _task: &TaskState, attempt: &AttemptState) -> u64 {
        attempt.landing_order.unwrap_or_default()
    }

    async fn step(&self, context: Arc<Context>, id: AttemptId) -> Result<(), StepError> {
        let task = context.task(id)?;
        let Some(attempt) = task.attempt(id.number) else { return Ok(()) };
        match attempt.phase {
            Phase::Landing => land(&context, id, &task, attempt).await,
            Phase::Undoing => undo(&context, id, attempt).await,
            _ => Ok(()),
        }
    }

    async fn give_up(
        &self,
        context: &Context,
        task: &TaskState,
        attempt: &AttemptState,
        why: String,
    ) -> Option<Event> {
        let number = attempt.number;
        // The branch may have moved before it came to this. While that cannot be seen, neither can be said.
        if attempt.phase == Phase::Landing
            && let Some(landing) = attempt.prepared.clone()
            && context.worker.has_happened(context.project(task).ok()?, landing.clone()).await.ok()?
        {
            return Some(Event::Landed { attempt: number, landing });
        }
        Some(match attempt.phase {
            Phase::Undoing => Event::UndoFailed { attempt: number, why },
            _ => Event::LandingFailed { attempt: number, why: LandingFailure::Other { text: why } },
        })
    }
}

async fn land(
    context: &Arc<Context>,
    id: AttemptId,
    task: &TaskState,
    attempt: &AttemptState,
) -> Result<(), StepError> {
    if let Some(prepared) = &attempt.prepared
        && context.worker.has_happened(context.project(task)?, prepared.clone()).await?
    {
        let landing = prepared.clone();
        return context.report(id, Event::Landed { attempt: id.number, landing }).await;
    }
    let built = match context.worker.build(context.attempt(id)?).await? {
        Built::Combination(built) => built,
        Built::Conflict { paths, target, prompt } => {
            let why = LandingFailure::Conflict { paths, target };
            context.report(id, Event::LandingFailed { attempt: id.number, why }).await?;
            let back = Command::SendBack { attempt: id.number, text: prompt, origin: Origin::Conflict };
            return context.submit(id, back).await;
        }
        Built::Impossible { text } => return fail(context, id, text).await,
    };
    // Evidence holds for a tree: when nothing else landed meanwhile, the combination is the result itself.
    if !checks::run_missing(context, id, task, &built.subject).await? {
        return Ok(());
    }
    let now = context.task(id)?;
    let Some(attempt) = now.attempt(id.number) else { return Ok(()) };
    let failed: Vec<_> = now
        .spec
        .checks()
        .iter()
        .filter(|check| check.required)
        .filter_map(|check| attempt.evidence_for(&check.name, &built.subject.tree))
        .filter(|evidence| !evidence.passed())
        .cloned()
        .collect();
    if !failed.is_empty() {
        let text =
            send_back_prompt(context, &failed, "your change together with what landed meanwhile").await;
        let checks = failed.iter().map(|evidence| evidence.check.clone()).collect();
        let why =
            LandingFailure::ChecksFailed { checks, target: built.landing.before, log: failed[0].log.clone() };
        context.report(id, Event::LandingFailed { attempt: id.number, why }).await?;
        return context
            .submit(id, Command::SendBack { attempt: id.number, text, origin: Origin::Check })
            .await;
    }
    let mut landing = built.landing;
    context.report(id, Event::LandingPrepared { attempt: id.number, landing: landing.clone() }).await?;
    match context.worker.advance(context.attempt(id)?, landing.clone()).await? {
        Moved::Yes { checkout_updated } => {
            landing.checkout_updated = checkout_updated;
            context.report(id, Event::Landed { attempt: id.number, landing }).await
        }
        // Somebody else moved the branch: the next step builds a new combination.
        Moved::Elsewhere => Err(StepError("the target branch moved meanwhile".to_owned())),
        Moved::Dirty { paths } => {
            let why = LandingFailure::CheckoutDirty { paths };
            context.report(id, Event::LandingFailed { attempt: id.number, why }).await
        }
        Moved::Refused { text } => fail(context, id, text).await,
    }
}

async fn fail(context: &Context, id: AttemptId, text: String) -> Result<(), StepError> {
    let why = LandingFailure::Other { text };
    context.report(id, Event::LandingFailed { attempt: id.number, why }).await
}

async fn undo(context: &Arc<Context>, id: AttemptId, attempt: &AttemptState) -> Result<(), StepError> {
    let Some(landing) = &attempt.landing else {
        let why = "it has not landed".to_owned();
        return context.report(id, Event::UndoFailed { attempt: id.number, why }).await;
    };
    let (from, to) = (landing.after.clone(), landing.before.clone());
    let undone = Event::LandingUndone { attempt: id.number, from, to };
    let why = match context.worker.take_back(context.attempt(id)?, landing.clone()).await? {
        Moved::Yes { .. } => return context.report(id, undone).await,
        Moved::Elsewhere => format!(
            "{} has moved on since; undo what landed after it first, in reverse order",
            landing.target
        ),
        Moved::Dirty { paths } => {
            format!("local changes in your checkout are in the way: {}", paths.join(", "))
        }
        Moved::Refused { text } => text,
    };
    context.report(id, Event::UndoFailed { attempt: id.number, why }).await
}
