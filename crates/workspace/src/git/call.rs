//! One call, built step by step and then run to its end or started for a conversation.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::settings::{CONFIG, ENVIRONMENT};
use super::{Git, GitError, Running};
use crate::git_box::Confine;
use crate::ids::Signature;

/// Time limit of a call that does not say otherwise.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Time limit of calls that move whole histories or check out whole trees.
pub(crate) const LONG_TIMEOUT: Duration = Duration::from_secs(1800);
/// Output limit of a call that does not say otherwise.
const MAX_OUTPUT: u64 = 256 << 20;

/// A git call in the making.
#[derive(Debug)]
pub(crate) struct Call {
    git: Git,
    git_dir: PathBuf,
    work_tree: Option<PathBuf>,
    environment: Vec<(&'static str, OsString)>,
    config: Vec<(String, String)>,
    args: Vec<OsString>,
    stdin: Vec<u8>,
    stdin_file: Option<PathBuf>,
    timeout: Duration,
    max_output: u64,
    accepted: &'static [i32],
    confine: Option<Confine>,
}

/// What a call gave.
#[derive(Debug)]
pub(crate) struct Output {
    /// Exit code, one of the accepted ones.
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
}

impl Output {
    /// The output as trimmed text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim().to_owned()
    }

    /// The output as one path: everything but the final line break.
    pub(crate) fn path(mut self) -> PathBuf {
        if self.stdout.last() == Some(&b'\n') {
            self.stdout.pop();
        }
        PathBuf::from(OsString::from_vec(self.stdout))
    }

    /// NUL-terminated records.
    pub(crate) fn records(&self) -> impl Iterator<Item = &[u8]> {
        self.stdout.split(|b| *b == 0).filter(|record| !record.is_empty())
    }
}

