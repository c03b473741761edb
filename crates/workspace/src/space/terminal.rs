//! A program of the person's own among the files of a workspace, at a terminal that Divisi holds.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::inside::Inside;
use super::record::Workspace;
use crate::launch::{LAUNCH_VARIABLE, end_session, new_id, reset_signals};
use crate::sandbox::Holder;

/// What a terminal understands, as programs look it up.
const TERM: &str = "xterm-256color";

/// How large a terminal is, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSize {
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

/// How the program at a terminal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalEnd {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal.
    Signaled(i32),
}

/// A program at a terminal. It and all that came out of it are ended when this is dropped, which may take half a second.
#[derive(Debug)]
pub struct Terminal {
    side: AsyncFd<OwnedFd>,
    /// Readable once the program has ended.
    ended: AsyncFd<OwnedFd>,
    /// Not reaped before everything of its session is gone, so that its id stays its own.
    child: Child,
    id: String,
    /// The files are seen for as long as the program lives.
    _held: Option<Holder>,
}

impl Workspace {
    /// Starts a program among the files of the workspace, as its agent sees them, with this environment and nothing else
    /// but where it is, at a new terminal. Nothing keeps it in its place: it is the person's. Has to be called in a tokio
    /// runtime.
    pub fn terminal(
        &self,
        program: &OsStr,
        environment: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
        size: TerminalSize,
    ) -> io::Result<Terminal> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let side = openpt(flags)?;
        grantpt(&side)?;
        unlockpt(&side)?;
        let theirs = ioctl_tiocgptpeer(&side, flags)?;
        tcsetwinsize(&side, winsize(size))?;
        fcntl_setfl(&side, OFlags::RDWR | OFlags::NONBLOCK)?;
        let (place, id) = (self.path(), new_id());
        let mut command = Command::new(program);
        command.env_clear().envs(environment).env("TERM", TERM).env("PWD", &place);
        command.env("DIVISI_WORKSPACE_PATH", &place).env(LAUNCH_VARIABLE, &id);
        command.stdin(theirs.try_clone()?).stdout(theirs.try_clone()?).stderr(theirs);
        let inside = Inside::of(self)?;
        let enter = inside.step();
        let prepare = move || {
            reset_signals();
            take_terminal()?;
            enter()
        };
        // SAFETY: it makes system calls on what was built before the fork; it neither allocates nor locks.
        unsafe { command.pre_exec(prepare) };
        let child = command.spawn()?;
        // The ends that the program has must not stay open here.
        drop(command);
        Terminal::of(child, side, id, inside.held)
    }
}

impl Terminal {
    fn of(mut child: Child, side: OwnedFd, id: String, held: Option<Holder>) -> io::Result<Self> {
        let watched = || {
            let ended = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
            // SAFETY: an OwnedFd gives the same open descriptor until it is dropped.
            let (side, ended) = unsafe {
                (AsyncFd::register(side)?, AsyncFd::register_with_interest(ended, Interest::READABLE)?)
            };
            Ok::<_, io::Error>((side, ended))
        };
        match watched() {
            Ok((side, ended)) => Ok(Self { side, ended, child, id, _held: held }),
            Err(error) => {
                end(&mut child, &id);
                Err(error)
            }
        }
    }

    /// Says how large the terminal is now; its program is told.
    pub fn resize(&self, size: TerminalSize) -> io::Result<()> {
        Ok(tcsetwinsize(self.side.get_ref(), winsize(size))?)
    }

    /// Waits for what is written to the terminal and reads it; 0 once nobody can write to it any more. May be dropped
    /// while it waits; nothing is lost.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = |side: &OwnedFd| match rustix::io::read(side, &mut *buffer) {
            // All that had it open are gone.
            Err(Errno::IO) => Ok(0),
            read => Ok(read?),
        };
        self.side.async_io(Interest::READABLE, read).await
    }

    /// Reads what is there already; 0 where nothing is.
    pub fn read_now(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match rustix::io::read(self.side.get_ref(), buffer) {
            Err(Errno::IO | Errno::WOULDBLOCK) => Ok(0),
            read => Ok(read?),
        }
    }

    /// Types, as far as there is room; how many bytes were taken. May be dropped while it waits; then none were.
    pub async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.side.async_io(Interest::WRITABLE, |side| Ok(rustix::io::write(side, bytes)?)).await
    }

    /// Waits until the program has ended; what it left behind may live on.
    pub async fn ended(&self) -> io::Result<TerminalEnd> {
        loop {
            let mut ready = self.ended.readable().await?;
            // It is only looked at: its id would be given to another process once it is reaped.
            let how = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
            let Some(found) = waitid(WaitId::Pid(Pid::from_child(&self.child)), how)? else {
                ready.clear_ready();
                continue;
            };
            return Ok(match found.exit_status() {
                Some(code) => TerminalEnd::Exited(code),
                None => TerminalEnd::Signaled(found.terminating_signal().unwrap_or_default()),
            });
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        end(&mut self.child, &self.id);
    }
}

fn end(child: &mut Child, id: &str) {
    if let Ok(pid) = i32::try_from(child.id()) {
        end_session(pid, id);
    }
    // Nothing of it lives, so this only reaps it.
    let _ = child.kill();
    let _ = child.wait();
}

fn winsize(size: TerminalSize) -> Winsize {
    Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 }
}

/// Makes what stands at standard input the terminal of a session of our own.
fn take_terminal() -> io::Result<()> {
    // SAFETY: numbers only.
    let taken = unsafe { if libc::setsid() < 0 { -1 } else { libc::ioctl(0, libc::TIOCSCTTY, 0) } };
    if taken < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
