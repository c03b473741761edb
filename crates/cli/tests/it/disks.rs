//! Disks that take nothing: full, or mounted read-only. Each is named with what mends it, nothing is lost, and work goes on
//! when there is room.

use std::fs;

use divisi_testkit::{Repo, TestEnv};

use crate::scripts::run;

fn project(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    repo.file("a.txt", "a\n").file("divisi.toml", "[[gates]]\nname = \"test\"\ncommand = \"true\"\n");
    repo.commit("first");
    repo
}

/// The text of a task whose agent writes a file of so many MiB that nothing makes smaller, and waits for `go`.
fn writes(env: &TestEnv, mebibytes: u32) -> String {
    let script = [
        format!("run head -c {mebibytes}M /dev/urandom > new.bin"),
        "say It is written.".to_owned(),
        format!("run while [ ! -e {} ]; do sleep 0.05; done", env.join("go").display()),
        "say All of it.".to_owned(),
    ];
    format!("Work\n\n```rehearsal\n{}\n```\n", script.join("\n"))
}

/// A bind mount is read-only for root, too.
const READ_ONLY: &str = r##"
read_only() { mount --bind "$HOME" "$HOME" && mount -o remount,bind,ro "$HOME" || exit 9; }
doctor() { "$DIVISI" doctor | grep -A1 '^✗'; }
read_only
say ls
say run one --agent rehearsal
doctor
umount "$HOME"
"$DIVISI" run one --agent rehearsal --wait > /dev/null || exit 1
"$DIVISI" stop --daemon
read_only
say ls
say run two --agent rehearsal
say serve
doctor
umount "$HOME"
within shows 'in review'
status
"$DIVISI" stop --daemon
"##;

