//! Files that are not as they should be.

use std::path::Path;

use divisi_model::Stream;
use divisi_store::{Problem, Store, StoreError};
use rusqlite::Connection;

use crate::samples::*;

/// Writes into the file of a closed store.
fn meddle(dir: &Path, sql: &str) {
    Connection::open(dir.join("log.sqlite")).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_newer_log_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    drop(with_a_task(dir.path()));
    meddle(dir.path(), "PRAGMA user_version = 99");
    let before = std::fs::read(dir.path().join("log.sqlite")).unwrap();
    let refused = Store::open(dir.path()).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found: 99, known: 1 }), "{refused}");
    assert!(!refused.hint().is_empty());
    assert_eq!(std::fs::read(dir.path().join("log.sqlite")).unwrap(), before);
}

#[test]
fn the_database_of_another_program_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    meddle(dir.path(), "CREATE TABLE recipes (name TEXT)");
    assert!(matches!(Store::open(dir.path()), Err(StoreError::NotALog { .. })));
    meddle(dir.path(), "PRAGMA user_version = 1");
    assert!(matches!(Store::open(dir.path()), Err(StoreError::NotALog { .. })));
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("log.sqlite"),
        "not a database, but long enough to have a header".repeat(100),
    )
    .unwrap();
    let refused = Store::open(dir.path()).unwrap_err();
    assert!(matches!(refused, StoreError::Corrupt(_)), "{refused}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let refused = Store::open(&dir.path().join("file/data")).unwrap_err();
    assert!(matches!(&refused, StoreError::Folder { path, .. } if path.ends_with("file/data")), "{refused}");
}

#[test]
fn damaged_pages_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_a_task(dir.path());
    for n in 0..200 {
        append(&store, Stream::Task(task(1)), u64::from(n) + 2, vec![small(n)]).unwrap();
    }
    drop(store);
    let path = dir.path().join("log.sqlite");
    let mut bytes = std::fs::read(&path).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    match Store::open(dir.path()) {
        Err(error) => assert!(matches!(error, StoreError::Corrupt(_)), "{error}"),
        Ok(store) => assert!(store.verify().map_or(true, |report| !report.sound())),
    }
}

#[test]
fn tables_that_differ_from_the_log_are_found_and_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_a_task(dir.path());
    append(&store, Stream::Task(task(2)), 0, vec![added(2)]).unwrap();
    let right = store.tasks().unwrap();
    drop(store);
    meddle(
        dir.path(),
        "UPDATE tasks SET state = replace(state, '\"archived\":false', '\"archived\":true') WHERE number = 1",
    );
    let store = open(dir.path());
    assert_ne!(store.tasks().unwrap(), right);
    let report = store.verify().unwrap();
    assert!(matches!(&report.problems[..], [Problem::Differs(what)] if what.contains(&task(1).to_string())));
    assert_eq!((report.events, report.tasks, report.projects), (3, 2, 0));
    // The writer folds into the wrong state too, and must not remember it beyond the repair.
    append(&store, Stream::Task(task(1)), 2, vec![small(1)]).unwrap();
    store.rebuild_tables().unwrap();
    assert_eq!(store.tasks().unwrap(), folded(&whole_log(&store)));
    append(&store, Stream::Task(task(1)), 3, vec![small(2)]).unwrap();
    assert_sound(&store);
}

#[test]
fn tables_that_cannot_be_read_or_are_another_version_s_are_made_again_when_opening() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_a_task(dir.path());
    let right = store.tasks().unwrap();
    drop(store);
    for meddling in [
        "UPDATE tasks SET state = '{}'",
        "UPDATE folded SET by = 'divisi 0.0.1'; UPDATE tasks SET state = replace(state, 'codex', 'goose')",
        "DELETE FROM folded; DELETE FROM tasks",
    ] {
        meddle(dir.path(), meddling);
        let store = open(dir.path());
        assert_eq!(store.tasks().unwrap(), right, "{meddling}");
        assert_sound(&store);
    }
}

#[test]
fn gaps_and_unknown_events_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_a_task(dir.path());
    for n in 0..4 {
        append(&store, Stream::Task(task(1)), n + 2, vec![small(1)]).unwrap();
    }
    drop(store);
    meddle(
        dir.path(),
        "DELETE FROM events WHERE seq = 4; UPDATE events SET kind = 'teleported' WHERE seq = 6",
    );
    let store = open(dir.path());
    let report = store.verify().unwrap();
    let problems = &report.problems;
    assert!(problems.iter().any(|p| matches!(p, Problem::Gap { expected: 4, found: 5 })), "{problems:?}");
    assert!(
        problems.iter().any(|p| matches!(p, Problem::StreamGap { expected: 4, found: 5, .. })),
        "{problems:?}"
    );
    assert!(problems.iter().any(|p| matches!(p, Problem::Unreadable(_))), "{problems:?}");
    let refused = store.read(5, 1).unwrap_err();
    assert!(matches!(&refused, StoreError::Unreadable { what, .. } if what.contains("event 6")), "{refused}");
}
