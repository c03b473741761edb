//! Everything around one agent in one column: its definition, its folders, the model behind it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use divisi_agent::{Definition, ExecTurn, Facts, Identity, LaunchContext, Layer, ModeName, Registry};
use divisi_rehearsal::server::{Evidence, Handle};
use divisi_workspace::launch::{Launch, ShimCommand, Spec};

/// How long killed processes may take to be gone.
const CLEAR_MAX: Duration = Duration::from_secs(20);

/// The row of a plain shell command: an agent that no vendor made. Its work is to write down what it was told.
pub const PLAIN: &str = "command";
const PLAIN_DEFINITION: &str = r#"
title = "A plain command"
drive = "exec"
command = ["sh", "-c", "cat >> told.txt; case $(cat told.txt) in *please-fail*) echo broken >&2; exit 3;; *please-wait*) sleep 600 & sleep 600;; esac; echo noted"]

[exec]
prompt = "stdin"
output = "text"
"#;

/// What the row of an agent is run with.
#[derive(Clone, Debug)]
pub struct Agent {
    /// What `divisi --agent` calls it.
    pub name: String,
    /// Its program.
    pub program: PathBuf,
    /// The program of this crate, which is also the shim and the MCP server.
    pub own_program: PathBuf,
    /// The variables of the person, of which only the few are used that every agent may see.
    pub variables: BTreeMap<String, String>,
    /// Where everything of the row lies.
    pub folder: PathBuf,
}

/// One column of it.
pub struct Desk<'a> {
    pub agent: &'a Agent,
    pub model: &'a Handle,
    pub definition: Definition,
    folder: PathBuf,
    run: String,
    launches: Mutex<Vec<Launch>>,
    folders: AtomicUsize,
}

impl Agent {
    /// Its definition as shipped, with the model at this address.
    pub fn definition(&self, base_url: &str) -> Result<Definition, String> {
        let text = match self.name.as_str() {
            PLAIN => PLAIN_DEFINITION.to_owned(),
            _ => format!("base_url = \"{base_url}\"\n"),
        };
        let layer =
            Layer::read("the conformance matrix", &self.name, &text).map_err(|error| error.to_string())?;
        let registry = Registry::with_layers(&[layer]).map_err(|error| error.to_string())?;
        registry.require(&self.name).cloned().map_err(|error| error.to_string())
    }
}

