//! What happens when a child writes more than there is room for.

use std::process::Command;

use divisi_workspace::launch::{EndedBy, OnCap, Pause, State};

use super::support::*;

/// What a pipe holds, which a journal may exceed its bound by.
const PIPE: u64 = 64 << 10;

#[tokio::test]
async fn at_its_bound_a_flood_waits_and_goes_on_when_the_bound_is_raised() {
    let place = Place::new();
    let mut spec = place.spec(&["lines", "400000"]);
    spec.journal_cap = 1_000_000;
    let launch = place.start(&spec).await;
    let paused = status_when(&launch, |status| status.paused == Some(Pause::Cap)).await;
    assert_eq!((paused.journal_len, paused.state), (1_000_000, State::Running));
    launch.set_journal_cap(2_000_000).await.unwrap();
    status_when(&launch, |status| status.journal_len == 2_000_000).await;
    assert!(place.kill_shim());
    until("a new shim", || place.shim_pid().is_some()).await;
    assert_eq!(launch.status().journal_len, 2_000_000);
    launch.set_journal_cap(u64::MAX).await.unwrap();
    assert!(output(&launch).await == numbered(400_000));
    assert!(exit(&launch).await.success());
}

#[tokio::test]
async fn a_paused_child_can_be_ended() {
    let place = Place::new();
    let mut spec = place.spec(&["flood"]);
    spec.journal_cap = 300_000;
    let launch = place.start(&spec).await;
    status_when(&launch, |status| status.paused == Some(Pause::Cap)).await;
    launch.terminate(None).await.unwrap();
    assert_eq!(exit(&launch).await.ended_by, Some(EndedBy::Terminate));
    assert!(launch.status().journal_len <= 300_000 + PIPE);
}

#[tokio::test]
async fn a_flood_of_output_ends_a_launch_that_is_to_be_ended_for_it() {
    let place = Place::new();
    let mut spec = place.spec(&["flood"]);
    (spec.journal_cap, spec.on_cap) = (200_000_000, OnCap::End);
    let launch = place.start(&spec).await;
    assert_eq!(exit(&launch).await.ended_by, Some(EndedBy::OutputLimit));
    let len = launch.status().journal_len;
    assert!((200_000_000..=200_000_000 + PIPE).contains(&len), "{len}");
}

#[tokio::test]
async fn a_flood_of_errors_is_rotated_and_the_child_goes_on() {
    let place = Place::new();
    let mut spec =
        place.shell("i=0; while [ $i -lt 20000 ]; do echo error $i >&2; i=$((i+1)); done; echo done");
    spec.err_cap = 50_000;
    let launch = place.start(&spec).await;
    assert_eq!(output(&launch).await, b"done\n");
    let tail = String::from_utf8(launch.load_err_tail(60_000).unwrap()).unwrap();
    assert!(tail.ends_with("error 19998\nerror 19999\n") && tail.len() > 50_000);
    assert!(launch.status().err_len <= 50_000);
    assert_eq!(std::fs::metadata(place.launch_dir().join("err.old.log")).unwrap().len(), 50_000);
}

/// Runs a habit of the test's program on a disk of its own that holds `kib`.
fn on_a_small_disk(place: &Place, kib: u32, habit: &str) {
    let disk = place.path("disk");
    std::fs::create_dir(&disk).unwrap();
    let script = format!("mount -t tmpfs -o size={kib}k,mode=700 divisi-test \"$0\" && exec \"$@\"");
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
        .arg(&disk)
        .arg(program())
        .arg(habit)
        .arg(&disk)
        .output()
        .expect("this test needs the program `unshare` (Debian package util-linux)");
    let errors = String::from_utf8_lossy(&output.stderr);
    let denied = ["unshare:", "mount:"].iter().any(|program| errors.contains(program));
    assert!(
        !denied,
        "this test mounts a small disk in a user namespace, which this machine forbids ({}); allow it with \
         `sysctl kernel.apparmor_restrict_unprivileged_userns=0` or run the tests as root",
        errors.trim()
    );
    assert!(output.status.success(), "{}{errors}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_full_disk_pauses_the_child_and_nothing_is_lost() {
    on_a_small_disk(&Place::new(), 1024, "full-disk-output");
}

#[test]
fn on_a_full_disk_input_is_refused_whole_and_the_exit_is_recorded() {
    on_a_small_disk(&Place::new(), 1024, "full-disk-input");
}
