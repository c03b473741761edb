//! The init process of a launch: the parent of the child and of everything the child leaves behind.
//!
//! It starts the child, feeds its standard input, keeps its output FIFOs open, enforces the time-out, ends and reaps
//! the whole tree, and records the exit. It does not write to the journal, and nobody talks to it but by signals
//! and files, so it goes on undisturbed when the shim is killed. It stays until the output is in the journal: while
//! it lives, the FIFOs keep their content.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, WaitOptions, getpid};
use serde::{Deserialize, Serialize};

use super::cgroup::Cgroup;
use super::child::{command, not_started, open_file, open_stdin};
use super::dir::{self, Sync};
use super::exit::{EndedBy, Exit, Outcome};
use super::journal::open_fifo;
use super::last_output::until_drained;
use super::os::{self, Signals};
use super::spec::{Spec, Stderr};
use super::stdin::Sending;
use super::tree;
use super::trim::REST_AFTER;
use crate::sandbox::{Inside, Owner, Reached, SandboxError};

/// "Look at the files": standard input has grown or ended.
pub(super) const NUDGE: Signal = Signal::USR1;
/// "End, with the grace that `end.json` says".
pub(super) const TERMINATE: Signal = Signal::TERM;
/// "End at once".
pub(super) const KILL: Signal = Signal::USR2;
/// What the init process takes as messages. Blocked before it is forked, so that none is missed.
pub(super) const SIGNALS: [i32; 4] = [libc::SIGCHLD, libc::SIGUSR1, libc::SIGUSR2, libc::SIGTERM];

/// Time that processes have to end by themselves when the child has gone before them.
const STRAY_GRACE: Duration = Duration::from_millis(500);
/// Time between two rounds of killing.
const KILL_AGAIN: Duration = Duration::from_millis(20);
/// Time after which a killed process is taken for one that the kernel cannot end.
const KILL_WAIT_MAX: Duration = Duration::from_secs(10);
/// Longest grace that is granted.
const GRACE_MAX: Duration = Duration::from_secs(3600);
/// Time between two tries when the disk is full.
const SPACE_RETRY: Duration = Duration::from_millis(500);

/// What the init process tells the shim that forked it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Report {
    /// The child runs.
    Started(i32),
    /// It could not be started.
    Failed(String),
}

/// How to end, in `end.json`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct End {
    pub(super) by: EndedBy,
    #[serde(default)]
    pub(super) grace_ms: Option<u64>,
}

/// What the init process has from the shim that forked it.
pub(super) struct Held {
    /// A byte comes when it is recorded who the init process is; an end, if the shim was killed before.
    pub(super) go: File,
    /// For one [`Report`].
    pub(super) report: File,
    /// The lock of the journal. Kept until it is certain whether anything starts, so that whoever gets the lock
    /// finds either a record or nothing, and nothing comes after.
    pub(super) lock: File,
    /// Who it was before it was born into a user namespace.
    pub(super) owner: Owner,
    /// How the overlay of its sandbox can be had, if that has one.
    pub(super) reached: Option<Result<Reached, SandboxError>>,
}

/// The life of an init process, in the launch directory `launch`.
pub(super) fn run(launch: &Path, spec: Spec, cgroup: Option<Cgroup>, held: Held) {
    let Held { mut go, mut report, lock, owner, reached } = held;
    if !matches!(go.read(&mut [0]), Ok(1)) {
        cgroup.iter().for_each(Cgroup::remove);
        let error = "the shim was killed before it could start anything".to_owned();
        record(launch, &Exit::without_start(Outcome::NotStarted { error }));
        return;
    }
    drop((go, lock));
    match Init::start(launch, spec, cgroup.clone(), (owner, reached)) {
        Ok(mut init) => {
            say(&mut report, &Report::Started(init.main.as_raw_nonzero().get()));
            drop(report);
            init.until_over();
            init.record();
            until_drained(launch, &init.spec, &init.outputs);
        }
        Err(error) => {
            cgroup.iter().for_each(Cgroup::remove);
            record(launch, &Exit::without_start(Outcome::NotStarted { error: error.clone() }));
            say(&mut report, &Report::Failed(error));
        }
    }
}

struct Init {
    launch: PathBuf,
    spec: Spec,
    cgroup: Option<Cgroup>,
    /// It is the first process of a process namespace.
    apart: bool,
    _inside: Inside,
    signals: Signals,
    stdin: Option<Sending>,
    /// Our own ends of the FIFOs: they keep them open and tell how much is left in them.
    outputs: Vec<OwnedFd>,
    main: Pid,
    started_at_ms: u64,
    timeout_at: Option<Instant>,
    phase: Phase,
    status: Option<ExitStatus>,
    ended_by: Option<EndedBy>,
    strays_ended: u32,
    strays_left: u32,
    /// When there was something to do last; nothing once it has come to rest.
    active_at: Option<Instant>,
}

#[derive(Clone, Copy)]
enum Phase {
    Running,
    Asked { kill_at: Instant },
    Killing { again_at: Instant, give_up_at: Instant },
}

