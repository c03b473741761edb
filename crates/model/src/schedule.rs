//! Who runs next: pure, so that its table of tests is the whole truth.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::holds::Holds;
use crate::ids::{AttemptId, TaskId};
use crate::state::{AttemptState, Phase, TaskState};

/// The attempts that get a slot now, oldest waiting first unless a person moved their task; not those that `holds` keep back. An attempt keeps the slot
/// of its workspace unless another has that one too; else it gets the lowest that is free. A slot stays with an attempt
/// as long as its workspace lives, because it chooses the attempt's ports; only `parallel` attempts work at once.
pub fn schedule<'a>(
    tasks: impl Iterator<Item = &'a TaskState>,
    parallel: u16,
    holds: &Holds,
    now: Timestamp,
) -> Vec<(AttemptId, u16)> {
    let mut busy = 0u16;
    let mut taken = Taken::default();
    let mut waiting = Vec::new();
    for task in tasks {
        for attempt in &task.attempts {
            let id = AttemptId { task: task.id, number: attempt.number };
            taken.add(id, attempt);
            busy += u16::from(attempt.lease.is_some());
            // One whose workspace is on its way back from the archive would start in a folder that is not there.
            let here = !task.archived && attempt.archived_as.is_none();
            if attempt.phase == Phase::Queued && here && holds.on(id, attempt, now).is_none() {
                waiting.push((task.moved_to.unwrap_or(attempt.since), id, attempt));
            }
        }
    }
    waiting.sort_by_key(|(since, id, _)| (*since, *id));
    let free = usize::from(parallel.saturating_sub(busy));
    let mut chosen = Vec::new();
    for (_, id, attempt) in waiting.into_iter().take(free) {
        let slot = taken.choose(id, attempt);
        taken.take(id, slot);
        chosen.push((id, slot));
    }
    chosen
}

/// A place among the tasks that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before all others.
    First,
    /// After all others.
    Last,
    /// Before this one.
    Before(TaskId),
}

/// Since when a task would have to have waited to stand at a place. `None`: the task to stand before does not wait.
/// Tasks that wait since the same moment stay together: what is put before one of them comes before all.
pub fn since_for<'a>(
    tasks: impl Iterator<Item = &'a TaskState>,
    moved: TaskId,
    place: Place,
    now: Timestamp,
) -> Option<Timestamp> {
    let waits = |task: &&TaskState| {
        task.id != moved
            && !task.archived
            && (task.staged() || task.attempts.iter().any(|attempt| attempt.phase == Phase::Queued))
    };
    let mut line: Vec<_> = tasks.filter(waits).map(|task| (task.waits_since(), task.id)).collect();
    line.sort();
    let before = match place {
        Place::Last => return Some(line.last().map_or(now, |(last, _)| now.max(later(*last)))),
        Place::First => match line.first() {
            Some((first, _)) => *first,
            None => return Some(now),
        },
        Place::Before(id) => line.iter().find(|(_, other)| *other == id)?.0,
    };
    let above = line.iter().map(|(since, _)| *since).filter(|since| *since < before).max();
    Some(match above {
        None => before.checked_sub(STEP).unwrap_or(before),
        Some(above) => {
            let half = before.duration_since(above).as_nanos() / 2;
            let half = SignedDuration::from_nanos(i64::try_from(half).unwrap_or(i64::MAX));
            above.checked_add(half).unwrap_or(above)
        }
    })
}

/// How far apart tasks are put at the ends of the line.
const STEP: SignedDuration = SignedDuration::from_secs(1);

fn later(since: Timestamp) -> Timestamp {
    since.checked_add(STEP).unwrap_or(since)
}

/// The first port of a workspace that comes back from the archive: the one it had, unless another attempt has its slot
/// by now. `None`: there is no such attempt, or it has no workspace.
pub fn port_of_restored<'a>(tasks: impl Iterator<Item = &'a TaskState>, id: AttemptId) -> Option<u16> {
    let mut taken = Taken::default();
    let mut restored = None;
    for task in tasks {
        for attempt in &task.attempts {
            let other = AttemptId { task: task.id, number: attempt.number };
            if other == id {
                restored = Some(attempt);
            }
            taken.add(other, attempt);
        }
    }
    let restored = restored.filter(|attempt| attempt.workspace.is_some())?;
    Some(first_port(taken.choose(id, restored)))
}

/// Who has which slot.
#[derive(Default)]
struct Taken(BTreeMap<u16, Vec<AttemptId>>);

impl Taken {
    /// The slots of an attempt: that of its workspace, until that is away in the archive, and that of its lease.
    fn add(&mut self, id: AttemptId, attempt: &AttemptState) {
        if let Some(workspace) = attempt.workspace.as_ref().filter(|_| attempt.archived_as.is_none()) {
            self.take(id, slot_of(workspace.first_port));
        }
        if let Some((_, slot)) = attempt.lease {
            self.take(id, slot);
        }
    }

    fn take(&mut self, id: AttemptId, slot: u16) {
        self.0.entry(slot).or_default().push(id);
    }

    fn choose(&self, id: AttemptId, attempt: &AttemptState) -> u16 {
        let free = |slot: &u16| self.0.get(slot).is_none_or(|by| by.iter().all(|by| *by == id));
        let own = attempt.workspace.as_ref().map(|workspace| slot_of(workspace.first_port));
        own.filter(free).or_else(|| (0u16..).find(free)).unwrap_or_default()
    }
}

/// First port of slot 0. Below the range that Linux gives to outgoing connections.
pub const FIRST_PORT: u16 = 20_000;

/// The first port of a slot's block.
pub fn first_port(slot: u16) -> u16 {
    FIRST_PORT.saturating_add(slot.saturating_mul(crate::limits::PORTS_PER_ATTEMPT))
}

fn slot_of(first_port: u16) -> u16 {
    first_port.saturating_sub(FIRST_PORT) / crate::limits::PORTS_PER_ATTEMPT
}
