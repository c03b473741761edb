//! Machines that allow less of a sandbox than all, for real: what is said of each, and that work goes on as far as the
//! person lets it. A machine on which such a rung cannot be tried fails the test with the reason.

use std::fs;

use divisi_testkit::{Repo, TestEnv};

use crate::scripts::{PRELUDE, run};

const WITHOUT_LANDLOCK: &str = include_str!("without_landlock.py");

/// A project whose check tries to write beside it, as the agent does.
fn project(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    let outside = env.join("by-a-check");
    let gate = format!("test -s inside.txt && {{ echo x > {} || true; }}", outside.display());
    repo.file("divisi.toml", format!("[[gates]]\nname = \"test\"\ncommand = \"{gate}\"\n"));
    repo.file("old/a.txt", "a\n").commit("first");
    repo
}

/// The agent removes a folder and makes it again, which is more than writing a file for an overlay.
fn prompt(env: &TestEnv) -> String {
    let outside = env.join("by-the-agent");
    let script = [
        "run echo x > inside.txt".to_owned(),
        "run rm -r old && mkdir old && echo b > old/b.txt".to_owned(),
        format!("run echo x > {}", outside.display()),
    ];
    format!("Work\n\n```rehearsal\n{}\n```\n", script.join("\n"))
}

/// What every rung is asked.
const ASKED: &str = r##"
doctor() { "$DIVISI" doctor | grep -A1 -e ' sandbox: ' -e ' workspaces: ' | sed -n '/sandbox: /,/workspaces: /p'; }
outside() { ls "$ROOT" | grep '^by-' || echo 'nothing was written outside'; }
require() { mkdir -p "$HOME/.config/divisi" && echo 'sandbox = "require"' > "$HOME/.config/divisi/config.toml"; }
doctor
"$DIVISI" run --agent rehearsal --permissions all --wait "$PROMPT" > /dev/null || exit 1
"$DIVISI" show t1 | grep -e '^  [◇◐]' -e '^  workspace ' -e '^  sandbox '
"$DIVISI" show t1 --json | grep -o '"sandbox": "[a-z_]*"'
outside
"$DIVISI" review t1 --approve > /dev/null
say land t1 | sed 's/ as [0-9a-f]*,/,/'
git ls-files
"$DIVISI" stop --daemon
require
doctor
say run --agent rehearsal --wait again
"$DIVISI" stop --daemon
"##;

/// The setting counts for the user namespace in which it is written, and those below.
const NO_NAMESPACES: &str = r##"
if ! echo 0 > /proc/sys/user/max_user_namespaces; then
    echo 'this test needs to forbid user namespaces inside of one of its own: user.max_user_namespaces cannot be written'
    exit 9
fi
if unshare --user true 2>/dev/null; then
    echo 'this test needs a kernel that obeys user.max_user_namespaces'
    exit 9
fi
"##;