impl Init {
    fn start(
        launch: &Path,
        spec: Spec,
        cgroup: Option<Cgroup>,
        (owner, reached): (Owner, Option<Result<Reached, SandboxError>>),
    ) -> Result<Init, String> {
        let step = |what: &'static str| move |error: io::Error| format!("{what}: {error}");
        rustix::process::setsid().map_err(|error| format!("cannot open a session: {error}"))?;
        rustix::thread::set_name(c"divisi-init").ok();
        rustix::process::set_child_subreaper(Some(getpid()))
            .map_err(|error| format!("cannot become a sub-reaper: {error}"))?;
        let apart = spec.sandbox.as_ref().is_some_and(|sandbox| sandbox.namespaces() != 0);
        let signals = Signals::new(&SIGNALS, apart).map_err(step("cannot receive signals"))?;
        // It may lie where the sandbox hides it.
        let file = open_file(&spec)?;
        let inside = match &spec.sandbox {
            Some(sandbox) => sandbox.enter(owner, reached).map_err(|error| not_built(&error))?,
            None => Inside::default(),
        };

        let mut outputs = Vec::new();
        let mut output = |name: &str| -> io::Result<OwnedFd> {
            // Read-write, so that opening does not wait and a reader is there as long as this process is.
            outputs.push(open_fifo(&launch.join(name), OFlags::RDWR | OFlags::NONBLOCK)?);
            open_fifo(&launch.join(name), OFlags::WRONLY)
        };
        let out = output(dir::STDOUT_FIFO).map_err(step("cannot open the output"))?;
        let err = match spec.stderr {
            Stderr::Log => output(dir::STDERR_FIFO),
            Stderr::Journal => out.try_clone(),
        };
        let err = err.map_err(step("cannot open the error output"))?;
        let (stdin, input) = open_stdin(launch, &spec, file)?;

        dir::reserve(launch, dir::EXIT).map_err(step("cannot reserve space for the exit"))?;
        let group = cgroup.as_ref().and_then(Cgroup::open);
        let main = os::spawn(command(&spec, input, out, err), group.as_ref().map(AsFd::as_fd))
            .map_err(|error| not_started(&spec, error))?;
        let timeout = spec.timeout_ms.map(Duration::from_millis);
        let mut init = Init {
            launch: launch.to_owned(),
            timeout_at: timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
            spec,
            cgroup,
            apart,
            _inside: inside,
            signals,
            stdin,
            outputs,
            main,
            started_at_ms: os::now_ms(),
            phase: Phase::Running,
            status: None,
            ended_by: None,
            strays_ended: 0,
            strays_left: 0,
            active_at: Some(Instant::now()),
        };
        init.feed(Sending::refresh);
        Ok(init)
    }

    /// Serves until no process is left.
    fn until_over(&mut self) {
        loop {
            self.wait();
            let signals = self.signals.take();
            if signals.contains(&libc::SIGUSR1) {
                self.feed(Sending::refresh);
            } else {
                self.feed(Sending::send);
            }
            if signals.contains(&libc::SIGTERM) {
                let end = self.requested(EndedBy::Terminate);
                let grace = end.grace_ms.unwrap_or(self.spec.grace_ms);
                self.ask(end.by, Duration::from_millis(grace));
            }
            if signals.contains(&libc::SIGUSR2) {
                let by = self.requested(EndedBy::Kill).by;
                self.blame(by);
                self.kill();
            }
            if self.reap() {
                return;
            }
            if self.tick() {
                return;
            }
        }
    }

