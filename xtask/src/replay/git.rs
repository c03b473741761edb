//! Calls of plain git: no configuration of the person's, fixed names and times.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::alone;
use crate::JobResult;

/// The oldest git whose `merge-tree` takes a merge base.
const OLDEST: (u32, u32) = (2, 40);

/// What a call came to.
pub struct Output {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Output {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim().to_owned()
    }

    /// The parts of output that was asked for with `-z`.
    pub fn records(&self) -> impl Iterator<Item = &[u8]> {
        self.stdout.split(|byte| *byte == 0).filter(|record| !record.is_empty())
    }
}

/// Plain git with a configuration of its own.
pub struct Git {
    scratch: PathBuf,
}

impl Git {
    pub fn new(scratch: &Path) -> JobResult<Self> {
        std::fs::create_dir_all(scratch.join("home"))?;
        // The repository may belong to somebody else; it is only read.
        let config = "[safe]\n\tdirectory = *\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n\
                      [core]\n\tautocrlf = false\n[advice]\n\tdetachedHead = false\n";
        std::fs::write(scratch.join("gitconfig"), config)?;
        let git = Self { scratch: scratch.to_owned() };
        let version = git.run(scratch, ["version"])?.text();
        let mut numbers = version.trim_start_matches("git version ").split('.').map(str::parse::<u32>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= OLDEST => Ok(git),
            _ => Err(format!("the replay needs git 2.40 or newer, and this is {version}").into()),
        }
    }

    /// Runs git in a folder; a failure is an error with what it said.
    pub fn run(
        &self,
        folder: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> JobResult<Output> {
        let mut command = self.command(folder);
        command.args(arguments);
        let shown = crate::run::describe(&command);
        let output = ended(command)?;
        match output.code {
            0 => Ok(output),
            code => Err(format!("`{shown}` ended with {code}: {}", output.stderr.trim()).into()),
        }
    }

    /// Runs git in a folder, whatever comes of it.
    pub fn attempt(
        &self,
        folder: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> JobResult<Output> {
        let mut command = self.command(folder);
        command.args(arguments);
        ended(command)
    }

    /// As [`Git::attempt`] with something on standard input.
    pub fn with_input(
        &self,
        folder: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        input: &[u8],
    ) -> JobResult<Output> {
        // A file never blocks, however much git writes before it has read all.
        let file = self.scratch.join("input");
        std::fs::write(&file, input)?;
        let mut command = self.command(folder);
        command.args(arguments).stdin(std::fs::File::open(&file)?);
        ended(command)
    }

    /// As [`Git::run`] in a repository that sees another one's objects too.
    pub fn across(
        &self,
        folder: &Path,
        other: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> JobResult<Output> {
        let mut command = self.command(folder);
        command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", other.join("objects")).args(arguments);
        ended(command)
    }

    /// The bytes of an object.
    pub fn object(&self, folder: &Path, name: &str) -> JobResult<Vec<u8>> {
        Ok(self.run(folder, ["cat-file", "blob", name])?.stdout)
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = alone("git", &self.scratch);
        command.stdin(Stdio::null());
        command.current_dir(folder).env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C");
        command.env("GIT_CONFIG_GLOBAL", self.scratch.join("gitconfig")).env("GIT_TERMINAL_PROMPT", "0");
        command.env("GIT_CEILING_DIRECTORIES", &self.scratch).env("GIT_NO_LAZY_FETCH", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{who}_NAME"), "Replay")
                .env(format!("GIT_{who}_EMAIL"), "replay@localhost");
            command.env(format!("GIT_{who}_DATE"), "1767225600 +0000");
        }
        command
    }
}

fn ended(mut command: Command) -> JobResult<Output> {
    let shown = crate::run::describe(&command);
    let output = command.output().map_err(|error| format!("cannot run `{shown}`: {error}"))?;
    Ok(Output {
        code: output.status.code().unwrap_or(-1),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
