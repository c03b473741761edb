//! Machines that misbehave: what stands in the way is named, with what mends it, and nothing is lost.

use std::fs;
use std::path::PathBuf;

use divisi_testkit::{Repo, TestEnv, wait_until};

fn project(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    repo.file("a.txt", "a\n").file("divisi.toml", "[[gates]]\nname = \"test\"\ncommand = \"true\"\n");
    repo.commit("first");
    repo
}

/// An environment with one task in review, and no daemon.
fn with_a_task(env: &TestEnv) -> Repo<'_> {
    let repo = project(env);
    let run = ["run", "one", "--agent", "rehearsal", "--wait"];
    env.divisi().in_folder(repo.path()).args(run).run().require_success();
    env.divisi().args(["stop", "--daemon"]).run().require_success();
    repo
}

fn log(env: &TestEnv) -> PathBuf {
    env.home().join(".local/share/divisi/log/log.sqlite")
}

/// Moves what stands beside the log into its one file. The daemon does that when it ends, unless somebody still reads.
fn one_file(env: &TestEnv) {
    let code = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('pragma wal_checkpoint(truncate)').fetchall()";
    let path = log(env).to_string_lossy().into_owned();
    env.program("python3").args(["-c", code, &path]).run().require_success();
}

fn record(env: &TestEnv) -> PathBuf {
    env.home().join(".local/state/divisi/daemon.json")
}

fn kill_daemon(env: &TestEnv) {
    let record: serde_json::Value = serde_json::from_slice(&fs::read(record(env)).unwrap()).unwrap();
    env.program("kill").args(["-9", &record["pid"].to_string()]).run().require_success();
}

