//! A program of the person's own among the files of a workspace, at the person's terminal.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus};

use super::record::Workspace;

impl Workspace {
    /// Runs a program in the workspace, with the standard streams and the environment of the caller, and waits for its
    /// end. In an overlay it sees the files as the agent does, whether or not one works there; everything else on the
    /// machine is as the person has it. Nothing keeps it in its place: it is the person's.
    pub fn run_inside(&self, program: &OsStr, args: &[OsString]) -> io::Result<ExitStatus> {
        let place = self.path();
        let mut command = Command::new(program);
        command.args(args).env("PWD", &place).env("DIVISI_WORKSPACE_PATH", &place);
        let is_here = self.overlay().is_some_and(|overlay| overlay.is_here());
        let held = if is_here { None } else { self.held()? };
        let Some(held) = held else { return command.current_dir(place).status() };
        let target = CString::new(place.as_os_str().as_bytes())?;
        let maps = Maps::of_this_user();
        let step = {
            let (from, lock) = (held.as_fd().as_raw_fd(), held.lock().as_raw_fd());
            // What the program leaves behind goes on seeing the files, so the lock stays open in it.
            move || mount(from, &maps, &target).and_then(|()| keep_open(lock)).and_then(|()| go_to(&target))
        };
        // SAFETY: the closure makes system calls on what was built before the fork; it neither allocates nor locks.
        unsafe { command.pre_exec(step) };
        let mut child = command.spawn()?;
        // What is typed to interrupt the program is meant for it and not for this process.
        // SAFETY: no handler of ours is replaced; this process only waits from here on.
        let before = unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
        let ended = child.wait();
        // SAFETY: puts back what was there.
        unsafe { libc::signal(libc::SIGINT, before) };
        drop(held);
        ended
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
