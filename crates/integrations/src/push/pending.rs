//! What may have to be told, and to whom it is due now.

use std::collections::VecDeque;
use std::time::Duration;

use divisi_model::notice::{Notice, Occasion, notice};
use divisi_model::{Envelope, Stream, TaskId, TaskState};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::book::Entry;
use super::message::Message;
use super::send::LIFE_SECONDS;

/// How long an occasion is let be before anybody is told: what is settled in the same breath is worth nothing.
const SETTLES: Duration = Duration::from_secs(1);
/// So many notices come one by one; more of them come as one.
const SINGLE_MAX: usize = 3;
/// Occasions that wait; a further one takes the place of the oldest.
const WAITING_MAX: usize = 1000;

/// Occasions that were seen and may still hold, in the order of the log.
#[derive(Default)]
pub(super) struct Waiting(VecDeque<Seen>);

struct Seen {
    seq: u64,
    task: TaskId,
    occasion: Occasion,
    at: Timestamp,
    seen: Instant,
}

/// An occasion that holds, with its notice.
pub(super) struct Found {
    pub(super) seq: u64,
    pub(super) task: TaskId,
    pub(super) notice: Notice,
}

/// What is to be done for a device.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing has happened.
    Nothing,
    /// Nothing to be told up to this event.
    Settled(u64),
    /// Something, but not in these hours.
    Quiet,
    /// These messages, each with the event up to which everything is settled then.
    Tell(Vec<(u64, Message)>),
}

impl Waiting {
    pub(super) fn add(&mut self, envelope: &Envelope, seen: Instant) {
        let (Stream::Task(task), Some(occasion)) = (envelope.stream, Occasion::of(&envelope.event)) else {
            return;
        };
        if self.0.len() >= WAITING_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Seen { seq: envelope.seq, task, occasion, at: envelope.at, seen });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What still holds and is not young any more. What no longer holds, is settled for everybody (up to `settled`), or
    /// is so old that nobody is told any more, is given up.
    pub(super) fn look<'a>(
        &mut self,
        task: impl Fn(TaskId) -> Option<&'a TaskState>,
        settled: u64,
        at: Timestamp,
        now: Instant,
    ) -> Vec<Found> {
        let life = SignedDuration::from_secs(LIFE_SECONDS.into());
        let mut found = Vec::new();
        self.0.retain(|seen| {
            let Seen { seq, task: id, occasion, .. } = *seen;
            let holds = task(id).and_then(|task| notice(task, occasion));
            let Some(notice) = holds.filter(|_| seq > settled && at.duration_since(seen.at) < life) else {
                return false;
            };
            if now >= seen.seen + SETTLES {
                found.push(Found { seq, task: id, notice });
            }
            true
        });
        found
    }

    /// When the next one is not young any more.
    pub(super) fn ripens(&self, now: Instant) -> Option<Instant> {
        self.0.iter().map(|seen| seen.seen + SETTLES).filter(|at| *at > now).min()
    }
}

/// What is due for a device. Who looks at a page sees it there, so it is not told to them.
pub(super) fn due(found: &[Found], entry: &Entry, looks: bool, now: Timestamp) -> Due {
    let newer = || found.iter().filter(|one| one.seq > entry.settled);
    let Some(last) = newer().next_back() else { return Due::Nothing };
    let wanted: Vec<_> = newer().filter(|one| entry.choices.kinds.contains(&one.notice.kind)).collect();
    if looks || wanted.is_empty() {
        return Due::Settled(last.seq);
    }
    if entry.choices.quiet.as_ref().is_some_and(|quiet| quiet.holds(now)) {
        return Due::Quiet;
    }
    if wanted.len() > SINGLE_MAX {
        return Due::Tell(vec![(last.seq, Message::several(wanted.len()))]);
    }
    Due::Tell(wanted.iter().map(|one| (one.seq, Message::of(one.task, &one.notice))).collect())
}

#[cfg(test)]
mod tests {
    use divisi_model::notice::NoticeKind;
    use uuid::Uuid;

    use super::*;
    use crate::push::book::{Choices, Quiet};

    fn found(seq: u64, kind: NoticeKind) -> Found {
        let text = || seq.to_string();
        let since = Timestamp::UNIX_EPOCH;
        let notice = Notice { id: text(), kind, handle: text(), title: text(), path: text(), since };
        Found { seq, task: TaskId(Uuid::from_u128(1)), notice }
    }

    fn entry(settled: u64, choices: Choices) -> Entry {
        let text = String::new;
        let device = Uuid::from_u128(1);
        let (told, trouble) = (None, None);
        Entry { device, endpoint: text(), p256dh: text(), auth: text(), choices, settled, told, trouble }
    }

    fn told(due: Due) -> Vec<u64> {
        let Due::Tell(messages) = due else { panic!("{due:?}") };
        messages.iter().map(|(seq, _)| *seq).collect()
    }

    #[test]
    fn only_what_is_new_and_wanted_is_due_and_many_come_as_one() {
        use NoticeKind::{Landed, Permission, Review};
        let noon: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let some = [found(3, Permission), found(5, Landed), found(8, Review)];
        let usual = Choices::default;
        let due = |entry: &Entry| due(&some, entry, false, noon);
        assert_eq!(told(due(&entry(0, usual()))), [3, 8]);
        assert_eq!(told(due(&entry(3, usual()))), [8]);
        assert_eq!(due(&entry(8, usual())), Due::Nothing);
        assert_eq!(due(&entry(0, Choices { kinds: [].into(), quiet: None })), Due::Settled(8));
        assert_eq!(super::due(&some, &entry(0, usual()), true, noon), Due::Settled(8), "it looks at a page");
        let quiet = Some(Quiet { from: 11, to: 13, zone: "UTC".into() });
        assert_eq!(due(&entry(0, Choices { quiet, ..usual() })), Due::Quiet);
        let many: Vec<_> = (1..=4).map(|seq| found(seq, Review)).collect();
        let Due::Tell(one) = super::due(&many, &entry(0, usual()), false, noon) else { panic!() };
        assert_eq!(one, [(4, Message::several(4))]);
    }
}