#[test]
fn a_home_that_is_read_only() {
    let env = TestEnv::new();
    let said = run(&env, project(&env).path(), READ_ONLY, "");
    insta::assert_snapshot!(said, @r#"
    $ divisi ls
    error: cannot make the folder [home]/.local/state/divisi
      because Read-only file system (os error 30)
    hint: Divisi keeps its things there; DIVISI_HOME names another folder
    [exit code 1]
    $ divisi run one --agent rehearsal
    error: cannot make the folder [home]/.local/state/divisi
      because Read-only file system (os error 30)
    hint: Divisi keeps its things there; DIVISI_HOME names another folder
    [exit code 1]
    ✗ folders: cannot write to [home]/.local/share/divisi: Read-only file system (os error 30)
        Divisi keeps its things there; DIVISI_HOME names another folder
    the daemon has ended
    $ divisi ls
    error: cannot write [home]/.local/state/divisi/daemon.log
      because Read-only file system (os error 30)
    hint: Divisi keeps its things there; DIVISI_HOME names another folder
    [exit code 6]
    $ divisi run two --agent rehearsal
    error: cannot write [home]/.local/state/divisi/daemon.log
      because Read-only file system (os error 30)
    hint: Divisi keeps its things there; DIVISI_HOME names another folder
    [exit code 6]
    $ divisi serve
    error: cannot lock [home]/.local/state/divisi/daemon.lock
      because Read-only file system (os error 30)
    hint: Divisi keeps its things there; DIVISI_HOME names another folder
    [exit code 1]
    ✗ folders: cannot write to [home]/.local/share/divisi: Read-only file system (os error 30)
        Divisi keeps its things there; DIVISI_HOME names another folder
    --
    ✗ log: cannot open the log: cannot make or open [home]/.local/share/divisi/log/lock: Read-only file system (os error 30)
        make its disk writable, or choose another data folder: DIVISI_HOME
      ◇ in review: 1 required check passed
    the daemon has ended
    "#);
}

const FULL_AT_THE_START: &str = r##"
disk 24m "$DATA"
fill "$DATA" 0
say ls
"$DIVISI" doctor | grep -A1 -e ' room: ' -e ' log: ' | sed 's/[0-9]* GiB free for the project/much for the project/'
room "$DATA"
say ls
fill "$DATA" 0
say run one --agent rehearsal
room "$DATA"
"$DIVISI" run one --agent rehearsal --wait
"$DIVISI" stop --daemon
"##;

#[test]
fn a_disk_that_is_full_at_the_start() {
    let env = TestEnv::new();
    let said = run(&env, project(&env).path(), FULL_AT_THE_START, "");
    insta::assert_snapshot!(said, @r#"
    $ divisi ls
    error: the daemon did not start
      because it ended with exit status: 6
      because error: the engine did not start
          because cannot open the log
          because cannot make or open [home]/.local/share/divisi/log/lock
          because No space left on device (os error 28)
        hint: free some space; nothing that was acknowledged is lost
    hint: divisi serve runs it in the foreground and shows what is wrong
    [exit code 6]
    ! room: 0 GiB free for data, much for the project
        workspaces need room; divisi archive removes those of finished tasks
    --
    ✗ log: cannot open the log: cannot make or open [home]/.local/share/divisi/log/lock: No space left on device (os error 28)
        free some space; nothing that was acknowledged is lost
    $ divisi ls
    There are no tasks. Give one out: divisi run "…"
    $ divisi run one --agent rehearsal
    error: the log cannot be written: the disk is full: database or disk is full: Error code 13: database or disk is full
    hint: free some space; nothing that was acknowledged is lost
    [exit code 1]
    t1  by rehearsal  one
        ◇ in review: 1 required check passed
        next: divisi diff t1, then divisi review t1 --approve
    the daemon has ended
    "#);
}

/// There is room for the log, but not for what the task is about.
const FULL_FOR_A_WORKSPACE: &str = r##"
disk 40m "$DATA"
head -c 4M /dev/urandom > large.bin
git add . && git commit -qm large
"$DIVISI" ls
fill "$DATA" 1500
say run one --agent rehearsal
room "$DATA"
fill "$DATA" 6500
# Whether it is queued or being prepared by then, which its next command says, is a matter of time.
say run one --agent rehearsal | grep -v '  next:'
within shows 'held up\|workspace failed\|in review'
status
room "$DATA"
say resume t1 > /dev/null
within shows 'in review'
status
"$DIVISI" stop --daemon
"##;

#[test]
fn a_disk_without_room_for_a_workspace() {
    let env = TestEnv::new();
    fs::create_dir_all(env.home().join(".config/divisi")).unwrap();
    fs::write(env.home().join(".config/divisi/config.toml"), "workspace = \"checkout\"\n").unwrap();
    let said = run(&env, project(&env).path(), FULL_FOR_A_WORKSPACE, "");
    insta::assert_snapshot!(said, @r#"
    $ divisi run one --agent rehearsal
    error: cannot fetch the base commit from the project: the disk is full: git fetch: No space left on device
    hint: make room on the disk; divisi doctor shows how much there is
    [exit code 1]
    $ divisi run one --agent rehearsal
    t1  by rehearsal  one
      ◐ workspace failed: the workspace could not be made: cannot read the base's files: the disk is full: No space left on device (os error 28)
      ◇ in review: 1 required check passed
    the daemon has ended
    "#);
}

/// The agent has written all it wants; then there is no room for its snapshot, and later none for an export.
const FULL_FOR_A_SNAPSHOT: &str = r##"
disk 40m "$DATA"
"$DIVISI" run --agent rehearsal --permissions all "$PROMPT" > /dev/null
within says 'It is written.'
fill "$DATA" 1500
touch "$ROOT/go"
within shows 'held up'
status
room "$DATA"
within shows 'in review'
status
"$DIVISI" log t1 | grep -c '^All of it.'
"$DIVISI" diff t1 --stat
mkdir "$ROOT/small"
disk 1m "$ROOT/small"
say export "$ROOT/small/all.divisi"
ls "$ROOT/small"
"$DIVISI" stop --daemon
"$DIVISI" doctor | grep ' log: '
"##;

#[test]
fn a_disk_without_room_for_a_snapshot_or_an_export() {
    let env = TestEnv::new();
    let said = run(&env, project(&env).path(), FULL_FOR_A_SNAPSHOT, &writes(&env, 4));
    insta::assert_snapshot!(said, @r#"
      ◐ held up: the log cannot be written: the disk is full: database or disk is full: Error code 13: database or disk is full
      ◇ in review: 1 required check passed
    1
     A  new.bin  binary
     1 file changed, 0 added, 0 removed
    $ divisi export [env]/small/all.divisi
    error: there is no room for the export
    hint: free some space, or name a file on another disk; nothing was written
    [exit code 1]
    the daemon has ended
    ✓ log: nothing is wrong with it
    "#);
}

/// The project's own disk is full.
const FULL_FOR_A_LANDING: &str = r##"
mkdir shop
disk 16m shop
cd shop
git init --quiet --initial-branch main
printf '[[gates]]\nname = "test"\ncommand = "true"\n' > divisi.toml
git add . && git commit -qm first
touch "$ROOT/go"
"$DIVISI" run --agent rehearsal --permissions all --wait "$PROMPT" > /dev/null
"$DIVISI" review t1 --approve > /dev/null
before=$(git rev-parse HEAD)
fill .git 500
say land t1
within shows 'landing failed'
status
[ "$before" = "$(git rev-parse HEAD)" ] && git fsck --connectivity-only 2>&1
"$DIVISI" doctor | grep ' room: ' | sed 's/[0-9]* GiB free for data/much free for data/'
room .git
say land t1 | sed 's/ as [0-9a-f]*,/,/'
status | sed 's/ as [0-9a-f]*//'
git status --short
ls
"$DIVISI" stop --daemon
"##;

#[test]
fn a_project_whose_disk_has_no_room_for_a_landing() {
    let env = TestEnv::new();
    let said = run(&env, env.root(), FULL_FOR_A_LANDING, &writes(&env, 4));
    insta::assert_snapshot!(said, @r#"
    $ divisi land t1
    t1  held up: Divisi tries again, because cannot copy the commits into the project: the disk is full: git fetch: No space left on device
    error: t1 did not land
    hint: make room on the disk; divisi doctor shows how much there is
    [exit code 1]
      ◐ landing failed: approved, but it did not land: cannot copy the commits into the project: the disk is full: git fetch: No space left on device
    dangling commit [commit 1]
    ! room: much free for data, 0 GiB free for the project
    $ divisi land t1
    t1  landed on main, and your checkout shows it
      ✓ landed: on main
    divisi.toml
    new.bin
    the daemon has ended
    "#);
}

/// The agent itself takes all room there is.
const FILLED_BY_THE_AGENT: &str = r##"
disk 24m "$DATA"
"$DIVISI" run --agent rehearsal --permissions all "$PROMPT" > /dev/null
within shows 'held up'
status
say send t1 'Take less'
mount -o remount,size=96m "$DATA"
within shows 'in review'
status
"$DIVISI" log t1 | grep -c '^All of it.'
"$DIVISI" stop --daemon
"$DIVISI" doctor | grep ' log: '
"##;

#[test]
fn an_agent_that_fills_the_disk_of_its_workspace() {
    let env = TestEnv::new();
    let script = "run dd if=/dev/zero of=new.bin bs=1M 2>/dev/null || true\nsay All of it.";
    let prompt = format!("Work\n\n```rehearsal\n{script}\n```\n");
    let said = run(&env, project(&env).path(), FILLED_BY_THE_AGENT, &prompt);
    insta::assert_snapshot!(said, @r#"
      ◐ held up: the log cannot be written: the disk is full: database or disk is full: Error code 13: database or disk is full
    $ divisi send t1 Take less
    error: the log cannot be written: the disk is full: database or disk is full: Error code 13: database or disk is full
    hint: free some space; nothing that was acknowledged is lost
    [exit code 1]
      ◇ in review: 1 required check passed
    1
    the daemon has ended
    ✓ log: nothing is wrong with it
    "#);
}
