//! A running git process: its own group, a time limit kept by a watchdog thread, ended whole when dropped.

use std::io::{self, Read};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdin, ChildStdout, ExitStatus};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::GitError;

/// How much of standard error is kept: its end.
const STDERR_KEPT: usize = 4096;

/// A started git process. Either [`Running::finish`] it or drop it, which ends it.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) command: String,
    child: Child,
    group: Pid,
    timeout: Duration,
    watchdog: Option<JoinHandle<bool>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    reaped: bool,
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stderr: String,
}

impl Running {
    /// Takes over a child that was started as the leader of its own process group.
    pub(crate) fn watch(mut child: Child, command: String, timeout: Duration) -> io::Result<Self> {
        let group = Pid::from_child(&child);
        let pidfd = match pidfd_open(group, PidfdFlags::empty()) {
            Ok(fd) => fd,
            Err(error) => {
                let _ = kill_process_group(group, Signal::KILL);
                let _ = child.wait();
                return Err(error.into());
            }
        };
        let stderr = child.stderr.take().map(|pipe| std::thread::spawn(move || keep_end(pipe)));
        let watchdog = std::thread::spawn(move || ended_in_time(&pidfd, group, timeout));
        Ok(Self { command, child, group, timeout, watchdog: Some(watchdog), stderr, reaped: false })
    }

    pub(crate) fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    pub(crate) fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Ends it at once with its group; it still has to be finished or dropped.
    pub(crate) fn kill(&mut self) {
        if !self.reaped {
            let _ = kill_process_group(self.group, Signal::KILL);
        }
    }

    /// Waits for the end. The pipes should have been taken and read, or the process may wait for us.
    pub(crate) fn finish(mut self) -> Result<Ended, GitError> {
        drop(self.child.stdin.take());
        let ended = self.end(false);
        let command = std::mem::take(&mut self.command);
        let (status, in_time, stderr) =
            ended.map_err(|source| GitError::Pipe { command: command.clone(), source })?;
        if in_time {
            Ok(Ended { status, stderr })
        } else {
            Err(GitError::TimedOut { command, after: self.timeout })
        }
    }

    fn end(&mut self, kill: bool) -> io::Result<(ExitStatus, bool, String)> {
        if kill {
            let _ = kill_process_group(self.group, Signal::KILL);
        }
        let in_time = self.watchdog.take().is_none_or(|thread| thread.join().unwrap_or(false));
        let status = self.child.wait()?;
        self.reaped = true;
        let stderr = self.stderr.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        Ok((status, in_time, String::from_utf8_lossy(&stderr).trim().to_owned()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.reaped {
            let _ = self.end(true);
        }
    }
}

impl Ended {
    /// The exit code, or nothing if a signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// `status 128` or `signal 9`.
    pub(crate) fn describe(&self) -> String {
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("status {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "an unknown status".to_owned(),
        }
    }

    pub(crate) fn expect_success(self, command: String) -> Result<(), GitError> {
        if self.status.success() {
            Ok(())
        } else {
            Err(GitError::Failed { command, status: self.describe(), stderr: self.stderr })
        }
    }
}

/// Waits until the process has ended by itself (true) or was ended at the limit (false).
fn ended_in_time(pidfd: &OwnedFd, group: Pid, timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    let mut in_time = true;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let wait = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        let mut fds = [PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN)];
        match poll(&mut fds, in_time.then_some(&wait)) {
            Ok(0) => {
                in_time = false;
                let _ = kill_process_group(group, Signal::KILL);
            }
            Ok(_) => {
                // The leader is dead and nobody has reaped it yet, so its number still names this group and no
                // other: whatever it left behind ends here and cannot hold our pipes open.
                let _ = kill_process_group(group, Signal::KILL);
                return in_time;
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return in_time,
        }
    }
}

fn keep_end(mut pipe: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut chunk = [0u8; 4096];
    while let Ok(n @ 1..) = pipe.read(&mut chunk) {
        kept.extend_from_slice(&chunk[..n]);
        if kept.len() > STDERR_KEPT * 2 {
            kept.drain(..kept.len() - STDERR_KEPT);
        }
    }
    kept.drain(..kept.len().saturating_sub(STDERR_KEPT));
    kept
}
