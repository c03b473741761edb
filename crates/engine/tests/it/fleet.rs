//! An engine with a project of its own, in a folder of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use divisi_agent::{Definition, Facts, Layer, Registry};
use divisi_engine::worker::name;
use divisi_engine::{
    AgentInfo, AgentSource, AskedReview, Engine, Handle, Identity, NewTask, Options, Person, SandboxOptions,
    SettingsSource, WorkspaceMode,
};
use divisi_model::task::{Gate, Permissions, TaskSettings};
use divisi_model::transcript::EntryBody;
use divisi_model::{Actor, AttemptId, AttemptState, Command, Refusal, TaskState};
use divisi_testkit::{Repo, TestEnv};
use divisi_workspace::launch::ShimCommand;
use divisi_workspace::{ArchiveLimits, ArchiveRequest, Git, Hub, Kind, Project, Signature, Workspaces};

/// How long a test waits for a condition before it fails with the state as it is.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Fleet<'a> {
    pub engine: Handle,
    pub repo: Repo<'a>,
    options: Options,
}

struct Settings(TaskSettings);

impl SettingsSource for Settings {
    fn settings(&self, _root: &Path) -> Result<TaskSettings, Refusal> {
        Ok(self.0.clone())
    }
}

struct Agents {
    registry: Registry,
    programs: PathBuf,
}

impl AgentSource for Agents {
    fn agents(&self, _root: Option<&Path>) -> Result<Vec<AgentInfo>, Refusal> {
        let info = |definition: &Definition| AgentInfo {
            name: definition.name.clone(),
            title: definition.title.clone(),
            driven: "acp".to_owned(),
            version: None,
            readiness: definition.readiness(&self.facts(definition)),
            hint: String::new(),
        };
        Ok(self
            .registry
            .all()
            .iter()
            .filter(|definition| ["rehearsal", "tool"].contains(&definition.name.as_str()))
            .map(info)
            .collect())
    }

    fn definition(&self, name: &str, _root: Option<&Path>) -> Result<Definition, Refusal> {
        self.registry.require(name).cloned().map_err(|error| Refusal::not_found(error.to_string(), ""))
    }

    fn facts(&self, definition: &Definition) -> Facts {
        Facts {
            program: Some(if definition.name == "tool" { "/bin/sh".into() } else { self.programs.clone() }),
            version: None,
            files: BTreeSet::new(),
            variables: BTreeSet::new(),
        }
    }
}

/// The shipped agents and one that is a plain command.
fn registry() -> Registry {
    let tool = r#"
        title = "A tool"
        drive = "exec"
        command = ["sh", "-c", "echo four >> list.txt; echo \"I add four, as told: $(printf %s \"$1\" | head -n 1)\"", "tool"]
        verified = true
    "#;
    Registry::with_layers(&[Layer::read("the test", "tool", tool).unwrap()]).unwrap()
}

/// The program beside this test: `examples/programs`.
pub fn programs() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.join("examples/programs")
}

pub fn gate(name: &str, command: &str) -> Gate {
    Gate { name: name.into(), command: command.into(), required: true, timeout_seconds: 60 }
}

pub fn person() -> Actor {
    Actor::person("Ada")
}

impl<'a> Fleet<'a> {
    pub async fn new(env: &'a TestEnv, settings: TaskSettings) -> Self {
        // What the stages say belongs to a failure's report.
        drop(
            tracing_subscriber::fmt()
                .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
                .with_test_writer()
                .try_init(),
        );
        let repo = env.repo("project");
        repo.file("README.md", "# Project\n").file("list.txt", "one\ntwo\nthree\n").commit("first");
        let variables: BTreeMap<String, String> = env
            .variables()
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let options = Options {
            data: env.join("data"),
            shim: ShimCommand::new(programs(), ["shim"]).with_fork_server(),
            agents: Arc::new(Agents { registry: registry(), programs: programs() }),
            settings: Arc::new(Settings(settings)),
            parallel: 4,
            checks_parallel: 2,
            person: Person {
                identity: Identity { name: "Ada".into(), email: "ada@example.invalid".into() },
                home: env.home(),
                variables,
                divisi: programs(),
            },
            sandbox: SandboxOptions::default(),
            share_agents: false,
            anywhere: true,
        };
        let engine = Engine::start(options.clone()).await.unwrap();
        Self { engine, repo, options }
    }

    /// Ends the engine and starts it again, as a new daemon would.
    pub async fn restart(self) -> Self {
        self.restart_after(|_| ()).await
    }

    /// The same, with something done in between that the engine knows nothing of.
    pub async fn restart_after(self, done: impl FnOnce(&Self)) -> Self {
        self.engine.shutdown().await;
        done(&self);
        let Self { engine, repo, options } = self;
        drop(engine);
        let engine = Engine::start(options.clone()).await.unwrap();
        Self { engine, repo, options }
    }

    /// Puts the workspace of a task's first attempt away, as the archive stage does.
    pub fn archive(&self, task: &TaskState) {
        let (hub, spaces) = self.places(task);
        let by = Signature::new(divisi_workspace::Identity::new("Ada", "ada@example.invalid"), 0);
        let request = ArchiveRequest { by, limits: ArchiveLimits::default(), allow_loss: false };
        let space = spaces.get(&name(task, 1)).unwrap();
        spaces.archive(&hub, &space, &request).unwrap();
    }

    /// Brings it back, as the archive stage does.
    pub fn restore(&self, task: &TaskState) {
        let (hub, spaces) = self.places(task);
        spaces.restore(&hub, &name(task, 1), Kind::Plain).unwrap();
    }

