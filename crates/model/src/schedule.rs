//! Who runs next: pure, so that its table of tests is the whole truth.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::holds::Holds;
use crate::ids::AttemptId;
use crate::state::{Phase, TaskState};

/// The attempts that get a slot now, oldest waiting first, each with the lowest free slot; not those that `holds` keep
/// back. A slot stays with an attempt
/// as long as its workspace lives, because it chooses the attempt's ports; only `parallel` attempts work at once.
pub fn schedule<'a>(
    tasks: impl Iterator<Item = &'a TaskState>,
    parallel: u16,
    holds: &Holds,
    now: Timestamp,
) -> Vec<(AttemptId, u16)> {
    let mut busy = 0u16;
    let mut taken = BTreeSet::new();
    let mut waiting = Vec::new();
    for task in tasks {
        for attempt in &task.attempts {
            if let Some(workspace) = &attempt.workspace
                && attempt.archived_as.is_none()
                && !task.archived
            {
                taken.insert(slot_of(workspace.first_port));
            }
            if let Some((_, slot)) = attempt.lease {
                busy += 1;
                taken.insert(slot);
            }
            let id = AttemptId { task: task.id, number: attempt.number };
            // One whose workspace is on its way back from the archive would start in a folder that is not there.
            let here = !task.archived && attempt.archived_as.is_none();
            if attempt.phase == Phase::Queued && here && holds.on(id, attempt, now).is_none() {
                waiting.push((attempt.since, id, attempt.workspace.as_ref()));
            }
        }
    }
    waiting.sort_by_key(|(since, id, _)| (*since, *id));
    let free = usize::from(parallel.saturating_sub(busy));
    let mut chosen = Vec::new();
    for (_, id, workspace) in waiting.into_iter().take(free) {
        let slot = match workspace {
            Some(workspace) => slot_of(workspace.first_port),
            None => (0u16..).find(|slot| !taken.contains(slot)).unwrap_or_default(),
        };
        taken.insert(slot);
        chosen.push((id, slot));
    }
    chosen
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
