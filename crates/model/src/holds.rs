//! Usage limits across tasks: when one attempt runs into the limit of its agent, the others of that agent wait instead
//! of running into it one by one. Pure, with the time handed in.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::event::{Blocked, TurnOutcome};
use crate::ids::AttemptId;
use crate::limits::{
    LIMIT_PAUSE_FIRST_SECONDS, LIMIT_PAUSE_MAX_SECONDS, LIMIT_SPREAD_MAX_SECONDS, LIMIT_TRIES,
};
use crate::state::{AttemptState, Held, Phase, TaskState};

/// By how much a clock may be put right backwards without that being a new one.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(LIMIT_PAUSE_FIRST_SECONDS);

/// The limits that agents ran into and that are not known to be over, by agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holds(BTreeMap<String, Hold>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Hold {
    held: Held,
    /// When it was run into.
    since: Timestamp,
    /// The number of the event that told so.
    told_by: u64,
}

impl Holds {
    /// The limits that the tasks tell of. A turn of the agent that began later and ended well shows that one is over.
    pub fn of<'a>(tasks: impl Iterator<Item = &'a TaskState> + Clone) -> Self {
        let mut holds: BTreeMap<String, Hold> = BTreeMap::new();
        for attempt in tasks.clone().flat_map(|task| &task.attempts) {
            let Some(hold) = ran_into(attempt) else { continue };
            match holds.get_mut(&attempt.agent) {
                Some(known) if known.held.until >= hold.held.until => {}
                Some(known) => *known = hold,
                None => drop(holds.insert(attempt.agent.clone(), hold)),
            }
        }
        for attempt in tasks.flat_map(|task| &task.attempts) {
            let worked = |hold: &Hold| {
                attempt.turns.iter().any(|turn| {
                    turn.started_by > hold.told_by && turn.outcome.as_ref() == Some(&TurnOutcome::Completed)
                })
            };
            if holds.get(&attempt.agent).is_some_and(worked) {
                holds.remove(&attempt.agent);
            }
        }
        Self(holds)
    }

    /// What holds a waiting attempt back at this time.
    pub fn on(&self, id: AttemptId, attempt: &AttemptState, now: Timestamp) -> Option<&Held> {
        let hold = self.0.get(&attempt.agent).filter(|_| !attempt.goes_now)?;
        // Told by a clock that was set back since, its end is of no use: the agent is asked anew.
        let same_clock = hold.since.duration_since(now) <= CLOCK_SLACK;
        (same_clock && now < hold.ends_for(id)).then_some(&hold.held)
    }

    /// The attempts that are held back now and do not know it yet, or know another end.
    pub fn told<'a>(
        &'a self,
        tasks: impl Iterator<Item = &'a TaskState>,
        now: Timestamp,
    ) -> Vec<(AttemptId, &'a Held)> {
        let mut held = Vec::new();
        for task in tasks.filter(|task| !task.archived) {
            for attempt in task.attempts.iter().filter(|attempt| attempt.phase == Phase::Queued) {
                let id = AttemptId { task: task.id, number: attempt.number };
                if let Some(by) = self.on(id, attempt, now)
                    && attempt.held.as_ref().is_none_or(|known| known.until != by.until)
                {
                    held.push((id, by));
                }
            }
        }
        held
    }

    /// The attempts that wait for a limit that is over for them.
    pub fn over<'a>(&self, tasks: impl Iterator<Item = &'a TaskState>, now: Timestamp) -> Vec<AttemptId> {
        let mut over = Vec::new();
        for task in tasks.filter(|task| !task.archived) {
            for attempt in task.attempts.iter().filter(|attempt| waits(attempt)) {
                let id = AttemptId { task: task.id, number: attempt.number };
                if self.on(id, attempt, now).is_none() {
                    over.push(id);
                }
            }
        }
        over
    }

    /// When the next of the attempts that wait for a limit can go on.
    pub fn next<'a>(&self, tasks: impl Iterator<Item = &'a TaskState>, now: Timestamp) -> Option<Timestamp> {
        let waiting = tasks.filter(|task| !task.archived).flat_map(|task| {
            let waiting = task.attempts.iter().filter(|attempt| waits(attempt));
            waiting.filter_map(|attempt| {
                let id = AttemptId { task: task.id, number: attempt.number };
                Some(self.0.get(&attempt.agent)?.ends_for(id))
            })
        });
        waiting.filter(|end| *end > now).min()
    }
}

impl Hold {
    /// Attempts go on one after the other, spread over a tenth of what they waited.
    fn ends_for(&self, id: AttemptId) -> Timestamp {
        let waited = self.held.until.duration_since(self.since).as_millis().max(0);
        let spread = (waited / 10).min(i128::from(LIMIT_SPREAD_MAX_SECONDS) * 1000);
        let place = (id.task.0.as_u128() % 997 + u128::from(id.number) * 331) % 997;
        let millis = spread * i128::try_from(place).unwrap_or(0) / 997;
        let later = SignedDuration::from_millis(i64::try_from(millis).unwrap_or(0));
        self.held.until.checked_add(later).unwrap_or(self.held.until)
    }
}

/// The limit that the attempt's last turn ran into.
fn ran_into(attempt: &AttemptState) -> Option<Hold> {
    let last = attempt.turns.iter().rev().find(|turn| turn.ended.is_some())?;
    match &last.outcome {
        Some(TurnOutcome::UsageLimit { text, until: Some(until), .. }) => {
            let held = Held { until: *until, why: text.clone() };
            Some(Hold { held, since: last.ended?, told_by: last.ended_by })
        }
        _ => None,
    }
}

fn waits(attempt: &AttemptState) -> bool {
    match &attempt.phase {
        Phase::Blocked { why: Blocked::UsageLimit { until, .. } } => until.is_some(),
        Phase::Queued => attempt.held.is_some(),
        _ => false,
    }
}

/// When to try again an attempt that ran into a limit of which nobody says when it ends: soon at first, then less
/// often. None when it was tried often enough and a person must look.
pub fn try_again(attempt: &AttemptState, now: Timestamp) -> Option<Timestamp> {
    let ended = attempt.turns.iter().rev().filter_map(|turn| turn.outcome.as_ref());
    let before =
        ended.take_while(|outcome| matches!(outcome, TurnOutcome::UsageLimit { guessed: true, .. })).count();
    let before = u32::try_from(before).ok().filter(|before| *before < LIMIT_TRIES)?;
    let pause = LIMIT_PAUSE_FIRST_SECONDS.saturating_mul(1 << before.min(20)).min(LIMIT_PAUSE_MAX_SECONDS);
    now.checked_add(SignedDuration::from_secs(pause)).ok()
}
