//! What holds attempts up at the moment, for reasons of Divisi's own. None of it is in the log, which may be just what
//! cannot be written; all of it is known again soon after a start.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use divisi_model::AttemptId;
use divisi_store::StoreError;

use crate::authority::{hint_of, with_sources};
use crate::changes::Changes;
use crate::context::Context;

/// How often a log that could not be written is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// Something that holds attempts up until it is mended; then they go on by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What, in a sentence.
    pub reason: String,
    /// What a person can do about it.
    pub hint: String,
}

/// All that holds attempts up.
#[derive(Default)]
pub(crate) struct Troubles {
    /// By stage: steps that fail again and again.
    steps: Mutex<BTreeMap<&'static str, Vec<(AttemptId, String)>>>,
    /// Tells that the log could not be written.
    pub(crate) log_failed: Changes,
    /// How often it could be written again.
    recoveries: AtomicU64,
}

impl Troubles {
    /// Whose steps of a stage fail again and again, and why.
    pub(crate) fn set(&self, stage: &'static str, failing: Vec<(AttemptId, String)>) {
        lock(&self.steps).insert(stage, failing);
    }

    /// Why the steps of an attempt fail.
    pub(crate) fn of(&self, id: AttemptId) -> Option<Trouble> {
        let steps = lock(&self.steps);
        let (_, why) = steps.values().flatten().find(|(failing, _)| *failing == id)?;
        let reason = format!("Divisi tries again, because {why}");
        let hint = hint_of(why, "divisi doctor looks for the cause").to_owned();
        Some(Trouble { reason, hint })
    }

    /// How often the log could be written again after it could not.
    pub(crate) fn recoveries(&self) -> u64 {
        self.recoveries.load(Ordering::Acquire)
    }
}

/// Why the log cannot be written.
pub(crate) fn of_log(error: &StoreError) -> Trouble {
    let reason = format!("the log cannot be written: {}", with_sources(error));
    Trouble { reason, hint: error.hint().to_owned() }
}

/// Tries a log that could not be written again until it can; then whoever waits because of it goes on. Runs until the
/// engine shuts down.
pub(crate) async fn watch_log(context: Arc<Context>) {
    let store = context.authority.store();
    let mut failed = context.troubles.log_failed.watch();
    loop {
        failed.mark_seen();
        if store.trouble().is_none() {
            tokio::select! {
                biased;
                () = context.stop.cancelled() => return,
                () = failed.changed() => {}
            }
        }
        tokio::select! {
            biased;
            () = context.stop.cancelled() => return,
            () = tokio::time::sleep(TRY_AGAIN) => {}
        }
        // Somebody else's commit may have shown it before.
        if store.trouble().is_none() || store.probe().await.is_ok() {
            tracing::info!("the log can be written again");
            context.troubles.recoveries.fetch_add(1, Ordering::AcqRel);
            context.authority.tell();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