    fn wait(&mut self) {
        let mut deadline = match self.phase {
            Phase::Running => self.timeout_at,
            Phase::Asked { kill_at } => Some(kill_at),
            Phase::Killing { again_at, .. } => Some(again_at),
        };
        if let Some(rest_at) = self.active_at.map(|at| at + REST_AFTER) {
            deadline = Some(deadline.map_or(rest_at, |earlier| earlier.min(rest_at)));
        }
        let timeout = deadline.map(|at| timespec(at.saturating_duration_since(Instant::now())));
        let mut fds = vec![PollFd::new(&self.signals, PollFlags::IN)];
        let pipe = self.stdin.as_ref().and_then(Sending::waits_for);
        fds.extend(pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
        // An interrupted or refused poll only means one more round.
        if let Ok(ready) = poll(&mut fds, timeout.as_ref()) {
            if ready > 0 {
                self.active_at = Some(Instant::now());
            } else if self.active_at.is_some_and(|at| at.elapsed() >= REST_AFTER) {
                self.active_at = None;
                super::trim::let_go_of_code();
            }
        }
    }

    /// Does what the clock asks for. Returns whether there is nothing more to wait for.
    fn tick(&mut self) -> bool {
        let now = Instant::now();
        match self.phase {
            Phase::Running if self.timeout_at.is_some_and(|at| at <= now) => {
                self.ask(EndedBy::Timeout, Duration::from_millis(self.spec.grace_ms));
            }
            Phase::Asked { kill_at } if kill_at <= now => self.kill(),
            Phase::Killing { give_up_at, .. } if give_up_at <= now => {
                self.strays_left = tree::descendants(own_pid()).len() as u32;
                return true;
            }
            Phase::Killing { again_at, give_up_at } if again_at <= now => {
                self.kill_tree();
                self.phase = Phase::Killing { again_at: now + KILL_AGAIN, give_up_at };
            }
            _ => {}
        }
        false
    }

    /// Reaps what has ended. Returns whether nothing is left.
    fn reap(&mut self) -> bool {
        let before = self.status;
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == self.main => {
                    self.status = Some(ExitStatus::from_raw(status.as_raw()));
                }
                Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
                Ok(None) => {
                    if before.is_none() && self.status.is_some() {
                        self.main_ended();
                    }
                    return false;
                }
                Err(_) => return true,
            }
        }
    }

    /// What the child left behind has to end too, and soon.
    fn main_ended(&mut self) {
        self.stdin = None;
        let now = Instant::now();
        let strays = tree::signal_all(own_pid(), Signal::TERM);
        self.strays_ended = strays as u32;
        let kill_at = now + STRAY_GRACE;
        self.phase = match self.phase {
            Phase::Asked { kill_at: earlier } => Phase::Asked { kill_at: kill_at.min(earlier) },
            Phase::Running => Phase::Asked { kill_at },
            killing => killing,
        };
    }

    /// SIGTERM to the child's group and to whatever left it, and a time for SIGKILL.
    fn ask(&mut self, by: EndedBy, grace: Duration) {
        if matches!(self.phase, Phase::Killing { .. }) {
            return;
        }
        self.blame(by);
        if self.status.is_none() {
            // The group cannot belong to others: the child is not reaped yet, so its id is not free.
            rustix::process::kill_process_group(self.main, Signal::TERM).ok();
            let outside = |p: &tree::Process| {
                let group = rustix::process::getpgid(Pid::from_raw(p.pid));
                group.is_ok_and(|group| group != self.main)
            };
            for process in tree::descendants(own_pid()).into_iter().filter(outside) {
                process.signal(Signal::TERM);
            }
            // A stopped process would see its SIGTERM only after it goes on.
            rustix::process::kill_process_group(self.main, Signal::CONT).ok();
        }
        let kill_at = Instant::now() + grace.min(GRACE_MAX);
        self.phase = match self.phase {
            Phase::Asked { kill_at: earlier } => Phase::Asked { kill_at: kill_at.min(earlier) },
            _ => Phase::Asked { kill_at },
        };
    }

    fn kill(&mut self) {
        let now = Instant::now();
        self.kill_tree();
        self.phase = Phase::Killing { again_at: now + KILL_AGAIN, give_up_at: now + KILL_WAIT_MAX };
    }

    fn kill_tree(&self) {
        if self.apart {
            return os::kill_namespace();
        }
        if let Some(cgroup) = &self.cgroup {
            cgroup.kill();
        }
        tree::kill_all(|| tree::descendants(own_pid()));
    }

    /// The first reason counts, and only while the child has not ended by itself.
    fn blame(&mut self, by: EndedBy) {
        if self.status.is_none() {
            self.ended_by.get_or_insert(by);
        }
    }

    fn requested(&self, otherwise: EndedBy) -> End {
        let found = dir::read_json(&self.launch, dir::END).ok().flatten();
        found.unwrap_or(End { by: otherwise, grace_ms: None })
    }

    fn feed(&mut self, step: fn(&mut Sending) -> io::Result<()>) {
        let result = self.stdin.as_mut().map_or(Ok(()), step);
        if let Err(error) = result {
            os::complain(&format!("init: standard input: {error}"));
        }
    }

    fn record(&self) {
        if let Some(cgroup) = &self.cgroup {
            cgroup.remove();
        }
        let outcome = match self.status {
            Some(status) => match (status.code(), status.signal()) {
                (Some(code), _) => Outcome::Exited { code },
                (None, signal) => Outcome::Signaled { signal: signal.unwrap_or(0) },
            },
            None => Outcome::Lost { why: "the child did not end, not even by SIGKILL".to_owned() },
        };
        let exit = Exit {
            version: 1,
            outcome,
            ended_by: self.ended_by,
            started_at_ms: self.started_at_ms,
            ended_at_ms: os::now_ms(),
            strays_ended: self.strays_ended,
            strays_left: self.strays_left,
        };
        record(&self.launch, &exit);
    }
}

/// A full disk must not lose the exit, so this waits for space; but not for a directory that was removed.
fn record(launch: &Path, exit: &Exit) {
    while let Err(error) = dir::write_json(launch, dir::EXIT, exit, Sync::Disk) {
        if error.kind() == io::ErrorKind::NotFound {
            return;
        }
        os::complain(&format!("init: recording the exit: {error}"));
        std::thread::sleep(SPACE_RETRY);
    }
}

fn say(report: &mut File, what: &Report) {
    let line = super::wire::encode(what);
    // If the shim is gone, there is nobody to tell, and exit.json says the same.
    drop(report.write_all(&line));
}

fn not_built(error: &SandboxError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("its sandbox cannot be built: {error}{cause}")
}

fn own_pid() -> i32 {
    getpid().as_raw_nonzero().get()
}

pub(super) fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: i64::from(duration.subsec_nanos()) }
}
