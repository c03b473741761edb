//! 80,000 files: in the repository, and made by an agent.
//!
//! In memory, so that no disk sets the pace; nearly all are empty, so that they take no page of it each.

use std::fmt::Write as _;
use std::fs;

use divisi_testkit::TestEnv;

use crate::scripts::run;

const FILES: usize = 80_000;

/// Files of one folder.
const FILES_PER_FOLDER: usize = 200;

/// A project in memory; `land` shows what is in the checkout, and that git finds it as it should be.
const IN_MEMORY: &str = r##"
disk 2g "$DATA"
mkdir shop
disk 2g shop
cd shop
git init --quiet --initial-branch main
task() { "$DIVISI" run --agent rehearsal --permissions all --wait "$PROMPT" > /dev/null || exit 1; }
count() { git ls-files | wc -l; git status --short; git log -1 --format=%s; }
land() { "$DIVISI" review t1 --approve > /dev/null; "$DIVISI" land t1 > /dev/null || exit 1; count; }
undo() { "$DIVISI" undo t1 > /dev/null || exit 1; count; "$DIVISI" stop --daemon; }
"##;

fn prompt(script: &str) -> String {
    format!("Work\n\n```rehearsal\n{script}\n```\n")
}

/// A first commit of that many files, as `git fast-import` takes it.
fn history() -> String {
    let mut stream =
        String::from("commit refs/heads/main\ncommitter Ada <a@b> 1767225600 +0000\ndata 5\nfirst\n");
    let gate = "[[gates]]\nname = \"test\"\ncommand = \"test -s made/new.txt\"\n";
    let _ = write!(stream, "M 100644 inline divisi.toml\ndata {}\n{gate}\n", gate.len());
    for number in 0..FILES {
        let folder = number / FILES_PER_FOLDER;
        let _ = write!(stream, "M 100644 inline src/{folder:03}/{number:05}.txt\ndata 0\n\n");
    }
    stream
}

#[test]
fn in_the_repository() {
    let env = TestEnv::new();
    fs::write(env.join("history"), history()).unwrap();
    let script = r#"
        git fast-import --quiet < "$ROOT/history" && git reset --quiet --hard
        task; land; undo
    "#;
    let prompt = prompt("write made/new.txt \"new\\n\"");
    let said = run(&env, env.root(), &format!("{IN_MEMORY}{script}"), &prompt);
    insta::assert_snapshot!(said, @"
    80002
    Merge t1: Work
    80001
    first
    the daemon has ended
    ");
}

#[test]
fn made_by_an_agent() {
    let env = TestEnv::new();
    let make = format!(
        "for folder in $(seq {}); do mkdir -p made/$folder && cd made/$folder && touch $(seq {FILES_PER_FOLDER}) \
         && echo $folder > 1 && cd ../..; done",
        FILES / FILES_PER_FOLDER
    );
    let script = r#"
        printf '[[gates]]\nname = "test"\ncommand = "test $(find made -type f | wc -l) = 80000"\n' > divisi.toml
        git add . && git commit --quiet -m first
        task
        "$DIVISI" show t1 | sed -n '/^  result/,/^  turns/p'
        "$DIVISI" diff t1 --stat > stat
        wc -l < stat; tail -n 2 stat
        "$DIVISI" diff t1 > diff
        grep -c '^diff ' diff; tail -n 1 diff
        "$DIVISI" review t1 | tail -n 2
        rm stat diff
        land; undo
    "#;
    let prompt = prompt(&format!("run {make}"));
    let said = run(&env, env.root(), &format!("{IN_MEMORY}{script}"), &prompt);
    insta::assert_snapshot!(said, @"
      result  [commit 1]: 80000 files, +400 -0, after turn 1
      turns  1 completed ([duration])
    5002
    … 75000 more files are not shown
     80000 files changed, 400 added, 0 removed
    5000
    … 75000 more files are not shown
    … 75000 more files are not shown
     80000 files changed, 400 added, 0 removed
    80001
    Merge t1: Work
    1
    first
    the daemon has ended
    ");
}

/// Only the first files of a change are listed; all of them count.
#[test]
fn beyond_those_that_are_listed_the_scope_holds_too() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("a.txt", "a\n").commit("first");
    let make = "run mkdir made && cd made && touch $(seq 5001)\nwrite outside.txt \"x\\n\"";
    let call = ["run", "--agent", "rehearsal", "--permissions", "all", "--scope", "made/", "--wait", "-"];
    env.divisi().in_folder(repo.path()).args(call).input(prompt(make)).run().require_success();
    let shown = env.divisi().args(["show", "t1"]).run();
    assert!(shown.stdout.contains("outside.txt: outside of the task's scope"), "{shown}");
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}
