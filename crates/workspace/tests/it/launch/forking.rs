//! Shims that are forked by the fork server: as good as executed ones, and nothing hangs on those that make them.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use divisi_workspace::launch::{Launch, ShimCommand, State};
use rustix::process::Signal;
use tempfile::TempDir;

use super::support::*;

/// A place with a name of its own for the program, by which its processes are found.
struct Forking {
    place: Place,
    program: PathBuf,
    shim: ShimCommand,
}

impl Forking {
    fn new() -> Forking {
        // A link, because a copy could still be open for writing in another process when it is executed.
        let root = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let program = root.path().join("divisi");
        std::fs::hard_link(super::support::program(), &program).unwrap();
        let shim = ShimCommand::new(&program, ["shim"]).with_fork_server();
        Forking { place: Place { root }, program, shim }
    }

    fn dir(&self, name: &str) -> PathBuf {
        self.place.path(name)
    }

    async fn start(&self, name: &str, script: &str) -> Launch {
        Launch::start(&self.dir(name), &self.place.shell(script), &self.shim).await.unwrap()
    }

    /// The fork servers there are.
    fn servers(&self) -> Vec<i32> {
        processes(&self.program, "divisi-shims")
    }

    /// The shims that wait for a launch.
    fn waiting(&self) -> Vec<i32> {
        let at_root =
            |pid: &i32| std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|at| at == Path::new("/"));
        processes(&self.program, "divisi-shim").into_iter().filter(at_root).collect()
    }

    /// Waits for one fork server and one shim that waits.
    async fn ready(&self) -> (i32, i32) {
        until("a fork server and a waiting shim", || self.servers().len() == 1 && self.waiting().len() == 1)
            .await;
        (self.servers()[0], self.waiting()[0])
    }
}

/// Living processes of a program by the name that they have given themselves.
fn processes(program: &Path, name: &str) -> Vec<i32> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_it = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let named = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        line.starts_with(program.as_os_str().as_encoded_bytes()) && named.trim_end() == name && is_alive(*pid)
    };
    pids.filter(is_it).collect()
}

fn field(pid: i32, name: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
}

fn parents(pid: i32) -> Vec<i32> {
    let parent = |pid: &i32| Some(field(*pid, "PPid:").parse().unwrap()).filter(|parent| *parent > 0);
    std::iter::successors(parent(&pid), parent).collect()
}

/// All that a shim could have of whoever made it.
fn heritage(pid: i32) -> Vec<(String, String)> {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap();
    let mut descriptors: Vec<_> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .flatten()
        .map(|entry| std::fs::read_link(entry.path()).unwrap())
        .map(|to| to.file_name().unwrap_or_default().to_string_lossy().split('[').next().unwrap().to_owned())
        .collect();
    descriptors.sort();
    let session = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let session = session.rsplit(") ").next().unwrap().split(' ').nth(3).unwrap() == pid.to_string();
    let mut all = vec![("descriptors".to_owned(), descriptors.join(" "))];
    all.push(("leads its session".to_owned(), session.to_string()));
    all.extend(
        ["environ", "comm", "cgroup", "oom_score_adj", "limits"].map(|name| (name.to_owned(), read(name))),
    );
    let fields = [
        "Umask:",
        "Uid:",
        "Gid:",
        "Groups:",
        "SigPnd:",
        "SigBlk:",
        "SigIgn:",
        "SigCgt:",
        "CapEff:",
        "NoNewPrivs:",
    ];
    all.extend(fields.map(|name| (name.to_owned(), field(pid, name))));
    all
}

#[tokio::test]
async fn a_forked_shim_is_like_one_that_was_executed() {
    let f = Forking::new();
    // The first was forked with the request at hand, the second had waited for it.
    let first = f.start("first", "exec sleep 1000").await;
    f.ready().await;
    let second = f.start("second", "exec sleep 1000").await;
    let executed = f.place.shell("exec sleep 1000");
    let alone = ShimCommand::new(&f.program, ["shim"]);
    let executed = Launch::start(&f.dir("executed"), &executed, &alone).await.unwrap();
    let expected = heritage(shim_of(executed.dir()).unwrap());
    for launch in [&first, &second] {
        let shim = shim_of(launch.dir()).unwrap();
        assert_eq!(heritage(shim), expected);
        let cwd = std::fs::metadata(format!("/proc/{shim}/cwd")).unwrap().ino();
        assert_eq!(cwd, std::fs::metadata(launch.dir()).unwrap().ino());
    }
    for launch in [first, second, executed] {
        launch.kill().await.unwrap();
        exit(&launch).await;
    }
}

