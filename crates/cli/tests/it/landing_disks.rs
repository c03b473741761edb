//! A disk has no room at the moment in which something lands: that of Divisi's own data, or the project's for its index
//! alone. It is named, nothing moves by half, and it lands when there is room.

use divisi_testkit::{Repo, TestEnv};

use crate::scripts::run;

/// A project whose check goes on when the file `hold` is gone.
fn project(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    let hold = env.join("hold");
    let gate = format!("touch checking; while [ -e {} ]; do sleep 0.05; done", hold.display());
    repo.file("a.txt", "a\n")
        .file("divisi.toml", format!("[[gates]]\nname = \"test\"\ncommand = \"{gate}\"\n"));
    repo.commit("first");
    repo
}

/// All there is to see of the target: commit, index, files, and what git finds wrong.
const TARGET: &str = r##"
target() { git rev-parse HEAD; git ls-files -s; git status --porcelain; ls; git fsck --connectivity-only --no-dangling 2>/dev/null; ls .git | grep lock; }
approved() {
    "$DIVISI" run --agent rehearsal --permissions all --wait "$PROMPT" > /dev/null || exit 1
    "$DIVISI" review t1 --approve > /dev/null
}
landed() { status | sed 's/ as [0-9a-f]*//'; git status --short; git log --first-parent --format=%s; ls; "$DIVISI" stop --daemon; "$DIVISI" doctor | grep ' log: '; }
"##;

/// Not even that it is to land can be written down.
const FULL_BEFORE: &str = r##"
disk 24m "$DATA"
approved
before=$(target)
fill "$DATA" 0
say land t1
[ "$before" = "$(target)" ] && echo 'nothing moved'
room "$DATA"
say land t1 | sed 's/ as [0-9a-f]*,/,/'
landed
"##;

/// It becomes full while what landed meanwhile is checked together with the result.
const FULL_WHILE_CHECKED: &str = r##"
disk 24m "$DATA"
approved
echo more > more.txt && git add more.txt && git commit -qm meanwhile
touch "$ROOT/hold"
"$DIVISI" land t1 --no-wait > /dev/null
checking() { ls "$DATA"/check-trees/*/checking 2>/dev/null | grep -q .; }
within checking
before=$(target)
fill "$DATA" 0
rm "$ROOT/hold"
within shows 'held up'
status
[ "$before" = "$(target)" ] && echo 'nothing moved'
room "$DATA"
within shows 'landed\|failed'
landed
"##;

const PROMPT: &str = "Work\n\n```rehearsal\nwrite new.txt \"new\\n\"\n```\n";

#[test]
fn a_full_data_disk_before_a_landing() {
    let env = TestEnv::new();
    let said = run(&env, project(&env).path(), &format!("{TARGET}{FULL_BEFORE}"), PROMPT);
    insta::assert_snapshot!(said, @"
    $ divisi land t1
    error: the log cannot be written: the disk is full: database or disk is full: Error code 13: database or disk is full
    hint: free some space; nothing that was acknowledged is lost
    [exit code 1]
    nothing moved
    $ divisi land t1
    t1  landed on main, and your checkout shows it
      ✓ landed: on main
    Merge t1: Work
    first
    a.txt
    divisi.toml
    new.txt
    the daemon has ended
    ✓ log: nothing is wrong with it
    ");
}

#[test]
fn a_data_disk_that_becomes_full_while_a_landing_is_checked() {
    let env = TestEnv::new();
    let said = run(&env, project(&env).path(), &format!("{TARGET}{FULL_WHILE_CHECKED}"), PROMPT);
    insta::assert_snapshot!(said, @"
      ◐ held up: the log cannot be written: the disk is full: database or disk is full: Error code 13: database or disk is full
    nothing moved
      ✓ landed: on main
    Merge t1: Work
    meanwhile
    first
    a.txt
    divisi.toml
    more.txt
    new.txt
    the daemon has ended
    ✓ log: nothing is wrong with it
    ");
}

/// There is room for the log, and for so many KiB of what a landing keeps until it is done: copies of the index.
const FULL_IN_THE_MIDDLE: &str = r##"
disk 64m "$DATA"
approved
before=$(target)
fill "$DATA" "$LEFT"
"$DIVISI" land t1 > /dev/null 2>&1
within shows 'landing failed'
status | sed 's|/landings/[0-9-]*/|/landings/N/|'
[ "$before" = "$(target)" ] && echo 'nothing moved'
room "$DATA"
say land t1 | sed 's/ as [0-9a-f]*,/,/'
git diff HEAD~1 --name-only
"$DIVISI" stop --daemon
"##;

/// Files whose names make an index of two megabytes.
fn with_a_large_index(env: &TestEnv) -> Repo<'_> {
    let repo = project(env);
    let folder = format!("{0}/{0}/{0}/{0}", "long".repeat(50));
    for number in 0..2_000 {
        repo.file(&format!("{folder}/{number}.txt"), "");
    }
    repo.commit("many names");
    repo
}

