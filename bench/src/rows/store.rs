//! The event log under load: writers, and readers that follow it meanwhile.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use divisi_model::event::{Origin, Prompt, SessionStart, TurnOutcome, Usage};
use divisi_model::task::{Base, TaskSettings, TaskSpec};
use divisi_model::{Actor, Event, Oid, ProjectId, Stream, TaskId, TaskNumber};
use divisi_store::{Store, Sync};
use jiff::Timestamp;
use uuid::Uuid;

use super::Bench;
use crate::measure::{by_turns, timed};
use crate::row::{Bar, Findings, Outcome};
use crate::{Result, floor};

const WRITERS: usize = 8;
const READERS: usize = 4;
/// Events of one append, where writers bring several.
const BATCH: usize = 32;
/// Events of one task; then a writer turns to the next, as life does.
const EVENTS_PER_TASK: usize = 96;
/// Of which every fourth carries nothing but numbers, so this makes 500 bytes on average.
const TEXT_BYTES: usize = 800;

/// Batches, and in the note the same with one event in each append.
pub fn measure(bench: &Bench<'_>) -> Result<Findings> {
    let tasks = bench.pick(40, 4);
    let events = WRITERS * tasks * EVENTS_PER_TASK;
    let place = bench.place.root.join("store");
    let data = "x".repeat(500);
    let fill = |folder: &Path, batch: usize| filled(folder, tasks, batch);
    let pair = by_turns(
        bench.pick(7, 1),
        |turn| fill(&place.join(format!("batch-{turn}")), BATCH),
        |turn| floor::inserts(&place.join(format!("floor-{turn}")), events, WRITERS * BATCH, &data),
    )?;
    let one_by_one = fill(&place.join("single"), 1)?;
    let note = format!(
        "{WRITERS} writers, {BATCH} events an append, every event read by {READERS} readers meanwhile; one event an append: {one_by_one:.0} events/s"
    );
    let outcome = Outcome::ratio(
        "store",
        "store: 500-byte events, 4 readers",
        "grouped rusqlite inserts alone",
        Bar::RatioAtLeast(0.5),
        pair,
    );
    Ok(Findings::rows([outcome.in_unit("events/s").note(note)]))
}

/// Events per second of a new log that writers fill while readers read all of it.
fn filled(folder: &Path, tasks: usize, batch: usize) -> Result<f64> {
    let store = Store::open(folder)?;
    let done = AtomicBool::new(false);
    let took = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS)
            .map(|_| {
                scope.spawn(|| -> Result {
                    let mut seen = 0;
                    loop {
                        let finished = done.load(Ordering::Acquire);
                        let events = store.read(seen, 128)?;
                        match events.last() {
                            Some(last) => seen = last.seq,
                            None if finished => return Ok(()),
                            None => std::thread::sleep(std::time::Duration::from_millis(1)),
                        }
                    }
                })
            })
            .collect();
        let took = timed(|| {
            let store = &store;
            let writers: Vec<_> =
                (0..WRITERS).map(|writer| scope.spawn(move || write(store, writer, tasks, batch))).collect();
            writers.into_iter().try_for_each(|writer| writer.join().map_err(|_| "a writer panicked")?)
        });
        done.store(true, Ordering::Release);
        for reader in readers {
            reader.join().map_err(|_| "a reader panicked")??;
        }
        took
    })?
    .0;
    let events = WRITERS * tasks * EVENTS_PER_TASK;
    let stored = store.last_seq();
    if stored != events as u64 {
        return Err(format!("{stored} events of {events} were stored").into());
    }
    drop(store);
    std::fs::remove_dir_all(folder)?;
    Ok(events as f64 / took * 1000.0)
}

fn write(store: &Store, writer: usize, tasks: usize, batch: usize) -> Result {
    for task in 0..tasks {
        let number = u32::try_from(1 + writer * tasks + task)?;
        let events = history(number, EVENTS_PER_TASK, ProjectId(Uuid::from_u128(1)), TEXT_BYTES);
        let stream = Stream::Task(TaskId(Uuid::now_v7()));
        let mut version = 0;
        for events in events.chunks(batch) {
            let at = Timestamp::UNIX_EPOCH;
            store.append_blocking(stream, version, Actor::Divisi, at, events.to_vec(), Sync::Normal)?;
            version += events.len() as u64;
        }
    }
    Ok(())
}

/// The first events of a task at work, turn after turn.
pub fn history(number: u32, count: usize, project: ProjectId, text_bytes: usize) -> Vec<Event> {
    let oid = || Oid(format!("{number:040x}"));
    let text = "a word or two ".repeat(text_bytes / 14 + 1)[..text_bytes].to_owned();
    let spec = TaskSpec {
        number: TaskNumber(number),
        project,
        title: format!("Task {number} of many"),
        prompt: text.clone(),
        images: Vec::new(),
        criteria: Vec::new(),
        base: Base { branch: "main".into(), commit: oid() },
        agents: vec!["rehearsal".into()],
        settings: TaskSettings::default(),
        scope: Vec::new(),
        budget: None,
        asked: Default::default(),
    };
    let mut events = vec![
        Event::TaskAdded { spec: Box::new(spec) },
        Event::AttemptAdded { attempt: 1, agent: "rehearsal".into(), branch: format!("divisi/t{number}") },
        Event::AttemptLeased { attempt: 1, worker: "local".into(), slot: 1 },
        Event::SessionOpened {
            attempt: 1,
            session: 1,
            launch: "sessions/1".into(),
            how: SessionStart::New,
            sandbox: None,
        },
    ];
    for turn in 1.. {
        let (text_again, delivery) = (text.clone(), Default::default());
        let prompt =
            Prompt { id: turn, text: text_again, images: Vec::new(), origin: Origin::Person, delivery };
        let notes = vec![text.clone()];
        let reference = format!("refs/divisi/snapshots/t{number}.1/{turn}");
        events.extend([
            Event::PromptQueued { attempt: 1, prompt },
            Event::TurnStarted { attempt: 1, turn, session: 1, prompts: vec![turn] },
            Event::SnapshotTaken { attempt: 1, turn, commit: oid(), reference, notes },
            Event::TurnEnded { attempt: 1, turn, outcome: TurnOutcome::Completed, usage: Usage::default() },
        ]);
        if events.len() >= count {
            break;
        }
    }
    events.truncate(count);
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_a_history_are_500_bytes_on_average() {
        let events = history(7, EVENTS_PER_TASK, ProjectId(Uuid::from_u128(1)), TEXT_BYTES);
        let data =
            |event: &Event| serde_json::to_value(event).map_or(0, |json| json["data"].to_string().len());
        let bytes: usize = events.iter().map(data).sum();
        let mean = bytes / events.len();
        assert_eq!(events.len(), EVENTS_PER_TASK);
        assert!((450..550).contains(&mean), "{mean} bytes");
    }
}