    /// Lets the journal of a task's agent take no more than so many bytes from here on.
    pub async fn cap_journal(&self, task: &TaskState, bytes: u64) {
        let session = task.attempts[0].open_session().unwrap();
        let dir = self.options.data.join(&session.launch);
        let launch = divisi_workspace::launch::Launch::attach(&dir, &self.options.shim).await.unwrap();
        launch.set_journal_cap(bytes).await.unwrap();
    }

    fn places(&self, task: &TaskState) -> (Hub, Workspaces) {
        let path = self.options.person.variables.get("PATH").unwrap();
        let git = Git::find(path.as_ref()).unwrap();
        let project = Project::open(&git, self.repo.path()).unwrap();
        let hub = self.options.data.join(format!("projects/{}/hub.git", task.spec.project));
        let hub = Hub::open(&git, &hub).unwrap();
        (hub, Workspaces::open_anywhere(&self.options.data.join("workspaces"), &project).unwrap())
    }

    /// Makes workspaces as checkouts from here on.
    pub async fn with_checkouts(mut self) -> Self {
        self.options.sandbox.workspaces = WorkspaceMode::Checkout;
        self.restart().await
    }

    /// Runs a command in a workspace as a person would with `divisi open`.
    pub fn inside(&self, task: &TaskState, script: &str) {
        let path = PathBuf::from(&task.attempts[0].workspace.as_ref().unwrap().path);
        let git = Git::find(OsStr::new("/usr/local/bin:/usr/bin:/bin")).unwrap();
        let space = Workspaces::of_folder(&git, path.parent().unwrap(), &path).unwrap().unwrap();
        let ended = space.run_inside(OsStr::new("sh"), &["-c".into(), script.into()]).unwrap();
        assert!(ended.success(), "{script}");
    }

    /// Gives out a task whose agent plays a script.
    pub async fn task(&self, prompt: &str, script: &str, checks: &[&str]) -> Arc<TaskState> {
        self.task_with(prompt, script, checks, None).await
    }

    /// The same with other permissions than the project's.
    pub async fn task_with(
        &self,
        prompt: &str,
        script: &str,
        checks: &[&str],
        permissions: Option<Permissions>,
    ) -> Arc<TaskState> {
        let new = NewTask {
            root: self.repo.path().to_owned(),
            prompt: format!("{prompt}\n\n```rehearsal\n{script}\n```\n"),
            checks: checks.iter().map(|c| (*c).to_owned()).collect(),
            agents: vec!["rehearsal".into()],
            permissions,
            ..NewTask::default()
        };
        self.engine.add_task(person(), new).await.unwrap()
    }

    pub async fn ask(&self, task: &TaskState, command: Command) -> Arc<TaskState> {
        self.engine.submit(person(), task.id, command).await.unwrap()
    }

    /// Sends the first attempt back with every comment that waits and these, on the result as it is.
    pub async fn request_changes(&self, task: &TaskState, comments: &[&str]) -> Arc<TaskState> {
        let id = AttemptId { task: task.id, number: 1 };
        let commit = task.attempts[0].result.as_ref().map(|result| result.commit.clone());
        let comments = comments.iter().map(|comment| comment.parse().unwrap()).collect();
        let verdict = divisi_model::review::Verdict::ChangesRequested;
        let asked = AskedReview { commit, verdict, comments, note: String::new() };
        self.engine.review(person(), id, asked).await.unwrap()
    }

    /// What the agent said, whole messages in order.
    pub async fn said(&self, task: &TaskState) -> Vec<String> {
        let id = AttemptId { task: task.id, number: 1 };
        let entries = self.engine.transcript(id, 0, 10_000).await.unwrap();
        let said = entries.into_iter().filter_map(|stored| match stored.entry.body {
            EntryBody::Message { text } => Some(text.to_string().trim_end().to_owned()),
            _ => None,
        });
        said.collect()
    }

    /// Waits until the agent has said this.
    pub async fn until_said(&self, task: &TaskState, words: &str) {
        let mut feed = self.engine.follow_transcript(AttemptId { task: task.id, number: 1 }, 0);
        let heard = async {
            loop {
                let stored = feed.next().await.unwrap();
                if matches!(&stored.entry.body, EntryBody::Message { text } if text.to_string().contains(words))
                {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, heard).await.expect("the agent did not say it");
    }

    /// Gives out a task to another agent.
    pub async fn task_by(&self, agent: &str, prompt: &str, checks: &[&str]) -> Arc<TaskState> {
        let new = NewTask {
            root: self.repo.path().to_owned(),
            prompt: prompt.to_owned(),
            checks: checks.iter().map(|c| (*c).to_owned()).collect(),
            agents: vec![agent.into()],
            ..NewTask::default()
        };
        self.engine.add_task(person(), new).await.unwrap()
    }

    /// Waits until the first attempt of a task is as wanted.
    pub async fn until(
        &self,
        task: &TaskState,
        what: &str,
        wanted: impl Fn(&TaskState, &AttemptState) -> bool,
    ) -> Arc<TaskState> {
        let mut feed = self.engine.feed(0);
        let look = async {
            loop {
                let now = self.engine.task(task.spec.number).unwrap();
                if wanted(&now, &now.attempts[0]) {
                    return now;
                }
                feed.next().await.unwrap();
            }
        };
        match tokio::time::timeout(PATIENCE, look).await {
            Ok(now) => now,
            Err(_) => panic!("not {what}: {:#?}", self.engine.task(task.spec.number).unwrap().attempts[0]),
        }
    }

    /// Waits until a task's status is this one.
    pub async fn until_status(&self, task: &TaskState, status: &str) -> Arc<TaskState> {
        let is = |task: &TaskState, attempt: &AttemptState| {
            divisi_model::view::status(task, attempt).state == status
        };
        self.until(task, status, is).await
    }
}