#[test]
fn a_home_that_is_none() {
    let env = TestEnv::new();
    let repo = project(&env);
    let mut typed = env.transcript(repo.path());
    let unset = env.program("env").in_folder(repo.path()).args(["-u", "HOME"]);
    typed.record(&unset.args([divisi_testkit::divisi_program().as_os_str()]).args(["ls"]).run());
    typed.record(&env.divisi().set("HOME", "relative").args(["ls"]).run());
    fs::write(env.join("file"), "").unwrap();
    typed.record(&env.divisi().set("DIVISI_HOME", env.join("file")).args(["ls"]).run());
    typed.record(&env.divisi().set("DIVISI_HOME", "/proc/divisi").args(["ls"]).run());
    typed.record(&env.divisi().set("PATH", "").args(["ls"]).run());
    let text = typed.to_string().replace(&divisi_testkit::divisi_program().display().to_string(), "divisi");
    insta::assert_snapshot!(text, @r#"
    $ env -u HOME divisi ls
    --- stderr
    error: there is no home folder
    hint: set HOME to an absolute path
    [exit code 1]

    $ divisi ls
    --- stderr
    error: there is no home folder
    hint: set HOME to an absolute path
    [exit code 1]

    $ divisi ls
    --- stderr
    error: cannot make the folder [env]/file/state
      because Not a directory (os error 20)
    hint: Divisi keeps its things there; DIVISI_HOME names another folder
    [exit code 1]

    $ divisi ls
    --- stderr
    error: cannot make the folder /proc/divisi/state
      because No such file or directory (os error 2)
    hint: Divisi keeps its things there; DIVISI_HOME names another folder
    [exit code 1]

    $ divisi ls
    --- stderr
    error: the daemon did not start
      because it ended with exit status: 6
      because error: the engine did not start
          because cannot use git
          because git was not found in the search path
        hint: install git 2.38 or newer, or put it into PATH
    hint: divisi serve runs it in the foreground and shows what is wrong
    [exit code 6]
    "#);
}

#[test]
fn a_damaged_log_is_named_by_every_command_and_by_the_doctor() {
    let env = TestEnv::new();
    let repo = with_a_task(&env);
    one_file(&env);
    for beside in ["-wal", "-shm"] {
        fs::remove_file(log(&env).with_extension(format!("sqlite{beside}"))).ok();
    }
    let sound = fs::read(log(&env)).unwrap();
    let mut typed = env.transcript(repo.path());
    let mut doctor = String::new();
    let mut look = |typed: &mut divisi_testkit::Transcript<'_>| {
        typed.divisi(["ls"]).require_code(6);
        let said = env.divisi().in_folder(repo.path()).args(["doctor"]).run();
        said.require_code(1);
        let lines = said.stdout.lines().skip_while(|line| !line.contains(" log: ")).take(2);
        doctor.push_str(&format!("{}\n", lines.collect::<Vec<_>>().join("\n")));
    };

    let mut damaged = sound.clone();
    damaged[4096..5 * 4096].fill(0xa5);
    fs::write(log(&env), &damaged).unwrap();
    look(&mut typed);
    fs::write(log(&env), &sound[..sound.len() / 3]).unwrap();
    look(&mut typed);
    // The version that SQLite keeps for its user stands at byte 60.
    let mut newer = sound.clone();
    newer[60..64].copy_from_slice(&99u32.to_be_bytes());
    fs::write(log(&env), &newer).unwrap();
    look(&mut typed);
    insta::assert_snapshot!(typed, @r#"
    $ divisi ls
    --- stderr
    error: the daemon did not start
      because it ended with exit status: 6
      because error: the engine did not start
          because cannot open the log
          because the log is damaged
          because database disk image is malformed
          because Error code 11: database disk image is malformed
        hint: check the disk, and restore the data folder from a backup
    hint: divisi serve runs it in the foreground and shows what is wrong
    [exit code 6]

    $ divisi ls
    --- stderr
    error: the daemon did not start
      because it ended with exit status: 6
      because error: the engine did not start
          because cannot open the log
          because the log is damaged
          because database disk image is malformed
          because Error code 11: database disk image is malformed
        hint: check the disk, and restore the data folder from a backup
    hint: divisi serve runs it in the foreground and shows what is wrong
    [exit code 6]

    $ divisi ls
    --- stderr
    error: the daemon did not start
      because it ended with exit status: 6
      because error: the engine did not start
          because cannot open the log
          because the log has version 99, and this program knows only versions up to 1
        hint: install the newer version of divisi that wrote it
    hint: divisi serve runs it in the foreground and shows what is wrong
    [exit code 6]
    "#);
    insta::assert_snapshot!(doctor, @r#"
    ✗ log: cannot open the log: the log is damaged: database disk image is malformed: Error code 11: database disk image is malformed
        check the disk, and restore the data folder from a backup
    ✗ log: cannot open the log: the log is damaged: database disk image is malformed: Error code 11: database disk image is malformed
        check the disk, and restore the data folder from a backup
    ✗ log: cannot open the log: the log has version 99, and this program knows only versions up to 1
        install the newer version of divisi that wrote it
    "#);

    fs::write(log(&env), &sound).unwrap();
    let ls = env.divisi().in_folder(repo.path()).args(["ls"]).run();
    assert!(ls.stdout.contains("in review"), "{ls}");
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn a_log_that_was_cut_in_mid_write_keeps_all_that_was_whole() {
    let env = TestEnv::new();
    let repo = project(&env);
    let run = ["run", "one", "--agent", "rehearsal", "--wait"];
    env.divisi().in_folder(repo.path()).args(run).run().require_success();
    kill_daemon(&env);
    let wal = log(&env).with_extension("sqlite-wal");
    let file = fs::OpenOptions::new().write(true).open(&wal).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - 1000).unwrap();
    let ls = env.divisi().in_folder(repo.path()).args(["ls"]).run();
    assert!(ls.require_success().stdout.contains("t1"), "{ls}");
    let doctor = || {
        env.divisi().args(["stop", "--daemon"]).run();
        env.divisi().in_folder(repo.path()).args(["doctor"]).run()
    };
    assert!(doctor().stdout.contains("log: nothing is wrong with it"), "{}", doctor());
}

#[test]
fn records_and_locks_that_are_left_over_stand_in_nobodys_way() {
    let env = TestEnv::new();
    let repo = with_a_task(&env);
    let stale = r#"{"pid":1,"address":"127.0.0.1:1","token":"x","version":"0","program":{"path":"/x","changed":0},"started":"2026-01-01T00:00:00Z"}"#;
    for left in [stale, "garbage", ""] {
        fs::write(record(&env), left).unwrap();
        let ls = env.divisi().in_folder(repo.path()).args(["ls"]).run();
        assert!(ls.require_success().stdout.contains("in review"), "{ls}");
        env.divisi().args(["stop", "--daemon"]).run().require_success();
    }
}

#[test]
fn whoever_waits_starts_a_killed_daemon_anew() {
    let env = TestEnv::new();
    let repo = project(&env);
    let go = env.join("go");
    let prompt = format!(
        "Wait\n\n```rehearsal\nrun while [ ! -e {} ]; do sleep 0.05; done\nwrite b.txt \"b\"\n```\n",
        go.display()
    );
    let mut waiting = env.command(divisi_testkit::divisi_program());
    let waiting = waiting
        .current_dir(repo.path())
        .args(["run", "--agent", "rehearsal", "--permissions", "all", "--wait", &prompt])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("the agent works", || {
        record(&env).exists()
            && env.divisi().in_folder(repo.path()).args(["show", "t1"]).run().stdout.contains("turn 1 runs")
    });
    let before = fs::read(record(&env)).unwrap();
    kill_daemon(&env);
    wait_until("there is another daemon", || fs::read(record(&env)).is_ok_and(|record| record != before));
    fs::write(go, "").unwrap();
    let ended = waiting.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success() && said.contains("in review"), "{said}");
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn the_doctor_says_how_workspaces_are_made_and_why() {
    let env = TestEnv::new();
    let folder = env.home().join(".config/divisi");
    fs::create_dir_all(&folder).unwrap();
    let said = |config: &str| {
        fs::write(folder.join("config.toml"), config).unwrap();
        let facts = env.divisi().args(["doctor", "--json"]).run().json();
        let fact = facts.as_array().unwrap().iter().find(|fact| fact["what"] == "workspaces").unwrap();
        fact["found"].as_str().unwrap().to_owned()
    };
    let overlays = "overlays that share the files of their base; `divisi open` leads into one";
    assert_eq!((said("").as_str(), said("workspace = \"auto\"").as_str()), (overlays, overlays));
    assert_eq!(said("workspace = \"checkout\""), "checkouts, as your own configuration says");
    assert_eq!(said("sandbox = \"off\""), "checkouts: overlays need a sandbox, and it is off");
}
