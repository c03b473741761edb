//! What an agent says when it cannot go on, through the whole road: usage limits that end by themselves, and logins.

use divisi_testkit::{Finished, Repo, TestEnv, wait_until};

fn project(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    repo.file("divisi.toml", "[[gates]]\nname = \"there\"\ncommand = \"test -e a.txt\"\n").commit("first");
    repo
}

/// A prompt whose first turn fails so, and whose second one does the work.
fn failing(title: &str, error: &str) -> String {
    format!("{title}\n\n```rehearsal\nerror {error}\nturn\nwrite a.txt \"a\"\nsay done.\n```\n")
}

fn run(env: &TestEnv, repo: &Repo<'_>, arguments: &[&str], prompt: &str) -> Finished {
    let all = ["run", "--agent", "rehearsal", "--permissions", "all"].iter().chain(arguments).chain(&["-"]);
    env.divisi().in_folder(repo.path()).args(all).input(prompt).run()
}

/// The outcomes of a task's turns, in words.
fn outcomes(env: &TestEnv, handle: &str) -> Vec<String> {
    let task = env.divisi().args(["show", handle, "--json"]).run().require_success().json();
    let turns = task["attempts"][0]["turns"].as_array().unwrap().clone();
    turns.iter().map(|turn| turn["outcome"].as_str().unwrap_or("running").to_owned()).collect()
}

fn state(env: &TestEnv, handle: &str) -> String {
    let task = env.divisi().args(["show", handle, "--json"]).run().require_success().json();
    task["status"]["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_limit_is_waited_for_and_the_turn_goes_on_by_itself() {
    let env = TestEnv::new();
    let repo = project(&env);
    let prompt = failing("Wait for it", "usage-limit \"Try again later.\" retry after 1s");
    run(&env, &repo, &["--wait"], &prompt).require_success();
    assert_eq!(outcomes(&env, "t1"), ["usage_limit", "completed"]);
    let task = env.divisi().args(["show", "t1", "--json"]).run().json();
    let words = task["attempts"][0]["turns"][1]["prompts"][0]["text"].as_str().unwrap().to_owned();
    assert!(words.contains("Wait for it"), "what was asked is asked again: {words}");
    assert_eq!(
        task["items"].as_array().unwrap().len(),
        1,
        "only the review asks for anybody: {}",
        task["items"]
    );
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn others_of_the_agent_wait_too_until_a_person_says_go_on() {
    let env = TestEnv::new();
    let repo = project(&env);
    run(&env, &repo, &[], &failing("First", "usage-limit")).require_success();
    wait_until("the first runs into its limit", || state(&env, "t1") == "waiting for a limit");
    run(&env, &repo, &[], "Second\n\n```rehearsal\nwrite a.txt \"b\"\nsay done.\n```\n").require_success();
    wait_until("the second is held back", || state(&env, "t2") == "waiting for a limit");
    let mut typed = env.transcript(repo.path());
    typed.divisi(["ls"]);
    typed.divisi(["show", "t2"]);
    typed.divisi(["inbox"]);
    typed.divisi(["resume", "t2"]);
    insta::assert_snapshot!(typed, @r"
    $ divisi ls
    TASK  STATE  FOR  AGENT  CHANGE  TITLE
    t1  ○ waiting for a limit until [time]  [duration]  rehearsal  -  First
    t2  ○ waiting for a limit until [time]  [duration]  rehearsal  -  Second

    $ divisi show t2
    t2  Second
    project shop, onto main from [commit 1]

    t2 by rehearsal
      ○ waiting for a limit until [time] for [duration]: rehearsal ran into a limit: You have reached your usage limit. It resets in [duration]. (-32603)
      next: divisi resume t2 goes on now
      branch  divisi/t2-second
      queue  1: Second
      checks
        · not run  there  test -e a.txt

    $ divisi inbox
    --- stderr
    Nothing waits for you.

    $ divisi resume t2
    t2  ○ queued  Second
        next: divisi stop t2
    ");
    // The second one gets through, so the limit is over for the first as well.
    wait_until("both are done", || state(&env, "t1") == "in review" && state(&env, "t2") == "in review");
    assert_eq!(outcomes(&env, "t1"), ["usage_limit", "completed"]);
    assert_eq!(outcomes(&env, "t2"), ["completed"]);
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn a_limit_is_waited_for_across_restarts() {
    let env = TestEnv::new();
    let repo = project(&env);
    run(&env, &repo, &[], &failing("Wait for it", "usage-limit \"Try again later.\" retry after 3s"))
        .require_success();
    wait_until("it runs into its limit", || state(&env, "t1") == "waiting for a limit");
    env.divisi().args(["stop", "--daemon"]).run().require_success();
    wait_until("it goes on after the restart", || state(&env, "t1") == "in review");
    assert_eq!(outcomes(&env, "t1"), ["usage_limit", "completed"]);
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn a_missing_login_names_the_command_and_loses_no_prompt() {
    let env = TestEnv::new();
    let repo = project(&env);
    let config = env.home().join(".config/divisi");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("config.toml"), "[agents.rehearsal]\nlog_in = \"rehearsal login\"\n").unwrap();
    run(&env, &repo, &["--wait"], &failing("Log in first", "unauthorized")).require_code(5);
    let mut typed = env.transcript(repo.path());
    typed.divisi(["ls"]);
    typed.divisi(["inbox"]);
    typed.divisi(["resume", "t1"]);
    insta::assert_snapshot!(typed, @r"
    $ divisi ls
    TASK  STATE  FOR  AGENT  CHANGE  TITLE
    t1  ◐ needs you: credentials  [duration]  rehearsal  -  Log in first

    $ divisi inbox
      t1#1  stall  the agent needs a login: Invalid API key. Log in first. (-32000) ([duration])
          rehearsal login, then divisi resume t1

    $ divisi resume t1
    t1  ○ queued  Log in first
        next: divisi stop t1
    ");
    wait_until("it goes on", || state(&env, "t1") == "in review");
    assert_eq!(outcomes(&env, "t1"), ["needs_login", "completed"]);
    let sessions =
        env.divisi().args(["show", "t1", "--json"]).run().json()["attempts"][0]["turns"][1]["session"]
            .clone();
    assert_eq!(sessions, 2, "a new process, which reads the login anew");
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}
