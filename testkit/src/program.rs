//! Running a program to its end: its output kept, its time bounded, and nothing of it left behind.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::TestEnv;

/// How long a program may take; far beyond what any needs, so that only a hanging one meets it.
const RUN_MAX: Duration = Duration::from_secs(120);

/// How long output may stay open after the program ended: someone else holds it then.
const OUTPUT_MAX: Duration = Duration::from_secs(20);

/// A program about to be run in a [`TestEnv`].
pub struct Program<'env> {
    env: &'env TestEnv,
    command: Command,
    input: Vec<u8>,
    time_max: Duration,
}

/// A program that ended.
#[derive(Debug)]
pub struct Finished {
    /// What was called, as one would type it.
    pub call: String,
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output, with bytes that are not text replaced.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
}

impl<'env> Program<'env> {
    pub(crate) fn new(env: &'env TestEnv, program: &OsStr) -> Program<'env> {
        Program { env, command: env.command(program), input: Vec::new(), time_max: RUN_MAX }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Runs it in this folder instead of the environment's root.
    #[must_use]
    pub fn in_folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Sets a variable for this run.
    #[must_use]
    pub fn set(mut self, variable: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(variable, value);
        self
    }

    /// Gives it this on standard input; without it, standard input is empty.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Lets it take longer than usual.
    #[must_use]
    pub fn time_max(mut self, time_max: Duration) -> Self {
        self.time_max = time_max;
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// If it does not start, does not end in time, or leaves a process behind that holds its output open.
    #[track_caller]
    pub fn run(mut self) -> Finished {
        let call = call_of(&self.command);
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("cannot start `{call}`: {error}"));
        let mut stdin = child.stdin.take().expect("stdin is piped");
        let input = std::mem::take(&mut self.input);
        // A program that does not read its input closes it, which is no failure of the test.
        std::thread::spawn(move || drop(stdin.write_all(&input)));
        let stdout = read_all(child.stdout.take().expect("stdout is piped"));
        let stderr = read_all(child.stderr.take().expect("stderr is piped"));

        let started = Instant::now();
        let mut pause = Duration::from_millis(1);
        let status = loop {
            if let Some(status) = child.try_wait().expect("the child is ours") {
                break status;
            }
            if started.elapsed() > self.time_max {
                let living = self.env.processes();
                let _ = child.kill();
                let _ = child.wait();
                let (out, err) = (self.text(&stdout), self.text(&stderr));
                let limit = self.time_max;
                panic!(
                    "`{call}` did not end in {limit:?}\nstdout: {out}\nstderr: {err}\nliving: {living:#?}"
                );
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        };
        let whole = |output: &mpsc::Receiver<Vec<u8>>| match output.recv_timeout(OUTPUT_MAX) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(_) => {
                panic!("`{call}` ended, but a process it left holds its output: {:#?}", self.env.processes())
            }
        };
        Finished { code: status.code(), stdout: whole(&stdout), stderr: whole(&stderr), call }
    }

    /// What a killed program had said, as far as it can be had.
    fn text(&self, output: &mpsc::Receiver<Vec<u8>>) -> String {
        let bytes = output.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Finished {
    /// Whether it ended with exit code 0.
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// Itself, if it succeeded.
    ///
    /// # Panics
    /// If it failed, with everything it said.
    #[track_caller]
    pub fn require_success(&self) -> &Finished {
        assert!(self.success(), "it should have succeeded:\n{self}");
        self
    }

    /// Itself, if it ended with this exit code.
    ///
    /// # Panics
    /// If it ended otherwise, with everything it said.
    #[track_caller]
    pub fn require_code(&self, code: i32) -> &Finished {
        assert_eq!(self.code, Some(code), "it should have ended with exit code {code}:\n{self}");
        self
    }

    /// Standard output as JSON.
    ///
    /// # Panics
    /// If it is none.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("not JSON ({error}):\n{self}"))
    }
}

impl fmt::Display for Finished {
    /// The call, standard output, then standard error and exit code where there is something to say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ {}", self.call)?;
        write_block(f, &self.stdout)?;
        if !self.stderr.is_empty() {
            writeln!(f, "--- stderr")?;
            write_block(f, &self.stderr)?;
        }
        match self.code {
            Some(0) => Ok(()),
            Some(code) => writeln!(f, "[exit code {code}]"),
            None => writeln!(f, "[ended by a signal]"),
        }
    }
}

/// The built `divisi`: the one cargo names for this test, or the one beside this test.
///
/// # Panics
/// If it was not built. Tests of the crate that owns the binary always have it.
pub fn divisi_program() -> PathBuf {
    let named = ["CARGO_BIN_EXE_divisi", "NEXTEST_BIN_EXE_divisi"].into_iter().find_map(std::env::var_os);
    if let Some(path) = named {
        return path.into();
    }
    let test = std::env::current_exe().expect("a running test has a program");
    let beside = test.ancestors().nth(2).expect("tests lie in deps").join("divisi");
    assert!(beside.exists(), "{} is not built: run `cargo build --package divisi-cli`", beside.display());
    beside
}

fn write_block(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str(text)?;
    if text.is_empty() || text.ends_with('\n') { Ok(()) } else { writeln!(f, "[no line break at the end]") }
}

fn read_all(mut stream: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        // Nobody listens any more when the test has already failed.
        let _ = sender.send(bytes);
    });
    receiver
}

/// Program name and arguments, quoted where a shell would need it.
fn call_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| quoted(&word.to_os_string())).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsString) -> String {
    let text = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,@+%^{}".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.into_owned() } else { format!("'{text}'") }
}
