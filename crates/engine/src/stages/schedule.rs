//! Schedule: the one place where every way back enters. It gives free slots to the attempts that wait longest; the
//! choice itself is [`divisi_model::schedule`]. Attempts whose agent ran into a usage limit wait for its end here, which
//! is [`divisi_model::holds`].

use std::sync::Arc;
use std::time::Duration;

use divisi_model::AttemptId;
use divisi_model::event::Event;
use divisi_model::holds::Holds;
use divisi_model::schedule::schedule;
use divisi_model::state::Held;
use jiff::Timestamp;

use crate::context::Context;
use crate::stage::LOOK_AGAIN;

/// The name of this process as a worker.
pub(crate) const LOCAL_WORKER: &str = "local";
/// How often the clock is looked at while a moment is waited for: a machine that slept is then late by no more.
const CLOCK_LOOK: Duration = Duration::from_secs(60);

/// Runs until the engine shuts down.
pub(crate) async fn run(context: Arc<Context>) {
    let mut changes = context.authority.changes();
    loop {
        changes.mark_seen();
        let slots = context.slots.lock().await;
        let now = context.now();
        let tasks = context.authority.tasks();
        let tasks = || tasks.iter().map(AsRef::as_ref);
        let holds = Holds::of(tasks());
        for id in holds.over(tasks(), now) {
            report(&context, id, Event::LimitOver { attempt: id.number }).await;
        }
        for (id, held) in holds.told(tasks(), now) {
            let Held { until, why } = held.clone();
            report(&context, id, Event::AttemptHeld { attempt: id.number, until, why }).await;
        }
        for (id, slot) in schedule(tasks(), context.options.parallel, &holds, now) {
            if context.put_away.has(id) {
                continue;
            }
            let leased = Event::AttemptLeased { attempt: id.number, worker: LOCAL_WORKER.to_owned(), slot };
            report(&context, id, leased).await;
        }
        drop(slots);
        let next = holds.next(tasks(), now);
        tokio::select! {
            biased;
            () = context.stop.cancelled() => return,
            () = changes.changed() => {}
            () = until(&context, next) => {}
            // Where a lease could not be stored, nothing changes that would wake anybody.
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

/// Waits until a moment of the wall clock, which may be set while it is waited for; for ever where there is none.
async fn until(context: &Context, moment: Option<Timestamp>) {
    let Some(moment) = moment else { return std::future::pending().await };
    loop {
        let left = moment.duration_since(context.now());
        let Ok(left) = Duration::try_from(left) else { return };
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(CLOCK_LOOK)).await;
    }
}

async fn report(context: &Context, id: AttemptId, event: Event) {
    if let Err(refusal) = context.authority.report(id, event).await {
        tracing::debug!(attempt = %id, %refusal, "the attempt no longer waits");
    }
}
