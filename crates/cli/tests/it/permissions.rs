//! What waits for a person: permissions, questions and judgements, answered from the inbox or in a live conversation.

use divisi_testkit::{Repo, TestEnv};

const ASK: &str = "\
Tidy up

```rehearsal
ask delete \"Delete old.txt?\"
  allowed
    delete old.txt
    say old.txt is gone.
  rejected
    say I left it.
```
";

fn project(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    repo.file("old.txt", "old\n").file("divisi.toml", "[[gates]]\nname = \"ok\"\ncommand = \"true\"\n");
    repo.commit("first");
    repo
}

/// Gives out a task and waits until it needs a person.
fn waiting(env: &TestEnv, repo: &Repo<'_>, prompt: &str, more: &[&str]) {
    let run = env.divisi().in_folder(repo.path()).args(["run", "--agent", "rehearsal", "--wait"]).args(more);
    run.args(["-"]).input(prompt).run().require_code(5);
}

fn until_in_review(env: &TestEnv, handle: &str) {
    divisi_testkit::wait_until("the task is in review", || {
        env.divisi().args(["show", handle, "--json"]).run().json()["status"]["attention"] == "in_review"
    });
}

#[test]
fn a_permission_waits_in_the_inbox_and_is_given_there() {
    let env = TestEnv::new();
    let repo = project(&env);
    waiting(&env, &repo, ASK, &["--permissions", "ask"]);
    let mut typed = env.transcript(repo.path());
    typed.divisi(["inbox"]);
    typed.divisi(["answer", "t1", "words"]);
    typed.divisi(["approve", "t1"]).require_success();
    until_in_review(&env, "t1");
    typed.divisi(["approve", "t1#1"]);
    typed.divisi(["deny", "t1#1"]);
    typed.divisi(["diff", "t1", "--stat"]);
    let shown = env.divisi().args(["show", "t1"]).run().stdout;
    assert!(shown.contains("answered\n  t1#1  permission  Delete old.txt?: yes  (person)"), "{shown}");
    insta::assert_snapshot!(typed, @r#"
    $ divisi inbox
      t1#1  permission  Delete old.txt? ([duration])
          allow-once  Allow
          allow-always  Always allow
          reject-once  Reject
          divisi approve t1#1, or divisi deny t1#1

    $ divisi answer t1 words
    --- stderr
    error: that answer does not fit the question
    hint: divisi inbox shows what can be answered
    [exit code 2]

    $ divisi approve t1
    t1  ● working  Tidy up
        next: divisi log -f t1

    $ divisi approve 't1#1'
    t1  ◇ in review  Tidy up
        next: divisi diff t1, then divisi review t1 --approve

    $ divisi deny 't1#1'
    --- stderr
    error: the item was answered already
    hint: divisi inbox lists what still waits
    [exit code 4]

    $ divisi diff t1 --stat
     D  old.txt  +0 -1
     1 file changed, 0 added, 1 removed
    "#);
}

#[test]
fn a_criterion_is_judged_before_the_result_can_be_approved() {
    let env = TestEnv::new();
    let repo = project(&env);
    waiting(
        &env,
        &repo,
        &ASK.replace("Delete", "Remove"),
        &["--permissions", "all", "--criterion", "it is tidy"],
    );
    let mut typed = env.transcript(repo.path());
    typed.divisi(["review", "t1", "--approve"]).require_code(4);
    typed.divisi(["inbox"]);
    typed.divisi(["approve", "t1"]).require_success();
    typed.divisi(["review", "t1", "--approve"]).require_success();
    insta::assert_snapshot!(typed, @r#"
    $ divisi review t1 --approve
    --- stderr
    error: nobody has judged criterion 1 of t1 yet: it is tidy
    hint: divisi inbox, then divisi approve ITEM or divisi deny ITEM
    [exit code 4]

    $ divisi inbox
      t1#2  criterion  it is tidy ([duration])
          divisi approve t1#2, or divisi deny t1#2
      t1#3  review  look at [commit 1] ([duration])
          divisi diff t1, or divisi review t1 --approve

    $ divisi approve t1
    t1  ◇ in review  Tidy up
        next: divisi diff t1, then divisi review t1 --approve

    $ divisi review t1 --approve
    t1  ▲ ready to land  Tidy up
        next: divisi land t1
    "#);
}

#[test]
fn attached_a_permission_is_answered_in_place() {
    let env = TestEnv::new();
    let repo = project(&env);
    waiting(&env, &repo, ASK, &["--permissions", "ask"]);
    let attached =
        env.divisi().in_folder(repo.path()).args(["attach", "t1"]).input("n keep it\n/nonsense\n").run();
    let said = &attached.require_success().stderr;
    // What the agent says meanwhile comes in between, so only the order of these is sure.
    let mut rest = said.as_str();
    for wanted in [
        "t1  Tidy up  by rehearsal",
        "waiting for permission  Delete old.txt?",
        "may it? Delete old.txt?",
        "y yes · n no · a always",
        "/nonsense is nothing that can be asked here",
        "detached; divisi attach t1 comes back",
    ] {
        let (_, after) =
            rest.split_once(wanted).unwrap_or_else(|| panic!("`{wanted}` is missing after this:\n{said}"));
        rest = after;
    }
    assert!(attached.stdout.contains("asks permission: Delete old.txt?"), "{attached}");
    divisi_testkit::wait_until("the agent has heard it", || {
        env.divisi().args(["log", "t1"]).run().stdout.contains("I left it.")
    });
    assert_eq!(repo.read("old.txt"), "old\n");
}

#[test]
fn a_question_is_answered_in_words() {
    let env = TestEnv::new();
    let repo = project(&env);
    let prompt = "\
Choose

```rehearsal
question \"Which colour?\"
  when answer contains \"blue\"
    say Blue it is.
  otherwise
    say Not that.
write c.txt \"done\\n\"
```
";
    waiting(&env, &repo, prompt, &[]);
    let mut typed = env.transcript(repo.path());
    typed.divisi(["inbox"]);
    typed.divisi(["approve", "t1"]);
    typed.divisi(["answer", "t1", "blue"]).require_success();
    until_in_review(&env, "t1");
    typed.divisi(["log", "t1"]);
    insta::assert_snapshot!(typed, @r#"
    $ divisi inbox
      t1#1  question  Which colour? ([duration])
          divisi answer t1#1 "…"

    $ divisi approve t1
    --- stderr
    error: that answer does not fit the question
    hint: divisi inbox shows what can be answered
    [exit code 2]

    $ divisi answer t1 blue
    t1  ● working  Choose
        next: divisi log -f t1

    $ divisi log t1
    mode: ask

    > task
    > Choose
    >
    > ```rehearsal
    > question "Which colour?"
    >  when answer contains "blue"
    >  say Blue it is.
    >  otherwise
    >  say Not that.
    > write c.txt "done\n"
    > ```
    >
    >
    > The result is accepted when all of this holds; it is verified independently of you:
    >
    > - `true` exits 0

    asks: Which colour?
    answered: blue
    Blue it is.
    [edit] Write c.txt done
        [home]/.local/share/divisi/workspaces/t1.1/c.txt
    asks permission: Write c.txt
    answered: allow-once
    the turn is complete
    "#);
}
