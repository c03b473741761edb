//! The live feed: the log from any number on, each event no sooner than it can be seen in the engine's state, so that
//! whoever hears of a change and asks for the task gets it changed.

use std::sync::Arc;

use divisi_model::Envelope;
use divisi_store::StoreError;

use crate::authority::Authority;
use crate::changes::Watcher;

/// Replays the log, then follows it.
pub struct Feed {
    log: divisi_store::Feed,
    authority: Arc<Authority>,
    folded: Watcher,
    /// Read from the log, but not seen in the state yet.
    next: Option<Envelope>,
}

impl Feed {
    pub(crate) fn new(authority: &Arc<Authority>, after: u64) -> Self {
        let (log, folded) = (authority.store().feed(after), authority.changes());
        Self { log, authority: Arc::clone(authority), folded, next: None }
    }

    /// The next event. May be dropped while it waits; nothing is skipped or doubled.
    pub async fn next(&mut self) -> Result<Envelope, StoreError> {
        if self.next.is_none() {
            self.next = Some(self.log.next().await?);
        }
        loop {
            self.folded.mark_seen();
            match self.next.take() {
                Some(envelope) if self.authority.has(&envelope) => return Ok(envelope),
                waiting => self.next = waiting,
            }
            self.folded.changed().await;
        }
    }
}
