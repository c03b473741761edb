//! Tasks that are put on the board, changed, moved and started.

use divisi_testkit::TestEnv;

const WRITE: &str = "one\n\n```rehearsal\nwrite one.txt \"1\"\nsay done.\n```\n";

#[test]
fn a_task_is_staged_changed_moved_and_started() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("a.txt", "a\n").commit("first");
    let stage = ["run", "--stage", "--agent", "rehearsal", "--permissions", "all", "-"];
    env.divisi().in_folder(repo.path()).args(stage).input(WRITE).run().require_success();
    let mut typed = env.transcript(repo.path());
    typed.divisi(["run", "--stage", "--agent", "rehearsal", "two"]);
    typed.divisi(["move", "t2", "--first"]);
    typed.divisi(["ls"]);
    typed.divisi(["edit", "t1", "--title", "The first", "--check", "test -e one.txt"]);
    typed.divisi(["show", "t1"]);
    typed.divisi(["land", "t1"]);
    insta::assert_snapshot!(typed, @"
    $ divisi run --stage --agent rehearsal two
    t2  staged  two
        next: divisi start t2
    --- stderr
    warning: nothing will be proven: divisi.toml has no [[gates]] and no --check was given

    $ divisi move t2 --first
    t2  ○ staged  two
        next: divisi start t2

    $ divisi ls
    TASK  STATE  FOR  AGENT  CHANGE  TITLE
    t2  ○ staged  [duration]  rehearsal  -  two
    t1  ○ staged  [duration]  rehearsal  -  one

    $ divisi edit t1 --title 'The first' --check 'test -e one.txt'
    t1  ○ staged  The first
        next: divisi start t1

    $ divisi show t1
    t1  The first
    project shop, onto main from [commit 1]
    ○ staged for [duration]: not started
      next: divisi start t1
      agents  rehearsal
      criterion  test -e one.txt

    $ divisi land t1
    --- stderr
    error: t1 is staged: it has not started
    hint: divisi start t1
    [exit code 4]
    ");
    repo.file("b.txt", "b\n").commit("second");
    env.divisi().in_folder(repo.path()).args(["start", "t1"]).run().require_success();
    let landed = || env.divisi().args(["show", "t1", "--json"]).run().json();
    divisi_testkit::wait_until("t1 is in review", || landed()["status"]["attention"] == "in_review");
    assert_eq!(landed()["base"], repo.head(), "it starts from where the branch was then");
    assert_eq!(landed()["asked"]["permissions"], "all", "what was asked for at first holds");
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}
