//! The agent command lines that the tests drive: read from `xtask/agents.toml`, installed into `target/agents`.
//!
//! An installation appears whole or not at all: npm fills a temporary folder, the program is tried there, and only
//! then is the folder renamed. No install script of a package is run, and nothing is installed globally.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::{JobResult, dirs, run};

const MANIFEST: &str = include_str!("../agents.toml");

/// What the tests read to find the agents (`testkit/src/agents.rs`).
const LIST: &str = "installed.json";

/// The mark of a whole Python installation.
const PYTHON_WHOLE: &str = ".whole";

/// The prefix of folders that an interrupted installation leaves behind.
const UNFINISHED: &str = ".unfinished-";

#[derive(Deserialize)]
struct Manifest {
    agent: Vec<Agent>,
}

/// One agent of the manifest; the fields are explained there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Agent {
    name: String,
    agent: Option<String>,
    version: String,
    #[serde(default)]
    packages: Vec<String>,
    #[serde(default)]
    python: Vec<String>,
    program: String,
    #[serde(default)]
    path: Option<String>,
    probe: Vec<String>,
    #[serde(default)]
    quick: bool,
}

/// One agent in [`LIST`], or one that could not be installed.
#[derive(Serialize)]
pub struct Installed {
    /// The name of its folder.
    name: String,
    /// What `divisi --agent` calls it.
    pub agent: String,
    /// As pinned.
    pub version: String,
    /// The program to start.
    pub program: PathBuf,
    /// A folder that has to be first in `PATH`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Why it is not there after all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// Where the agents are, as the tests are told by `DIVISI_TEST_AGENTS`.
pub fn folder() -> JobResult<PathBuf> {
    Ok(dirs::target()?.join("agents"))
}

/// The job `install-agents`.
pub fn install_all() -> JobResult {
    for line in require_quick()? {
        println!("{line}");
    }
    Ok(())
}

/// Installs those agents that the ordinary tests drive; one line about each. All are tried even if one fails.
pub fn require_quick() -> JobResult<Vec<String>> {
    let installed = install(|agent| agent.quick)?;
    let failures: Vec<_> = installed
        .iter()
        .filter_map(|one| one.failure.as_ref().map(|why| format!("{}: {why}", one.name)))
        .collect();
    if !failures.is_empty() {
        return Err(failures.join("\n").into());
    }
    let line = |one: &Installed| format!("{} {} in {}", one.name, one.version, one.program.display());
    Ok(installed.iter().map(line).collect())
}

/// Installs the named agents, or all of them; those that cannot be installed say why.
pub fn install_named(names: &[String]) -> JobResult<Vec<Installed>> {
    let known: Vec<String> = manifest()?.agent.iter().map(|agent| agent.called().to_owned()).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        return Err(format!("xtask/agents.toml has no agent `{unknown}`; it has {}", known.join(", ")).into());
    }
    install(|agent| names.is_empty() || names.iter().any(|name| name == agent.called()))
}

/// Installs what is wanted and missing, and lists everything that is installed for the tests.
fn install(wanted: impl Fn(&Agent) -> bool) -> JobResult<Vec<Installed>> {
    let folder = folder()?;
    fs::create_dir_all(&folder)?;
    // Two runs at once would disturb each other's left-overs; the lock goes when the file is closed.
    let lock = File::create(folder.join(".lock"))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    remove_unfinished(&folder)?;

    let (mut list, mut asked) = (Vec::new(), Vec::new());
    for agent in manifest()?.agent {
        let result = if wanted(&agent) { Some(agent.require(&folder)) } else { None };
        let home = agent.home(&folder);
        let program = home.join(for_this_machine(&agent.program)?);
        let path = agent.path.as_deref().map(for_this_machine).transpose()?.map(|path| home.join(path));
        let one = |failure| Installed {
            name: agent.name.clone(),
            agent: agent.called().to_owned(),
            version: agent.version.clone(),
            program: program.clone(),
            path: path.clone(),
            failure,
        };
        if agent.is_there(&home)? {
            list.push(one(None));
        }
        if let Some(result) = result {
            asked.push(one(result.err().map(|error| error.to_string())));
        }
    }
    // Written by rename, because tests may be reading it.
    let unfinished = folder.join(format!("{UNFINISHED}{LIST}"));
    fs::write(&unfinished, serde_json::to_vec_pretty(&list)?)?;
    fs::rename(unfinished, folder.join(LIST))?;
    Ok(asked)
}

