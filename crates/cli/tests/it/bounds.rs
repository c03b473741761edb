//! What a task may touch and what it may cost, with real git and the scripted agent.

use divisi_testkit::{TestEnv, wait_until};

#[test]
fn a_result_outside_of_its_scope_is_sent_back_once_and_then_shown_to_the_reviewer() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("src/a.txt", "a\n").commit("first");
    let prompt = "Tidy\n\n```rehearsal\nwrite src/a.txt \"b\"\nwrite other.txt \"x\"\nsay done.\n```\n";
    let run = ["run", "--agent", "rehearsal", "--permissions", "all", "--scope", "src/", "--wait", "-"];
    env.divisi().in_folder(repo.path()).args(run).input(prompt).run().require_success();
    let task = env.divisi().args(["show", "t1", "--json"]).run().json();
    let attempt = &task["attempts"][0];
    assert_eq!(attempt["result"]["outside_scope"], serde_json::json!(["other.txt"]));
    let turns = attempt["turns"].as_array().unwrap();
    let origins: Vec<_> = turns.iter().map(|turn| turn["prompts"][0]["origin"].as_str().unwrap()).collect();
    assert_eq!(origins, ["task", "scope"], "it is told once");
    assert_eq!(attempt["status"]["attention"], "in_review");
    let mut typed = env.transcript(repo.path());
    typed.divisi(["run", "--agent", "rehearsal", "--scope", "a[", "x"]);
    typed.divisi(["run", "--agent", "rehearsal", "--budget", "much", "x"]);
    insta::assert_snapshot!(typed, @r#"
    $ divisi run --agent rehearsal --scope 'a[' x
    --- stderr
    warning: nothing will be proven: divisi.toml has no [[gates]] and no --check was given
    error: `a[` is no pattern: error parsing glob 'a[': unclosed character class; missing ']'
    hint: --scope "src/**"
    [exit code 2]

    $ divisi run --agent rehearsal --budget much x
    --- stderr
    warning: nothing will be proven: divisi.toml has no [[gates]] and no --check was given
    error: `much` is no budget: dollars are written 2.50, tokens 200k or 1.5M
    hint: --budget 2.50, or --budget 200k
    [exit code 2]
    "#);
    let shown = env.divisi().args(["show", "t1"]).run().require_success().stdout.clone();
    assert!(shown.contains("other.txt: outside of the task's scope"), "{shown}");
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn a_turn_is_cancelled_when_its_budget_is_used_up_and_goes_on_with_more() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("a.txt", "a\n").commit("first");
    let prompt = "Spend\n\n```rehearsal\nwrite a.txt \"b\"\nusage input 1200 output 80 cost 0.02\n\
                  sleep 10m\nsay done.\n```\n";
    let run = ["run", "--agent", "rehearsal", "--permissions", "all", "--budget", "0.01", "-"];
    env.divisi().in_folder(repo.path()).args(run).input(prompt).run().require_success();
    let task = || env.divisi().args(["show", "t1", "--json"]).run().json();
    wait_until("its budget is used up and the turn over", || {
        let task = task();
        task["status"]["state"] == "needs you: budget"
            && task["attempts"][0]["turns"][0]["outcome"] == "cancelled"
    });
    let mut typed = env.transcript(repo.path());
    typed.divisi(["inbox"]);
    typed.divisi(["resume", "t1"]);
    typed.divisi(["resume", "t1", "--budget", "0.05"]);
    insta::assert_snapshot!(typed, @"
    $ divisi inbox
      t1#1  stall  its budget of $0.01 is used up ([duration])
          divisi resume t1 --budget MORE goes on; divisi stop t1 ends it

    $ divisi resume t1
    --- stderr
    error: its budget of $0.01 is used up
    hint: divisi resume t1 --budget MORE goes on; divisi stop t1 ends it
    [exit code 4]

    $ divisi resume t1 --budget 0.05
    t1  ○ queued  Spend
        next: divisi stop t1
    ");
    wait_until("it goes on", || {
        task()["attempts"][0]["turns"].as_array().is_some_and(|turns| turns.len() == 2)
    });
    env.divisi().args(["stop", "t1"]).run().require_success();
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn a_prompt_that_an_agent_cannot_take_is_told_when_the_task_is_given_out() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("a.txt", "a\n").file("divisi.toml", "[[gates]]\nname = \"test\"\ncommand = \"true\"\n");
    repo.commit("first");
    let agent = |name: &str, prompt: &str| {
        format!(
            "[agents.{name}]\ntitle = \"x\"\ndrive = \"exec\"\ncommand = [\"sh\", \"-c\", \"wc -c > size.txt\"]\n[agents.{name}.exec]\nprompt = \"{prompt}\"\n"
        )
    };
    std::fs::create_dir_all(env.home().join(".config/divisi")).unwrap();
    let config = format!("{}{}", agent("by-argument", "argument"), agent("by-stdin", "stdin"));
    std::fs::write(env.home().join(".config/divisi/config.toml"), config).unwrap();
    let megabyte = format!("Read it\n\n{}", "word ".repeat(200_000));
    let run = |agent: &str, options: &[&str]| {
        let run = ["run", "--agent", agent];
        env.divisi().in_folder(repo.path()).args(run).args(options).args(["-"]).input(megabyte.clone()).run()
    };
    for options in [&[][..], &["--stage"]] {
        let said = run("by-argument", options);
        said.require_code(8);
        let expected = "error: the prompt has 1000009 bytes, and `by-argument` takes it as an argument of at most 122880\n\
                        hint: put the text in a file of the repository and name it, or choose another agent\n";
        assert_eq!(said.stderr, expected);
    }
    let ls = env.divisi().in_folder(repo.path()).args(["ls", "--json"]).run().json();
    assert_eq!(ls.as_array().map(Vec::len), Some(0), "nothing was made: {ls}");
    run("by-stdin", &["--wait"]).require_success();
    let size = env.divisi().in_folder(repo.path()).args(["diff", "t1"]).run().stdout;
    let read = size.lines().find_map(|line| line.strip_prefix('+')?.trim().parse::<usize>().ok());
    assert!(read.is_some_and(|bytes| bytes > megabyte.len()), "{size}");
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}
