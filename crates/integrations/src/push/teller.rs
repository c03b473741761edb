//! The reconciler: woken by the log and by a clock, it looks what devices have not been told yet, and tells them. After a
//! restart it looks again from where the device that was told least has come; nothing else is remembered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use divisi_engine::Feed;
use divisi_model::{TaskId, TaskState};
use futures::FutureExt;
use futures::future::join_all;
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::book::Entry;
use super::message::Message;
use super::pending::{Due, Waiting, due};
use super::retry::Retry;
use super::send::Sent;
use super::service::Inner;

/// How long nothing is looked at when nothing waits.
const LOOK_AGAIN: Duration = Duration::from_secs(600);
/// How often the end of quiet hours is looked for.
const QUIET_LOOK: Duration = Duration::from_secs(30);

/// What the reconciler remembers while it runs.
#[derive(Default)]
struct Teller {
    waiting: Waiting,
    retries: HashMap<Uuid, Retry>,
}

/// Tells until the daemon ends.
pub(super) async fn run(inner: Arc<Inner>, mut feed: Feed, stop: CancellationToken) {
    let mut teller = Teller::default();
    loop {
        let until = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            until = teller.look(&inner) => until,
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            next = feed.next() => {
                let mut next = Some(next);
                while let Some(one) = next {
                    match one {
                        Ok(envelope) => teller.waiting.add(&envelope, Instant::now()),
                        Err(error) => return tracing::warn!(%error, "notices are sent no longer: the log ended"),
                    }
                    next = feed.next().now_or_never();
                }
            }
            () = inner.changed.notified() => {}
            () = tokio::time::sleep_until(until) => {}
        }
    }
}

impl Teller {
    /// Tells what is due. Gives when to look again at the latest.
    async fn look(&mut self, inner: &Arc<Inner>) -> Instant {
        let (at, now) = (Timestamp::now(), Instant::now());
        inner.forget_unknown().await;
        let entries = inner.entries();
        self.retries.retain(|device, _| entries.iter().any(|entry| entry.device == *device));
        let settled = entries.iter().map(|entry| entry.settled).min().unwrap_or(u64::MAX);
        if self.waiting.is_empty() {
            return now + LOOK_AGAIN;
        }
        let tasks = inner.engine.tasks();
        let task = |id: TaskId| tasks.iter().map(AsRef::<TaskState>::as_ref).find(|task| task.id == id);
        let found = self.waiting.look(task, settled, at, now);
        let mut wake = self.waiting.ripens(now).unwrap_or(now + LOOK_AGAIN);
        let mut jobs = Vec::new();
        for entry in entries {
            if let Some(until) = self.retries.get(&entry.device).and_then(|retry| retry.until(now)) {
                wake = wake.min(until);
                continue;
            }
            match due(&found, &entry, inner.looks(entry.device), at) {
                Due::Nothing => {}
                Due::Settled(seq) => inner.note(&entry, |entry| entry.settled = seq).await,
                Due::Quiet => wake = wake.min(now + QUIET_LOOK),
                Due::Tell(messages) => jobs.push(tell(inner, entry, messages)),
            }
        }
        for (device, failed) in join_all(jobs).await {
            match failed {
                Some(after) => {
                    let retry = self.retries.entry(device).or_default();
                    retry.failed(after, Instant::now());
                    wake = wake.min(retry.until(Instant::now()).unwrap_or(wake));
                }
                None => drop(self.retries.remove(&device)),
            }
        }
        wake
    }
}

/// Sends messages to one device, one after the other, and notes each as soon as the service has it. Gives the device, and
/// what the service said about later when it did not take one.
async fn tell(
    inner: &Arc<Inner>,
    entry: Entry,
    messages: Vec<(u64, Message)>,
) -> (Uuid, Option<Option<Duration>>) {
    for (seq, message) in messages {
        let sent = inner.send(&entry, &message).await;
        inner.sent(&entry, &sent, Some(seq)).await;
        match sent {
            Sent::Taken | Sent::Refused(_) => {}
            Sent::Gone => break,
            Sent::Later(after, _) => return (entry.device, Some(after)),
        }
    }
    (entry.device, None)
}
