//! One person, three real agents, and a model that follows a script, all in the surroundings of one test.

use std::fmt::Write as _;
use std::path::PathBuf;

use divisi_api::types::{EventView, ItemView, TaskView, TranscriptEntryView};
use divisi_api::{Client, Endpoint};
use divisi_model::transcript::{Entry, EntryBody, ToolCall};
use divisi_rehearsal::server::{Evidence, Handle, Outcome, ServerOptions};
use divisi_testkit::{Bug, Finished, LargeRepo, TestEnv, fixture_repo_large, wait_for};
use serde_json::Value;
use tokio::runtime::Runtime;

/// What Divisi calls the agents, how the tests' installer calls them, and a word of their command line.
pub const AGENTS: [(&str, &str, &str); 3] = [
    ("goose", "goose", "goose acp"),
    ("codex", "codex-acp", "codex-acp"),
    ("opencode", "opencode", "opencode acp"),
];

/// The discard port, at which nobody listens.
const NOWHERE: &str = "http://127.0.0.1:9/";

/// Everything of one test.
pub struct Fleet<'env> {
    pub env: &'env TestEnv,
    pub depot: LargeRepo<'env>,
    pub model: Handle,
    runtime: Runtime,
}

impl<'env> Fleet<'env> {
    /// The agents are on the path, and each is told by a file of the user where its model is.
    pub fn new(env: &'env TestEnv) -> Self {
        env.with_agents(&AGENTS.map(|(_, installed, _)| installed));
        // Agents look for news of themselves and for plugins; here they find nobody, at once.
        for variable in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
            env.set(variable, NOWHERE);
        }
        env.set("NO_PROXY", "127.0.0.1");
        env.set("no_proxy", "127.0.0.1");
        let depot = fixture_repo_large(env);
        assert!(depot.repo.files_at("main").len() >= 200, "the repository is a real one");
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let record = Some(env.join("model"));
        let options = ServerOptions { record, ..ServerOptions::default() };
        let model = runtime.block_on(divisi_rehearsal::model_server(options)).unwrap();
        let folder = env.home().join(".config/divisi/agents");
        std::fs::create_dir_all(&folder).unwrap();
        for (name, ..) in AGENTS {
            let text = format!(
                "base_url = \"{}\"\n[environment]\nnpm_config_registry = \"{NOWHERE}\"\n",
                model.run_url(name)
            );
            std::fs::write(folder.join(format!("{name}.toml")), text).unwrap();
        }
        Self { env, depot, model, runtime }
    }

    /// `divisi` in the repository.
    pub fn divisi(&self, arguments: &[&str]) -> Finished {
        self.env.divisi().in_folder(self.depot.repo.path()).args(arguments).run()
    }

    /// Gives out a task to an agent: mend this fault, as the script says.
    pub fn give(&self, agent: &str, permissions: &str, bug: &Bug, script: &str) -> String {
        let prompt = format!("{}\n\n```rehearsal\n{script}\n```\n", bug.prompt);
        let arguments =
            ["run", "-q", "--agent", agent, "--permissions", permissions, "--check", bug.test_command, "-"];
        let run = self.env.divisi().in_folder(self.depot.repo.path()).args(arguments).input(prompt).run();
        run.require_success().stdout.trim().to_owned()
    }

    pub fn task(&self, handle: &str) -> TaskView {
        let shown = self.divisi(&["show", handle, "--json"]);
        serde_json::from_str(&shown.require_success().stdout).unwrap()
    }

    /// Waits until the task's only attempt is in this state and has had this many turns.
    #[track_caller]
    pub fn until(&self, handle: &str, state: &str, turns: usize) -> TaskView {
        wait_for(&format!("{handle} is {state} after turn {turns}"), || {
            let task = self.task(handle);
            let attempt = &task.attempts[0];
            if attempt.status.state == state && attempt.turns.len() == turns {
                return Ok(task);
            }
            Err(format!(
                "{} ({}) in turn {}",
                attempt.status.state,
                attempt.status.reason,
                attempt.turns.len()
            ))
        })
    }

    /// Waits until the model is in the middle of this answer to an agent, counted from 0 since its last prompt.
    #[track_caller]
    pub fn until_answering(&self, agent: &str, step: usize) {
        self.until_model(agent, step, Outcome::Running);
    }

    /// Waits until the agent has all of this answer.
    #[track_caller]
    pub fn until_answered(&self, agent: &str, step: usize) {
        self.until_model(agent, step, Outcome::Answered);
    }

    #[track_caller]
    fn until_model(&self, agent: &str, step: usize, outcome: Outcome) {
        wait_for(&format!("the model's answer {step} to {agent} is {outcome:?}"), || {
            let asked = self.asked(agent);
            let fits = |one: &Evidence| one.step == step && one.status == 200 && one.outcome == outcome;
            if asked.iter().any(fits) { Ok(()) } else { Err(format!("{asked:#?}")) }
        });
    }

    /// What the model was asked in an agent's conversation, oldest first; titles and the like left out.
    pub fn asked(&self, agent: &str) -> Vec<Evidence> {
        self.model.evidence().into_iter().filter(|one| one.run == agent && one.class == "main").collect()
    }

    /// The open inbox items of a task.
    pub fn inbox(&self, handle: &str) -> Vec<ItemView> {
        let inbox = self.divisi(&["inbox", "--json"]).require_success().json();
        let items: Vec<ItemView> = serde_json::from_value(inbox["items"].clone()).unwrap();
        items.into_iter().filter(|item| item.task == handle).collect()
    }

    /// The transcript in order.
    pub fn entries(&self, handle: &str) -> Vec<Entry> {
        let log = self.divisi(&["log", handle, "--json"]);
        let lines = log.require_success().stdout.lines();
        let entries: Vec<TranscriptEntryView> =
            lines.map(|line| serde_json::from_str(line).unwrap()).collect();
        let numbers: Vec<_> = entries.iter().map(|entry| (entry.session, entry.entry.seq)).collect();
        assert!(numbers.is_sorted() && numbers.windows(2).all(|two| two[0] != two[1]), "{numbers:?}");
        entries.into_iter().map(|entry| entry.entry).collect()
    }

    /// All that the agent said in a turn.
    pub fn said(&self, handle: &str, turn: u32) -> String {
        let said = self.entries(handle).into_iter().filter(|entry| entry.turn == turn);
        let words = said.filter_map(|entry| match entry.body {
            EntryBody::Message { text } => Some(text.text),
            _ => None,
        });
        words.collect::<Vec<_>>().join("\n")
    }

    /// The tools that the agent used.
    pub fn tools(&self, handle: &str) -> Vec<ToolCall> {
        let calls = self.entries(handle).into_iter().filter_map(|entry| match entry.body {
            EntryBody::ToolCall(call) => Some(*call),
            _ => None,
        });
        calls.collect()
    }

    /// All events of a task, as the log has them.
    pub fn events(&self, handle: &str) -> Vec<EventView> {
        let client = Client::new(self.endpoint()).unwrap();
        self.runtime.block_on(async {
            let last = client.health().await.unwrap().last_seq;
            let mut feed = client.follow_events(0);
            let mut events = Vec::new();
            while feed.last() < last {
                let event = feed.next().await.unwrap();
                if event.task.as_deref() == Some(handle) {
                    events.push(event);
                }
            }
            events
        })
    }

    /// `kill -9` of the daemon, as its record names it. Nothing notices until the next command.
    pub fn kill_daemon(&self) {
        let pid = self.record()["pid"].as_u64().unwrap().to_string();
        self.env.program("kill").args(["-9", &pid]).run().require_success();
        wait_for("the daemon is gone", || {
            let living = self.env.processes();
            let serving = living.iter().find(|process| process.pid.to_string() == pid);
            serving.map_or(Ok(()), |process| Err(process.command_line.clone()))
        });
    }

    /// The processes of an agent.
    pub fn processes(&self, agent: &str) -> Vec<i32> {
        let (.., words) = AGENTS.into_iter().find(|(name, ..)| *name == agent).unwrap();
        let is_agent =
            |line: &str| line.contains(words) && !line.contains(" shim ") && !line.contains(" init ");
        let living = self.env.processes().into_iter().filter(|process| is_agent(&process.command_line));
        living.map(|process| process.pid).collect()
    }

    fn endpoint(&self) -> Endpoint {
        let record = self.record();
        let text = |name: &str| record[name].as_str().unwrap().to_owned();
        Endpoint { address: text("address"), token: text("token") }
    }

    fn record(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.state("daemon.json")).unwrap()).unwrap()
    }

    fn state(&self, name: &str) -> PathBuf {
        self.env.home().join(".local/state/divisi").join(name)
    }

    /// All that helps to understand a failure. It never panics: a test that fails is about to end.
    fn report(&self) -> String {
        let mut report = String::new();
        let divisi = divisi_testkit::divisi_program();
        for arguments in [
            &["ls", "--all"][..],
            &["inbox"],
            &["show", "t1"],
            &["show", "t2"],
            &["show", "t3"],
            &["log", "t1"],
            &["log", "t2"],
            &["log", "t3"],
        ] {
            let mut command = self.env.command("timeout");
            command.arg("10").arg(&divisi).args(arguments).current_dir(self.depot.repo.path());
            let Ok(output) = command.output() else { continue };
            let _ = writeln!(report, "\n$ divisi {}", arguments.join(" "));
            report += &String::from_utf8_lossy(&output.stdout);
            report += &String::from_utf8_lossy(&output.stderr);
        }
        let _ = writeln!(report, "\n--- what the model was asked");
        for one in self.model.evidence() {
            let Evidence { seq, run, class, prompts, step, action, status, outcome, .. } = one;
            let _ = writeln!(
                report,
                "{seq} {run} {class} prompt {prompts} step {step} {status} {outcome:?}: {action}"
            );
        }
        let _ = writeln!(report, "\n--- living\n{:#?}", self.env.processes());
        let log = std::fs::read_to_string(self.state("daemon.log")).unwrap_or_default();
        let _ = writeln!(report, "\n--- the daemon's log\n{log}");
        report
    }
}

impl Drop for Fleet<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.report());
        }
    }
}
