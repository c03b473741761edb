//! One writer, many callers: what is refused, and what holds for what is taken.

use std::os::unix::fs::PermissionsExt;

use divisi_model::{Event, Stream, TaskNumber};
use divisi_store::{AppendError, Store, StoreError, Sync};

use crate::samples::*;

#[test]
fn what_was_appended_is_read_and_folded() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert_eq!(store.last_seq(), 0);
    let stream = Stream::Project(project().id);
    append(&store, stream, 0, vec![Event::ProjectAdded { project: project() }]).unwrap();
    let events = vec![added(1), attempt(1), Event::TaskArchived];
    let stream = Stream::Task(task(1));
    let appended = store.append_blocking(stream, 0, ada(), at(5), events, Sync::Full).unwrap();

    assert_eq!(store.last_seq(), 4);
    assert_eq!(store.read(1, 100).unwrap(), appended);
    assert_eq!(store.read(1, 2).unwrap(), appended[..2]);
    assert_eq!(store.read_stream(stream, 1, 100).unwrap(), appended[1..]);
    assert_eq!((appended[0].seq, appended[0].version, appended[0].at), (2, 1, at(5)));
    assert_eq!(store.projects().unwrap(), [project()]);
    assert_eq!(store.tasks().unwrap(), folded(&whole_log(&store)));
    assert_eq!(store.task(task(1)).unwrap().unwrap().version, 3);
    assert_eq!(store.task(task(2)).unwrap(), None);
    assert_sound(&store);
}

#[test]
fn a_stale_writer_is_refused_whole() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_a_task(dir.path());
    let stream = Stream::Task(task(1));
    for expected in [0, 1, 3, u64::MAX - 1] {
        let refused = append(&store, stream, expected, vec![small(1), small(2)]).unwrap_err();
        let AppendError::Stale { stream: named, expected: told, found } = refused else {
            panic!("{refused}")
        };
        assert_eq!((named, told, found), (stream, expected, 2));
    }
    assert_eq!(store.last_seq(), 2);
    assert_eq!(append(&store, stream, 2, vec![small(1)]).unwrap()[0].seq, 3);
}

#[test]
fn a_number_is_never_given_twice() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_a_task(dir.path());
    assert_eq!(store.next_task_number().unwrap(), TaskNumber(2));
    let refused = append(&store, Stream::Task(task(2)), 0, vec![added(1)]).unwrap_err();
    assert!(matches!(refused, AppendError::NumberTaken { number: TaskNumber(1) }), "{refused}");
    append(&store, Stream::Task(task(2)), 0, vec![added(7), Event::TaskArchived]).unwrap();
    assert_eq!(store.next_task_number().unwrap(), TaskNumber(8));
    assert_eq!(store.last_seq(), 4);
}

#[test]
fn events_stay_in_their_streams() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_a_task(dir.path());
    let known = Event::ProjectAdded { project: project() };
    let misplaced = [
        (Stream::Task(task(1)), 2, vec![small(1), added(2)]),
        (Stream::Task(task(1)), 2, vec![known.clone()]),
        (Stream::Task(task(2)), 0, vec![attempt(1)]),
        (Stream::Task(task(2)), 0, vec![added(2), added(3)]),
        (Stream::Project(project().id), 0, vec![known.clone(), small(1)]),
        (Stream::Project(divisi_model::ProjectId(task(1).0)), 0, vec![known]),
    ];
    for (stream, expected, events) in misplaced {
        let refused = append(&store, stream, expected, events).unwrap_err();
        assert!(matches!(refused, AppendError::Misplaced { .. }), "{refused}");
    }
    assert_eq!(store.last_seq(), 2);
    assert_sound(&store);
}

#[test]
fn too_much_at_once_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_a_task(dir.path());
    let many = (0..=u32::try_from(divisi_store::APPEND_EVENTS_MAX).unwrap()).map(small).collect();
    let why = "x".repeat(divisi_store::EVENT_BYTES_MAX);
    let large = vec![Event::UndoFailed { attempt: 1, why }];
    for events in [many, large] {
        let refused = append(&store, Stream::Task(task(1)), 2, events).unwrap_err();
        assert!(matches!(refused, AppendError::TooLarge { .. }), "{refused}");
    }
    assert_eq!(store.last_seq(), 2);
}

#[test]
fn the_folder_is_private_and_has_one_owner() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("deep/data");
    let store = with_a_task(&folder);
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }

    let refused = divisi_store::Store::open(&folder).unwrap_err();
    assert!(
        matches!(refused, StoreError::InUse { pid: Some(pid) } if pid == std::process::id()),
        "{refused}"
    );
    let other = store.clone();
    drop(store);
    assert!(divisi_store::Store::open(&folder).is_err(), "a clone still holds the folder");
    drop(other);
    assert_eq!(open(&folder).last_seq(), 2);
}

