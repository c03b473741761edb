//! A server with an engine of its own. Its agent is one that never starts, so that tasks stay where they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use divisi_agent::{Definition, Facts, Readiness, Registry};
use divisi_api::types::{NewTask, SettingsCheckView, SettingsProblemView};
use divisi_api::{
    Access, Client, Dashboard, Endpoint, Keep, Locate, Server, ServerOptions, SettingsError, SettingsFile,
    SettingsFiles, SettingsLimits,
};
use divisi_engine::{
    AgentInfo, AgentSource, Engine, Handle, Identity, Options, Person, SandboxOptions, SettingsSource,
};
use divisi_model::Refusal;
use divisi_model::task::TaskSettings;
use divisi_testkit::{Repo, TestEnv};
use divisi_workspace::launch::ShimCommand;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const TOKEN: &str = "a-token-of-a-test";

/// A running server.
pub struct Running<'env> {
    pub client: Client,
    pub address: String,
    pub repo: Repo<'env>,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
    engine: Handle,
    options: Options,
}

impl<'env> Running<'env> {
    pub async fn new(env: &'env TestEnv) -> Self {
        let repo = env.repo("project");
        repo.file("README.md", "# Project\n").commit("first");
        let options = options(env);
        Self::start(repo, options, None).await
    }

    /// A server that has a dashboard.
    pub async fn with_dashboard(env: &'env TestEnv, dashboard: Option<Dashboard>) -> Self {
        let repo = env.repo("project");
        repo.file("README.md", "# Project\n").commit("first");
        let options = options(env);
        Self::start(repo, options, dashboard).await
    }

    /// A server where terminals are switched off.
    pub async fn without_terminals(env: &'env TestEnv) -> Self {
        let repo = env.repo("project");
        repo.file("README.md", "# Project\n").commit("first");
        Self::start_with(repo, options(env), None, false).await
    }

    async fn start(repo: Repo<'env>, options: Options, dashboard: Option<Dashboard>) -> Self {
        Self::start_with(repo, options, dashboard, true).await
    }

    async fn start_with(
        repo: Repo<'env>,
        options: Options,
        dashboard: Option<Dashboard>,
        terminal: bool,
    ) -> Self {
        let engine = start_engine(&options).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let origins = ["https://divisi.example.net".parse().unwrap()];
        let devices = Arc::new(Kept(options.data.join("devices.json")));
        let access = Access::open(devices, address, &origins).unwrap();
        let stop = CancellationToken::new();
        let given = ServerOptions {
            token: TOKEN.into(),
            access,
            push: None,
            settings: Arc::new(OneFile(options.data.join("settings.toml"))),
            person: "Ada".into(),
            dashboard,
            terminal,
            stop: stop.clone(),
        };
        let address = address.to_string();
        let serving = tokio::spawn(Server::serve(engine.clone(), listener, given));
        let client = Client::new(Endpoint { address: address.clone(), token: TOKEN.into() }).unwrap();
        Self { client, address, repo, stop, serving, engine, options }
    }

    /// Ends the server and its engine, as a daemon that is stopped.
    pub async fn end(self) -> (Repo<'env>, Options) {
        self.stop.cancel();
        self.serving.await.unwrap().unwrap();
        self.engine.shutdown().await;
        (self.repo, self.options)
    }

