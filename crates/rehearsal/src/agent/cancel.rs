//! A turn's cancel flag, and waiting that a cancel ends.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Shared by the thread that performs a turn and the one that reads the client.
#[derive(Debug, Default)]
pub struct Cancel {
    flags: Mutex<Flags>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Flags {
    cancelled: bool,
    ignored: bool,
}

impl Cancel {
    /// Asks the turn to end.
    pub fn cancel(&self) {
        lock(&self.flags).cancelled = true;
        self.changed.notify_all();
    }

    /// From now on the turn does not care.
    pub fn ignore(&self) {
        lock(&self.flags).ignored = true;
    }

    /// Whether the turn has to end.
    pub fn is_cancelled(&self) -> bool {
        let flags = lock(&self.flags);
        flags.cancelled && !flags.ignored
    }

    /// Waits that long, or for ever; true if a cancel came first.
    pub fn wait(&self, time: Option<Duration>) -> bool {
        let end = time.and_then(|time| Instant::now().checked_add(time));
        let mut flags = lock(&self.flags);
        loop {
            if flags.cancelled && !flags.ignored {
                return true;
            }
            flags = match end {
                None => self.changed.wait(flags).unwrap_or_else(PoisonError::into_inner),
                Some(end) => {
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    self.changed.wait_timeout(flags, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

/// Locks, also after a thread has panicked while holding it: every value here is whole after each statement.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
