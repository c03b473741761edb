//! The release build of `divisi` with a home of its own in the place of the run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use divisi_api::types::{Attention, NewTask, TaskView};
use divisi_api::{Client, Endpoint, Locate};
use uuid::Uuid;

use crate::place::Place;
use crate::{Result, repositories};

/// How long anything may take before the row is given up.
const WAIT_MAX: Duration = Duration::from_secs(180);

/// A home of Divisi.
pub struct Home {
    pub root: PathBuf,
}

/// A running daemon.
pub struct Daemon {
    child: Child,
}

/// The program that is measured: the one beside this one.
pub fn program() -> Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name("divisi");
    match program.is_file() {
        true => Ok(program),
        false => Err("divisi is not built: use cargo xtask bench".into()),
    }
}

impl Home {
    /// A new one at `<place>/<name>` that lets `parallel` attempts work at once and knows the agent `bench`.
    pub fn make(place: &Place, name: &str, parallel: u16) -> Result<Self> {
        let root = place.root.join(name);
        fs::create_dir_all(root.join("config/agents"))?;
        fs::create_dir_all(root.join("person"))?;
        let home = Self { root };
        let started = home.started();
        let notes = started.parent().ok_or("a file has a folder")?;
        fs::create_dir_all(notes)?;
        // The agent's sandbox must let it say when it was started.
        let notes = notes.display();
        let config =
            format!("parallel = {parallel}\npermissions = \"all\"\nsandbox_writable = [\"{notes}\"]\n");
        fs::write(home.root.join("config/config.toml"), config)?;
        let bench = std::env::current_exe()?;
        let (bench, started) = (bench.display(), started.display());
        let agent = format!(
            "title = \"Bench\"\ndrive = \"acp\"\ncommand = [\"{bench}\", \"agent\"]\n\
             [environment]\nBENCH_STARTED = \"{started}\"\n[modes.ask]\nid = \"ask\"\n[modes.auto]\nid = \"auto\"\n"
        );
        fs::write(home.root.join("config/agents/bench.toml"), agent)?;
        Ok(home)
    }

    /// Where the agent `bench` notes when it was started.
    pub fn started(&self) -> PathBuf {
        self.root.join("notes/started")
    }

    /// `divisi` with this home, in a folder.
    pub fn command(&self, folder: &Path) -> Result<Command> {
        let mut command = Command::new(program()?);
        command.current_dir(folder).env_clear().envs(repositories::environment());
        command
            .env("HOME", self.root.join("person"))
            .env("DIVISI_HOME", &self.root)
            .env("DIVISI_ANYWHERE", "1");
        Ok(command)
    }

    /// Starts the daemon and waits until it answers.
    pub async fn serve(&self) -> Result<(Daemon, Client)> {
        let daemon = self.start()?;
        let client = self.client().await?;
        Ok((daemon, client))
    }

    /// Starts the daemon.
    pub fn start(&self) -> Result<Daemon> {
        let _ = fs::remove_file(self.record());
        let log = fs::File::options().create(true).append(true).open(self.root.join("serve.log"))?;
        let mut command = self.command(&self.root)?;
        command.arg("serve").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Ok(Daemon { child: command.spawn()? })
    }

    /// A client of the running daemon, once it answers.
    pub async fn client(&self) -> Result<Client> {
        let started = Instant::now();
        loop {
            if let Some(endpoint) = Located(self.record()).locate() {
                let client = Client::new(endpoint)?.with_locate(Arc::new(Located(self.record())));
                if client.alive().await.is_ok() {
                    return Ok(client);
                }
            }
            if started.elapsed() > WAIT_MAX {
                return Err("the daemon does not answer".into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn record(&self) -> PathBuf {
        self.root.join("state/daemon.json")
    }
}

impl Daemon {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power switch would.
    pub fn kill(mut self) -> Result {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It was killed already, or ends now; either way nothing is left of it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the daemon says that it is.
struct Located(PathBuf);

impl Locate for Located {
    fn locate(&self) -> Option<Endpoint> {
        let record: serde_json::Value = serde_json::from_slice(&fs::read(&self.0).ok()?).ok()?;
        let text = |name: &str| record[name].as_str().map(str::to_owned);
        Some(Endpoint { address: text("address")?, token: text("token")? })
    }
}

/// Gives a task to an agent.
pub async fn give(client: &Client, repository: &Path, agent: &str, prompt: &str) -> Result<TaskView> {
    let new = NewTask {
        root: repository.display().to_string(),
        prompt: prompt.to_owned(),
        agents: vec![agent.to_owned()],
        ..NewTask::default()
    };
    Ok(client.add_task(&new, &Uuid::now_v7().to_string()).await?)
}

/// Waits until this many sessions live. A task that needs a person meanwhile is an error, with its reason.
pub async fn until_live(client: &Client, count: usize) -> Result {
    let started = Instant::now();
    loop {
        if client.health().await?.live_sessions >= count {
            return Ok(());
        }
        let tasks = client.tasks().await?;
        if let Some(stuck) = tasks.iter().find(|task| task.status.attention == Attention::NeedsYou) {
            return Err(format!("{} needs a person: {:?}", stuck.handle, stuck.status).into());
        }
        if started.elapsed() > WAIT_MAX {
            return Err(format!("{count} sessions did not open within {} s", WAIT_MAX.as_secs()).into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