#[tokio::test]
async fn those_that_make_shims_end_with_the_daemon_and_no_shim_does() {
    let f = Forking::new();
    let spec = f.place.shell("echo here; exec sleep 1000");
    std::fs::write(f.place.path("spec-for-daemon.json"), serde_json::to_vec(&spec).unwrap()).unwrap();
    let mut daemon = Command::new(&f.program);
    let mut daemon = daemon.arg("daemon").arg(f.place.root.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "started\n");
    let (server, _) = f.ready().await;
    let shim = f.place.shim_pid().unwrap();
    for pid in [shim, server] {
        assert!(!parents(pid).contains(&(daemon.id() as i32)), "{:?}", parents(pid));
    }
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    until("nobody makes shims", || f.servers().is_empty() && f.waiting().is_empty()).await;
    assert!(is_alive(shim));
    let launch = f.place.attach().await;
    assert_eq!(launch.status().state, State::Running);
    assert_eq!(f.place.shim_pid(), Some(shim));
    output_with(&launch, "here").await;
    launch.kill().await.unwrap();
    exit(&launch).await;
}

#[tokio::test]
async fn whichever_of_those_that_make_shims_is_killed_launches_start_and_go_on() {
    let f = Forking::new();
    let mut launches = vec![f.start("first", "echo here; exec sleep 1000").await];
    for who in [&[0][..], &[1], &[0, 1], &[1, 0]] {
        let both = f.ready().await;
        for which in who {
            kill([both.0, both.1][*which], Signal::KILL);
        }
        // One that waited goes on without its server for one launch more.
        for n in 0..3 {
            launches.push(f.start(&format!("{who:?}-{n}"), "echo here; exec sleep 1000").await);
        }
    }
    for launch in launches {
        assert!(is_alive(shim_of(launch.dir()).unwrap()));
        output_with(&launch, "here").await;
        launch.kill().await.unwrap();
        exit(&launch).await;
    }
}

#[tokio::test]
async fn a_launch_that_was_handed_over_to_nobody_starts_too() {
    let f = Forking::new();
    exit(&f.start("first", "true").await).await;
    for round in 0..5 {
        let (server, waiting) = f.ready().await;
        kill(waiting, Signal::STOP);
        let (dir, spec) = (f.dir(&format!("round-{round}")), f.place.shell("echo ran"));
        let (shim, log) = (f.shim.clone(), dir.join(divisi_workspace::launch::SHIM_LOG));
        let starting = tokio::spawn(async move { Launch::start(&dir, &spec, &shim).await });
        until("it is handed over", || log.exists()).await;
        kill(waiting, Signal::KILL);
        if round % 2 == 0 {
            kill(server, Signal::KILL);
        }
        let launch = starting.await.unwrap().unwrap();
        assert_eq!(output(&launch).await, b"ran\n");
        assert!(exit(&launch).await.success());
        // The next launch starts a fork server anew.
        exit(&f.start(&format!("after-{round}"), "true").await).await;
    }
}

/// Many rounds, so that a launch which waits for long each time is not passed over.
#[tokio::test]
async fn a_launch_is_not_held_up_by_those_that_make_shims_when_they_are_stopped() {
    let f = Forking::new();
    exit(&f.start("first", "true").await).await;
    let rounds = async {
        for round in 0..8 {
            let (server, waiting) = f.ready().await;
            // Where the server alone is stopped, the shim that waits takes one launch more.
            let stopped = if round % 2 == 0 { waiting } else { server };
            kill(stopped, Signal::STOP);
            for name in ["one", "another"] {
                let launch = f.start(&format!("{round}-{name}"), "echo ran").await;
                assert_eq!(output(&launch).await, b"ran\n");
                assert!(exit(&launch).await.success());
            }
            kill(stopped, Signal::CONT);
            until("they end that were given up", || !is_alive(stopped)).await;
            // The next launch starts a fork server anew.
            exit(&f.start(&format!("{round}-after"), "true").await).await;
        }
    };
    tokio::time::timeout(PATIENCE, rounds).await.expect("launches are held up");
}

