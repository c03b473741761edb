//! A program of the person's own among the files of a workspace, at the person's terminal.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus};

use super::record::Workspace;
use crate::sandbox::{Holder, SandboxError};

/// How the program gets to where the files are.
enum Way {
    /// Into the namespaces of a process that lives there.
    Join { user: File, mounts: File },
    /// Into namespaces of its own, with a mount that is put in its place there.
    Mount(Holder),
}

impl Workspace {
    /// Runs a program in the workspace, with the standard streams and the environment of the caller, and waits for its
    /// end. In an overlay it sees the files as the agent does: it joins the launch that lives there, or has the overlay
    /// for itself until it ends. Nothing else keeps it in its place: it is the person's.
    pub fn run_inside(&self, program: &OsStr, args: &[OsString]) -> io::Result<ExitStatus> {
        let place = self.path();
        let mut command = Command::new(program);
        command.args(args).env("PWD", &place).env("DIVISI_WORKSPACE_PATH", &place);
        let Some(way) = self.way()? else { return command.current_dir(place).status() };
        let target = CString::new(place.as_os_str().as_bytes())?;
        let maps = Maps::of_this_user();
        let step = {
            let fds = match &way {
                Way::Join { user, mounts } => (user.as_raw_fd(), mounts.as_raw_fd()),
                Way::Mount(holder) => (std::os::fd::AsFd::as_fd(holder).as_raw_fd(), -1),
            };
            let joins = matches!(way, Way::Join { .. });
            move || match joins {
                true => join(fds.0, fds.1).and_then(|()| go_to(&target)),
                false => mount(fds.0, &maps, &target).and_then(|()| go_to(&target)),
            }
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
        drop(way);
        ended
    }

    fn way(&self) -> io::Result<Option<Way>> {
        let Some(overlay) = self.overlay() else { return Ok(None) };
        for _ in 0..3 {
            if let Some((pid, _)) = self.process_inside(&overlay.upper) {
                let of =
                    |name: &str| File::open(Path::new("/proc").join(pid.to_string()).join("ns").join(name));
                let (user, mounts) = (of("user")?, of("mnt")?);
                return Ok(Some(Way::Join { user, mounts }));
            }
            match Holder::mount(&overlay) {
                Ok(holder) => return Ok(Some(Way::Mount(holder))),
                Err(SandboxError::InUse(_)) => {}
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
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

fn join(user: RawFd, mounts: RawFd) -> io::Result<()> {
    // SAFETY: both are open namespace files.
    done(unsafe { libc::setns(user, libc::CLONE_NEWUSER) })?;
    // SAFETY: as above.
    done(unsafe { libc::setns(mounts, libc::CLONE_NEWNS) })
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

fn go_to(target: &CString) -> io::Result<()> {
    // SAFETY: a valid string.
    done(unsafe { libc::chdir(target.as_ptr()) })
}

fn done(result: i32) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
