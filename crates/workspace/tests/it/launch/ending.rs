//! Ending a launch ends everything it started.

use std::time::Duration;

use divisi_workspace::launch::{EndedBy, Outcome};
use rustix::process::Signal;

use super::support::*;

const TERM: i32 = 15;
const KILL: i32 = 9;

#[tokio::test]
async fn asked_to_end_a_child_ends_in_its_own_way() {
    let place = Place::new();
    let launch = place
        .start(&place.shell("trap 'echo bye; exit 4' TERM; echo ready; while :; do sleep 0.01; done"))
        .await;
    output_with(&launch, "ready").await;
    launch.terminate(None).await.unwrap();
    let exit = exit(&launch).await;
    assert_eq!((exit.outcome, exit.ended_by), (Outcome::Exited { code: 4 }, Some(EndedBy::Terminate)));
    assert_eq!(output(&launch).await, b"ready\nbye\n");
    launch.terminate(None).await.unwrap();
    launch.kill().await.unwrap();
}

#[tokio::test]
async fn a_child_that_will_not_end_is_killed_after_the_grace() {
    let place = Place::new();
    let launch = place.start(&place.spec(&["stubborn"])).await;
    output_with(&launch, "ready").await;
    launch.terminate(Some(Duration::from_millis(100))).await.unwrap();
    let exit = exit(&launch).await;
    assert_eq!((exit.outcome, exit.ended_by), (Outcome::Signaled { signal: KILL }, Some(EndedBy::Terminate)));
}

#[tokio::test]
async fn a_kill_does_not_wait() {
    let place = Place::new();
    let launch = place.start(&place.spec(&["stubborn"])).await;
    output_with(&launch, "ready").await;
    launch.terminate(Some(Duration::from_secs(1000))).await.unwrap();
    launch.kill().await.unwrap();
    let exit = exit(&launch).await;
    assert_eq!(exit.outcome, Outcome::Signaled { signal: KILL });
    assert_eq!(exit.ended_by, Some(EndedBy::Terminate), "the first reason counts");
}

#[tokio::test]
async fn what_left_its_session_and_its_parents_ends_with_the_child() {
    let place = Place::new();
    let pids = place.path("pids");
    let launch = place.start(&place.spec(&["stray", pids.to_str().unwrap()])).await;
    let exit = exit(&launch).await;
    assert_eq!(exit.outcome, Outcome::Exited { code: 0 });
    assert!(exit.ended_by.is_none() && exit.strays_ended >= 3, "{exit:?}");
    assert!(place.pids("pids").into_iter().all(|pid| !is_alive(pid)));
}

#[tokio::test]
async fn what_left_its_session_ends_when_the_launch_is_ended() {
    let place = Place::new();
    let pids = place.path("pids");
    let script = format!(
        "{} stray {}; trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$ >> {}; echo ready; while :; do sleep 1; done' & wait",
        program().display(),
        pids.display(),
        pids.display()
    );
    let launch = place.start(&place.shell(&script)).await;
    output_with(&launch, "ready").await;
    assert!(place.pids("pids").into_iter().all(is_alive));
    launch.terminate(Some(Duration::from_millis(50))).await.unwrap();
    exit(&launch).await;
    let left: Vec<_> = place.pids("pids").into_iter().filter(|pid| is_alive(*pid)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn what_forks_without_end_is_ended_too() {
    let place = Place::new();
    let script = "trap '' TERM; f() { setsid sleep 1000 & }; i=0; echo ready; while [ $i -lt 400 ]; do f; i=$((i+1)); done; wait";
    let launch = place.start(&place.shell(script)).await;
    output_with(&launch, "ready").await;
    let id = launch.spec().id.clone();
    launch.kill().await.unwrap();
    assert_eq!(exit(&launch).await.strays_left, 0);
    assert_eq!(marked(&id), Vec::<i32>::new());
}

#[tokio::test]
async fn a_time_out_ends_it_and_says_so() {
    let place = Place::new();
    let mut spec = place.spec(&["stubborn"]);
    (spec.timeout_ms, spec.grace_ms) = (Some(100), 50);
    let exit = exit(&place.start(&spec).await).await;
    assert_eq!((exit.outcome, exit.ended_by), (Outcome::Signaled { signal: KILL }, Some(EndedBy::Timeout)));
}

#[tokio::test]
async fn the_time_out_needs_neither_daemon_nor_shim() {
    let place = Place::new();
    let mut spec = place.shell("echo ready; exec sleep 1000");
    spec.timeout_ms = Some(300);
    let launch = place.start(&spec).await;
    let init = launch.load_identity().unwrap().unwrap().init;
    drop(launch);
    place.kill_shim();
    until("the init process has gone", || !is_alive(init.pid)).await;
    let launch = place.attach().await;
    let exit = exit(&launch).await;
    assert_eq!((exit.outcome, exit.ended_by), (Outcome::Signaled { signal: TERM }, Some(EndedBy::Timeout)));
    assert_eq!(output(&launch).await, b"ready\n");
}

#[tokio::test]
async fn a_stopped_tree_can_be_ended() {
    let place = Place::new();
    let launch = place.start(&place.shell("echo ready; exec sleep 1000")).await;
    output_with(&launch, "ready").await;
    let identity = launch.load_identity().unwrap().unwrap();
    assert!(kill(identity.child.unwrap().pid, Signal::STOP));
    assert!(kill(identity.init.pid, Signal::STOP));
    launch.terminate(None).await.unwrap();
    assert_eq!(exit(&launch).await.outcome, Outcome::Signaled { signal: TERM });
}

#[tokio::test]
async fn a_signal_from_elsewhere_is_told_from_ours() {
    let place = Place::new();
    let launch = place.start(&place.shell("kill -SEGV $$")).await;
    let exit = exit(&launch).await;
    assert_eq!((exit.outcome, exit.ended_by), (Outcome::Signaled { signal: 11 }, None));
}