    /// Another daemon with the same memory, at another port.
    pub async fn restart(self) -> Running<'env> {
        let (repo, options) = self.end().await;
        Running::start(repo, options, None).await
    }

    /// Waits until the server has ended by itself.
    pub async fn ended(self) {
        self.serving.await.unwrap().unwrap();
        self.engine.shutdown().await;
    }

    pub fn new_task(&self, prompt: &str) -> NewTask {
        NewTask {
            root: self.repo.path().display().to_string(),
            prompt: prompt.to_owned(),
            agents: vec!["rehearsal".into()],
            ..NewTask::default()
        }
    }

    /// The status and body of a request with these headers.
    pub async fn raw(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (u16, reqwest::header::HeaderMap, String) {
        let mut request = reqwest::Client::new().get(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        (status, headers, response.text().await.unwrap())
    }
}

/// A list of devices in a file.
struct Kept(PathBuf);

impl Keep for Kept {
    fn load(&self) -> std::io::Result<Option<Vec<u8>>> {
        if self.0.exists() { std::fs::read(&self.0).map(Some) } else { Ok(None) }
    }

    fn save(&self, bytes: &[u8]) -> std::io::Result<()> {
        std::fs::write(&self.0, bytes)
    }
}

/// One file with settings, in which `wrong` is wrong.
struct OneFile(PathBuf);

impl SettingsFiles for OneFile {
    fn agents(&self) -> Vec<String> {
        vec!["mine".into()]
    }

    fn path(&self, file: &SettingsFile) -> Result<PathBuf, SettingsError> {
        if *file == SettingsFile::User { Ok(self.0.clone()) } else { Ok("/nonexistent".into()) }
    }

    fn read(&self, file: &SettingsFile) -> Result<Option<String>, SettingsError> {
        Ok(std::fs::read_to_string(self.path(file)?).ok())
    }

    fn check(&self, _file: &SettingsFile, text: &str) -> SettingsCheckView {
        let problem = SettingsProblemView { message: "wrong".into(), hint: String::new(), line: Some(1) };
        let problem = text.contains("wrong").then_some(problem);
        SettingsCheckView { problem, warnings: vec![] }
    }

    fn write(
        &self,
        file: &SettingsFile,
        text: &str,
        before: &dyn Fn(Option<&str>) -> bool,
    ) -> Result<(), SettingsError> {
        if text.contains("wrong") {
            return Err(SettingsError::Wrong { message: "line 1: wrong".into(), hint: String::new() });
        }
        if !before(self.read(file)?.as_deref()) {
            return Err(SettingsError::Changed);
        }
        std::fs::write(&self.0, text).map_err(|source| SettingsError::File { path: "x".into(), source })
    }

    fn limits(&self) -> SettingsLimits {
        SettingsLimits { parallel: 4, checks_parallel: 2 }
    }
}

/// Starts an engine. The one before it gives up the log when the last connection of its server is gone, which may be a
/// moment after the server has ended.
async fn start_engine(options: &Options) -> Handle {
    let started = std::time::Instant::now();
    loop {
        match Engine::start(options.clone()).await {
            Ok(engine) => return engine,
            Err(error) if started.elapsed() > divisi_testkit::WAIT_MAX => {
                panic!("the engine did not start: {error:?}")
            }
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
        }
    }
}

/// Finds a daemon that moved.
pub struct Moved(pub std::sync::Mutex<Option<Endpoint>>);

impl Locate for Moved {
    fn locate(&self) -> Option<Endpoint> {
        self.0.lock().unwrap().clone()
    }
}

fn options(env: &TestEnv) -> Options {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    let variables: BTreeMap<String, String> = env.variables().into_iter().filter_map(text).collect();
    let nothing = PathBuf::from("/nonexistent/divisi");
    Options {
        data: env.join("data"),
        shim: ShimCommand::new(nothing.clone(), ["shim"]),
        agents: Arc::new(Agents),
        settings: Arc::new(Settings),
        parallel: 2,
        checks_parallel: 1,
        person: Person {
            identity: Identity { name: "Ada".into(), email: "ada@example.org".into() },
            home: env.home(),
            variables,
            divisi: nothing,
        },
        sandbox: SandboxOptions::default(),
        share_agents: false,
        anywhere: true,
    }
}

struct Settings;

impl SettingsSource for Settings {
    fn settings(&self, _root: &Path) -> Result<TaskSettings, Refusal> {
        Ok(TaskSettings::default())
    }
}

struct Agents;

impl AgentSource for Agents {
    fn agents(&self, _root: Option<&Path>) -> Result<Vec<AgentInfo>, Refusal> {
        let agent = |name: &str, readiness: Readiness| AgentInfo {
            name: name.to_owned(),
            title: name.to_owned(),
            driven: "acp".to_owned(),
            version: None,
            hint: readiness.hint().unwrap_or_default().to_owned(),
            readiness,
        };
        Ok(vec![
            agent("rehearsal", Readiness::Ready { login: "no login needed".into() }),
            agent("absent", Readiness::NotInstalled { hint: "install it".into() }),
        ])
    }

    fn definition(&self, name: &str, _root: Option<&Path>) -> Result<Definition, Refusal> {
        let found = Registry::shipped().require(name).cloned();
        found.map_err(|error| Refusal::not_found(error.to_string(), ""))
    }

    fn facts(&self, _definition: &Definition) -> Facts {
        let (files, variables) = (BTreeSet::new(), BTreeSet::new());
        Facts { program: Some("/nonexistent/divisi".into()), version: None, files, variables }
    }
}
