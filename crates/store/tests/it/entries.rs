//! The index of transcripts.

use divisi_model::AttemptId;
use divisi_model::event::Origin;
use divisi_model::transcript::{Entry, EntryBody, Journal, Source};
use divisi_store::{Store, StoredEntry};

use crate::samples::*;

fn attempt_id(n: u16) -> AttemptId {
    AttemptId { task: task(1), number: n }
}

fn message(seq: u64, text: &str) -> Entry {
    let source = Some(Source { journal: Journal::Out, offset: seq * 100, len: text.len() as u64 });
    Entry {
        seq,
        at: at(i64::try_from(seq).unwrap()),
        turn: 1,
        source,
        body: EntryBody::Message { text: text.into() },
    }
}

fn put(store: &Store, attempt: u16, session: u32, entries: &[Entry]) -> u64 {
    store.put_entries(attempt_id(attempt), session, entries).unwrap()
}

fn all(store: &Store, attempt: u16) -> Vec<StoredEntry> {
    store.entries(attempt_id(attempt), 0, usize::MAX).unwrap()
}

#[test]
fn an_entry_is_stored_again_when_it_changes_and_keeps_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let prompt = EntryBody::Prompt { origin: Origin::Task, text: "go".into(), images: vec![] };
    let first = Entry { seq: 1, at: at(0), turn: 1, source: None, body: prompt };
    assert_eq!(put(&store, 1, 1, &[first.clone(), message(2, "I")]), 2);

    let later = Entry { at: at(99), ..message(2, "I think") };
    assert_eq!(put(&store, 1, 1, &[first.clone(), later]), 3);
    let kept = message(2, "I think");
    let expected = [
        StoredEntry { rev: 1, session: 1, entry: first.clone() },
        StoredEntry { rev: 3, session: 1, entry: kept.clone() },
    ];
    assert_eq!(all(&store, 1), expected);
    assert_eq!(store.entries(attempt_id(1), 1, 10).unwrap(), expected[1..]);

    // A replay after a restart comes with other times and changes nothing.
    let again: Vec<_> = [first, kept].into_iter().map(|entry| Entry { at: at(500), ..entry }).collect();
    assert_eq!(put(&store, 1, 1, &again), 3);
    assert_eq!(all(&store, 1), expected);
}

#[test]
fn attempts_and_sessions_are_kept_apart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    put(&store, 1, 1, &[message(1, "a"), message(2, "b")]);
    put(&store, 2, 1, &[message(1, "other attempt")]);
    put(&store, 1, 2, &[message(1, "c")]);
    put(&store, 1, 1, &[message(1, "changed")]);
    let texts = |found: Vec<StoredEntry>| -> Vec<_> {
        found.into_iter().map(|stored| (stored.session, stored.entry.seq, stored.rev)).collect()
    };
    assert_eq!(texts(all(&store, 1)), [(1, 2, 2), (2, 1, 4), (1, 1, 5)]);
    assert_eq!(texts(store.entries_latest(attempt_id(1), 2).unwrap()), [(1, 2, 2), (2, 1, 4)]);
    let before = |session, seq| texts(store.entries_before(attempt_id(1), Some((session, seq)), 2).unwrap());
    assert_eq!(before(2, 1), [(1, 1, 5), (1, 2, 2)]);
    assert_eq!((before(1, 2), before(1, 1)), (vec![(1, 1, 5)], vec![]));
    assert_eq!(texts(store.entries_latest(attempt_id(1), 9).unwrap()), [(1, 1, 5), (1, 2, 2), (2, 1, 4)]);
    assert_eq!(texts(all(&store, 2)), [(1, 1, 3)]);
}

#[test]
fn a_revision_is_never_given_twice() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    put(&store, 1, 1, &[message(1, "a")]);
    put(&store, 1, 2, &[message(1, "b"), message(2, "c")]);
    assert_eq!(store.forget_entries(attempt_id(1), 2).unwrap(), 2);
    assert_eq!(store.forget_entries(attempt_id(1), 2).unwrap(), 0);
    assert_eq!(all(&store, 1).len(), 1);
    drop(store);

    let store = open(dir.path());
    assert_eq!(*store.transcript_changes().borrow(), 3);
    assert_eq!(store.put_entries(attempt_id(1), 2, &[message(1, "b")]).unwrap(), 4);
}

#[tokio::test]
async fn a_transcript_longer_than_a_batch_is_replayed_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let entries: Vec<_> = (1..=1_000).map(|seq| message(seq, "x")).collect();
    put(&store, 1, 1, &entries);
    put(&store, 2, 1, &entries);
    let mut feed = store.transcript_feed(attempt_id(2), 1_500);
    for rev in 1_501..=2_000 {
        assert_eq!(feed.next().await.unwrap().rev, rev);
    }
    drop(store);
    assert!(matches!(feed.next().await, Err(divisi_store::StoreError::Closed)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_follower_ends_with_the_newest_state_of_every_entry() {
    const ENTRIES: u64 = 20;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    put(&store, 1, 1, &[message(1, "early")]);
    let mut feed = store.transcript_feed(attempt_id(1), 0);
    let follower = tokio::spawn(async move {
        let mut seen = std::collections::BTreeMap::new();
        let mut last = 0;
        while seen.get(&ENTRIES).is_none_or(|entry| *entry != message(ENTRIES, "done")) {
            let next = tokio::time::timeout(std::time::Duration::from_micros(300), feed.next());
            if let Ok(stored) = next.await {
                let stored = stored.unwrap();
                assert!(stored.rev > last);
                last = stored.rev;
                seen.insert(stored.entry.seq, stored.entry);
            }
        }
        seen
    });
    for seq in 1..=ENTRIES {
        for text in ["d", "do", "done"] {
            store.put_entries(attempt_id(1), 1, &[message(seq, text)]).unwrap();
            store.put_entries(attempt_id(2), 1, &[message(seq, text)]).unwrap();
        }
    }
    let seen: Vec<_> = follower.await.unwrap().into_values().collect();
    let expected: Vec<_> = (1..=ENTRIES).map(|seq| message(seq, "done")).collect();
    assert_eq!(seen, expected);
}
