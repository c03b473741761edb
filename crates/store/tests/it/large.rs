//! A log of a size that a busy year makes.

use std::time::{Duration, Instant};

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

#[test]
fn tasks_that_rest_are_let_go_of_and_found_again() {
    // More than the writer keeps at hand.
    const TASKS: u32 = 300;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 1..=TASKS {
        append(&store, Stream::Task(task(n)), 0, vec![added(n), attempt(1)]).unwrap();
        append(&store, Stream::Task(task(n)), 2, vec![small(n)]).unwrap();
    }
    for n in (1..=TASKS).rev() {
        append(&store, Stream::Task(task(n)), 3, vec![small(n + 1)]).unwrap();
    }
    let states = store.tasks().unwrap();
    assert_eq!(states.len(), TASKS as usize);
    assert!(states.iter().all(|state| state.version == 4));
    assert_sound(&store);
}

#[test]
fn the_write_ahead_log_is_merged_while_the_log_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, Stream::Task(task(1)), 0, vec![added(1), attempt(1)]).unwrap();
    let merged = || std::fs::metadata(dir.path().join("log.sqlite")).unwrap().len();
    let before = merged();
    let mut version = 2;
    // Far below what makes the writer merge by itself.
    while version < 40_002 {
        append(&store, Stream::Task(task(1)), version, (0..5_000).map(small).collect()).unwrap();
        version += 5_000;
    }
    let until = Instant::now() + Duration::from_secs(30);
    while merged() < before + 1_000_000 {
        assert!(Instant::now() < until, "{} bytes were merged", merged() - before);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_sound(&store);
}
