//! Ending a launch ends everything it started.

use std::time::Duration;

use divisi_workspace::launch::{EndedBy, Outcome};

use super::support::*;

#[tokio::test]
async fn terminate_asks_and_then_insists() {
    let place = Place::new();
    let launch = place.start(&place.spec(&["stubborn"])).await;
    output_with(&launch, "ready").await;
    launch.terminate(Some(Duration::from_millis(100))).await.unwrap();
    let exit = exit(&launch).await;
    assert_eq!(exit.ended_by, Some(EndedBy::Terminate));
}

#[tokio::test]
async fn what_left_its_session_and_its_parents_ends_with_the_child() {
    let place = Place::new();
    let pids = place.path("pids");
    let launch = place.start(&place.spec(&["stray", pids.to_str().unwrap()])).await;
    let exit = exit(&launch).await;
    assert_eq!(exit.outcome, Outcome::Exited { code: 0 });
    assert!(exit.strays_ended >= 3, "{exit:?}");
    for pid in std::fs::read_to_string(pids).unwrap().lines() {
        assert!(!is_alive(pid.parse().unwrap()));
    }
}