impl<'a> Desk<'a> {
    /// Makes the folders of a column, empty.
    pub fn new(agent: &'a Agent, model: &'a Handle, column: &str) -> Result<Self, String> {
        let folder = agent.folder.join(column);
        let run = format!("{}-{column}", agent.name);
        let made = match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => std::fs::create_dir_all(folder.join("workspace"))
                .and_then(|()| std::fs::create_dir_all(folder.join("home/tmp")))
                .and_then(|()| std::fs::write(folder.join("workspace/start.txt"), "one\n")),
        };
        made.map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
        git_init(&folder.join("workspace"), &agent.variables)?;
        let definition = agent.definition(&model.run_url(&run))?;
        Ok(Self {
            agent,
            model,
            definition,
            folder,
            run,
            launches: Mutex::default(),
            folders: AtomicUsize::new(0),
        })
    }

    pub fn workspace(&self) -> PathBuf {
        self.folder.join("workspace")
    }

    /// A file in the workspace; none if it is not there.
    pub fn read(&self, file: &str) -> Option<String> {
        std::fs::read_to_string(self.workspace().join(file)).ok()
    }

    /// What the model was asked, oldest first.
    pub fn asked(&self) -> Vec<Evidence> {
        self.model.evidence().into_iter().filter(|one| one.run == self.run).collect()
    }

    /// The requests of the conversation itself, without titles, judges and the like.
    pub fn asked_main(&self) -> Vec<Evidence> {
        self.asked().into_iter().filter(|one| one.class == "main").collect()
    }

    /// The command that becomes the shim of a launch.
    pub fn shim(&self) -> ShimCommand {
        ShimCommand::new(&self.agent.own_program, ["shim"])
    }

    /// The log of the MCP server.
    pub fn board(&self) -> PathBuf {
        self.folder.join("board.log")
    }

    /// A folder for the next launch.
    pub fn launch_folder(&self) -> PathBuf {
        let number = self.folders.fetch_add(1, Ordering::Relaxed) + 1;
        self.folder.join(format!("launch-{number}"))
    }

    /// Notes a launch, so that it is ended with the column.
    pub fn started(&self, launch: &Launch) {
        self.launches.lock().unwrap_or_else(PoisonError::into_inner).push(launch.clone());
    }

    /// Ends whatever still runs, also where a question ended early.
    pub async fn clear(&self) {
        let launches = std::mem::take(&mut *self.launches.lock().unwrap_or_else(PoisonError::into_inner));
        for launch in launches {
            // One that has ended needs no end.
            if launch.kill().await.is_ok() {
                drop(tokio::time::timeout(CLEAR_MAX, launch.wait()).await);
            }
        }
    }

    /// Plans a launch as the engine does, and furnishes the private home.
    pub fn plan(
        &self,
        mode: ModeName,
        turn: Option<ExecTurn>,
        launch: &Path,
    ) -> Result<(divisi_agent::AgentLaunch, Spec), String> {
        let facts = Facts { program: Some(self.agent.program.clone()), ..Facts::default() };
        let context = LaunchContext {
            home: self.folder.join("home"),
            workspace: self.workspace(),
            temp: self.folder.join("home/tmp"),
            divisi: self.agent.own_program.clone(),
            user_home: self.folder.join("nobody"),
            variables: self.agent.variables.clone(),
            extra: BTreeMap::new(),
            identity: Identity::default(),
            mode,
            turn,
        };
        let plan = self.definition.launch(&facts, &context).map_err(|error| error.to_string())?;
        std::fs::create_dir_all(launch).map_err(|error| error.to_string())?;
        let spec = divisi_engine::furnish(&plan, &self.workspace(), launch)
            .map_err(|error| format!("the private home cannot be made: {error}"))?;
        Ok((plan, spec))
    }

    /// Processes that carry this column's folder in their environment or work in it: everything that the agent
    /// started and that still lives. The shim is not of them.
    pub fn processes(&self) -> Vec<String> {
        let mark = self.folder.to_string_lossy().into_owned();
        let Ok(all) = std::fs::read_dir("/proc") else { return Vec::new() };
        let pids = all.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        pids.filter_map(|pid| {
            let read = |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
            let line = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ").trim().to_owned();
            let cwd = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
            let marked =
                String::from_utf8_lossy(&read("environ")).contains(&mark) || cwd.starts_with(&self.folder);
            let own = line.contains(" shim") && line.contains("divisi-conformance");
            (marked && !own && !line.is_empty()).then(|| format!("{pid} {line}"))
        })
        .collect()
    }
}

/// Every workspace is a repository, because many agents look for one.
fn git_init(workspace: &Path, variables: &BTreeMap<String, String>) -> Result<(), String> {
    let run = |arguments: &[&str]| {
        let mut git = std::process::Command::new("git");
        git.arg("-C").arg(workspace).args(arguments).env_clear().envs(variables);
        for (name, value) in [
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "Divisi"),
            ("GIT_AUTHOR_EMAIL", "divisi@divisi.invalid"),
            ("GIT_COMMITTER_NAME", "Divisi"),
            ("GIT_COMMITTER_EMAIL", "divisi@divisi.invalid"),
        ] {
            git.env(name, value);
        }
        match git.output() {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(format!("git does not start: {error}")),
        }
    };
    run(&["init", "-q", "-b", "main"])?;
    run(&["add", "-A"])?;
    run(&["commit", "-q", "-m", "start"])
}
