//! The whole road, with the rehearsal agent: from a prompt to a landed change and back.

use divisi_testkit::{Repo, TestEnv};

/// A project with a gate that fails until `list.txt` says `two`.
fn project(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    repo.file("list.txt", "one\ntoo\nthree\n").file(
        "divisi.toml",
        "[[gates]]\nname = \"list\"\ncommand = \"grep -qx two list.txt || { echo the second line is wrong; exit 1; }\"\n",
    );
    repo.commit("first");
    repo
}

const MEND: &str = "\
Mend the list

```rehearsal
say I will mend it.
edit list.txt replace \"too\" with \"tow\"
when prompt contains \"failed with exit code\"
edit list.txt replace \"tow\" with \"two\"
say Now it is right.
when prompt contains \"reviewer\"
edit list.txt replace \"three\" with \"three!\"
say As you wish.
```
";

#[test]
fn from_a_prompt_to_a_landed_change_and_back() {
    let env = TestEnv::new();
    let repo = project(&env);
    let before = repo.head();
    let mut typed = env.transcript(repo.path());
    let run = env
        .divisi()
        .in_folder(repo.path())
        .args(["run", "--agent", "rehearsal", "--wait", "-"])
        .input(MEND)
        .run();
    typed.record(&run);
    typed.divisi(["ls"]);
    typed.divisi(["diff", "t1"]);
    typed.divisi(["log", "t1"]);
    typed.divisi(["land", "t1"]);
    typed.divisi(["review", "t1", "--request", "list.txt:3: louder"]);
    insta::assert_snapshot!(typed, @r#"
    $ divisi run --agent rehearsal --wait -
    t1  by rehearsal  Mend the list
        ◇ in review: 1 required check passed
        next: divisi diff t1, then divisi review t1 --approve

    $ divisi ls
    TASK  STATE  FOR  AGENT  CHANGE  TITLE
    t1  ◇ in review  [duration]  rehearsal  +1 -1  Mend the list

    $ divisi diff t1
    diff --git a/list.txt b/list.txt
    --- a/list.txt
    +++ b/list.txt
    @@ -1,3 +1,3 @@
     one
    -too
    +two
     three

    $ divisi log t1
    mode: ask

    > task
    > Mend the list
    >
    > ```rehearsal
    > say I will mend it.
    > edit list.txt replace "too" with "tow"
    > when prompt contains "failed with exit code"
    > edit list.txt replace "tow" with "two"
    > say Now it is right.
    > when prompt contains "reviewer"
    > edit list.txt replace "three" with "three!"
    > say As you wish.
    > ```
    >
    >
    > The result is accepted when all of this holds; it is verified independently of you:
    >
    > - `grep -qx two list.txt || { echo the second line is wrong; exit 1; }` exits 0

    I will mend it.
    [edit] Edit list.txt done
        [home]/.local/share/divisi/workspaces/t1.1/list.txt
    asks permission: Edit list.txt
    answered: allow-once
    the turn is complete

    > checks
    > Checks were run on your change in a clean checkout, and these failed.
    >
    > ## list: `grep -qx two list.txt || { echo the second line is wrong; exit 1; }` failed with exit code 1
    >
    > The end of its output:
    >
    > ```
    > the second line is wrong
    > ```
    >
    > Mend the cause, not the check. Then end your turn; the checks are run again.

    [edit] Edit list.txt done
        [home]/.local/share/divisi/workspaces/t1.1/list.txt
    asks permission: Edit list.txt
    answered: allow-once
    Now it is right.
    the turn is complete

    $ divisi land t1
    --- stderr
    error: t1 cannot be landed: it is in review
    hint: divisi diff t1, then divisi review t1 --approve
    [exit code 4]

    $ divisi review t1 --request 'list.txt:3: louder'
    t1  ○ queued  Mend the list
        next: divisi stop t1
    "#);

    let settled = || {
        let task = env.divisi().args(["show", "t1", "--json"]).run().require_success().json();
        task["status"]["attention"] == "in_review"
            && task["attempts"][0]["turns"].as_array().unwrap().len() == 3
    };
    divisi_testkit::wait_until("the third turn is checked", settled);
    let mut typed = env.transcript(repo.path());
    typed.divisi(["show", "t1"]);
    typed.divisi(["review", "t1", "--approve"]);
    typed.divisi(["land", "t1"]);
    assert_eq!(repo.read("list.txt"), "one\ntwo\nthree!\n", "the checkout shows the target");
    typed.divisi(["undo", "t1"]);
    assert_eq!(repo.head(), before);
    assert_eq!(repo.read("list.txt"), "one\ntoo\nthree\n");
    typed.divisi(["show", "t1", "--check", "list"]);
    insta::assert_snapshot!(typed, @r#"
    $ divisi show t1
    t1  Mend the list
    project shop, onto main from [commit 1]

    t1 by rehearsal
      ◇ in review for [duration]: 1 required check passed
      next: divisi diff t1, then divisi review t1 --approve
      branch  divisi/t1-mend-the-list
      workspace  divisi open t1 (overlay, ports [ports])
      result  [commit 2]: 1 file, +2 -2, after turn 3
      turns  1 completed ([duration])
                 2 completed ([duration])
                 3 completed ([duration])
      checks
        ✓ passed  list  grep -qx two list.txt || { echo the second line is wrong; exit 1; }  passed in [duration], on [commit 2]
      comments
        1  answered by [commit 2]  list.txt:3  (person, [duration])
           | three
           louder
      reviews  changes requested on [commit 3]  (person, [duration])

    waits for you
      t1#5  review  look at [commit 2] ([duration])
          divisi diff t1, or divisi review t1 --approve

    $ divisi review t1 --approve
    t1  ▲ ready to land  Mend the list
        next: divisi land t1

    $ divisi land t1
    t1  landed on main as [commit 4], and your checkout shows it

    $ divisi undo t1
    t1  ▲ ready to land  Mend the list
        next: divisi land t1

    $ divisi show t1 --check list
    "#);
}

#[test]
fn handles_alone_and_json_are_for_scripts() {
    let env = TestEnv::new();
    let repo = project(&env);
    let divisi = |arguments: &[&str]| env.divisi().in_folder(repo.path()).args(arguments).run();
    let quiet = divisi(&["run", "-q", "--agent", "rehearsal", "one", "two"]);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("t1\nt2\n", ""));
    let tasks = divisi(&["ls", "--json"]).require_success().json();
    let titles: Vec<_> =
        tasks.as_array().unwrap().iter().map(|task| task["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["one", "two"]);
    for handle in ["t1", "t2"] {
        divisi(&["stop", handle]).require_success();
    }
    let log = divisi(&["log", "t1", "--json"]);
    for line in log.require_success().stdout.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).unwrap()["rev"].is_u64(), "{line}");
    }
}