impl Agent {
    fn called(&self) -> &str {
        self.agent.as_deref().unwrap_or(&self.name)
    }

    fn home(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}-{}", self.name, self.version))
    }

    fn is_there(&self, home: &Path) -> JobResult<bool> {
        let whole = self.python.is_empty() || home.join(PYTHON_WHOLE).exists();
        Ok(whole && home.join(for_this_machine(&self.program)?).exists())
    }

    fn require(&self, folder: &Path) -> JobResult {
        let home = self.home(folder);
        if self.is_there(&home)? {
            return Ok(());
        }
        if home.exists() {
            // The folder is there but its program is not: damaged, and replaced as a whole.
            fs::remove_dir_all(&home)?;
        }
        if !self.python.is_empty() {
            // A virtual environment knows its own path, so it cannot be renamed; the mark says that it is whole.
            self.pip(&home)?;
            self.probe(&home)?;
            return Ok(fs::write(home.join(PYTHON_WHOLE), "")?);
        }
        let unfinished = folder.join(format!("{UNFINISHED}{}", self.name));
        fs::create_dir(&unfinished)?;
        run::require(&mut self.npm(&unfinished)?, "npm could not install it; the lines above say why")?;
        self.probe(&unfinished)?;
        Ok(fs::rename(&unfinished, &home)?)
    }

    /// The packages and their versions on this machine, as a manifest of npm has them.
    fn wanted(&self) -> JobResult<serde_json::Value> {
        let mut wanted = serde_json::Map::new();
        for package in &self.packages {
            let package = for_this_machine(package)?;
            let (name, version) = package.rsplit_once('@').ok_or("a package has no version")?;
            wanted.insert(name.to_owned(), version.into());
        }
        Ok(wanted.into())
    }

    fn npm(&self, prefix: &Path) -> JobResult<Command> {
        let mut npm = Command::new("npm");
        let wanted = self.wanted()?;
        let mut manifest = serde_json::json!({ "private": true });
        match lock_of(&self.name)?.filter(|(_, pinned)| *pinned == wanted) {
            Some((lock, _)) => {
                fs::write(prefix.join("package-lock.json"), lock)?;
                manifest["dependencies"] = wanted;
                npm.arg("ci");
            }
            None => {
                npm.args(["install", "--save-exact", "--omit-lockfile-registry-resolved"]);
                for package in &self.packages {
                    npm.arg(for_this_machine(package)?);
                }
            }
        }
        fs::write(prefix.join("package.json"), manifest.to_string())?;
        npm.arg("--prefix").arg(prefix).args([
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--loglevel=error",
        ]);
        Ok(npm)
    }

    fn pip(&self, home: &Path) -> JobResult {
        run::require(
            Command::new("python3").args(["-m", "venv"]).arg(home),
            "python could not make a virtual environment; the lines above say why",
        )?;
        let mut pip = Command::new(home.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-input"]).args(&self.python);
        let lock = dirs::repository().join(format!("xtask/locks/{}.txt", self.name));
        if lock.exists() {
            pip.arg("--constraint").arg(lock);
        }
        run::require(&mut pip, "pip could not install it; the lines above say why").map(drop)
    }

    /// Starts the program once in an empty home, because a package for another machine installs without a word.
    fn probe(&self, installed: &Path) -> JobResult {
        let program = installed.join(for_this_machine(&self.program)?);
        let home = installed.join(".probe-home");
        fs::create_dir_all(&home)?;
        let own = self.path.as_deref().map(for_this_machine).transpose()?.map(|path| installed.join(path));
        let machine = std::env::var_os("PATH").unwrap_or_default();
        let path = own.into_iter().chain(std::env::split_paths(&machine));
        let answer = Command::new(&program)
            .args(&self.probe)
            .env("PATH", std::env::join_paths(path)?)
            .env("HOME", &home)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{} was installed but does not start: {error}", program.display()))?;
        fs::remove_dir_all(&home)?;
        if answer.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&answer.stderr).into_owned();
        Err(format!("{} was installed but ends with {}: {said}", program.display(), answer.status).into())
    }
}

