//! What holds for every sequence of events, sensible or not: the tables are what the log folds to.

use divisi_model::{Actor, Event, Stream};
use divisi_store::{AppendError, Store, Sync};
use proptest::prelude::*;

use crate::events::{KINDS, Seed, event};
use crate::samples::*;

const TASKS: u32 = 3;

/// What is done to a store.
#[derive(Clone, Debug)]
enum Step {
    /// Events for a task that exists.
    Append { task: u32, events: Vec<Event>, full: bool },
    /// The same with a version that is wrong by this much.
    Stale { task: u32, events: Vec<Event>, off: u64 },
    /// The program ends and starts again.
    Reopen,
    /// The tables are made again.
    Rebuild,
}

fn one_event() -> impl Strategy<Value = Event> {
    let cost = prop::option::of(-1.0e9..1.0e9_f64);
    let text = "[ -~äß漢\u{1f300}\\n\"\\\\]{0,12}";
    (0..KINDS, 1..3u16, 1..6u32, any::<bool>(), cost, text)
        .prop_map(|(kind, attempt, n, flag, cost, text)| event(kind, &Seed { attempt, n, flag, cost, text }))
}

fn step() -> impl Strategy<Value = Step> {
    let events = || prop::collection::vec(one_event(), 0..8);
    prop_oneof![
        12 => (1..=TASKS, events(), any::<bool>())
            .prop_map(|(task, events, full)| Step::Append { task, events, full }),
        2 => (1..=TASKS, events(), 1..4u64).prop_map(|(task, events, off)| Step::Stale { task, events, off }),
        1 => Just(Step::Reopen),
        1 => Just(Step::Rebuild),
    ]
}

fn version(store: &Store, n: u32) -> u64 {
    store.task(task(n)).unwrap().unwrap().version
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_tables_are_what_the_log_folds_to(steps in prop::collection::vec(step(), 1..24)) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(dir.path());
        let mut log = Vec::new();
        for n in 1..=TASKS {
            log.extend(append(&store, Stream::Task(task(n)), 0, vec![added(n), attempt(1), attempt(2)]).unwrap());
        }
        for step in steps {
            match step {
                Step::Append { task: n, events, full } => {
                    let (stream, sync) = (Stream::Task(task(n)), if full { Sync::Full } else { Sync::Normal });
                    let at = at(i64::try_from(log.len()).unwrap());
                    let done = store.append_blocking(stream, version(&store, n), ada(), at, events, sync);
                    log.extend(done.unwrap());
                }
                Step::Stale { task: n, events, off } => {
                    let wrong = version(&store, n) + off;
                    let done =
                        store.append_blocking(Stream::Task(task(n)), wrong, Actor::Divisi, at(0), events, Sync::Normal);
                    let refused = matches!(done, Err(AppendError::Stale { expected, .. }) if expected == wrong);
                    prop_assert!(refused);
                }
                Step::Reopen => {
                    drop(store);
                    store = open(dir.path());
                }
                Step::Rebuild => store.rebuild_tables().unwrap(),
            }
        }
        let stored = whole_log(&store);
        assert_gap_free(&stored);
        prop_assert_eq!(&stored, &log);
        let tasks = store.tasks().unwrap();
        prop_assert_eq!(&tasks, &folded(&stored));
        store.rebuild_tables().unwrap();
        prop_assert_eq!(&store.tasks().unwrap(), &tasks);
        assert_sound(&store);
    }
}
