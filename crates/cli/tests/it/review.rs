//! What a reviewer is shown on the command line: comments with what became of them, and why something did not land.

use divisi_testkit::{Repo, TestEnv, wait_until};

fn give_out(env: &TestEnv, repo: &Repo<'_>, prompt: &str) {
    let run = ["run", "--agent", "rehearsal", "--permissions", "all", "--wait", "-"];
    env.divisi().in_folder(repo.path()).args(run).input(prompt).run().require_success();
}

fn until(env: &TestEnv, handle: &str, turns: usize, attention: &str) {
    wait_until("the turn is over", || {
        let task = env.divisi().args(["show", handle, "--json"]).run().require_success().json();
        task["status"]["attention"] == attention
            && task["attempts"][0]["turns"].as_array().unwrap().len() == turns
    });
}

/// From its line that starts with `from` on, the output of a command.
fn part(text: &str, from: &str) -> String {
    let lines = text.lines().skip_while(|line| !line.trim_start().starts_with(from));
    lines.collect::<Vec<_>>().join("\n")
}

const SONG: &str = "\
Sing

```rehearsal
write song.txt \"one\\ntwo\\nthree\\n\"
when prompt contains \"reviewer\"
write song.txt \"one\\ntwo!\\n\"
say Done.
```
";

#[test]
fn the_comments_of_a_review_are_shown_with_what_became_of_them() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("divisi.toml", "[[gates]]\nname = \"ok\"\ncommand = \"true\"\n").commit("first");
    give_out(&env, &repo, SONG);
    let asked = ["song.txt:1: why?", "song.txt:2: louder", "on the whole well"];
    let requests = asked.iter().flat_map(|words| ["--request", words]);
    env.divisi().args(["review", "t1"]).args(requests).run().require_success();
    until(&env, "t1", 2, "in_review");
    let mut typed = env.transcript(repo.path());
    typed.divisi(["show", "t1"]);
    insta::assert_snapshot!(part(&typed.to_string(), "comments"), @"
      comments
        1  sent  song.txt:1  (person, [duration])
           | one
           why?
        2  answered by [commit 2]  song.txt:2  (person, [duration])
           | two
           louder
        3  sent  on the whole  (person, [duration])
           on the whole well
      reviews  changes requested on [commit 3]  (person, [duration])

    waits for you
      t1#2  review  look at [commit 2] ([duration])
          divisi diff t1, or divisi review t1 --approve
    ");
    let review = env.divisi().args(["review", "t1"]).run().stdout;
    assert!(review.contains("song.txt:2") && review.contains("louder"), "{review}");
    let task = env.divisi().args(["show", "t1", "--json"]).run().json();
    assert_eq!(task["attempts"][0]["comments"][1]["stage"], "answered");
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn a_check_that_failed_on_the_combination_is_shown_with_the_end_of_its_log() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let gate = "[ ! -e left -o ! -e right ] || { seq 30; echo both are there; exit 1; }";
    repo.file("divisi.toml", format!("[[gates]]\nname = \"one\"\ncommand = \"{gate}\"\n")).commit("first");
    for (handle, side) in [("t1", "left"), ("t2", "right")] {
        let wait = "when prompt contains \"landed meanwhile\"\nhang\n";
        give_out(&env, &repo, &format!("Go {side}\n\n```rehearsal\nwrite {side} \"x\"\n{wait}```\n"));
        env.divisi().args(["review", handle, "--approve"]).run().require_success();
    }
    let landed = env.divisi().in_folder(repo.path()).args(["land", "t1", "t2"]).run();
    assert!(!landed.success() && landed.stderr.contains("one failed on the combination"), "{landed}");
    let mut typed = env.transcript(repo.path());
    let shown = env.divisi().args(["show", "t2"]).run();
    shown.require_success();
    typed.record(&shown);
    insta::assert_snapshot!(part(&typed.to_string(), "the log of"), @"
    the log of one on the combination ends
        12
        13
        14
        15
        16
        17
        18
        19
        20
        21
        22
        23
        24
        25
        26
        27
        28
        29
        30
        both are there
      all of it: divisi show t2 --evidence 1
    ");
    let whole = env.divisi().args(["show", "t2", "--evidence", "1"]).run();
    assert!(whole.stdout.starts_with("1\n2\n") && whole.stdout.ends_with("both are there\n"), "{whole}");
    let task = env.divisi().args(["show", "t2", "--json"]).run().json();
    let failure = &task["attempts"][0]["landing_failure"];
    assert_eq!((&failure["evidence"], &failure["paths"]), (&serde_json::json!(1), &serde_json::json!([])));
    let folder = env.home().join(".local/share/divisi").join(failure["log"].as_str().unwrap());
    assert!(folder.is_dir(), "where the log is: {}", folder.display());
    env.divisi().args(["stop", "t2"]).run().require_success();
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn an_approval_is_taken_back_before_it_lands() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("divisi.toml", "[[gates]]\nname = \"ok\"\ncommand = \"true\"\n").commit("first");
    give_out(&env, &repo, SONG);
    let mut typed = env.transcript(repo.path());
    typed.divisi(["review", "t1", "--withdraw"]);
    typed.divisi(["review", "t1", "--approve"]);
    typed.divisi(["review", "t1", "--withdraw"]);
    typed.divisi(["land", "t1"]);
    insta::assert_snapshot!(typed, @"
    $ divisi review t1 --withdraw
    --- stderr
    error: t1 has no approval to take back: it is in review
    hint: divisi diff t1, then divisi review t1 --approve
    [exit code 4]

    $ divisi review t1 --approve
    t1  ▲ ready to land  Sing
        next: divisi land t1

    $ divisi review t1 --withdraw
    t1  ◇ in review  Sing
        next: divisi diff t1, then divisi review t1 --approve

    $ divisi land t1
    --- stderr
    error: t1 cannot be landed: it is in review
    hint: divisi diff t1, then divisi review t1 --approve
    [exit code 4]
    ");
    let shown = env.divisi().args(["show", "t1"]).run().stdout;
    assert!(shown.contains("approval withdrawn on"), "{shown}");
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}
