//! How shims are started.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use tokio::process::Command;

use super::fork_server::hand_over;
use super::shim::{ADOPT, FORK_SERVER};

/// How a shim is started: a program that calls [`shim_main`](super::shim_main), and what makes it do so.
#[derive(Debug, Clone)]
pub struct ShimCommand {
    program: PathBuf,
    args: Vec<OsString>,
    fork_server: Option<Arc<ForkServer>>,
}

/// The socket of a fork server that was started.
#[derive(Debug, Default)]
struct ForkServer(Mutex<Option<OwnedFd>>);

impl ShimCommand {
    /// The executable, absolute, and the arguments before those of [`shim_main`](super::shim_main), for example
    /// `["shim"]`. It is executed for every launch.
    pub fn new<A: Into<OsString>>(
        program: impl Into<PathBuf>,
        args: impl IntoIterator<Item = A>,
    ) -> ShimCommand {
        let args = args.into_iter().map(Into::into).collect();
        ShimCommand { program: program.into(), args, fork_server: None }
    }

    /// It is executed once, at the first launch, and makes all further shims by forking, for this value and all clones
    /// of it. Where that fails it is executed as without.
    pub fn with_fork_server(mut self) -> ShimCommand {
        self.fork_server = Some(Arc::default());
        self
    }

    /// The executable.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Lets a fork server make the shim of `launch`, which has `output` and `log`. `false` if there is none to do that.
    pub(super) fn fork(&self, launch: &Path, adopt: bool, output: &UnixStream, log: &File) -> bool {
        let Some(server) = &self.fork_server else { return false };
        let give = || -> io::Result<()> {
            let launch = rustix::fs::open(launch, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
            let things = [launch.as_fd(), output.as_fd(), log.as_fd()];
            let mut socket = server.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(there) = &*socket
                && hand_over(there, adopt, things).is_ok()
            {
                return Ok(());
            }
            let started = socket.insert(self.start_fork_server()?);
            hand_over(started, adopt, things)
        };
        give().is_ok()
    }

    /// The next shim is not to be made by the fork server that is there: it does not answer.
    pub(super) fn forget_fork_server(&self) {
        if let Some(server) = &self.fork_server {
            *server.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Executes the shim of `launch`, which has `output` and `log`.
    pub(super) fn execute(
        &self,
        launch: &Path,
        adopt: bool,
        output: UnixStream,
        log: File,
    ) -> io::Result<()> {
        let mut command = self.command();
        command.args(adopt.then_some(ADOPT)).arg(launch);
        run(command.stdin(Stdio::null()).stdout(OwnedFd::from(output)).stderr(log))
    }

    fn start_fork_server(&self) -> io::Result<OwnedFd> {
        let (ours, its) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        let mut command = self.command();
        run(command.arg(FORK_SERVER).stdin(its).stdout(Stdio::null()).stderr(Stdio::null()))?;
        Ok(ours)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).env_clear().current_dir("/");
        command
    }
}

/// The process that is started forks and ends; what it forked is not our child.
fn run(command: &mut Command) -> io::Result<()> {
    let mut child = command.spawn()?;
    tokio::spawn(async move { child.wait().await });
    Ok(())
}
