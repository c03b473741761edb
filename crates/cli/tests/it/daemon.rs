//! The daemon starts itself, is alone, ends when asked, and comes back after a kill.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;

use divisi_testkit::{TestEnv, wait_until};

fn record(env: &TestEnv) -> serde_json::Value {
    let path = env.home().join(".local/state/divisi/daemon.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn daemons(env: &TestEnv) -> Vec<i32> {
    let serving = env.processes().into_iter().filter(|process| process.command_line.contains(" serve"));
    serving.map(|process| process.pid).collect()
}

#[test]
fn it_starts_itself_once_and_ends_when_asked() {
    let env = TestEnv::new();
    env.divisi().args(["ls"]).run().require_success();
    let first = record(&env);
    assert_eq!(daemons(&env), [i32::try_from(first["pid"].as_u64().unwrap()).unwrap()]);
    env.divisi().args(["ls"]).run().require_success();
    assert_eq!(record(&env), first, "the second command speaks with the same daemon");
    let mode =
        std::fs::metadata(env.home().join(".local/state/divisi/daemon.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the record holds the token");

    let mut typed = env.transcript(env.root());
    typed.divisi(["stop", "--daemon"]);
    typed.divisi(["stop", "--daemon"]);
    typed.divisi(["stop", "--daemon", "--json"]);
    insta::assert_snapshot!(typed, @r#"
    $ divisi stop --daemon
    the daemon has ended

    $ divisi stop --daemon
    the daemon does not run

    $ divisi stop --daemon --json
    {
      "stopped": false
    }
    "#);
    assert!(daemons(&env).is_empty());
    assert!(!env.home().join(".local/state/divisi/daemon.json").exists());
}

#[test]
fn many_first_commands_at_once_start_one_daemon() {
    let env = TestEnv::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let divisi = divisi_testkit::divisi_program();
            let mut command = env.command(divisi);
            command.arg("ls").stdin(std::process::Stdio::null());
            scope.spawn(move || assert!(command.output().unwrap().status.success()));
        }
    });
    wait_until("the daemons that came too late have ended", || daemons(&env).len() == 1);
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn one_that_was_killed_is_replaced() {
    let env = TestEnv::new();
    env.divisi().args(["ls"]).run().require_success();
    let first = record(&env);
    let pid = first["pid"].as_u64().unwrap().to_string();
    env.program("kill").args(["-9", pid.as_str()]).run().require_success();
    env.divisi().args(["ls"]).run().require_success();
    let second = record(&env);
    assert_ne!(second["pid"], first["pid"]);
    assert_ne!(second["token"], first["token"], "a token lives as long as its daemon");
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn one_of_another_version_is_replaced() {
    let env = TestEnv::new();
    env.divisi().args(["ls"]).run().require_success();
    let mut old = record(&env);
    old["version"] = "0.0.1".into();
    let path = env.home().join(".local/state/divisi/daemon.json");
    std::fs::write(&path, old.to_string()).unwrap();
    env.divisi().args(["ls"]).run().require_success();
    assert_ne!(record(&env)["pid"], old["pid"]);
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn a_second_one_in_the_foreground_is_refused() {
    let env = TestEnv::new();
    env.divisi().args(["ls"]).run().require_success();
    let first = record(&env);
    let mut typed = env.transcript(env.root());
    typed.divisi(["serve"]);
    insta::assert_snapshot!(typed, @r"
    $ divisi serve
    --- stderr
    error: the daemon runs already
    hint: divisi stop --daemon ends it
    [exit code 4]
    ");
    assert_eq!(record(&env), first, "the first one serves on");
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn one_that_cannot_start_says_why() {
    let env = TestEnv::new();
    std::fs::create_dir_all(env.home().join(".config/divisi")).unwrap();
    std::fs::write(env.home().join(".config/divisi/config.toml"), "parallel = \"many\"\n").unwrap();
    let mut typed = env.transcript(env.root());
    typed.divisi(["ls"]).require_code(6);
    insta::assert_snapshot!(typed, @r#"
    $ divisi ls
    --- stderr
    error: the daemon did not start
      because it ended with exit status: 9
      because error: [home]/.config/divisi/config.toml is not right
          because TOML parse error at line 1, column 12
              |
            1 | parallel = "many"
              |  ^^^^^^
            invalid type: string "many", expected u16
        hint: docs/reference/configuration.md lists the keys
    hint: divisi serve runs it in the foreground and shows what is wrong
    [exit code 6]
    "#);
}

#[test]
fn an_agent_at_work_does_not_notice_that_the_daemon_was_killed() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("divisi.toml", "[[gates]]\nname = \"there\"\ncommand = \"test -e b.txt\"\n").commit("first");
    let gate = env.join("go");
    let prompt = format!(
        "Wait\n\n```rehearsal\nwrite a.txt \"a\"\nrun until test -e {}; do sleep 0.02; done\nwrite b.txt \"b\"\nsay done.\n```\n",
        gate.display()
    );
    let divisi = |arguments: &[&str]| env.divisi().in_folder(repo.path()).args(arguments).run();
    let run = ["run", "--agent", "rehearsal", "--permissions", "all", "-"];
    env.divisi().in_folder(repo.path()).args(run).input(prompt).run().require_success();
    wait_until("the agent is in the middle of its turn", || {
        divisi(&["log", "t1"]).stdout.contains("until test")
    });

    let mut follower = env.command(divisi_testkit::divisi_program());
    let follower = follower.args(["log", "-f", "t1"]).stdin(std::process::Stdio::null());
    let follower = follower.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let pid = record(&env)["pid"].as_u64().unwrap().to_string();
    env.program("kill").args(["-9", pid.as_str()]).run().require_success();
    // The gate opens while no daemon runs: what the agent says now is only in its journal.
    std::fs::write(&gate, "").unwrap();
    divisi(&["ls"]).require_success();
    wait_until("the turn is over and checked", || {
        divisi(&["show", "t1", "--json"]).json()["status"]["attention"] == "in_review"
    });
    let task = divisi(&["show", "t1", "--json"]).json();
    assert_eq!(
        task["attempts"][0]["turns"].as_array().unwrap().len(),
        1,
        "the turn ended as if nothing had happened"
    );
    let log = divisi(&["log", "t1"]).stdout;
    assert_eq!(log.matches("\ndone.").count(), 1, "{log}");

    // Who followed all the time saw the same, and ends with the task.
    divisi(&["stop", "t1"]).require_success();
    let followed = String::from_utf8(follower.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(followed.matches("\ndone.").count(), 1, "{followed}");
    assert_eq!(followed.matches("> Wait").count(), 1, "{followed}");
    divisi(&["stop", "--daemon"]).require_success();
}

#[test]
fn an_orderly_end_leaves_the_log_as_one_file_whoever_still_follows() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("a.txt", "a\n").commit("first");
    let log = env.home().join(".local/share/divisi/log/log.sqlite");
    let wal = log.with_extension("sqlite-wal");
    let run = ["run", "Write", "--agent", "rehearsal", "--wait"];
    env.divisi().in_folder(repo.path()).args(run).run().require_success();
    for way in ["TERM", "INT", "asked"] {
        env.divisi().args(["ls"]).run().require_success();
        let mut follower = env.command(divisi_testkit::divisi_program());
        let follower = follower.args(["log", "-f", "t1"]).stdin(std::process::Stdio::null());
        let mut follower = follower.stdout(std::process::Stdio::piped()).spawn().unwrap();
        follower.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        assert!(wal.exists());
        let pid = record(&env)["pid"].as_u64().unwrap().to_string();
        match way {
            "asked" => drop(env.divisi().args(["stop", "--daemon"]).run().require_success()),
            signal => drop(env.program("kill").args(["-s", signal, pid.as_str()]).run().require_success()),
        }
        wait_until("the daemon has ended", || daemons(&env).is_empty());
        assert!(!wal.exists(), "after {way}");
        follower.kill().unwrap();
        follower.wait().unwrap();
    }
}

#[test]
fn stop_returns_when_everything_is_gone() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("a.txt", "a\n").commit("first");
    let divisi = |args: &[&str]| env.divisi().in_folder(repo.path()).args(args).run();
    let running = || env.processes().iter().any(|process| process.command_line.contains("sleep 98765"));
    for way in [&["stop", "t1"][..], &["stop", "t2", "--json"]] {
        // What it started has a group of its own and is asked in vain.
        let script = "run (trap '' TERM; setsid sleep 98765) & sleep 98765";
        let prompt = format!("Wait\n\n```rehearsal\n{script}\n```\n");
        divisi(&["run", "--agent", "rehearsal", "--permissions", "all", &prompt]).require_success();
        wait_until("it runs", running);
        let stopped = divisi(way);
        assert!(!running(), "{stopped}");
        stopped.require_success();
        if way.contains(&"--json") {
            assert_eq!(stopped.json()["attempts"][0]["ending"], false);
        }
    }
    divisi(&["stop", "--daemon"]).require_success();
}
