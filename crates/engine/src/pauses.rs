//! Attempts whose step failed, or came to nothing: they wait before the next try, longer each time, and say why.

use std::collections::HashMap;
use std::time::Duration;

use divisi_model::AttemptId;
use tokio::time::Instant;

/// The first pause; doubled each time.
const FIRST: Duration = Duration::from_millis(200);
/// The longest one.
const LONGEST: Duration = Duration::from_secs(60);
/// From how many failures in a row on it is shown: what succeeds at its second try bothers nobody.
const SHOWN_FROM: u32 = 2;
/// Why a step is not taken again at once that did what it should and left everything as it was.
const NOTHING_CAME_OF_IT: &str = "its next step ended without a result";

/// The attempts that a stage lets wait.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    of: HashMap<AttemptId, Pause>,
}

#[derive(Debug)]
struct Pause {
    until: Instant,
    length: Duration,
    /// How often in a row.
    times: u32,
    why: String,
    /// The version of the task that it waits for a change of, where it does.
    unchanged_at: Option<u64>,
}

impl Pauses {
    /// The step of an attempt failed: how often in a row, by now.
    pub(crate) fn failed(&mut self, id: AttemptId, why: String, now: Instant) -> u32 {
        self.add(id, why, None, now)
    }

    /// The step of an attempt succeeded, and its task is as it was at this version: how often in a row, by now. Where
    /// nothing changes, the next one would do no better; without a pause it would be taken again at once, for ever.
    pub(crate) fn unchanged(&mut self, id: AttemptId, version: u64, now: Instant) -> u32 {
        self.add(id, NOTHING_CAME_OF_IT.to_owned(), Some(version), now)
    }

    fn add(&mut self, id: AttemptId, why: String, unchanged_at: Option<u64>, now: Instant) -> u32 {
        let last = self.of.get(&id);
        let length = last.map_or(FIRST, |last| (last.length * 2).min(LONGEST));
        let times = last.map_or(0, |last| last.times) + 1;
        self.of.insert(id, Pause { until: now + length, length, times, why, unchanged_at });
        times
    }

    /// A step of the attempt came to something.
    pub(crate) fn over(&mut self, id: AttemptId) {
        self.of.remove(&id);
    }

    /// What all failed for is mended.
    pub(crate) fn lift(&mut self) {
        self.of.clear();
    }

    /// Those that wait for the stage no longer need no pause either.
    pub(crate) fn keep(&mut self, waits: impl Fn(AttemptId) -> bool) {
        self.of.retain(|id, _| waits(*id));
    }

    /// Whether the attempt, whose task has this version, waits still.
    pub(crate) fn holds(&self, id: AttemptId, version: u64, now: Instant) -> bool {
        self.of.get(&id).is_some_and(|pause| {
            pause.until > now && pause.unchanged_at.is_none_or(|unchanged| unchanged == version)
        })
    }

    /// Why the attempt waits, in a sentence.
    pub(crate) fn why(&self, id: AttemptId) -> Option<&str> {
        self.of.get(&id).map(|pause| pause.why.as_str())
    }

    /// Whose steps fail again and again, and why.
    pub(crate) fn failing(&self) -> Vec<(AttemptId, String)> {
        let failing = self.of.iter().filter(|(_, pause)| pause.times >= SHOWN_FROM);
        failing.map(|(id, pause)| (*id, pause.why.clone())).collect()
    }

    /// When the next pause ends.
    pub(crate) fn soonest(&self, now: Instant) -> Option<Instant> {
        self.of.values().map(|pause| pause.until).filter(|until| *until > now).min()
    }
}

#[cfg(test)]
mod tests {
    use divisi_model::TaskId;
    use uuid::Uuid;

    use super::*;

    const ID: AttemptId = AttemptId { task: TaskId(Uuid::nil()), number: 1 };

    #[test]
    fn what_fails_waits_longer_each_time_until_it_succeeds() {
        let (mut pauses, start) = (Pauses::default(), Instant::now());
        assert_eq!(pauses.failed(ID, "no disk".to_owned(), start), 1);
        assert!(pauses.holds(ID, 1, start) && pauses.holds(ID, 2, start));
        assert!(!pauses.holds(ID, 1, start + FIRST));
        assert_eq!(pauses.failed(ID, "no disk".to_owned(), start), 2);
        assert_eq!(pauses.soonest(start), Some(start + FIRST * 2));
        assert_eq!(pauses.why(ID), Some("no disk"));
        for _ in 0..20 {
            pauses.failed(ID, "no disk".to_owned(), start);
        }
        assert_eq!(pauses.soonest(start), Some(start + LONGEST));
        pauses.over(ID);
        assert_eq!((pauses.why(ID), pauses.soonest(start)), (None, None));
    }

    #[test]
    fn a_step_that_changes_nothing_is_not_taken_again_until_something_has_changed() {
        let (mut pauses, start) = (Pauses::default(), Instant::now());
        assert_eq!(pauses.unchanged(ID, 7, start), 1);
        assert!(pauses.holds(ID, 7, start));
        assert!(!pauses.holds(ID, 8, start), "somebody did something");
        assert!(!pauses.holds(ID, 7, start + FIRST));
        assert_eq!(pauses.unchanged(ID, 8, start), 2);
        assert_eq!(pauses.why(ID), Some(NOTHING_CAME_OF_IT));
    }
}
