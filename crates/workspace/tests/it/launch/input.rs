//! What is written to a child's standard input arrives, each byte once.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use divisi_workspace::launch::{Launch, RequestError, Spec, Stdin};

use super::support::*;

fn echo(place: &Place) -> Spec {
    Spec { stdin: Stdin::Journaled, ..place.spec(&["echo"]) }
}

#[tokio::test]
async fn what_is_written_comes_back_until_it_is_closed() {
    let place = Place::new();
    let launch = place.start(&echo(&place)).await;
    let next = launch.write(0, b"one\n").await.unwrap();
    let next = launch.write(next, b"two\n").await.unwrap();
    assert_eq!(next, 8);
    output_with(&launch, "two").await;
    launch.close_stdin(next).await.unwrap();
    launch.close_stdin(next).await.unwrap();
    let refused = launch.write(next, b"x").await;
    assert!(matches!(refused, Err(RequestError::Closed | RequestError::Ended)), "{refused:?}");
    assert_eq!(output(&launch).await, b"one\ntwo\nend of input\n");
    assert_eq!(launch.load_stdin().unwrap(), b"one\ntwo\n");
    assert!(exit(&launch).await.success());
    assert_eq!(launch.write(next, b"x").await, Err(RequestError::Ended));
    assert_eq!(place.attach().await.status().stdin_len, 8);
}

#[tokio::test]
async fn every_message_arrives_once_whatever_happens_to_the_shims() {
    let place = Place::new();
    let launch = place.start(&echo(&place)).await;
    let mut kills = 0;
    let killing = async {
        loop {
            // A message or two between the kills, at different moments of their way.
            let seen = launch.status().stdin_len;
            until("another message", || launch.status().stdin_len > seen).await;
            tokio::time::sleep(Duration::from_micros(kills * 37 % 3000)).await;
            kills += u64::from(place.kill_shim());
            if kills == 100 {
                std::future::pending::<()>().await;
            }
        }
    };
    let writing = async {
        let mut at = 0;
        for n in 0..2000 {
            let message = format!("line {n}\n");
            at = launch.write(at, message.as_bytes()).await.unwrap();
        }
        launch.close_stdin(at).await.unwrap();
        output(&launch).await
    };
    let all = tokio::select! { all = writing => all, () = killing => unreachable!() };
    assert!(kills > 5, "only {kills} shims were there to be killed");
    let expected = [numbered(2000), b"end of input\n".to_vec()].concat();
    assert!(all == expected, "{} of {} bytes after {kills} kills", all.len(), expected.len());
    assert_eq!(launch.load_stdin().unwrap(), numbered(2000));
}

#[tokio::test]
async fn a_lost_shim_is_no_end_of_input() {
    let place = Place::new();
    let launch = place.start(&echo(&place)).await;
    launch.write(0, b"a\n").await.unwrap();
    output_with(&launch, "a").await;
    drop(launch);
    assert!(place.kill_shim());
    until("the shim is gone", || place.shim_pid().is_none()).await;
    let launch = place.attach().await;
    assert_eq!(launch.status().stdin_len, 2);
    launch.write(2, b"b\n").await.unwrap();
    launch.close_stdin(4).await.unwrap();
    assert_eq!(output(&launch).await, b"a\nb\nend of input\n");
}

#[tokio::test]
async fn of_two_daemons_the_one_that_is_behind_is_refused() {
    let place = Place::new();
    let first = place.start(&echo(&place)).await;
    let second = place.attach().await;
    assert_eq!(first.write(0, b"first\n").await, Ok(6));
    assert_eq!(second.write(0, b"second\n").await, Err(RequestError::Offset { stdin_len: 6 }));
    assert_eq!(second.write(9, b"hole\n").await, Err(RequestError::Offset { stdin_len: 6 }));
    assert_eq!(second.write(0, b"first\n").await, Ok(6), "the same again is no error");
    assert_eq!(second.write(6, b"second\n").await, Ok(13));
    second.close_stdin(13).await.unwrap();
    let expected = b"first\nsecond\nend of input\n";
    assert_eq!(output(&first).await, expected);
    assert_eq!(output(&second).await, expected);
}

#[tokio::test]
async fn a_megabyte_prompt_to_a_child_that_is_slow_to_read() {
    let place = Place::new();
    let mut spec = place.shell("sleep 0.2; exec wc -c");
    spec.stdin = Stdin::Journaled;
    let launch = place.start(&spec).await;
    let prompt = vec![b'p'; 9_000_000];
    assert_eq!(launch.write(0, &prompt).await, Ok(9_000_000));
    launch.close_stdin(9_000_000).await.unwrap();
    assert_eq!(String::from_utf8(output(&launch).await).unwrap().trim(), "9000000");
}

#[tokio::test]
async fn a_file_and_nothing_are_inputs_too() {
    let place = Place::new();
    let file = place.path("prompt");
    std::fs::write(&file, "from a file\n").unwrap();
    let spec = Spec { stdin: Stdin::File(file), ..place.spec(&["echo"]) };
    let launch = place.start(&spec).await;
    assert_eq!(output(&launch).await, b"from a file\nend of input\n");
    let nothing = Launch::start(&place.path("second"), &place.spec(&["echo"]), &shim()).await.unwrap();
    assert_eq!(output(&nothing).await, b"end of input\n");
    assert_eq!(nothing.write(0, b"x").await, Err(RequestError::Ended));
}

#[tokio::test]
async fn garbage_on_the_socket_harms_nobody() {
    let place = Place::new();
    let launch = place.start(&echo(&place)).await;
    let socket = place.launch_dir().join("shim.sock");
    let connect = || UnixStream::connect(&socket).unwrap();
    connect().write_all(b"\0\xff\xfe garbage\n").unwrap();
    connect().write_all(b"{\"id\":1,\"op\":\"write\",\"offset\":0,\"len\":99999999999}\n").unwrap();
    connect().write_all(b"{\"id\":1,\"op\":\"write\",\"offset\":0,\"len\":100}\nhalf").unwrap();
    connect().write_all(b"{\"id\":1,\"op\":\"dance\"}\n").unwrap();
    // It may be cut off in the middle of this, which is as it should be.
    drop(connect().write_all(&vec![b'x'; 100_000]));
    let many: Vec<_> = (0..40).map(|_| connect()).collect();
    drop(many);
    launch.write(0, b"still here\n").await.unwrap();
    launch.close_stdin(11).await.unwrap();
    assert_eq!(output(&launch).await, b"still here\nend of input\n");
}
