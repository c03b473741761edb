//! Words that are taken back, and files of an earlier snapshot.

use divisi_testkit::TestEnv;

const TWO_TURNS: &str = "\
Write twice

```rehearsal
write one.txt \"first\\n\"
say One.
turn
write one.txt \"second\\n\"
write two.txt \"second\\n\"
say Two.
```
";

#[test]
fn a_workspace_goes_back_to_a_turn_and_forth_again() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("list.txt", "one\n").commit("first");
    let run = ["run", "--agent", "rehearsal", "--wait", "-"];
    env.divisi().in_folder(repo.path()).args(run).input(TWO_TURNS).run().require_success();
    env.divisi().args(["send", "t1", "Once more"]).run().require_success();
    let state = || env.divisi().args(["show", "t1", "--json"]).run().require_success().json();
    let settled = |turns: usize| {
        let task = state();
        task["status"]["state"] == "in review"
            && task["attempts"][0]["turns"].as_array().unwrap().len() == turns
    };
    divisi_testkit::wait_until("the second turn is in review", || settled(2));
    let diff = || env.divisi().args(["diff", "t1", "--stat"]).run().require_success().stdout.clone();

    let mut typed = env.transcript(repo.path());
    typed.divisi(["snapshots", "t1"]);
    typed.divisi(["--yes", "rollback", "t1", "--turn", "1"]);
    divisi_testkit::wait_until("the result is made anew", || settled(2));
    assert!(!diff().contains("two.txt"), "{}", diff());
    typed.divisi(["--yes", "rollback", "t1", "--undo", "two.txt"]);
    divisi_testkit::wait_until("the result is made anew", || settled(2));
    assert!(diff().contains("two.txt"), "{}", diff());
    typed.divisi(["--yes", "rollback", "t1", "--turn", "7"]);
    typed.divisi(["--yes", "rollback", "t1", "--base", "nowhere.txt"]);
    typed.divisi(["unsend", "t1"]);
    insta::assert_snapshot!(typed, @r"
    $ divisi snapshots t1
    SNAPSHOT  TAKEN  AGE  FILES  LINES
    [commit 1]  base  [duration]
    [commit 2]  after turn 1  [duration]  1  +1 -0
    [commit 3]  after turn 2  [duration]  2  +2 -1

    $ divisi --yes rollback t1 --turn 1
    t1  2 files were changed; divisi rollback t1 --undo takes it back

    $ divisi --yes rollback t1 --undo two.txt
    t1  1 file was changed; divisi rollback t1 --undo takes it back

    $ divisi --yes rollback t1 --turn 7
    --- stderr
    error: t1 has no snapshot of turn 7
    hint: divisi snapshots t1 lists the snapshots
    [exit code 3]

    $ divisi --yes rollback t1 --base nowhere.txt
    --- stderr
    error: t1 was not rolled back
      because neither the snapshot nor the workspace has nowhere.txt
    hint: divisi snapshots t1 lists the snapshots
    [exit code 4]

    $ divisi unsend t1
    --- stderr
    error: no message waits for t1
    hint: divisi show t1 lists what waits
    [exit code 3]
    ");

    env.divisi().args(["send", "t1", "Go on"]).run().require_success();
    divisi_testkit::wait_until("the third turn is in review", || settled(3));
    let log = env.divisi().args(["log", "t1"]).run().require_success().stdout.clone();
    let told =
        "Since your last turn a person has brought the files of the workspace back to an earlier state.";
    assert!(log.contains(told), "{log}");
}
