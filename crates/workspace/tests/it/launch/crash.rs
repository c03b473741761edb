//! What is left when the daemon, the shim or the init process is killed.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use divisi_workspace::launch::{Identity, Launch, LaunchError, Outcome, ProcessId, State};
use rustix::process::Signal;

use super::support::*;

#[tokio::test]
async fn a_child_outlives_its_daemon_and_the_shim() {
    let place = Place::new();
    let spec = place.spec(&["slow-lines", "100000"]);
    std::fs::write(place.path("spec-for-daemon.json"), serde_json::to_vec(&spec).unwrap()).unwrap();
    let mut daemon =
        Command::new(program()).arg("daemon").arg(place.root.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "started\n");
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert!(place.kill_shim());
    let launch = place.attach().await;
    assert_eq!(launch.status().state, State::Running);
    assert!(output(&launch).await == numbered(100_000));
    assert!(exit(&launch).await.success());
}

#[tokio::test]
async fn output_at_the_end_is_kept_even_if_nobody_is_there_to_take_it() {
    let place = Place::new();
    let go = place.path("go");
    let script =
        format!("while ! [ -e {} ]; do sleep 0.01; done; echo the last words; echo err >&2", go.display());
    let launch = place.start(&place.shell(&script)).await;
    let init = launch.load_identity().unwrap().unwrap().init.pid;
    drop(launch);
    assert!(place.kill_shim());
    until("the shim is gone", || place.shim_pid().is_none()).await;
    std::fs::write(go, "").unwrap();
    until("the init process has gone", || !is_alive(init)).await;
    assert_eq!(std::fs::read(place.launch_dir().join("out.journal")).unwrap(), b"the last words\n");
    assert_eq!(std::fs::read(place.launch_dir().join("err.log")).unwrap(), b"err\n");
    assert!(exit(&place.attach().await).await.success());
}

#[tokio::test]
async fn without_its_init_process_a_launch_ends_and_says_that_it_was_lost() {
    let place = Place::new();
    let pids = place.path("pids");
    let script = format!("{} stray {}; exec sleep 1000", program().display(), pids.display());
    let launch = place.start(&place.shell(&script)).await;
    output_with(&launch, "left three").await;
    let identity = launch.load_identity().unwrap().unwrap();
    // With the second shim, which is not the parent of the init process, it is the harder case.
    let first = place.shim_pid();
    assert!(place.kill_shim());
    until("a second shim", || place.shim_pid().is_some_and(|pid| Some(pid) != first)).await;
    assert!(kill(identity.init.pid, Signal::KILL));
    let exit = exit(&launch).await;
    assert!(matches!(exit.outcome, Outcome::Lost { .. }) && exit.strays_ended >= 4, "{exit:?}");
    assert!(!is_alive(identity.child.unwrap().pid));
    assert_eq!(marked(&launch.spec().id), Vec::<i32>::new());
    assert_eq!(output(&launch).await, b"left three\n");
}

#[tokio::test]
async fn with_shim_and_init_killed_what_is_left_ends_at_the_next_attach() {
    let place = Place::new();
    let pids = place.path("pids");
    let script = format!("{} stray {}; exec sleep 1000", program().display(), pids.display());
    let launch = place.start(&place.shell(&script)).await;
    output_with(&launch, "left three").await;
    let identity = launch.load_identity().unwrap().unwrap();
    let id = launch.spec().id.clone();
    drop(launch);
    assert!(place.kill_shim());
    assert!(kill(identity.init.pid, Signal::KILL));
    until("both are gone", || place.shim_pid().is_none() && !is_alive(identity.init.pid)).await;
    let launch = place.attach().await;
    let first = exit(&launch).await;
    assert!(matches!(first.outcome, Outcome::Lost { .. }), "{first:?}");
    until("the rest is gone", || marked(&id).is_empty()).await;
    assert_eq!(exit(&place.attach().await).await, first, "the answer stays the same");
}

