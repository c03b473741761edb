//! Following the log, over broken connections and restarts.

use std::sync::Arc;

use divisi_api::{Client, Endpoint};
use divisi_testkit::TestEnv;

use crate::server::{Moved, Running, TOKEN};

#[tokio::test]
async fn the_log_is_replayed_and_then_followed_without_gap_or_double() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    server.client.add_task(&server.new_task("one"), "1").await.unwrap();
    let mut feed = server.client.follow_events(0);
    let first = feed.next().await.unwrap();
    assert_eq!((first.seq, first.kind.as_str(), first.task.as_deref()), (1, "project_added", None));
    let second = feed.next().await.unwrap();
    assert_eq!((second.seq, second.kind.as_str(), second.task.as_deref()), (2, "task_added", Some("t1")));
    assert_eq!(second.actor.name.as_deref(), Some("Ada"));

    server.client.add_task(&server.new_task("two"), "2").await.unwrap();
    let mut last = second.seq;
    loop {
        let event = feed.next().await.unwrap();
        assert_eq!(event.seq, last + 1);
        last = event.seq;
        if event.kind == "task_added" {
            assert_eq!(event.data["spec"]["prompt"], "two");
            break;
        }
    }
    server.end().await;
}

#[tokio::test]
async fn a_follower_goes_on_with_the_next_event_after_a_restart_at_another_port() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    server.client.add_task(&server.new_task("one"), "1").await.unwrap();
    let moved = Arc::new(Moved(std::sync::Mutex::new(None)));
    let endpoint = Endpoint { address: server.address.clone(), token: TOKEN.into() };
    let client = Client::new(endpoint).unwrap().with_locate(moved.clone());
    let mut feed = client.follow_events(0);
    let before = feed.next().await.unwrap().seq;

    let server = server.restart().await;
    *moved.0.lock().unwrap() = Some(Endpoint { address: server.address.clone(), token: TOKEN.into() });
    server.client.add_task(&server.new_task("two"), "2").await.unwrap();
    let mut last = before;
    loop {
        let event = feed.next().await.unwrap();
        assert_eq!(event.seq, last + 1, "nothing is lost and nothing comes twice");
        last = event.seq;
        if event.data["spec"]["prompt"] == "two" {
            break;
        }
    }
    server.end().await;
}

#[tokio::test]
async fn a_feed_says_where_it_goes_on() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    server.client.add_task(&server.new_task("one"), "1").await.unwrap();
    let mut feed = server.client.follow_events(1);
    assert_eq!(feed.next().await.unwrap().seq, 2);
    assert_eq!(feed.last(), 2);
    let bearer = format!("Bearer {TOKEN}");
    let wrong = [("authorization", bearer.as_str()), ("last-event-id", "x")];
    let (status, _, body) = server.raw("/v1/events", &wrong).await;
    assert_eq!(status, 400, "{body}");
    server.end().await;
}

#[tokio::test]
async fn the_transcript_of_an_attempt_that_said_nothing_is_empty_and_can_be_followed() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    server.client.add_task(&server.new_task("one"), "1").await.unwrap();
    assert!(server.client.transcript("t1", 0).await.unwrap().is_empty());
    let refused = server.client.follow_transcript("t9", 0).next().await.unwrap_err();
    assert!(refused.problem().is_some(), "a refusal is final: {refused}");
    server.end().await;
}
