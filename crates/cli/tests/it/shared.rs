//! Sessions that share one process of their agent.

use std::path::Path;

use divisi_testkit::{Finished, Repo, TestEnv, wait_until};

/// What a person writes who wants it.
const SHARED: &str = "share_agents = true\nsandbox = \"off\"\n\n[agents.rehearsal.acp]\nsessions = 2\n";

struct Fleet<'a> {
    env: &'a TestEnv,
    repo: Repo<'a>,
}

impl<'a> Fleet<'a> {
    fn new(env: &'a TestEnv, config: &str) -> Self {
        let folder = env.home().join(".config/divisi");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.toml"), config).unwrap();
        let repo = env.repo("shop");
        repo.file("list.txt", "one\n").commit("first");
        Self { env, repo }
    }

    fn divisi(&self, arguments: &[&str]) -> Finished {
        self.env.divisi().in_folder(self.repo.path()).args(arguments).run()
    }

    /// Gives out a task whose agent writes one file, waits until it may go on, and writes another. An agent that was
    /// interrupted and remembers it has the rest to say.
    fn give(&self, name: &str) -> Task<'_> {
        let go = self.env.join(format!("go-{name}"));
        let script = format!(
            "write {name}.txt \"a\"\nsay Half of {name}.\nrun until test -e {}; do sleep 0.02; done\n\
             write {name}2.txt \"b\"\nsay All of {name}.\nturn\nwrite {name}2.txt \"c\"\nsay The rest of {name}.",
            go.display()
        );
        let task = Task { handle: self.run(&script), fleet: self, name: name.to_owned(), go };
        task.until_said(&format!("Half of {name}."));
        task
    }

    fn run(&self, script: &str) -> String {
        let prompt = format!("Play\n\n```rehearsal\n{script}\n```\n");
        let run = ["run", "--agent", "rehearsal", "--permissions", "all", "--quiet", "-"];
        let given = self.env.divisi().in_folder(self.repo.path()).args(run).input(prompt).run();
        given.require_success().stdout.trim().to_owned()
    }

    /// The processes of the agent itself.
    fn agents(&self) -> Vec<i32> {
        let host = format!("{} host ", divisi_testkit::divisi_program().display());
        let is = |line: &str| line.contains("rehearsal-agent") && !line.starts_with(&host);
        let living = self.env.processes().into_iter().filter(|process| is(&process.command_line));
        living.map(|process| process.pid).collect()
    }

    /// Waits until the agent has this many processes. One that is just starting a command counts twice for a moment.
    fn until_agents(&self, count: usize) -> Vec<i32> {
        let mut agents = Vec::new();
        wait_until(&format!("there are {count} processes of the agent"), || {
            agents = self.agents();
            agents.len() == count
        });
        agents
    }

    fn kill(&self, pid: i32) {
        self.env.program("kill").args(["-9", &pid.to_string()]).run().require_success();
    }

    fn daemon(&self) -> i32 {
        let record = std::fs::read(self.env.home().join(".local/state/divisi/daemon.json")).unwrap();
        let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
        i32::try_from(record["pid"].as_i64().unwrap()).unwrap()
    }
}

struct Task<'a> {
    fleet: &'a Fleet<'a>,
    name: String,
    handle: String,
    go: std::path::PathBuf,
}

impl Task<'_> {
    fn go_on(&self) {
        std::fs::write(&self.go, "").unwrap();
    }

    fn until_said(&self, words: &str) {
        wait_until(words, || {
            let log = self.fleet.divisi(&["log", &self.handle]).stdout;
            log.lines().any(|line| line.trim() == words)
        });
    }

    fn status(&self) -> String {
        let shown = self.fleet.divisi(&["show", &self.handle, "--json"]).require_success().json();
        shown["status"]["state"].as_str().unwrap_or_default().to_owned()
    }

    fn until(&self, status: &str) {
        wait_until(&format!("{} is {status}", self.handle), || self.status() == status);
    }

    fn land(&self) {
        self.until("in review");
        for verb in [&["review", &self.handle, "--approve"][..], &["land", &self.handle]] {
            self.fleet.divisi(verb).require_success();
        }
        assert!(Path::new(&self.fleet.repo.path().join(format!("{}2.txt", self.name))).exists());
    }
}