#[tokio::test]
async fn a_process_with_the_same_id_is_left_alone() {
    let place = Place::new();
    let launch = place.start(&place.shell("exit 0")).await;
    exit(&launch).await;
    let dir = place.launch_dir();
    let mut identity = launch.load_identity().unwrap().unwrap();
    let mut bystander = Command::new("sleep").arg("1000").spawn().unwrap();
    for started_ticks in [identity.init.started_ticks, 0] {
        identity.init = ProcessId { pid: bystander.id() as i32, started_ticks, ..identity.init };
        write_identity(&place, &identity);
        drop(std::fs::remove_file(dir.join("exit.json")));
        let launch = place.attach().await;
        launch.kill().await.unwrap();
        assert!(matches!(exit(&launch).await.outcome, Outcome::Lost { .. }));
    }
    assert!(bystander.try_wait().unwrap().is_none(), "the bystander was ended");
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[tokio::test]
async fn after_a_restart_of_the_machine_nothing_is_looked_for() {
    let place = Place::new();
    let launch = place.start(&place.shell("exit 0")).await;
    exit(&launch).await;
    let mut identity = launch.load_identity().unwrap().unwrap();
    identity.boot_id = "00000000-0000-0000-0000-000000000000".to_owned();
    write_identity(&place, &identity);
    std::fs::remove_file(place.launch_dir().join("exit.json")).unwrap();
    let Outcome::Lost { why } = exit(&place.attach().await).await.outcome else { panic!("not lost") };
    assert_eq!(why, "the machine was restarted");
}

#[tokio::test]
async fn a_killed_start_can_be_started_again_or_is_adopted() {
    // A daemon that was killed between writing the spec and starting the shim leaves only the spec.
    let place = Place::new();
    let spec = place.shell("echo ran");
    std::fs::create_dir(place.launch_dir()).unwrap();
    std::fs::write(place.launch_dir().join("spec.json"), serde_json::to_vec(&spec).unwrap()).unwrap();
    let error = try_attach(&place).await.unwrap_err();
    assert!(error.to_string().ends_with("was never started"), "{error}");
    let launch = place.start(&spec).await;
    assert_eq!(output(&launch).await, b"ran\n");
}

#[tokio::test]
async fn a_shim_that_is_killed_at_any_moment_of_its_beginning_leaves_a_clear_answer() {
    let mut answers = [0; 3];
    for round in 0..80 {
        let place = Place::new();
        let spec = place.shell("echo ran; exec sleep 0.01");
        let over = Arc::new(AtomicBool::new(false));
        let killer = std::thread::spawn({
            let (dir, over) = (place.launch_dir(), Arc::clone(&over));
            // The moments of a beginning are too short for a sleep.
            move || {
                let pid = loop {
                    match shim_of(&dir) {
                        Some(pid) => break pid,
                        None if over.load(Ordering::Relaxed) => return,
                        None => std::hint::spin_loop(),
                    }
                };
                let at = Instant::now() + Duration::from_micros(round * 15);
                while Instant::now() < at {
                    std::hint::spin_loop();
                }
                kill(pid, Signal::KILL);
            }
        });
        let started = Launch::start(&place.launch_dir(), &spec, &shim()).await.map(drop);
        over.store(true, Ordering::Relaxed);
        killer.join().unwrap();
        match Launch::attach(&place.launch_dir(), &shim()).await {
            Ok(launch) => match exit(&launch).await.outcome {
                Outcome::NotStarted { .. } => {
                    assert!(started.is_err());
                    assert!(output(&launch).await.is_empty());
                    answers[0] += 1;
                }
                Outcome::Exited { code: 0 } => {
                    assert_eq!(output(&launch).await, b"ran\n");
                    answers[1] += 1;
                }
                other => panic!("round {round}: {other:?}, started: {started:?}"),
            },
            Err(LaunchError::NeverStarted(_)) => {
                assert!(started.is_err());
                assert!(exit(&place.start(&spec).await).await.success());
                answers[2] += 1;
            }
            Err(error) => panic!("round {round}: {error}"),
        }
    }
    assert!(answers[1] > 0, "not started, ran, to be started again: {answers:?}");
}

#[tokio::test]
async fn a_removed_directory_keeps_no_process() {
    let place = Place::new();
    let go = place.path("go");
    let script = format!("while ! [ -e {} ]; do sleep 0.01; done; echo to nowhere", go.display());
    let launch = place.start(&place.shell(&script)).await;
    let init = launch.load_identity().unwrap().unwrap().init.pid;
    let shim = place.shim_pid().unwrap();
    drop(launch);
    std::fs::remove_dir_all(place.launch_dir()).unwrap();
    assert!(matches!(try_attach(&place).await, Err(LaunchError::NotALaunch(_))));
    std::fs::write(go, "").unwrap();
    until("all have ended", || !is_alive(init) && !is_alive(shim)).await;
}

fn write_identity(place: &Place, identity: &Identity) {
    let json = serde_json::to_vec(identity).unwrap();
    std::fs::write(place.launch_dir().join("identity.json"), json).unwrap();
}