#[test]
fn a_data_disk_without_room_for_the_copy_of_an_index() {
    let env = TestEnv::new();
    let script = format!("{TARGET}LEFT=1500\n{FULL_IN_THE_MIDDLE}");
    let said = run(&env, with_a_large_index(&env).path(), &script, PROMPT);
    insta::assert_snapshot!(said, @"
      ◐ landing failed: approved, but it did not land: cannot copy [home]/.local/share/divisi/projects/[id 1]/hub.git/divisi/landings/N/0/index.before: No space left on device (os error 28)
    nothing moved
    $ divisi land t1
    t1  landed on main, and your checkout shows it
    new.txt
    the daemon has ended
    ");
}

#[test]
fn a_data_disk_that_becomes_full_when_the_branch_has_moved() {
    let env = TestEnv::new();
    let script = format!("{TARGET}LEFT=5000\n{FULL_IN_THE_MIDDLE}");
    let said = run(&env, with_a_large_index(&env).path(), &script, PROMPT);
    insta::assert_snapshot!(said, @"
      ◐ landing failed: approved, but it did not land: cannot update the files of [env]/shop; everything was put back: cannot write the files of the checkout: the disk is full: git read-tree: No space left on device
    nothing moved
    $ divisi land t1
    t1  landed on main, and your checkout shows it
    new.txt
    the daemon has ended
    ");
}

/// The project's own disk has room for objects and files, but not for the new index.
const FULL_FOR_THE_INDEX: &str = r##"
mkdir "$ROOT/small"
disk 16m "$ROOT/small"
cp -a . "$ROOT/small"
cd "$ROOT/small"
approved
before=$(target)
fill .git 500
say land t1
[ "$before" = "$(target)" ] && echo 'nothing moved'
room .git
say land t1 | sed 's/ as [0-9a-f]*,/,/'
git status --short
git diff HEAD~1 --name-only
"$DIVISI" stop --daemon
"##;

#[test]
fn a_project_whose_disk_has_no_room_for_its_new_index() {
    let env = TestEnv::new();
    let script = format!("{TARGET}{FULL_FOR_THE_INDEX}");
    let said = run(&env, with_a_large_index(&env).path(), &script, PROMPT);
    insta::assert_snapshot!(said, @"
    $ divisi land t1
    t1  landing failed: approved, but it did not land: cannot update the files of [env]/small; everything was put back: cannot write [env]/small/.git/index.lock: No space left on device (os error 28)
    error: t1 did not land
      because cannot update the files of [env]/small; everything was put back: cannot write [env]/small/.git/index.lock: No space left on device (os error 28)
    hint: divisi land t1
    [exit code 1]
    nothing moved
    $ divisi land t1
    t1  landed on main, and your checkout shows it
    new.txt
    the daemon has ended
    ");
}

/// The log has room, a clean checkout has none: not of the result, and later not of its combination with the target.
const FULL_FOR_A_CHECK: &str = r##"
disk 40m "$DATA"
head -c 3M /dev/urandom > large.bin
git add . && git commit -qm large
turns() { "$DIVISI" show t1 | grep '^  turns '; }
"$DIVISI" run --agent rehearsal --permissions all "$PROMPT" > /dev/null || exit 1
within says 'It is written.'
fill "$DATA" 1500
touch "$ROOT/go"
within shows 'cannot be checked'
status
room "$DATA"
"$DIVISI" resume t1 > /dev/null
within shows 'in review'
turns
"$DIVISI" review t1 --approve > /dev/null
echo more > more.txt && git add more.txt && git commit -qm meanwhile
before=$(target)
fill "$DATA" 1500
"$DIVISI" land t1 > /dev/null 2>&1
within shows 'landing failed'
status
[ "$before" = "$(target)" ] && echo 'nothing moved'
room "$DATA"
say land t1 | sed 's/ as [0-9a-f]*,/,/'
turns
git log --first-parent --format=%s
"$DIVISI" stop --daemon
"##;

#[test]
fn a_check_for_which_there_is_no_room_sends_nobody_back() {
    let env = TestEnv::new();
    let wait = format!("run while [ ! -e {} ]; do sleep 0.05; done", env.join("go").display());
    let prompt = format!("Work\n\n```rehearsal\nwrite new.txt \"new\\n\"\nsay It is written.\n{wait}\n```\n");
    let said = run(&env, project(&env).path(), &format!("{TARGET}{FULL_FOR_A_CHECK}"), &prompt);
    insta::assert_snapshot!(said, @"
      ◐ workspace failed: the result cannot be checked: no clean checkout: cannot read the base's files: the disk is full: No space left on device (os error 28)
      turns  1 completed ([duration])
      ◐ landing failed: approved, but it did not land: no clean checkout: cannot read the base's files: the disk is full: No space left on device (os error 28)
    nothing moved
    $ divisi land t1
    t1  landed on main, and your checkout shows it
      turns  1 completed ([duration])
    Merge t1: Work
    meanwhile
    large
    first
    the daemon has ended
    ");
}
