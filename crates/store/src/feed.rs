//! Following: first what is stored, in batches, then what comes, without a gap and without a repetition.

use std::collections::VecDeque;
use std::sync::Arc;

use divisi_model::{AttemptId, Envelope};
use tokio::sync::watch;

use crate::entries::{self, StoredEntry};
use crate::error::StoreError;
use crate::limits::FEED_BATCH;
use crate::readers::Readers;

/// The log from a number on, one event after the other, in order.
#[derive(Debug)]
pub struct Feed {
    readers: Arc<Readers>,
    follow: Follow<Envelope>,
}

/// An attempt's transcript from a revision on. An entry that changes comes again with a higher revision.
#[derive(Debug)]
pub struct TranscriptFeed {
    readers: Arc<Readers>,
    attempt: AttemptId,
    follow: Follow<StoredEntry>,
}

impl Feed {
    pub(crate) fn new(readers: Arc<Readers>, changes: watch::Receiver<u64>, after: u64) -> Self {
        Self { readers, follow: Follow::new(changes, after) }
    }

    /// The next event; waits for one where all were given. Can be cancelled at any time without losing one, and called
    /// again after an error. Fails with [`StoreError::Closed`] when the store is closed and all were given.
    pub async fn next(&mut self) -> Result<Envelope, StoreError> {
        let read = |after| self.readers.events(after, FEED_BATCH);
        self.follow.next(read, |envelope| envelope.seq).await
    }
}

impl TranscriptFeed {
    pub(crate) fn new(
        readers: Arc<Readers>,
        changes: watch::Receiver<u64>,
        attempt: AttemptId,
        after: u64,
    ) -> Self {
        Self { readers, attempt, follow: Follow::new(changes, after) }
    }

    /// The next entry; waits for one where all were given. Can be cancelled at any time without losing one, and called
    /// again after an error. Fails with [`StoreError::Closed`] when the store is closed and all were given.
    pub async fn next(&mut self) -> Result<StoredEntry, StoreError> {
        let read = |after| self.readers.read(|sql| entries::after(sql, self.attempt, after, FEED_BATCH));
        self.follow.next(read, |entry| entry.rev).await
    }
}

/// The place of a follower. Nothing in it changes across an await, which is why it can be cancelled there.
#[derive(Debug)]
struct Follow<T> {
    changes: watch::Receiver<u64>,
    /// The number of what was given last.
    after: u64,
    /// Up to which number everything was read.
    read_to: u64,
    /// What was read and not given yet.
    waiting: VecDeque<T>,
}

impl<T> Follow<T> {
    fn new(changes: watch::Receiver<u64>, after: u64) -> Self {
        Self { changes, after, read_to: after, waiting: VecDeque::new() }
    }

    async fn next(
        &mut self,
        read: impl Fn(u64) -> Result<Vec<T>, StoreError>,
        number: impl Fn(&T) -> u64,
    ) -> Result<T, StoreError> {
        loop {
            if let Some(next) = self.waiting.pop_front() {
                self.after = number(&next);
                return Ok(next);
            }
            // Looked at before the read: what is committed in between is read already or wakes us.
            let last = *self.changes.borrow_and_update();
            if last > self.read_to {
                let batch = read(self.after)?;
                if batch.len() < FEED_BATCH {
                    self.read_to = last;
                }
                if !batch.is_empty() {
                    self.waiting = batch.into();
                    continue;
                }
            }
            self.changes.changed().await.map_err(|_| StoreError::Closed)?;
        }
    }
}
