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
    assert!(!log(&env).with_extension("sqlite-wal").exists(), "an orderly end leaves one file");
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

/// What happens on a disk of its own for Divisi's data, which fills up while an agent works.
const ON_A_SMALL_DISK: &str = r#"
mount -t tmpfs -o size=24m,mode=700 divisi-test "$DATA" || exit 9
within() {
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || { echo "not within a minute: $*"; "$DIVISI" show t1; exit 1; }
        sleep 0.1
    done
}
shows() { "$DIVISI" "$1" ${3:-} | grep -q "$2"; }
"$DIVISI" run --agent rehearsal --permissions all "$PROMPT" > /dev/null
within shows show 'turn 1 runs' t1
within shows log 'It is written.' t1
dd if=/dev/zero of="$DATA/filler" bs=4k 2>/dev/null
touch "$GO"
within shows ls 'held up'
"$DIVISI" show t1 | grep -o 'held up.*' | sed 's/ for [^:]*:/:/'
"$DIVISI" doctor | grep -A1 ' log: '
rm "$DATA/filler"
within shows ls 'in review'
"$DIVISI" log t1 | grep -c 'All of it.'
"$DIVISI" stop --daemon
"$DIVISI" doctor | grep ' log: '
"#;

#[test]
fn a_full_disk_that_holds_the_log_is_named_and_work_goes_on_when_there_is_room() {
    let env = TestEnv::new();
    let repo = project(&env);
    let data = env.home().join(".local/share/divisi");
    fs::create_dir_all(&data).unwrap();
    let go = env.join("go");
    let wait = format!("run while [ ! -e {} ]; do sleep 0.05; done", go.display());
    let script = ["write b.txt \"b\"", "say It is written.", &wait, "say All of it."].join("\n");
    let prompt = format!("Work\n\n```rehearsal\n{script}\n```\n");
    let script = ["--user", "--map-root-user", "--mount", "sh", "-c", ON_A_SMALL_DISK];
    let output = env
        .command("unshare")
        .args(script)
        .current_dir(repo.path())
        .env("DATA", &data)
        .env("DIVISI", divisi_testkit::divisi_program())
        .env("PROMPT", prompt)
        .env("GO", &go)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("this test needs the program `unshare` (Debian package util-linux)");
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{errors}");
    insta::assert_snapshot!(said, @r"
    held up: the log cannot be written: the disk is full: database or disk is full: Error code 13: database or disk is full
    ✗ log: the log cannot be written: the disk is full: database or disk is full: Error code 13: database or disk is full
        free some space; nothing that was acknowledged is lost
    2
    the daemon has ended
    ✓ log: nothing is wrong with it
    ");
}
