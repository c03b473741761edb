//! Nothing outlives a launch with a sandbox, and all that launches promise holds in one.

use std::ffi::OsStr;
use std::io::Read as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use divisi_workspace::launch::{EndedBy, Identity, Launch, Outcome, Stdin};
use rustix::process::Signal;

use super::support::*;
use crate::launch::support::{PATIENCE, exit, is_alive, kill, output_with, shim_of, until};

/// A process that clears its environment, leaves its session and loses its parents.
fn escape(mark: &str) -> String {
    format!("setsid env -i /bin/sh -c '/bin/sleep {mark} & exit' & sleep 0.1; echo escaped; exec sleep 1000")
}

/// Numbers of seconds that nobody else sleeps.
fn mark() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("9{}.{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

#[tokio::test]
async fn five_hundred_processes_end_at_one_stroke() {
    let place = Place::new(Who::Self_);
    let mark = mark();
    let script = format!(
        "trap '' TERM; i=0; while [ $i -lt 500 ]; do setsid env -i /bin/sleep {mark} & i=$((i+1)); done; echo all; wait"
    );
    let launch = place.start(&place.shell(&script, Some(place.sandbox()))).await;
    output_with(&launch, "all").await;
    launch.kill().await.unwrap();
    let exit = exit(&launch).await;
    assert_eq!((exit.outcome, exit.strays_left), (Outcome::Signaled { signal: 9 }, 0));
    assert_eq!(processes_with(&mark), Vec::<i32>::new());
}

#[tokio::test]
async fn a_launch_goes_on_without_its_shim_and_ends_when_it_is_asked() {
    let place = Place::new(Who::Self_);
    let mut spec = place.shell(
        "trap 'echo bye; exit 4' TERM; while read line; do echo got $line; done; echo end; \
         while :; do sleep 0.01; done",
        Some(place.sandbox()),
    );
    spec.stdin = Stdin::Journaled;
    let launch = place.start(&spec).await;
    let next = launch.write(0, b"one\n").await.unwrap();
    output_with(&launch, "got one").await;
    let identity = launch.load_identity().unwrap().unwrap();
    let child = identity.child.unwrap();
    let line = std::fs::read(format!("/proc/{}/cmdline", child.pid)).unwrap();
    assert!(line.starts_with(b"/bin/sh\0-c\0trap"), "the child is known by the id that it has out here");
    let dir = launch.dir().to_owned();
    drop(launch);
    assert!(kill(shim_of(&dir).unwrap(), Signal::KILL));
    until("the shim is gone", || shim_of(&dir).is_none()).await;
    assert!(is_alive(child.pid));
    let launch = Launch::attach(&dir, &place.shim()).await.unwrap();
    let next = launch.write(next, b"two\n").await.unwrap();
    launch.close_stdin(next).await.unwrap();
    output_with(&launch, "end").await;
    launch.terminate(None).await.unwrap();
    let exit = exit(&launch).await;
    assert_eq!((exit.outcome, exit.ended_by), (Outcome::Exited { code: 4 }, Some(EndedBy::Terminate)));
    output_with(&launch, "got one\ngot two\nend\nbye").await;
}

#[tokio::test]
async fn the_child_can_neither_end_nor_command_its_init_process() {
    let place = Place::new(Who::Self_);
    let script = "kill -KILL $PPID; kill -STOP $PPID; kill -TERM $PPID; kill -USR2 $PPID; kill -USR1 $PPID; \
                  sleep 0.2; echo still here";
    let launch = place.start(&place.shell(script, Some(place.sandbox()))).await;
    let exit = exit(&launch).await;
    assert_eq!((&exit.outcome, exit.ended_by), (&Outcome::Exited { code: 0 }, None), "{exit:?}");
    assert!(output_with(&launch, "still here").await.ends_with("still here\n"));
}

#[tokio::test]
async fn a_time_out_and_a_prompt_from_a_hidden_place() {
    let place = Place::new(Who::Self_);
    let prompt = place.file("hidden/prompt", "the prompt\n");
    let mut sandbox = place.sandbox();
    sandbox.hidden = vec![place.path("hidden"), place.path("runs")];
    let mut spec = place.shell("cat; exec sleep 1000", Some(sandbox));
    (spec.stdin, spec.timeout_ms) = (Stdin::File(prompt), Some(300));
    let launch = place.start(&spec).await;
    let exit = exit(&launch).await;
    assert_eq!((exit.outcome, exit.ended_by), (Outcome::Signaled { signal: 15 }, Some(EndedBy::Timeout)));
    output_with(&launch, "the prompt").await;
}

#[test]
fn what_left_everything_ends_with_a_killed_init_process_of_any_user() {
    for (who, sandboxed) in everyone().into_iter().flat_map(|who| [(who, false), (who, true)]) {
        let place = Place::new(who);
        let mark = mark();
        let spec = place.shell(&escape(&mark), sandboxed.then(|| place.sandbox()));
        let run = place.prepare(&spec);
        let mut daemon = place.command(&place.program);
        daemon.args([OsStr::new("daemon"), run.as_os_str()]).stdout(Stdio::piped());
        let mut daemon = daemon.spawn().unwrap();
        daemon.stdout.take().unwrap().read_exact(&mut [0; 7]).unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        let wait = |what: &str, condition: &dyn Fn() -> bool| {
            let until = Instant::now() + PATIENCE;
            while !condition() {
                assert!(Instant::now() < until, "{who:?}, sandbox {sandboxed}: {what}");
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        wait("it has not escaped", &|| processes_with(&mark).len() == 1);
        let identity = std::fs::read(run.join("launch/identity.json")).unwrap();
        let identity: Identity = serde_json::from_slice(&identity).unwrap();
        // The shim first, so that what is left does not become its child.
        assert!(kill(shim_of(&run.join("launch")).unwrap(), Signal::KILL));
        wait("the shim is left", &|| shim_of(&run.join("launch")).is_none());
        assert!(identity.init.signal(Signal::KILL).unwrap());
        wait("the init process is left", &|| !is_alive(identity.init.pid));
        let out = place.run([OsStr::new("attach"), run.as_os_str()]);
        assert!(String::from_utf8_lossy(&out.stdout).contains("Lost"), "{out:?}");
        if sandboxed || identity.cgroup.is_some() {
            wait("something is left", &|| processes_with(&mark).is_empty());
        } else {
            // What only a namespace stops, where there is no control group.
            let left = processes_with(&mark);
            assert_eq!(left.len(), 1, "the attack is live");
            kill(left[0], Signal::KILL);
        }
    }
}
