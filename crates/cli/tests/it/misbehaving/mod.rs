//! Agents that misbehave: each leaves its task in a state with a name and a way on, and troubles nobody else.

use divisi_testkit::{Repo, TestEnv, wait_for, wait_until};

const AGENT: &str = include_str!("agent.py");

/// Most memory that the daemon may take while they do, in KiB. It keeps the line under way of each session, 16 MiB at
/// most, and what its allocator does not give back.
const RESIDENT_KIB_MAX: u64 = 400 * 1024;

fn project(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    repo.file("a.txt", "a\n").file("divisi.toml", "[[gates]]\nname = \"test\"\ncommand = \"true\"\n");
    repo.commit("first");
    repo
}

/// Makes an agent for each way of misbehaving.
fn agents(env: &TestEnv, ways: &[&str], start_seconds: u32) {
    let script = env.join("agent.py");
    std::fs::write(&script, AGENT).unwrap();
    let mut config = String::from("parallel = 32\n");
    for way in ways {
        let command = format!("[\"python3\", \"{}\", \"{way}\"]", script.display());
        config.push_str(&format!(
            "[agents.{way}]\ntitle = \"{way}\"\ndrive = \"acp\"\ncommand = {command}\n[agents.{way}.acp]\nstart_seconds = {start_seconds}\n"
        ));
    }
    config.push_str("[agents.missing]\ntitle = \"x\"\ndrive = \"acp\"\ncommand = [\"no-such-program\"]\ninstall = \"get it\"\n");
    std::fs::create_dir_all(env.home().join(".config/divisi")).unwrap();
    std::fs::write(env.home().join(".config/divisi/config.toml"), config).unwrap();
}

/// Status and next step of a task's attempt, once it no longer works.
fn settled(env: &TestEnv, repo: &Repo<'_>, task: &str) -> String {
    wait_for(&format!("{task} waits for somebody"), || {
        let shown = env.divisi().in_folder(repo.path()).args(["show", task]).run();
        let status = shown.stdout.lines().skip(4).take(2).collect::<Vec<_>>().join("\n");
        if status.contains("working") || status.contains("checking") || status.contains("prepar") {
            return Err(shown.to_string());
        }
        Ok(env.redact(&status))
    })
}

