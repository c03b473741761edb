//! What a child writes arrives, each byte once.

use divisi_workspace::launch::{Followed, Outcome, Stderr};

use super::support::*;

#[tokio::test]
async fn a_child_that_exits_at_once_leaves_its_output_and_its_code() {
    let place = Place::new();
    let launch = place.start(&place.shell("echo out; echo err >&2; exit 7")).await;
    assert_eq!(exit(&launch).await.outcome, Outcome::Exited { code: 7 });
    assert_eq!(output(&launch).await, b"out\n");
    assert_eq!(std::fs::read(place.launch_dir().join("err.log")).unwrap(), b"err\n");
    assert_eq!(launch.load_err_tail(3).unwrap(), b"rr\n");
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
async fn one_line_of_many_megabytes_is_one_line() {
    let place = Place::new();
    let launch = place.start(&place.spec(&["one-line", "5000000"])).await;
    let all = output(&launch).await;
    assert_eq!(all.len(), 5_000_001);
    assert_eq!(all.iter().position(|byte| *byte == b'\n'), Some(5_000_000));
}

#[tokio::test]
async fn a_child_may_close_its_output_and_go_on() {
    let place = Place::new();
    let file = place.path("after");
    let script = format!("echo before; exec 1>&- 2>&-; sleep 0.05; echo yes > {}", file.display());
    let launch = place.start(&place.shell(&script)).await;
    assert!(exit(&launch).await.success());
    assert_eq!(output(&launch).await, b"before\n");
    assert_eq!(std::fs::read(file).unwrap(), b"yes\n");
}

#[tokio::test]
async fn both_outputs_can_go_into_one_journal_in_order() {
    let place = Place::new();
    let mut spec = place.shell("echo 1; echo 2 >&2; echo 3; echo 4 >&2");
    spec.stderr = Stderr::Journal;
    let launch = place.start(&spec).await;
    assert_eq!(output(&launch).await, b"1\n2\n3\n4\n");
    assert!(launch.load_err_tail(10).unwrap().is_empty());
}

#[tokio::test]
async fn following_begins_anywhere_and_blocking_if_need_be() {
    let place = Place::new();
    let launch = place.start(&place.shell("echo 0123456789")).await;
    let mut follower = launch.follow(4).unwrap();
    let runtime = tokio::runtime::Handle::current();
    let blocking = tokio::task::spawn_blocking(move || {
        let mut got = Vec::new();
        while let Followed::Bytes { offset, bytes } = follower.next_blocking(&runtime).unwrap() {
            assert_eq!(offset, 4 + got.len() as u64);
            got.extend_from_slice(&bytes);
        }
        got
    });
    assert_eq!(blocking.await.unwrap(), b"456789\n");
    let mut beyond = launch.follow(1000).unwrap();
    assert!(matches!(beyond.next().await.unwrap(), Followed::Ended(_)));
}

#[tokio::test]
async fn a_directory_deeper_than_a_socket_path_may_be_works() {
    let place = Place::new();
    let deep = place.path(&["a-rather-long-name-of-a-directory"; 8].join("/"));
    assert!(deep.as_os_str().len() > 200);
    let launch =
        divisi_workspace::launch::Launch::start(&deep, &place.shell("echo deep"), &shim()).await.unwrap();
    assert_eq!(output(&launch).await, b"deep\n");
}
