//! News that the engine's state has changed. All who wait are woken in the order in which they began to wait, so that a
//! simulation of the same seed always takes the same course; the choice of `tokio::sync::watch` is random.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Counts changes and wakes who waits for one.
#[derive(Clone, Default)]
pub(crate) struct Changes {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    count: AtomicU64,
    news: Notify,
}

/// Waits for changes that it has not seen.
pub(crate) struct Watcher {
    changes: Changes,
    seen: u64,
}

impl Changes {
    /// Says that something changed.
    pub(crate) fn tell(&self) {
        self.inner.count.fetch_add(1, Ordering::Release);
        self.inner.news.notify_waiters();
    }

    /// One who waits for what changes from now on.
    pub(crate) fn watch(&self) -> Watcher {
        Watcher { changes: self.clone(), seen: self.inner.count.load(Ordering::Acquire) }
    }
}

impl Watcher {
    /// What changed until now counts as seen.
    pub(crate) fn mark_seen(&mut self) {
        self.seen = self.changes.inner.count.load(Ordering::Acquire);
    }

    /// Waits until something has changed that was not seen. May be dropped while it waits.
    pub(crate) async fn changed(&mut self) {
        loop {
            let news = self.changes.inner.news.notified();
            tokio::pin!(news);
            // Enlisted before the look, so that what changes in between wakes it too.
            news.as_mut().enable();
            let count = self.changes.inner.count.load(Ordering::Acquire);
            if count != self.seen {
                self.seen = count;
                return;
            }
            news.await;
        }
    }
}