/// The file that pins what an agent's packages depend on, and which packages it was made for; none where there is none.
fn lock_of(name: &str) -> JobResult<Option<(Vec<u8>, serde_json::Value)>> {
    let path = dirs::repository().join(format!("xtask/locks/{name}.json"));
    if !path.exists() {
        return Ok(None);
    }
    let lock = fs::read(path)?;
    let mut pinned: serde_json::Value = serde_json::from_slice(&lock)?;
    Ok(Some((lock, pinned["packages"][""]["dependencies"].take())))
}

fn manifest() -> JobResult<Manifest> {
    Ok(toml::from_str(MANIFEST)?)
}

fn remove_unfinished(folder: &Path) -> JobResult {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            let path = entry.path();
            if entry.file_type()?.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
        }
    }
    Ok(())
}

/// Fills in npm's names for this machine.
fn for_this_machine(pattern: &str) -> JobResult<String> {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let cpu = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => return Err(format!("there are no agent packages for the processor {other}").into()),
    };
    Ok(pattern.replace("{os}", os).replace("{cpu}", cpu))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_pins_every_package_exactly() {
        for agent in manifest().unwrap().agent {
            for package in &agent.packages {
                let (_, version) = package.rsplit_once('@').expect("a package has a version");
                let exact = version.split('.').all(|part| part.parse::<u64>().is_ok());
                assert!(exact && version.split('.').count() == 3, "{package} is not pinned exactly");
            }
            let mut all = agent.packages.iter().chain(&agent.python);
            let written = all.any(|package| package.ends_with(&agent.version));
            assert!(written, "the version of {} is that of none of its packages", agent.name);
        }
    }

    #[test]
    fn every_lock_is_of_the_versions_in_the_manifest() {
        let on = |package: &str| package.replace("{os}", "linux").replace("{cpu}", "x64");
        let mut locks = 0;
        for agent in manifest().unwrap().agent {
            if let Some((text, pinned)) = lock_of(&agent.name).unwrap() {
                let named = agent.packages.iter().map(|package| on(package));
                let named: Vec<_> = named
                    .map(|p| p.rsplit_once('@').map(|(n, v)| (n.to_owned(), v.to_owned())).unwrap())
                    .collect();
                let named: std::collections::BTreeMap<_, _> = named.into_iter().collect();
                assert_eq!(pinned, serde_json::json!(named), "{}", agent.name);
                assert!(!String::from_utf8(text).unwrap().contains("://"), "{} names a host", agent.name);
                locks += 1;
            }
            let python = dirs::repository().join(format!("xtask/locks/{}.txt", agent.name));
            assert_eq!(python.exists(), !agent.python.is_empty(), "{}", agent.name);
        }
        assert_eq!(locks, 5);
    }

    #[test]
    fn an_installed_agent_is_left_alone_and_left_overs_go() {
        let folder = tempfile::tempdir().unwrap();
        let agent = Agent {
            name: "present".into(),
            version: "1.0.0".into(),
            agent: None,
            packages: vec!["there-is-no-such-package@1.0.0".into()],
            python: vec![],
            program: "program".into(),
            path: None,
            probe: vec![],
            quick: true,
        };
        let home = folder.path().join("present-1.0.0");
        fs::create_dir_all(&home).unwrap();
        fs::write(home.join("program"), "").unwrap();
        fs::create_dir_all(folder.path().join(".unfinished-present/node_modules")).unwrap();

        remove_unfinished(folder.path()).unwrap();
        assert!(!folder.path().join(".unfinished-present").exists());
        agent.require(folder.path()).unwrap();
        assert!(agent.is_there(&home).unwrap());
    }
}