impl Call {
    pub(super) fn new(git: Git, git_dir: &Path) -> Self {
        Self {
            git,
            git_dir: git_dir.to_owned(),
            work_tree: None,
            environment: Vec::new(),
            config: Vec::new(),
            args: Vec::new(),
            stdin: Vec::new(),
            stdin_file: None,
            timeout: TIMEOUT,
            max_output: MAX_OUTPUT,
            accepted: &[0],
            confine: None,
        }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    pub(crate) fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name, value.as_ref().to_owned()));
        self
    }

    pub(crate) fn config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.push((key.into(), value.into()));
        self
    }

    pub(crate) fn index(self, file: &Path) -> Self {
        self.env("GIT_INDEX_FILE", file)
    }

    pub(crate) fn work_tree(mut self, dir: &Path) -> Self {
        self.work_tree = Some(dir.to_owned());
        self
    }

    pub(crate) fn committer(self, signature: &Signature) -> Self {
        self.env("GIT_COMMITTER_NAME", signature.who.clean_name())
            .env("GIT_COMMITTER_EMAIL", signature.who.clean_email())
            .env("GIT_COMMITTER_DATE", format!("@{} +0000", signature.at.max(0)))
    }

    pub(crate) fn author(self, signature: &Signature) -> Self {
        self.env("GIT_AUTHOR_NAME", signature.who.clean_name())
            .env("GIT_AUTHOR_EMAIL", signature.who.clean_email())
            .env("GIT_AUTHOR_DATE", format!("@{} +0000", signature.at.max(0)))
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Reads from a file instead of bytes in memory.
    pub(crate) fn stdin_file(mut self, file: &Path) -> Self {
        self.stdin_file = Some(file.to_owned());
        self
    }

    /// For calls whose work grows with the repository.
    pub(crate) fn long(self) -> Self {
        self.timeout(LONG_TIMEOUT)
    }

    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub(crate) fn max_output(mut self, bytes: u64) -> Self {
        self.max_output = bytes;
        self
    }

    /// Exit codes that are an answer and not a failure.
    pub(crate) fn accept(mut self, codes: &'static [i32]) -> Self {
        self.accepted = codes;
        self
    }

    pub(crate) fn confine(mut self, confine: Confine) -> Self {
        self.confine = Some(confine);
        self
    }

    /// Runs to the end and gives the output.
    pub(crate) fn run(self) -> Result<Output, GitError> {
        let (max, mut stdout) = (self.max_output, Vec::new());
        let code = self.run_into(max, &mut stdout)?;
        Ok(Output { code, stdout })
    }

    /// Runs to the end and writes at most `max` bytes of output to `to`; more is an error.
    pub(crate) fn stream(self, max: u64, to: &mut dyn io::Write) -> Result<(), GitError> {
        self.run_into(max, to).map(drop)
    }

    fn run_into(mut self, max: u64, to: &mut dyn io::Write) -> Result<i32, GitError> {
        let stdin = std::mem::take(&mut self.stdin);
        let accepted = self.accepted;
        let source = match &self.stdin_file {
            Some(file) => File::open(file)
                .map(Stdio::from)
                .map_err(|source| GitError::Start { command: describe(&self.args), source })?,
            None if stdin.is_empty() => Stdio::null(),
            None => Stdio::piped(),
        };
        let mut running = self.start_with(source)?;
        let command = running.command.clone();
        let writer = running.take_stdin().map(|mut pipe| {
            // A process that ends before it has read everything says so by its status.
            std::thread::spawn(move || drop(pipe.write_all(&stdin)))
        });
        let mut read = Ok(0);
        if let Some(pipe) = running.take_stdout() {
            read = io::copy(&mut pipe.take(max.saturating_add(1)), to);
        }
        if read.as_ref().is_ok_and(|read| *read > max) {
            return Err(GitError::TooMuchOutput { command, limit: max });
        }
        let ended = running.finish()?;
        drop(writer.map(std::thread::JoinHandle::join));
        read.map_err(|source| GitError::Pipe { command: command.clone(), source })?;
        match ended.code() {
            Some(code) if accepted.contains(&code) => Ok(code),
            _ => Err(GitError::Failed { command, status: ended.describe(), stderr: ended.stderr }),
        }
    }

    /// Runs to the end and hands the output over line by line (without line breaks). After `max` bytes it is ended;
    /// the answer says whether everything was seen.
    pub(crate) fn lines(self, max: u64, mut each: impl FnMut(&[u8])) -> Result<bool, GitError> {
        let mut running = self.start_with(Stdio::null())?;
        let command = running.command.clone();
        let Some(pipe) = running.take_stdout() else { return Ok(false) };
        let mut reader = BufReader::with_capacity(1 << 16, pipe);
        let (mut seen, mut line) = (0, Vec::new());
        loop {
            line.clear();
            let limit = max.saturating_sub(seen);
            let read = (&mut reader).take(limit + 1).read_until(b'\n', &mut line);
            let read = read.map_err(|source| GitError::Pipe { command: command.clone(), source })? as u64;
            if read == 0 {
                break;
            }
            seen += read;
            if seen > max {
                return Ok(false);
            }
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            each(&line);
        }
        drop(reader);
        running.finish()?.expect_success(command)?;
        Ok(true)
    }

    /// Starts it with pipes on all three streams; the caller speaks with it.
    pub(crate) fn start(self) -> Result<Running, GitError> {
        self.start_with(Stdio::piped())
    }

    fn start_with(self, stdin: Stdio) -> Result<Running, GitError> {
        let name = describe(&self.args);
        let mut command = Command::new(self.git.program());
        command.env_clear().envs(ENVIRONMENT.iter().copied()).env("PATH", self.git.search_path());
        command.env("GIT_DIR", &self.git_dir);
        match &self.work_tree {
            Some(dir) => command.env("GIT_WORK_TREE", dir).current_dir(dir),
            None => command.current_dir(&self.git_dir),
        };
        command.envs(self.environment.iter().map(|(k, v)| (*k, v)));
        for (key, value) in CONFIG {
            command.arg("-c").arg(format!("{key}={value}"));
        }
        for (key, value) in &self.config {
            command.arg("-c").arg(format!("{key}={value}"));
        }
        command.args(&self.args);
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let failed = |source| GitError::Start { command: name.clone(), source };
        if let Some(confine) = &self.confine {
            confine.prepare(&self.git).map_err(failed)?.attach(&mut command);
        }
        let child = command.spawn().map_err(failed)?;
        Running::watch(child, name.clone(), self.timeout).map_err(failed)
    }
}

/// The arguments as text for messages, bounded.
fn describe(args: &[OsString]) -> String {
    let mut text = String::new();
    for arg in args {
        if text.len() > 200 {
            text.push_str(" …");
            break;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&arg.to_string_lossy());
    }
    text
}
