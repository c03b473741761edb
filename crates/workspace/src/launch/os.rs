//! The few system calls for which there is no safe wrapper.

use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::pipe::PipeFlags;
use rustix::process::{Pid, WaitOptions};

/// Which side of a fork this is.
pub(super) enum Fork {
    /// The process that forked, with the id of the new one.
    Parent(Pid),
    /// The new process.
    Child,
}

/// Makes a second process of this one.
///
/// Only for the shim and the init process, which have one thread: in a program with more, the locks that other
/// threads hold would stay locked in the child for ever.
pub(super) fn fork() -> io::Result<Fork> {
    // SAFETY: the callers are single-threaded, so the child may go on like any program.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Fork::Child),
        pid => {
            Pid::from_raw(pid).map(Fork::Parent).ok_or_else(|| io::Error::other("fork returned no process"))
        }
    }
}

/// Closes all but the standard descriptors, whatever the daemon happened to have open and did not mark.
///
/// Only for the shim before it opens anything of its own.
pub(super) fn close_inherited() {
    // SAFETY: nothing in this process owns a descriptor above 2 yet.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0);
    }
}

/// Complains on standard error, which is `shim.log`; the same complaint only once in a row, so that the log does not
/// grow while something is tried again and again.
pub(super) fn complain(complaint: &str) {
    static LAST: Mutex<String> = Mutex::new(String::new());
    let mut last = LAST.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if *last != complaint {
        // Not eprintln: that panics when the disk is full.
        drop(writeln!(io::stderr(), "{} {}: {complaint}", now_ms(), std::process::id()));
        complaint.clone_into(&mut last);
    }
}

/// From `linux/sched.h`; the constant in the libc crate is an `int`, in which it is zero.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// As [`fork`], with the new process in another control group from its first moment.
///
/// Joining a group later would do too, but writing to `cgroup.procs` waits for all processors: 10 ms and more.
/// Where the group cannot be joined, the new process stays in ours.
pub(super) fn fork_into(group: Option<BorrowedFd<'_>>) -> io::Result<Fork> {
    let Some(group) = group else { return fork() };
    clone(CLONE_INTO_CGROUP, group.as_raw_fd() as u64).or_else(|_| fork())
}

/// As [`fork`], with the new process in namespaces of its own (`CLONE_NEW…`).
pub(super) fn fork_apart(namespaces: i32) -> io::Result<Fork> {
    if namespaces == 0 { fork() } else { clone(u64::from(namespaces.cast_unsigned()), 0) }
}

fn clone(flags: u64, cgroup: u64) -> io::Result<Fork> {
    // SAFETY: all zeros is a valid clone_args.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    (args.flags, args.cgroup) = (flags, cgroup);
    args.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: without a stack of its own and without shared memory this is fork; the callers have one thread.
    match unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of::<libc::clone_args>()) } {
        0 => Ok(Fork::Child),
        pid if pid > 0 => {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            pid.map(Fork::Parent).ok_or_else(|| io::Error::other("fork returned no process"))
        }
        _ => Err(io::Error::last_os_error()),
    }
}

/// Kills all other processes of a process namespace at one stroke; only for the first process of one.
pub(super) fn kill_namespace() {
    // SAFETY: numbers only. The first process of a namespace is not hit, and cannot name any outside of it.
    unsafe {
        libc::kill(-1, libc::SIGKILL);
    }
}

/// Forks and executes. The error is that of the step that failed in the child.
pub(super) fn spawn(mut command: Command, group: Option<BorrowedFd<'_>>) -> io::Result<Pid> {
    let (hear, say) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    match fork_into(group)? {
        Fork::Child => {
            let error = command.exec().raw_os_error().unwrap_or(libc::EINVAL);
            rustix::io::write(&say, &error.to_ne_bytes()).ok();
            leave(127)
        }
        Fork::Parent(pid) => {
            // The command holds the child's ends of the pipes, which must not stay open here.
            drop((command, say));
            let mut error = [0; 4];
            match rustix::io::retry_on_intr(|| rustix::io::read(&hear, &mut error)) {
                Ok(4) => {
                    rustix::process::waitpid(Some(pid), WaitOptions::empty()).ok();
                    Err(io::Error::from_raw_os_error(i32::from_ne_bytes(error)))
                }
                // The pipe is closed by a successful exec.
                _ => Ok(pid),
            }
        }
    }
}

/// Leaves without running destructors or flushing anything that the other side of a fork will flush.
pub(super) fn leave(code: i32) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(code) }
}

/// Ignores a signal from now on.
pub(super) fn ignore(signal: i32) {
    // SAFETY: SIG_IGN is a valid disposition, and no handler of ours is replaced.
    unsafe {
        libc::signal(signal, libc::SIG_IGN);
    }
}

/// Takes a signal as a program does that was just started.
pub(super) fn stop_ignoring(signal: i32) {
    // SAFETY: SIG_DFL is a valid disposition, and no handler of ours is replaced.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
    }
}

/// Gives the signals back what a program expects at its start; for the child, between fork and exec.
pub(crate) fn reset_signals() {
    // SAFETY: both calls are async-signal-safe, and the set is initialised by sigemptyset.
    unsafe {
        // Those that cannot be set are passed over.
        for signal in 1..=libc::SIGRTMAX() {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none = MaybeUninit::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
    }
}

/// Signals as something to poll.
pub(super) struct Signals {
    fd: OwnedFd,
    /// What a process of our own namespace sends does not count.
    from_outside: bool,
}

impl Signals {
    /// Blocks `signals` and reports them from now on, also those that are pending. With `from_outside`, only those from
    /// outside of our process namespace, and the news of children.
    pub(super) fn new(signals: &[i32], from_outside: bool) -> io::Result<Signals> {
        let set = block(signals)?;
        // SAFETY: the set is initialised; a new descriptor is asked for with -1.
        let fd = unsafe { libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just made and belongs to nobody else.
        Ok(Signals { fd: unsafe { OwnedFd::from_raw_fd(fd) }, from_outside })
    }

    /// All signals that have come since the last call.
    pub(super) fn take(&self) -> Vec<i32> {
        let mut taken = Vec::new();
        let mut info = MaybeUninit::<libc::signalfd_siginfo>::uninit();
        let size = size_of::<libc::signalfd_siginfo>();
        // SAFETY: the buffer has the size that is given, and is read only when it was filled whole.
        while unsafe { libc::read(self.fd.as_raw_fd(), info.as_mut_ptr().cast(), size) } == size as isize {
            // SAFETY: as above.
            let info = unsafe { info.assume_init_ref() };
            let signal = info.ssi_signo.cast_signed();
            // Whoever is outside has no id in here.
            if !self.from_outside || info.ssi_pid == 0 || signal == libc::SIGCHLD {
                taken.push(signal);
            }
        }
        taken
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Blocks `signals`; a process forked from this one inherits that.
pub(super) fn block(signals: &[i32]) -> io::Result<libc::sigset_t> {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the set before it is used.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in signals {
            libc::sigaddset(set.as_mut_ptr(), *signal);
        }
        if libc::sigprocmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(set.assume_init())
    }
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_millis() as u64)
}
