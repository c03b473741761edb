//! What a child writes arrives, each byte once.

use divisi_workspace::launch::{Outcome, Stdin};

use super::support::*;

#[tokio::test]
async fn a_child_that_exits_at_once_leaves_its_output_and_its_code() {
    let place = Place::new();
    let launch = place.start(&place.shell("echo out; echo err >&2; exit 7")).await;
    assert_eq!(exit(&launch).await.outcome, Outcome::Exited { code: 7 });
    assert_eq!(output(&launch).await, b"out\n");
    assert_eq!(std::fs::read(place.launch_dir().join("err.log")).unwrap(), b"err\n");
    let again = place.attach().await;
    assert_eq!(again.status(), launch.status());
    assert_eq!(output(&again).await, b"out\n");
}

#[tokio::test]
async fn the_journal_is_whole_after_any_number_of_killed_shims() {
    let place = Place::new();
    let launch = place.start(&place.spec(&["slow-lines", "300000"])).await;
    let mut kills = 0;
    let killing = async {
        loop {
            kills += usize::from(place.kill_shim());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let all = tokio::select! { all = output(&launch) => all, () = killing => unreachable!() };
    assert!(kills > 5, "only {kills} shims were there to be killed");
    assert!(all == numbered(300_000), "{} bytes after {kills} kills", all.len());
    assert_eq!(exit(&launch).await.outcome, Outcome::Exited { code: 0 });
}

#[tokio::test]
async fn what_is_written_to_its_input_comes_back() {
    let place = Place::new();
    let mut spec = place.spec(&["echo"]);
    spec.stdin = Stdin::Journaled;
    let launch = place.start(&spec).await;
    let next = launch.write(0, b"one\n").await.unwrap();
    let next = launch.write(next, b"two\n").await.unwrap();
    assert_eq!(next, 8);
    output_with(&launch, "two").await;
    launch.close_stdin(next).await.unwrap();
    assert_eq!(output(&launch).await, b"one\ntwo\nend of input\n");
    assert_eq!(launch.load_stdin().unwrap(), b"one\ntwo\n");
    assert!(exit(&launch).await.success());
}
