//! Schedule: the one place where every way back enters. It gives free slots to the attempts that wait longest; the
//! choice itself is [`divisi_model::schedule`].

use std::sync::Arc;

use divisi_model::event::Event;
use divisi_model::schedule::schedule;

use crate::context::Context;

/// The name of this process as a worker.
pub(crate) const LOCAL_WORKER: &str = "local";

/// Runs until the engine shuts down.
pub(crate) async fn run(context: Arc<Context>) {
    let mut changes = context.authority.changes();
    loop {
        changes.mark_seen();
        let tasks = context.authority.tasks();
        for (id, slot) in schedule(tasks.iter().map(AsRef::as_ref), context.options.parallel) {
            let leased = Event::AttemptLeased { attempt: id.number, worker: LOCAL_WORKER.to_owned(), slot };
            if let Err(refusal) = context.authority.report(id, leased).await {
                tracing::debug!(attempt = %id, %refusal, "the attempt no longer waits for a slot");
            }
        }
        tokio::select! {
            biased;
            () = context.stop.cancelled() => return,
            () = changes.changed() => {}
        }
    }
}
