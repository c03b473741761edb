//! A log of a size that a busy year makes.

use divisi_model::Stream;

use crate::samples::*;

#[test]
fn a_hundred_thousand_events_are_read_followed_and_found_sound() {
    const TASKS: u32 = 20;
    const APPENDS: u32 = 10;
    const EACH: u32 = 500;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 1..=TASKS {
        append(&store, Stream::Task(task(n)), 0, vec![added(n), attempt(1)]).unwrap();
    }
    for round in 0..APPENDS {
        for n in 1..=TASKS {
            let events = (0..EACH).map(small).collect();
            append(&store, Stream::Task(task(n)), u64::from(round * EACH) + 2, events).unwrap();
        }
    }
    let total = u64::from(TASKS * (APPENDS * EACH + 2));
    assert!(total > 100_000);
    drop(store);

    let store = open(dir.path());
    assert_eq!(store.last_seq(), total);
    assert_eq!(store.read(0, usize::MAX).unwrap().len(), divisi_store::READ_MAX);
    let log = whole_log(&store);
    assert_eq!(log.len() as u64, total);
    assert_gap_free(&log);
    assert_eq!(store.read(total - 100, 1_000).unwrap(), log[log.len() - 100..]);
    assert_eq!(store.read(total, 1).unwrap(), []);
    let tail = store.read_stream(Stream::Task(task(1)), u64::from(APPENDS * EACH), 10).unwrap();
    assert_eq!(tail.len(), 2);
    assert_sound(&store);
}