#[test]
fn without_namespaces_files_are_written_only_where_it_is_allowed() {
    let env = TestEnv::new();
    let script = format!("{NO_NAMESPACES}{ASKED}");
    let said = run(&env, project(&env).path(), &script, &prompt(&env));
    insta::assert_snapshot!(said, @r#"
    ! sandbox: no namespaces: agents write only what is their own, but see everything and have the whole network (user.max_user_namespaces is 0)
        sudo sysctl user.max_user_namespaces=15000
    ✓ workspaces: checkouts: the sandbox of this machine has no overlays
      ◇ in review for [duration]: 1 required check passed
      workspace  [home]/.local/share/divisi/workspaces/t1.1 (checkout, ports [ports])
      sandbox  its agent can read everything and change only what is its own
    "sandbox": "writes_only"
    nothing was written outside
    $ divisi land t1
    t1  landed on main, and your checkout shows it
    divisi.toml
    inside.txt
    old/b.txt
    the daemon has ended
    ✗ sandbox: no namespaces: agents write only what is their own, but see everything and have the whole network (user.max_user_namespaces is 0)
        sudo sysctl user.max_user_namespaces=15000
    ✓ workspaces: checkouts: the sandbox of this machine has no overlays
    $ divisi run --agent rehearsal --wait again
    t2  by rehearsal  again
        ◐ agent failed: a sandbox is required and this machine has none: user.max_user_namespaces is 0; `divisi doctor` says what helps
        next: divisi log t2, then divisi resume t2
    error: t2 needs you: a sandbox is required and this machine has none: user.max_user_namespaces is 0; `divisi doctor` says what helps
    hint: divisi log t2, then divisi resume t2
    [exit code 5]
    the daemon has ended
    "#);
}

#[test]
fn without_namespaces_and_landlock_there_is_no_sandbox() {
    let env = TestEnv::new();
    fs::write(env.join("without_landlock.py"), WITHOUT_LANDLOCK).unwrap();
    env.set("ASKED", format!("{PRELUDE}{ASKED}"));
    let script = format!("{NO_NAMESPACES}exec python3 \"$ROOT/without_landlock.py\" sh -c \"$ASKED\"");
    let said = run(&env, project(&env).path(), &script, &prompt(&env));
    insta::assert_snapshot!(said, @r#"
    ! sandbox: none: agents, setup and checks may do all that you may (user.max_user_namespaces is 0)
        sudo sysctl user.max_user_namespaces=15000
    ✓ workspaces: checkouts: the sandbox of this machine has no overlays
      ◇ in review for [duration]: 1 required check passed
      workspace  [home]/.local/share/divisi/workspaces/t1.1 (checkout, ports [ports])
      sandbox  none: its agent may do all that you may
    "sandbox": "off"
    by-a-check
    by-the-agent
    $ divisi land t1
    t1  landed on main, and your checkout shows it
    divisi.toml
    inside.txt
    old/b.txt
    the daemon has ended
    ✗ sandbox: none: agents, setup and checks may do all that you may (user.max_user_namespaces is 0)
        sudo sysctl user.max_user_namespaces=15000
    ✓ workspaces: checkouts: the sandbox of this machine has no overlays
    $ divisi run --agent rehearsal --wait again
    t2  by rehearsal  again
        ◐ agent failed: a sandbox is required and this machine has none: user.max_user_namespaces is 0; `divisi doctor` says what helps
        next: divisi log t2, then divisi resume t2
    error: t2 needs you: a sandbox is required and this machine has none: user.max_user_namespaces is 0; `divisi doctor` says what helps
    hint: divisi log t2, then divisi resume t2
    [exit code 5]
    the daemon has ended
    "#);
}

/// Data on an overlay, as in most containers: the kernel takes no overlay above it.
const ON_AN_OVERLAY: &str = r##"
mkdir "$ROOT/lower" "$ROOT/upper" "$ROOT/work"
layers="lowerdir=$ROOT/lower,upperdir=$ROOT/upper,workdir=$ROOT/work,userxattr"
if ! mount -t overlay -o "$layers" divisi-test "$DATA"; then
    echo 'this test needs a disk that takes overlays, for a data folder that lies on one'
    exit 9
fi
"##;

#[test]
fn where_data_lies_on_an_overlay_workspaces_are_checkouts() {
    let env = TestEnv::new();
    let said = run(&env, project(&env).path(), &format!("{ON_AN_OVERLAY}{ASKED}"), &prompt(&env));
    insta::assert_snapshot!(said, @r#"
    ✓ sandbox: namespaces: agents write only what is their own; no overlays (cannot mount an overlay with its changes in [home]/.local/share/divisi: Invalid argument (os error 22))
        overlays need Linux 5.11 and a file system with user attributes, such as ext4, XFS or btrfs, below [home]/.local/share/divisi
    ✓ workspaces: checkouts: the sandbox of this machine has no overlays
      ◇ in review for [duration]: 1 required check passed
      workspace  [home]/.local/share/divisi/workspaces/t1.1 (checkout, ports [ports])
    "sandbox": "namespaces"
    nothing was written outside
    $ divisi land t1
    t1  landed on main, and your checkout shows it
    divisi.toml
    inside.txt
    old/b.txt
    the daemon has ended
    ✓ sandbox: namespaces: agents write only what is their own; no overlays (cannot mount an overlay with its changes in [home]/.local/share/divisi: Invalid argument (os error 22))
        overlays need Linux 5.11 and a file system with user attributes, such as ext4, XFS or btrfs, below [home]/.local/share/divisi
    ✓ workspaces: checkouts: the sandbox of this machine has no overlays
    $ divisi run --agent rehearsal --wait again
    t2  by rehearsal  again
        ◇ in review: 1 required check passed
        next: divisi diff t2, then divisi review t2 --approve
    the daemon has ended
    "#);
}

/// A file system without attributes: the kernel mounts an overlay above it, in which folders cannot be removed.
const WITHOUT_ATTRIBUTES: &str = r##"
mount -t ramfs divisi-test "$DATA" || { echo 'this test needs a kernel with ramfs'; exit 9; }
"##;

#[test]
fn where_an_overlay_works_but_in_part_workspaces_are_checkouts() {
    let env = TestEnv::new();
    let said = run(&env, project(&env).path(), &format!("{WITHOUT_ATTRIBUTES}{ASKED}"), &prompt(&env));
    insta::assert_snapshot!(said, @r#"
    ✓ sandbox: namespaces: agents write only what is their own; no overlays (cannot remove a folder of an overlay with its changes in [home]/.local/share/divisi: Input/output error (os error 5))
        overlays need Linux 5.11 and a file system with user attributes, such as ext4, XFS or btrfs, below [home]/.local/share/divisi
    ✓ workspaces: checkouts: the sandbox of this machine has no overlays
      ◇ in review for [duration]: 1 required check passed
      workspace  [home]/.local/share/divisi/workspaces/t1.1 (checkout, ports [ports])
    "sandbox": "namespaces"
    nothing was written outside
    $ divisi land t1
    t1  landed on main, and your checkout shows it
    divisi.toml
    inside.txt
    old/b.txt
    the daemon has ended
    ✓ sandbox: namespaces: agents write only what is their own; no overlays (cannot remove a folder of an overlay with its changes in [home]/.local/share/divisi: Input/output error (os error 5))
        overlays need Linux 5.11 and a file system with user attributes, such as ext4, XFS or btrfs, below [home]/.local/share/divisi
    ✓ workspaces: checkouts: the sandbox of this machine has no overlays
    $ divisi run --agent rehearsal --wait again
    t2  by rehearsal  again
        ◇ in review: 1 required check passed
        next: divisi diff t2, then divisi review t2 --approve
    the daemon has ended
    "#);
}
