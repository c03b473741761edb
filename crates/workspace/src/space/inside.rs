//! A program of the person's own among the files of a workspace, at the person's terminal.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus};

use super::record::Workspace;
use crate::sandbox::Holder;

impl Workspace {
    /// Runs a program in the workspace, with the standard streams and the environment of the caller, and waits for its
    /// end. In an overlay it sees the files as the agent does, whether or not one works there; everything else on the
    /// machine is as the person has it. Nothing keeps it in its place: it is the person's.
    pub fn run_inside(&self, program: &OsStr, args: &[OsString]) -> io::Result<ExitStatus> {
        let place = self.path();
        let mut command = Command::new(program);
        command.args(args).env("PWD", &place).env("DIVISI_WORKSPACE_PATH", &place);
        let inside = Inside::of(self)?;
        if inside.held.is_none() {
            return command.current_dir(place).status();
        }
        // SAFETY: the closure makes system calls on what was built before the fork; it neither allocates nor locks.
        unsafe { command.pre_exec(inside.step()) };
        let mut child = command.spawn()?;
        // What is typed to interrupt the program is meant for it and not for this process.
        // SAFETY: no handler of ours is replaced; this process only waits from here on.
        let before = unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
        let ended = child.wait();
        // SAFETY: puts back what was there.
        unsafe { libc::signal(libc::SIGINT, before) };
        drop(inside);
        ended
    }
}

/// The way in, for a program that is about to be started.
pub(super) struct Inside {
    /// The overlay, mounted, where the workspace is one that is not seen here anyway. Kept until the program has ended.
    pub(super) held: Option<Holder>,
    target: CString,
}

impl Inside {
    pub(super) fn of(space: &Workspace) -> io::Result<Self> {
        let is_here = space.overlay().is_some_and(|overlay| overlay.is_here());
        let held = if is_here { None } else { space.held()? };
        Ok(Self { held, target: CString::new(space.path().as_os_str().as_bytes())? })
    }

    /// What the new process does before it becomes the program: it neither allocates nor locks.
    pub(super) fn step(&self) -> impl Fn() -> io::Result<()> + Send + Sync + use<> {
        let held = self.held.as_ref().map(|held| (held.as_fd().as_raw_fd(), held.lock().as_raw_fd()));
        let (maps, target) = (Maps::of_this_user(), self.target.clone());
        move || {
            // What the program leaves behind goes on seeing the files, so the lock stays open in it.
            if let Some((from, lock)) = held {
                mount(from, &maps, &target).and_then(|()| keep_open(lock))?;
            }
            go_to(&target)
        }
    }
}

/// What is written to keep user and group what they are in a new namespace.
struct Maps {
    user: Vec<u8>,
    group: Vec<u8>,
}

impl Maps {
    fn of_this_user() -> Self {
        let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let line = |id: u32| format!("{id} {id} 1").into_bytes();
        Self { user: line(user), group: line(group) }
    }
}

fn mount(from: RawFd, maps: &Maps, target: &CString) -> io::Result<()> {
    // SAFETY: plain system calls on valid descriptors and strings.
    unsafe {
        done(libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS))?;
        for (path, text) in [
            (c"/proc/self/setgroups", &b"deny"[..]),
            (c"/proc/self/uid_map", &maps.user),
            (c"/proc/self/gid_map", &maps.group),
        ] {
            let file = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
            done(file)?;
            let written = libc::write(file, text.as_ptr().cast(), text.len());
            libc::close(file);
            done(if written < 0 { -1 } else { 0 })?;
        }
        let moved = libc::syscall(
            libc::SYS_move_mount,
            from,
            c"".as_ptr(),
            libc::AT_FDCWD,
            target.as_ptr(),
            libc::MOVE_MOUNT_F_EMPTY_PATH,
        );
        done(if moved < 0 { -1 } else { 0 })
    }
}

fn keep_open(fd: RawFd) -> io::Result<()> {
    // SAFETY: numbers only.
    done(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) })
}

fn go_to(target: &CString) -> io::Result<()> {
    // SAFETY: a valid string.
    done(unsafe { libc::chdir(target.as_ptr()) })
}

fn done(result: i32) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
