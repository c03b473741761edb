//! Which processes a launch is: the content of `identity.json`.
//!
//! A process id alone says nothing after a while, because it is used again. A process is the one that was
//! recorded only if the boot, the start time and the inode of its pidfd agree too; signals go through a pidfd that
//! was compared, so there is no moment at which they could reach another.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use super::dir::{self, ReadError};
use super::tree::Process;
use crate::sandbox::View;

/// The processes of a launch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Layout version, 1.
    pub version: u32,
    /// `/proc/sys/kernel/random/boot_id` at the start.
    pub boot_id: String,
    /// The init process, which is there as long as the launch is.
    pub init: ProcessId,
    /// The control group of the child and all it starts, where one could be made.
    #[serde(default)]
    pub cgroup: Option<PathBuf>,
    /// The child, once it was started.
    #[serde(default)]
    pub child: Option<ProcessId>,
}

/// One process, told apart from every other of this boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// Process id.
    pub pid: i32,
    /// Start time in clock ticks since boot, field 22 of `/proc/PID/stat`.
    pub started_ticks: u64,
    /// Inode of its pidfd: unique since Linux 6.9, the same for all before.
    pub pidfd_inode: u64,
}

impl Identity {
    /// The init process if it still runs, ready to be signalled.
    pub(super) fn open_init(&self) -> io::Result<Option<OwnedFd>> {
        if self.boot_id != boot_id()? { Ok(None) } else { self.init.open() }
    }

    /// The folder `path` as the init process sees it. `None` if that is gone.
    fn view(&self, path: &Path) -> io::Result<Option<View>> {
        if self.open_init()?.is_none() {
            return Ok(None);
        }
        let view = View::of(self.init.pid, path);
        // If it is still there, it was there in between, and its id nobody else's.
        if self.open_init()?.is_none() { Ok(None) } else { view.map(Some) }
    }
}

/// The folder `path` as the launch in `dir` sees it, which is the only way to the files of an overlay that is mounted in
/// it. `None` when the launch is over. To be held no longer than needed: it keeps the overlay mounted.
pub fn view(dir: &Path, path: &Path) -> Result<Option<View>, ReadError> {
    let Some(identity) = dir::read_json::<Identity>(dir, dir::IDENTITY)? else { return Ok(None) };
    identity.view(path).map_err(|source| ReadError::Io { path: path.to_owned(), source })
}

impl ProcessId {
    /// Records a process that is known to be there, because it is a child of the caller.
    pub(super) fn of(pid: Pid) -> io::Result<ProcessId> {
        let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
        let pid = pid.as_raw_nonzero().get();
        let process = Process::read(pid)?;
        Ok(ProcessId { pid, started_ticks: process.started_ticks, pidfd_inode: inode(&pidfd)? })
    }

    /// A pidfd of exactly this process; `None` if it is gone, or its id belongs to another by now.
    pub fn open(&self) -> io::Result<Option<OwnedFd>> {
        // Zero or less would mean a group, or everything.
        let Some(pid) = (self.pid > 0).then(|| Pid::from_raw(self.pid)).flatten() else { return Ok(None) };
        let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            Err(rustix::io::Errno::SRCH | rustix::io::Errno::INVAL) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // What is read after the pidfd was made is about its process, or the process is gone.
        let Ok(process) = Process::read(self.pid) else { return Ok(None) };
        let same = process.started_ticks == self.started_ticks && inode(&pidfd)? == self.pidfd_inode;
        Ok((same && !process.is_dead()).then_some(pidfd))
    }

    /// Signals exactly this process. `false` if it is gone.
    pub fn signal(&self, signal: Signal) -> io::Result<bool> {
        match self.open()? {
            None => Ok(false),
            Some(pidfd) => match pidfd_send_signal(&pidfd, signal) {
                Ok(()) => Ok(true),
                Err(rustix::io::Errno::SRCH) => Ok(false),
                Err(error) => Err(error.into()),
            },
        }
    }
}

/// What tells this start of the machine from every other.
pub(super) fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

fn inode(pidfd: &OwnedFd) -> io::Result<u64> {
    Ok(rustix::fs::fstat(pidfd)?.st_ino)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn sleeper() -> (std::process::Child, ProcessId) {
        let child = Command::new("sleep").arg("1000").spawn().unwrap();
        let id = ProcessId::of(Pid::from_raw(child.id() as i32).unwrap()).unwrap();
        (child, id)
    }

    #[test]
    fn only_the_recorded_process_is_signalled() {
        let (mut child, id) = sleeper();
        for other in [
            ProcessId { started_ticks: id.started_ticks + 1, ..id.clone() },
            ProcessId { pidfd_inode: id.pidfd_inode + 1, ..id.clone() },
            ProcessId { pid: -1, ..id.clone() },
            ProcessId { pid: 0, ..id.clone() },
        ] {
            assert!(!other.signal(Signal::KILL).unwrap(), "{other:?} is not {id:?}");
        }
        assert!(child.try_wait().unwrap().is_none());
        assert!(id.signal(Signal::KILL).unwrap());
        child.wait().unwrap();
        assert!(!id.signal(Signal::KILL).unwrap());
    }

    #[test]
    fn another_boot_is_another_process() {
        let (mut child, init) = sleeper();
        let mut identity =
            Identity { version: 1, boot_id: boot_id().unwrap(), init, cgroup: None, child: None };
        assert!(identity.open_init().unwrap().is_some());
        identity.boot_id.push('x');
        assert!(identity.open_init().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
