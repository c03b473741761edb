//! The newest events in memory. Whoever follows the log wants what was just committed, and many follow; each would read
//! the same rows again and make the same events of their JSON.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use divisi_model::Envelope;

use crate::limits::{READ_MAX, RECENT_BYTES_MAX, RECENT_MAX};

/// The end of the log, without gaps; empty until something was committed.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    end: Mutex<End>,
}

#[derive(Debug, Default)]
struct End {
    kept: VecDeque<Kept>,
    bytes: usize,
}

/// An event, and about how much memory it takes.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) envelope: Arc<Envelope>,
    pub(crate) bytes: usize,
}

impl Recent {
    /// Adds what was committed, in order. The oldest are let go of.
    pub(crate) fn add(&self, committed: impl IntoIterator<Item = Kept>) {
        let mut end = self.end();
        for kept in committed {
            end.bytes += kept.bytes;
            end.kept.push_back(kept);
        }
        while end.kept.len() > RECENT_MAX || end.bytes > RECENT_BYTES_MAX {
            let Some(oldest) = end.kept.pop_front() else { break };
            end.bytes -= oldest.bytes;
        }
    }

    /// Events after a number, in order; `None` where some of them may not be here.
    pub(crate) fn after(&self, seq: u64, limit: usize) -> Option<Vec<Envelope>> {
        let found: Vec<Arc<Envelope>> = {
            let end = self.end();
            let first = end.kept.front()?.envelope.seq;
            let skipped = usize::try_from(seq.checked_add(1)?.checked_sub(first)?).ok()?;
            let here = end.kept.iter().skip(skipped).take(limit.min(READ_MAX));
            here.map(|kept| Arc::clone(&kept.envelope)).collect()
        };
        // Outside the lock, for which the writer may wait.
        Some(found.iter().map(|envelope| Envelope::clone(envelope)).collect())
    }

    fn end(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use divisi_model::{Actor, Event, Stream, TaskId};
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn kept(seq: u64, bytes: usize) -> Kept {
        let stream = Stream::Task(TaskId(Uuid::from_u128(1)));
        let (actor, event) = (Actor::Divisi, Event::TaskArchived);
        let at = Timestamp::UNIX_EPOCH;
        Kept { envelope: Arc::new(Envelope { seq, stream, version: seq, at, actor, event }), bytes }
    }

    fn seqs(found: Option<Vec<Envelope>>) -> Option<Vec<u64>> {
        found.map(|found| found.iter().map(|envelope| envelope.seq).collect())
    }

    #[test]
    fn only_what_is_here_without_a_gap_is_given() {
        let recent = Recent::default();
        assert_eq!(seqs(recent.after(0, 9)), None, "nothing is known yet");
        recent.add((5..8).map(|seq| kept(seq, 1)));
        assert_eq!(seqs(recent.after(3, 9)), None, "4 is not here");
        assert_eq!(seqs(recent.after(4, 9)), Some(vec![5, 6, 7]));
        assert_eq!(seqs(recent.after(5, 1)), Some(vec![6]));
        assert_eq!(seqs(recent.after(7, 9)), Some(vec![]), "the end of the log");
        assert_eq!(seqs(recent.after(u64::MAX - 1, 9)), Some(vec![]));
        assert_eq!(seqs(recent.after(u64::MAX, 9)), None);
    }

    #[test]
    fn the_oldest_go_by_number_and_by_size() {
        let recent = Recent::default();
        let many = RECENT_MAX as u64 + 3;
        recent.add((1..=many).map(|seq| kept(seq, 1)));
        assert_eq!(seqs(recent.after(2, 1)), None);
        assert_eq!(seqs(recent.after(3, 1)), Some(vec![4]));
        recent.add([kept(many + 1, RECENT_BYTES_MAX - 1)]);
        assert_eq!(seqs(recent.after(many - 2, 1)), None);
        assert_eq!(seqs(recent.after(many - 1, 9)), Some(vec![many, many + 1]));
        recent.add([kept(many + 2, RECENT_BYTES_MAX + 1)]);
        assert_eq!(seqs(recent.after(many + 2, 9)), None, "one that is too large is not kept either");
    }
}