#[test]
fn an_archived_task_comes_back_with_its_uncommitted_files() {
    let env = TestEnv::new();
    let repo = project(&env);
    let divisi = |arguments: &[&str]| env.divisi().in_folder(repo.path()).args(arguments).run();
    let prompt = MEND.replace("say I will mend it.", "write notes/idea.txt \"keep me\\n\"");
    let run = ["run", "--agent", "rehearsal", "--wait"];
    env.divisi().in_folder(repo.path()).args(run).args(["-"]).input(prompt).run().require_success();
    let workspace = || divisi(&["show", "t1", "--json"]).json()["attempts"][0]["workspace"]["path"].clone();
    let path = std::path::PathBuf::from(workspace().as_str().unwrap());
    let inside = |script: &str| divisi(&["open", "t1", "--", "sh", "-c", script]);
    inside("echo written by hand > stray.txt").require_success();

    divisi(&["archive", "t1"]).require_success();
    divisi_testkit::wait_until("the workspace is gone", || !path.exists());
    assert_eq!(divisi(&["ls", "-q"]).stdout, "", "an archived task is out of the way");
    assert_eq!(divisi(&["ls"]).stderr, "All tasks are archived: divisi ls --all\n");
    assert_eq!(divisi(&["ls", "-q", "--all"]).stdout, "t1\n");
    divisi(&["restore", "t1"]).require_success();
    divisi_testkit::wait_until("the workspace is back", || inside("test -e stray.txt").success());
    assert_eq!(inside("cat stray.txt notes/idea.txt").stdout, "written by hand\nkeep me\n");
}