#[test]
fn two_tasks_share_one_process_and_both_land_whatever_happens_to_a_third_and_to_the_daemon() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, SHARED);
    let (a, b) = (fleet.give("a"), fleet.give("b"));
    let agents = fleet.until_agents(1);
    // A process holds two, so a third session has another.
    let c = fleet.give("c");
    fleet.until_agents(2);
    fleet.divisi(&["stop", &a.handle]).require_success();
    assert!(fleet.agents().contains(&agents[0]), "stopping one does not end what it shares");

    fleet.kill(fleet.daemon());
    b.go_on();
    c.go_on();
    for task in [&b, &c] {
        task.until_said(&format!("All of {}.", task.name));
        task.land();
    }
    // The place of the one that was stopped is free, and its own conversation goes on there.
    fleet.divisi(&["resume", &a.handle]).require_success();
    a.until_said("The rest of a.");
    a.land();
    fleet.until_agents(2);
    fleet.divisi(&["stop", "--daemon"]).require_success();
}

#[test]
fn when_the_process_dies_all_its_sessions_can_be_taken_up_again() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, SHARED);
    let (a, b) = (fleet.give("a"), fleet.give("b"));
    let agents = fleet.until_agents(1);
    fleet.kill(agents[0]);
    for task in [&a, &b] {
        task.until("agent failed");
        let shown = fleet.divisi(&["show", &task.handle]).require_success().stdout.clone();
        assert!(shown.contains("shared with other sessions has ended: signal: 9"), "{shown}");
    }
    for task in [&a, &b] {
        fleet.divisi(&["resume", &task.handle]).require_success();
    }
    for task in [&a, &b] {
        task.until_said(&format!("The rest of {}.", task.name));
        task.land();
    }
    assert_ne!(fleet.until_agents(1), agents);
    fleet.divisi(&["stop", "--daemon"]).require_success();
}

#[test]
fn without_a_word_of_the_person_or_of_the_definition_each_has_a_process_of_its_own() {
    for config in [
        "sandbox = \"off\"\n[agents.rehearsal.acp]\nsessions = 2\n",
        "share_agents = true\nsandbox = \"off\"\n",
    ] {
        let env = TestEnv::new();
        let fleet = Fleet::new(&env, config);
        let (a, b) = (fleet.give("a"), fleet.give("b"));
        fleet.until_agents(2);
        assert!(!env.home().join(".local/share/divisi/hosts").exists());
        for task in [&a, &b] {
            task.go_on();
            task.until("in review");
        }
        fleet.divisi(&["stop", "--daemon"]).require_success();
    }
}

#[test]
fn in_a_sandbox_nothing_is_shared() {
    let env = TestEnv::new();
    let fleet = Fleet::new(
        &env,
        "share_agents = true\nsandbox = \"require\"\n[agents.rehearsal.acp]\nsessions = 2\n",
    );
    let (a, b) = (fleet.give("a"), fleet.give("b"));
    assert!(!env.home().join(".local/share/divisi/hosts").exists());
    for task in [&a, &b] {
        task.go_on();
        task.until_said(&format!("All of {}.", task.name));
    }
    fleet.divisi(&["stop", "--daemon"]).require_success();
}

#[test]
fn after_a_login_a_session_joins_a_process_that_was_started_after_it() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, SHARED);
    let a = fleet.give("a");
    let handle = fleet.run("error unauthorized\nturn\nwrite b2.txt \"b\"\nsay In.");
    let b = Task { handle, fleet: &fleet, name: "b".to_owned(), go: env.join("go-b") };
    b.until("needs you: credentials");
    let before = fleet.until_agents(1);
    fleet.divisi(&["resume", &b.handle]).require_success();
    b.until_said("In.");
    b.land();
    assert!(fleet.until_agents(2).contains(&before[0]));
    a.go_on();
    a.until_said("All of a.");
    fleet.divisi(&["stop", "--daemon"]).require_success();
}

#[test]
fn a_host_ends_when_nobody_has_come_for_long_and_nobody_is_about_to() {
    let env = TestEnv::new();
    let folder = env.join("host");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("wanted"), "").unwrap();
    let divisi = divisi_testkit::divisi_program();
    let mut host = env.command(&divisi);
    host.current_dir(&folder).arg("host").arg(env.root()).arg("50").arg(&divisi).arg("rehearsal-agent");
    let ended = host.stdin(std::process::Stdio::null()).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert!(folder.join("over").exists() && !folder.join("wanted").exists());

    std::fs::remove_file(folder.join("host.sock")).unwrap();
    let mut host = env.command(&divisi);
    host.current_dir(&folder).arg("host").arg(env.root()).arg("50").arg("/nobody/has/this");
    assert!(!host.stdin(std::process::Stdio::null()).output().unwrap().status.success());
    let relay = env.divisi().args(["relay".as_ref(), folder.as_os_str()]).run();
    relay.require_code(1);
    assert!(relay.stderr.trim_end().ends_with("No such file or directory (os error 2)"), "{relay}");
}