#[test]
fn eight_producers_leave_no_gap() {
    const EACH: u32 = 200;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    std::thread::scope(|scope| {
        for producer in 1..=8 {
            let store = store.clone();
            scope.spawn(move || {
                let stream = Stream::Task(task(producer));
                append(&store, stream, 0, vec![added(producer), attempt(1)]).unwrap();
                for n in 0..EACH {
                    let sync = if n % 10 == 0 { Sync::Full } else { Sync::Normal };
                    let appended = store.append_blocking(
                        stream,
                        u64::from(n) + 2,
                        ada(),
                        at(i64::from(n)),
                        vec![small(n)],
                        sync,
                    );
                    let seq = appended.unwrap()[0].seq;
                    // Acknowledged means visible, to readers and to those who follow.
                    assert_eq!(store.read(seq - 1, 1).unwrap()[0].event, small(n));
                    assert!(store.last_seq() >= seq);
                }
            });
        }
    });
    let log = whole_log(&store);
    assert_eq!(log.len(), 8 * (EACH as usize + 2));
    assert_gap_free(&log);
    assert_eq!(store.tasks().unwrap(), folded(&log));
    assert_sound(&store);
}

#[test]
fn of_many_writers_on_one_version_one_wins() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_a_task(dir.path());
    let won = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|n| {
                let store = store.clone();
                scope.spawn(move || append(&store, Stream::Task(task(1)), 2, vec![small(n)]).is_ok())
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).filter(|won| *won).count()
    });
    assert_eq!(won, 1);
    assert_eq!(store.last_seq(), 3);
}

#[test]
fn another_log_is_copied_as_it_is_or_not_at_all() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let from = with_a_task(old.path());
    append(&from, Stream::Task(task(1)), 2, vec![small(1), small(2)]).unwrap();
    let (mut events, mut entries) = (Vec::new(), 0);
    from.read_all::<StoreError>(
        |envelope| {
            events.push(envelope);
            Ok(())
        },
        |_, _| {
            entries += 1;
            Ok(())
        },
    )
    .unwrap();
    assert_eq!((events.clone(), entries), (whole_log(&from), 0));

    let to = open(new.path());
    let with_a_gap = [&events[..1], &events[2..]].concat();
    assert!(matches!(to.append_copies(with_a_gap), Err(AppendError::OutOfOrder { expected: 2, found: 3 })));
    let mut of_another_version = events.clone();
    of_another_version[2].version += 1;
    assert!(to.append_copies(of_another_version).is_err());
    assert_eq!(to.last_seq(), 0, "all of them or none");
    let (first, rest) = events.split_at(2);
    to.append_copies(first.to_vec()).unwrap();
    to.append_copies(rest.to_vec()).unwrap();
    assert_eq!(whole_log(&to), events);
    assert_eq!(to.tasks().unwrap(), from.tasks().unwrap());
    assert_sound(&to);
}

#[test]
fn what_comes_from_memory_is_what_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_a_task(dir.path());
    // More than stays in memory.
    for batch in 0..30 {
        let events = (0..100).map(small).collect();
        append(&store, Stream::Task(task(1)), 2 + batch * 100, events).unwrap();
    }
    let last = store.last_seq();
    let places = [0, 1, last / 2, last - 2049, last - 2048, last - 2047, last - 1, last, last + 1];
    let read = |store: &Store| places.map(|after| store.read(after, 500).unwrap());
    let before = read(&store);
    store.close();
    let again = open(dir.path());
    assert_eq!(before, read(&again));
    assert!(before[7].is_empty() && before[8].is_empty() && before[6].len() == 1);
}

#[tokio::test]
async fn a_log_that_is_closed_is_one_file_whoever_still_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_a_task(dir.path());
    let wal = dir.path().join("log.sqlite-wal");
    assert!(wal.exists());
    let (held, mut feed) = (store.clone(), store.feed(2));
    // In the middle of a read, as a slow client's would be.
    let (reads, told) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        reads.send(()).unwrap();
        held.verify().is_ok()
    });
    told.recv().unwrap();
    store.close();
    assert!(!wal.exists(), "the write-ahead log is merged");
    assert!(matches!(feed.next().await, Err(StoreError::Closed)));
    assert!(matches!(store.read(0, 1), Err(StoreError::Closed)));
    let refused = append(&store, Stream::Task(task(1)), 2, vec![small(1)]).unwrap_err();
    assert!(matches!(refused, AppendError::Store(StoreError::Closed)), "{refused}");
    // Whether it read before or was refused, it has let go.
    reader.join().unwrap();
    store.close();
    assert_eq!(open(dir.path()).last_seq(), 2);
}
