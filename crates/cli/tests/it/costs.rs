//! What turns cost: as the agent reports it, by prices, or not known; never nothing for something.

use divisi_testkit::TestEnv;

fn prompt(title: &str, usage: &str) -> String {
    format!("{title}\n\n```rehearsal\nwrite {title}.txt \"a\"\n{usage}\nsay done.\n```\n")
}

#[test]
fn reported_priced_and_unknown_costs_are_told_apart() {
    let env = TestEnv::new();
    let config = env.home().join(".config/divisi/agents");
    std::fs::create_dir_all(&config).unwrap();
    let priced = "title = \"Priced\"\ndrive = \"acp\"\ncommand = [\"{divisi}\", \"rehearsal-agent\"]\nmodel = \"good-1\"\n\
                  [modes.auto]\nid = \"auto\"\n\
                  [prices.\"good-1\"]\ninput = 3\noutput = 15\ncached_read = 0.3\n";
    std::fs::write(config.join("priced.toml"), priced).unwrap();
    let partial = "[quirks]\nusage_scope = \"last_call\"\n";
    std::fs::write(config.join("partial.toml"), format!("{priced}{partial}")).unwrap();
    let repo = env.repo("shop");
    repo.file("a.txt", "a\n").commit("first");
    for (agent, title, usage) in [
        (
            "rehearsal",
            "reported",
            "usage input 1200 output 80 cost 0.02\nusage input 800 output 20 cost 0.0055",
        ),
        ("rehearsal", "unknown", "usage input 1200 output 80"),
        ("priced", "table", "usage input 6000 output 385 cached 2500"),
        ("priced", "better", "usage input 6000 output 385 cost 1.25"),
        ("partial", "least", "usage input 6000 output 385"),
    ] {
        let run = ["run", "--agent", agent, "--permissions", "all", "--wait", "-"];
        env.divisi().in_folder(repo.path()).args(run).input(prompt(title, usage)).run().require_success();
    }
    let lines = |handle: &str| {
        let shown = env.divisi().args(["show", handle]).run().require_success().stdout.clone();
        shown.lines().find(|line| line.trim().starts_with("usage")).unwrap_or_default().trim().to_owned()
    };
    let all = ["t1", "t2", "t3", "t4", "t5"].map(lines);
    insta::assert_snapshot!(all.join("\n"), @"
    usage      2000 tokens in, 100 out; $0.0255, as reported
    usage      1200 tokens in, 80 out; cost unknown
    usage      6000 tokens in, 385 out, 2500 read from a cache and 0 written besides; $0.0245, by the prices of its definition
    usage      6000 tokens in, 385 out; $1.25, as reported
    usage      at least 6000 tokens in, 385 out; at least $0.0238, by the prices of its definition
    ");
    let mut typed = env.transcript(repo.path());
    typed.divisi(["ls"]);
    insta::assert_snapshot!(typed, @"
    $ divisi ls
    TASK  STATE  FOR  AGENT  CHANGE  COST  TITLE
    t1  ◇ in review  [duration]  rehearsal  +1 -0  $0.0255  reported
    t2  ◇ in review  [duration]  rehearsal  +1 -0  ?  unknown
    t3  ◇ in review  [duration]  priced  +1 -0  $0.0245  table
    t4  ◇ in review  [duration]  priced  +1 -0  $1.25  better
    t5  ◇ in review  [duration]  partial  +1 -0  $0.0238+  least
    ");
    let usage = &env.divisi().args(["show", "t3", "--json"]).run().json()["attempts"][0]["turns"][0]["usage"];
    assert_eq!(usage["cost_micros"], 24_525, "18000 + 5775 + 750");
    assert_eq!(usage["estimated"], true);
    let log = |arguments: &[&str]| {
        env.divisi().args(["log"]).args(arguments).run().require_success().stdout.clone()
    };
    let ends =
        ["t1", "t2", "t3"].map(|handle| log(&[handle]).lines().last().unwrap_or_default().trim().to_owned());
    insta::assert_snapshot!(ends.join("\n"), @r"
    2000 tokens in, 100 out; $0.0255, as reported
    1200 tokens in, 80 out; cost unknown
    6000 tokens in, 385 out, 2500 read from a cache and 0 written besides; $0.0245, by the prices of its definition
    ");
    let last = log(&["t3", "--json"]).lines().last().map(str::to_owned).unwrap();
    let last: serde_json::Value = serde_json::from_str(&last).unwrap();
    assert_eq!((last["entry"].as_str(), &last["usage"]), (Some("turn_ended"), usage));
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}
