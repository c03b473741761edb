//! Who follows which transcript. A new entry wakes only those that follow its attempt: with every follower woken by
//! every entry, fifty agents at work would have the log asked fifty times for each line.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use divisi_model::AttemptId;
use tokio::sync::watch;

/// The followed attempts, each with the revision in which it changed last.
#[derive(Debug, Default)]
pub(crate) struct Followers {
    attempts: Mutex<Option<HashMap<AttemptId, watch::Sender<u64>>>>,
}

impl Followers {
    pub(crate) fn new() -> Self {
        Self { attempts: Mutex::new(Some(HashMap::new())) }
    }

    /// Follows an attempt. `last` gives the last revision of all, and is asked once nothing can be told past the new
    /// follower: what came before is covered by it, what comes after is told.
    pub(crate) fn follow(&self, attempt: AttemptId, last: impl FnOnce() -> u64) -> watch::Receiver<u64> {
        let mut attempts = self.attempts();
        let last = last();
        // A closed store tells nobody anything; the sender that is dropped here says so.
        let Some(attempts) = attempts.as_mut() else { return watch::channel(last).1 };
        // Those that nobody follows any more go when somebody comes.
        attempts.retain(|_, sender| sender.receiver_count() > 0);
        let sender = attempts.entry(attempt).or_insert_with(|| watch::Sender::new(last));
        sender.send_if_modified(|known| std::mem::replace(known, last.max(*known)) < last);
        sender.subscribe()
    }

    /// Tells those who follow the attempts that changed, up to a revision.
    pub(crate) fn tell(&self, changed: impl IntoIterator<Item = AttemptId>, last: u64) {
        let attempts = self.attempts();
        let Some(attempts) = attempts.as_ref() else { return };
        for attempt in changed {
            if let Some(sender) = attempts.get(&attempt) {
                sender.send_if_modified(|known| std::mem::replace(known, last.max(*known)) < last);
            }
        }
    }

    /// Nothing is told any more.
    pub(crate) fn close(&self) {
        self.attempts().take();
    }

    fn attempts(&self) -> MutexGuard<'_, Option<HashMap<AttemptId, watch::Sender<u64>>>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use divisi_model::TaskId;
    use uuid::Uuid;

    use super::*;

    fn attempt(n: u128) -> AttemptId {
        AttemptId { task: TaskId(Uuid::from_u128(n)), number: 1 }
    }

    #[test]
    fn only_those_are_told_whose_attempt_changed_and_a_newcomer_of_all_before() {
        let followers = Followers::new();
        let (mut one, mut other) = (followers.follow(attempt(1), || 3), followers.follow(attempt(2), || 3));
        assert_eq!((*one.borrow_and_update(), *other.borrow_and_update()), (3, 3));
        followers.tell([attempt(1)], 5);
        assert!(one.has_changed().unwrap() && !other.has_changed().unwrap());
        let again = followers.follow(attempt(2), || 5);
        assert_eq!(*again.borrow(), 5);
        followers.close();
        assert!(other.has_changed().is_err());
    }

    #[test]
    fn who_follows_no_more_is_forgotten() {
        let followers = Followers::new();
        drop(followers.follow(attempt(1), || 0));
        let _kept = followers.follow(attempt(2), || 0);
        assert_eq!(followers.attempts().as_ref().unwrap().len(), 1);
    }
}
