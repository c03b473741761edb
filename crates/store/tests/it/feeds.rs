//! Following the log.

use std::time::Duration;

use divisi_model::{Actor, Envelope, Stream};
use divisi_store::{Store, StoreError, Sync};

use crate::samples::*;

const PRODUCERS: u32 = 4;
const EACH: u32 = 150;

async fn produce(store: Store, producer: u32) {
    let stream = Stream::Task(task(producer));
    let append = |version, events| store.append(stream, version, Actor::Divisi, at(0), events, Sync::Normal);
    append(0, vec![added(producer), attempt(1)]).await.unwrap();
    for n in 0..EACH {
        append(u64::from(n) + 2, vec![small(n)]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_follower_sees_each_event_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_a_task(dir.path());
    let total = u64::from(PRODUCERS * (EACH + 2)) + 2;
    let mut followers = tokio::task::JoinSet::new();
    for after in [0, 1, 2, 3, 100, total - 1] {
        let mut feed = store.feed(after);
        followers.spawn(async move {
            let mut seen: Vec<Envelope> = Vec::new();
            while seen.last().is_none_or(|last| last.seq < total) {
                // Cancelled again and again, at its only await.
                let next = tokio::time::timeout(Duration::from_micros(200), feed.next());
                if let Ok(envelope) = next.await {
                    seen.push(envelope.unwrap());
                }
                assert!(seen.len() as u64 <= total, "from {after}, something came twice");
            }
            (after, seen)
        });
    }
    let mut producers = tokio::task::JoinSet::new();
    for producer in 2..PRODUCERS + 2 {
        producers.spawn(produce(store.clone(), producer));
    }
    while let Some(done) = producers.join_next().await {
        done.unwrap();
    }
    let log = whole_log(&store);
    assert_eq!(store.last_seq(), total);
    while let Some(done) = followers.join_next().await {
        let (after, seen) = done.unwrap();
        assert!(seen == log[usize::try_from(after).unwrap()..], "from {after}");
    }
}

#[tokio::test]
async fn a_log_longer_than_a_batch_is_replayed_to_its_end_while_nothing_happens() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_a_task(dir.path());
    append(&store, Stream::Task(task(1)), 2, (0..1_000).map(small).collect()).unwrap();
    let mut feed = store.feed(0);
    for seq in 1..=1_002 {
        assert_eq!(feed.next().await.unwrap().seq, seq);
    }
    let nothing_more = tokio::time::timeout(Duration::from_millis(1), feed.next()).await;
    assert!(nothing_more.is_err(), "{nothing_more:?}");
}

#[tokio::test]
async fn a_feed_ends_with_its_store_after_it_gave_everything() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_a_task(dir.path());
    let mut feed = store.feed(1);
    tokio::task::spawn_blocking(move || drop(store)).await.unwrap();
    assert_eq!(feed.next().await.unwrap().seq, 2);
    assert!(matches!(feed.next().await, Err(StoreError::Closed)));
    assert!(matches!(feed.next().await, Err(StoreError::Closed)));
}
