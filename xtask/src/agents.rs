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
    version: String,
    packages: Vec<String>,
    program: String,
    probe: Vec<String>,
}

/// One agent in [`LIST`].
#[derive(Serialize)]
struct Installed {
    name: String,
    version: String,
    program: PathBuf,
}

/// Where the agents are, as the tests are told by `DIVISI_TEST_AGENTS`.
pub fn folder() -> JobResult<PathBuf> {
    Ok(dirs::target()?.join("agents"))
}

/// The job `install-agents`.
pub fn install_all() -> JobResult {
    for line in require_all()? {
        println!("{line}");
    }
    Ok(())
}

/// Installs what is missing; one line about each agent. All are tried even if one fails.
pub fn require_all() -> JobResult<Vec<String>> {
    let folder = folder()?;
    fs::create_dir_all(&folder)?;
    // Two runs at once would disturb each other's left-overs; the lock goes when the file is closed.
    let lock = File::create(folder.join(".lock"))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    remove_unfinished(&folder)?;

    let mut installed = Vec::new();
    let mut lines = Vec::new();
    let mut failures = Vec::new();
    for agent in manifest()?.agent {
        match agent.require(&folder) {
            Ok(home) => {
                lines.push(format!("{} {} in {}", agent.name, agent.version, home.display()));
                let program = home.join(for_this_machine(&agent.program)?);
                installed.push(Installed { name: agent.name, version: agent.version, program });
            }
            Err(error) => failures.push(format!("{}: {error}", agent.name)),
        }
    }
    // Written by rename, because tests may be reading it.
    let unfinished = folder.join(format!("{UNFINISHED}{LIST}"));
    fs::write(&unfinished, serde_json::to_vec_pretty(&installed)?)?;
    fs::rename(unfinished, folder.join(LIST))?;
    if failures.is_empty() { Ok(lines) } else { Err(failures.join("\n").into()) }
}

impl Agent {
    fn require(&self, folder: &Path) -> JobResult<PathBuf> {
        let home = folder.join(format!("{}-{}", self.name, self.version));
        if home.join(for_this_machine(&self.program)?).exists() {
            return Ok(home);
        }
        let unfinished = folder.join(format!("{UNFINISHED}{}", self.name));
        fs::create_dir(&unfinished)?;
        fs::write(unfinished.join("package.json"), "{\"private\": true}\n")?;
        run::require(&mut self.npm(&unfinished)?, "npm could not install it; the lines above say why")?;
        self.probe(&unfinished)?;
        if home.exists() {
            // The folder is there but its program is not: damaged, and replaced as a whole.
            fs::remove_dir_all(&home)?;
        }
        fs::rename(&unfinished, &home)?;
        Ok(home)
    }

    fn npm(&self, prefix: &Path) -> JobResult<Command> {
        let mut npm = Command::new("npm");
        npm.arg("install").arg("--prefix").arg(prefix).args([
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--save-exact",
            "--loglevel=error",
        ]);
        for package in &self.packages {
            npm.arg(for_this_machine(package)?);
        }
        Ok(npm)
    }

    /// Starts the program once in an empty home, because a package for another machine installs without a word.
    fn probe(&self, installed: &Path) -> JobResult {
        let program = installed.join(for_this_machine(&self.program)?);
        let home = installed.join(".probe-home");
        fs::create_dir_all(&home)?;
        let answer = Command::new(&program)
            .args(&self.probe)
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
            let written =
                agent.packages.iter().any(|package| package.ends_with(&format!("@{}", agent.version)));
            assert!(written, "the version of {} is that of none of its packages", agent.name);
        }
    }

    #[test]
    fn an_installed_agent_is_left_alone_and_left_overs_go() {
        let folder = tempfile::tempdir().unwrap();
        let agent = Agent {
            name: "present".into(),
            version: "1.0.0".into(),
            packages: vec!["there-is-no-such-package@1.0.0".into()],
            program: "program".into(),
            probe: vec![],
        };
        let home = folder.path().join("present-1.0.0");
        fs::create_dir_all(&home).unwrap();
        fs::write(home.join("program"), "").unwrap();
        fs::create_dir_all(folder.path().join(".unfinished-present/node_modules")).unwrap();

        remove_unfinished(folder.path()).unwrap();
        assert!(!folder.path().join(".unfinished-present").exists());
        assert_eq!(agent.require(folder.path()).unwrap(), home);
    }
}