/// Most memory that the daemon has taken so far.
pub(crate) fn resident_kib(env: &TestEnv) -> u64 {
    let record = std::fs::read(env.home().join(".local/state/divisi/daemon.json")).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", record["pid"])).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn each_has_a_named_state_and_the_others_do_not_notice() {
    let env = TestEnv::new();
    let repo = project(&env);
    let ways = [
        "exits",
        "prints-garbage",
        "never-answers",
        "opens-no-session",
        "newer-protocol",
        "older-protocol",
        "floods",
        "floods-errors",
        "long-line",
        "long-message",
        "not-utf8",
        "deep",
        "asks-by-the-thousand",
        "same-id",
        "ends-thrice",
        "leaves-a-child",
        "forks-away",
    ];
    agents(&env, &ways, 10);
    for way in ways {
        env.divisi().in_folder(repo.path()).args(["run", "x", "--agent", way]).run().require_success();
    }
    let good = ["run", "a good one", "--agent", "rehearsal", "--wait"];
    env.divisi().in_folder(repo.path()).args(good).run().require_success();
    let mut told = String::new();
    for (way, number) in ways.iter().zip(1..) {
        told.push_str(&format!("{way}\n{}\n", settled(&env, &repo, &format!("t{number}"))));
    }
    insta::assert_snapshot!(told, @r#"
    exits
      ◐ agent failed for [duration]: the agent's process ended with exit code 1: there is no such option
      next: divisi log t1, then divisi resume t1
    prints-garbage
      ◐ agent failed for [duration]: the agent did not answer `initialize` within [duration] and printed lines that are not of the protocol
      next: divisi log t2, then divisi resume t2
    never-answers
      ◐ agent failed for [duration]: the agent did not answer `initialize` within [duration]
      next: divisi log t3, then divisi resume t3
    opens-no-session
      ◐ agent failed for [duration]: the agent did not answer `session/new` within [duration]
      next: divisi log t4, then divisi resume t4
    newer-protocol
      ◇ in review for [duration]: 1 required check passed
      next: divisi diff t5, then divisi review t5 --approve
    older-protocol
      ◐ agent failed for [duration]: the agent speaks version 0 of the protocol
      next: divisi log t6, then divisi resume t6
    floods
      ◇ in review for [duration]: 1 required check passed
      next: divisi diff t7, then divisi review t7 --approve
    floods-errors
      ◇ in review for [duration]: 1 required check passed
      next: divisi diff t8, then divisi review t8 --approve
    long-line
      ◇ in review for [duration]: 1 required check passed
      next: divisi diff t9, then divisi review t9 --approve
    long-message
      ◇ in review for [duration]: 1 required check passed
      next: divisi diff t10, then divisi review t10 --approve
    not-utf8
      ◇ in review for [duration]: 1 required check passed
      next: divisi diff t11, then divisi review t11 --approve
    deep
      ◇ in review for [duration]: 1 required check passed
      next: divisi diff t12, then divisi review t12 --approve
    asks-by-the-thousand
      ◇ in review for [duration]: 1 required check passed
      next: divisi diff t13, then divisi review t13 --approve
    same-id
      ◐ waiting for permission for [duration]: delete 0
      next: divisi approve t14, or divisi deny t14
    ends-thrice
      ◇ in review for [duration]: 1 required check passed
      next: divisi diff t15, then divisi review t15 --approve
    leaves-a-child
      ◇ in review for [duration]: 1 required check passed
      next: divisi diff t16, then divisi review t16 --approve
    forks-away
      ◐ agent failed for [duration]: the agent's process ended with exit code 0
      next: divisi log t17, then divisi resume t17
    "#);
    let resident = resident_kib(&env);
    assert!(resident < RESIDENT_KIB_MAX, "the daemon took {resident} KiB");
    for number in 1..=ways.len() {
        let stop = ["stop".to_owned(), format!("t{number}")];
        env.divisi().in_folder(repo.path()).args(stop).run().require_success();
    }
    let left = || env.processes().into_iter().filter(|process| process.command_line.contains("agent.py"));
    wait_until("nothing of them is left", || left().count() == 0);
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn one_that_kills_its_parent_ends_with_it() {
    let env = TestEnv::new();
    let repo = project(&env);
    agents(&env, &["kills-its-parent"], 10);
    let run = ["run", "x", "--agent", "kills-its-parent"];
    env.divisi().in_folder(repo.path()).args(run).run().require_success();
    // Where the agent cannot see its parent, it only ends itself.
    let status = settled(&env, &repo, "t1");
    assert!(status.contains("agent failed") && status.contains("divisi resume t1"), "{status}");
    let left = || env.processes().into_iter().filter(|process| process.command_line.contains("agent.py"));
    wait_until("nothing of it is left", || left().count() == 0);
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn one_that_hears_nothing_can_be_stopped() {
    let env = TestEnv::new();
    let repo = project(&env);
    agents(&env, &["closes-stdout", "ignores-cancel", "never-answers"], 3600);
    for agent in ["closes-stdout", "ignores-cancel", "never-answers"] {
        env.divisi().in_folder(repo.path()).args(["run", "x", "--agent", agent]).run().require_success();
    }
    for task in ["t1", "t2"] {
        wait_until("the turn runs", || {
            env.divisi().in_folder(repo.path()).args(["show", task]).run().stdout.contains("turn 1 runs")
        });
    }
    let mut typed = env.transcript(repo.path());
    typed.divisi(["cancel", "t1"]);
    typed.divisi(["cancel", "t3"]);
    for task in ["t1", "t2", "t3"] {
        typed.divisi(["stop", task]);
    }
    insta::assert_snapshot!(typed, @r#"
    $ divisi cancel t1
    t1  ● working  x
        next: divisi log -f t1

    $ divisi cancel t3
    --- stderr
    error: t3 has no turn to cancel yet
    hint: divisi stop t3 ends the attempt
    [exit code 4]

    $ divisi stop t1
    t1  ■ stopped  x
        next: divisi resume t1

    $ divisi stop t2
    t2  ■ stopped  x
        next: divisi resume t2

    $ divisi stop t3
    t3  ■ stopped  x
        next: divisi resume t3
    "#);
    let left = || env.processes().into_iter().filter(|process| process.command_line.contains("agent.py"));
    wait_until("nothing of them is left", || left().count() == 0);
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn one_that_is_unknown_or_missing_is_refused_before_anything_is_made() {
    let env = TestEnv::new();
    let repo = project(&env);
    agents(&env, &[], 10);
    let mut typed = env.transcript(repo.path());
    typed.divisi(["run", "x", "--agent", "misssing"]);
    typed.divisi(["run", "x", "--agent", "missing"]);
    typed.divisi(["ls"]);
    insta::assert_snapshot!(typed, @r#"
    $ divisi run x --agent misssing
    --- stderr
    error: there is no agent `misssing`
    hint: divisi agents lists them
    [exit code 3]

    $ divisi run x --agent missing
    --- stderr
    error: the agent `missing` is not ready
    hint: get it
    [exit code 7]

    $ divisi ls
    --- stderr
    There are no tasks. Give one out: divisi run "…"
    "#);
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}
