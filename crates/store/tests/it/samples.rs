//! Ids, events and stores for the tests.

use std::path::Path;

use divisi_model::project::Project;
use divisi_model::task::{Asked, Base, TaskSettings, TaskSpec};
use divisi_model::{Actor, Envelope, Event, Oid, ProjectId, Stream, TaskId, TaskNumber, TaskState, fold};
use divisi_store::{AppendError, Store, Sync};
use jiff::Timestamp;
use uuid::Uuid;

pub fn task(n: u32) -> TaskId {
    TaskId(Uuid::from_u128(0x7a51_0000 + u128::from(n)))
}

pub fn project() -> Project {
    Project { id: ProjectId(Uuid::from_u128(0x960)), name: "shop".into(), root: "/home/ada/shop".into() }
}

pub fn oid(n: u32) -> Oid {
    Oid(format!("{n:040x}"))
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::new(1_790_000_000 + second, 123_456_789).unwrap()
}

pub fn ada() -> Actor {
    Actor::person("ada")
}

pub fn spec(number: u32) -> TaskSpec {
    TaskSpec {
        number: TaskNumber(number),
        project: project().id,
        title: format!("Task {number}"),
        prompt: "Do it.".into(),
        images: vec![],
        criteria: vec![],
        base: Base { branch: "main".into(), commit: oid(0) },
        agents: vec!["codex".into()],
        settings: TaskSettings::default(),
        scope: vec![],
        budget: None,
        asked: Asked::default(),
    }
}

pub fn added(number: u32) -> Event {
    Event::TaskAdded { spec: Box::new(spec(number)) }
}

pub fn attempt(n: u16) -> Event {
    Event::AttemptAdded { attempt: n, agent: "codex".into(), branch: format!("divisi/t1-{n}") }
}

/// An event that leaves the size of the state as it is.
pub fn small(n: u32) -> Event {
    Event::ChecksEnded { attempt: 1, commit: oid(n), passed: n.is_multiple_of(2) }
}

pub fn open(dir: &Path) -> Store {
    Store::open(dir).unwrap()
}

/// Appends in the name of Divisi, without a full sync.
pub fn append(
    store: &Store,
    stream: Stream,
    expected: u64,
    events: Vec<Event>,
) -> Result<Vec<Envelope>, AppendError> {
    store.append_blocking(stream, expected, Actor::Divisi, at(1), events, Sync::Normal)
}

/// A store with task 1 and its first attempt, at version 2.
pub fn with_a_task(dir: &Path) -> Store {
    let store = open(dir);
    append(&store, Stream::Task(task(1)), 0, vec![added(1), attempt(1)]).unwrap();
    store
}

/// The whole log.
pub fn whole_log(store: &Store) -> Vec<Envelope> {
    let mut log: Vec<Envelope> = Vec::new();
    loop {
        let next = store.read(log.last().map_or(0, |envelope| envelope.seq), usize::MAX).unwrap();
        if next.is_empty() {
            return log;
        }
        log.extend(next);
    }
}

/// What a log folds to, by the model alone, in the order of the tasks' numbers.
pub fn folded(log: &[Envelope]) -> Vec<TaskState> {
    let mut tasks = std::collections::BTreeMap::new();
    for envelope in log {
        if let Stream::Task(id) = envelope.stream {
            let before = tasks.remove(&id);
            tasks.extend(fold(before, id, envelope).map(|state| (id, state)));
        }
    }
    let mut tasks: Vec<_> = tasks.into_values().collect();
    tasks.sort_by_key(|task: &TaskState| task.spec.number);
    tasks
}

/// The numbers of a log are 1, 2, 3 … and so are the versions of each of its streams.
pub fn assert_gap_free(log: &[Envelope]) {
    let mut versions = std::collections::HashMap::new();
    for (expected, envelope) in (1..).zip(log) {
        assert_eq!(envelope.seq, expected);
        let version: &mut u64 = versions.entry(envelope.stream).or_default();
        *version += 1;
        assert_eq!(envelope.version, *version, "{}", envelope.stream);
    }
}

pub fn assert_sound(store: &Store) {
    let report = store.verify().unwrap();
    assert!(report.sound(), "{:?}", report.problems);
}