#[tokio::test]
async fn a_forked_shim_that_is_slow_keeps_its_launch() {
    let f = Forking::new();
    let executed = f.dir("executed");
    let script = format!("echo \"$2\" >> {}; exec \"$0\" \"$@\"", executed.display());
    let shim = ShimCommand::new("/bin/sh", ["-c", &script, f.program.to_str().unwrap(), "shim"]);
    let shim = shim.with_fork_server();
    // Opening the input waits until somebody writes.
    let input = f.dir("input");
    rustix::fs::mkfifoat(rustix::fs::CWD, &input, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    let mut spec = f.place.shell("cat");
    spec.stdin = divisi_workspace::launch::Stdin::File(input.clone());
    let dir = f.dir("slow");
    let starting = tokio::spawn(async move { Launch::start(&dir, &spec, &shim).await });
    let times = || std::fs::read_to_string(&executed).unwrap_or_default().lines().count();
    until("a shim is executed beside it", || times() == 2).await;
    std::fs::write(&input, "late\n").unwrap();
    let launch = starting.await.unwrap().unwrap();
    assert_eq!(output(&launch).await, b"late\n");
    assert!(exit(&launch).await.success());
}

#[tokio::test]
async fn fifty_launches_at_once_have_fifty_shims() {
    let f = Forking::new();
    let starts = (0..50).map(|n| {
        let (dir, shim) = (f.dir(&format!("launch-{n}")), f.shim.clone());
        let spec = f.place.shell(&format!("echo this is {n}; read line; exit 3"));
        let spec =
            divisi_workspace::launch::Spec { stdin: divisi_workspace::launch::Stdin::Journaled, ..spec };
        tokio::spawn(async move { Launch::start(&dir, &spec, &shim).await })
    });
    let mut launches = Vec::new();
    for start in starts.collect::<Vec<_>>() {
        launches.push(start.await.unwrap().unwrap());
    }
    let mut shims: Vec<_> = launches.iter().map(|launch| shim_of(launch.dir()).unwrap()).collect();
    shims.sort_unstable();
    shims.dedup();
    assert_eq!(shims.len(), 50);
    for (n, launch) in launches.into_iter().enumerate() {
        launch.write(0, b"go\n").await.unwrap();
        assert_eq!(output(&launch).await, format!("this is {n}\n").into_bytes());
        assert_eq!(exit(&launch).await.outcome, divisi_workspace::launch::Outcome::Exited { code: 3 });
    }
    until("all shims have ended", || shims.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists()))
        .await;
    let (server, waiting) = f.ready().await;
    let children = std::fs::read_to_string(format!("/proc/{server}/task/{server}/children")).unwrap();
    assert_eq!(children.trim(), waiting.to_string(), "and nothing is left of them");
    drop(f.shim);
    until("nobody makes shims", || !is_alive(server) && !is_alive(waiting)).await;
}

#[tokio::test]
async fn a_program_that_was_replaced_still_makes_shims_and_one_without_fork_server_is_executed() {
    let f = Forking::new();
    exit(&f.start("before", "true").await).await;
    std::fs::remove_file(&f.program).unwrap();
    assert!(exit(&f.start("after", "true").await).await.success());
    // A version from before fork servers takes the word for a folder.
    let script = "[ \"$2\" = --fork-server ] && exit 1; exec \"$0\" \"$@\"";
    let program = program();
    let older =
        ShimCommand::new("/bin/sh", ["-c", script, program.to_str().unwrap(), "shim"]).with_fork_server();
    for name in ["one", "another"] {
        let launch = Launch::start(&f.dir(name), &f.place.shell("echo ran"), &older).await.unwrap();
        assert_eq!(output(&launch).await, b"ran\n");
    }
}
