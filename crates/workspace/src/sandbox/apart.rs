//! Work in namespaces of its own, without a process that stays.
//!
//! A mount that was not put anywhere belongs to whoever has its descriptor. So a process is needed only for the
//! moment in which it is made: it shares memory and descriptors with the thread that waits for it, which is what
//! `posix_spawn` does too, and ends before anything else happens in that thread.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustix::process::{Gid, Uid, getegid, geteuid};

use super::error::{SandboxError, step};

/// Stack of the process, in bytes.
const STACK_BYTES: usize = 512 << 10;

/// Who this process is outside of the user namespace that it is about to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    uid: Uid,
    gid: Gid,
}

impl Owner {
    /// To be asked before the user namespace is made.
    pub(crate) fn now() -> Owner {
        Owner { uid: geteuid(), gid: getegid() }
    }

    /// Whether files of root belong to it, whatever capabilities it has.
    pub(super) fn is_root(self) -> bool {
        self.uid.is_root()
    }

    /// Keeps user and group what they are: to be called in the new user namespace before anything else.
    pub(crate) fn map_ids(self) -> Result<(), SandboxError> {
        let Owner { uid, gid } = self;
        let (uid, gid) = (uid.as_raw(), gid.as_raw());
        let write = |name: &str, text: String| std::fs::write(format!("/proc/self/{name}"), text);
        write("setgroups", "deny".to_owned())
            .and_then(|()| write("uid_map", format!("{uid} {uid} 1")))
            .and_then(|()| write("gid_map", format!("{gid} {gid} 1")))
            .map_err(step("keep the user's id in a namespace of its own"))
    }
}

struct Errand<F, T> {
    work: Option<F>,
    result: Option<Result<T, SandboxError>>,
}

/// Does `work` in new namespaces (`CLONE_NEW…`), in a process that has ended when this returns. What it opens stays
/// open here. It must not make or end threads, and must not change what the memory says about the process.
pub(super) fn apart<T>(
    namespaces: i32,
    work: impl FnOnce() -> Result<T, SandboxError>,
) -> Result<T, SandboxError> {
    let mut errand = Errand { work: Some(work), result: None };
    run(namespaces, &mut errand).map_err(step("make namespaces"))?;
    let ended =
        || SandboxError::Step { doing: "work in a namespace", source: io::ErrorKind::Interrupted.into() };
    errand.result.unwrap_or_else(|| Err(ended()))
}

fn run<T, F: FnOnce() -> Result<T, SandboxError>>(
    namespaces: i32,
    errand: &mut Errand<F, T>,
) -> io::Result<()> {
    extern "C" fn begin<T, F: FnOnce() -> Result<T, SandboxError>>(errand: *mut libc::c_void) -> i32 {
        // SAFETY: it is the errand of the thread that waits in `clone`, which does not touch it meanwhile.
        let errand = unsafe { &mut *errand.cast::<Errand<F, T>>() };
        if let Some(work) = errand.work.take() {
            // A panic must not unwind into the C frame; without a result the caller says that it failed.
            errand.result = catch_unwind(AssertUnwindSafe(work)).ok();
        }
        0
    }
    let mut stack: Vec<u128> = Vec::with_capacity(STACK_BYTES / size_of::<u128>());
    // SAFETY: one past the end of the allocation; the stack grows down from there.
    let top = unsafe { stack.as_mut_ptr().add(stack.capacity()) };
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_FILES | namespaces;
    let mut before = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the process runs on a stack of its own while this thread waits (CLONE_VFORK), so that the two never run
    // at once on the same thread-local memory. No handler of ours can run in it, because all signals are blocked.
    // `before` is filled by the first call. No signal tells of its end, so nobody else waits for it.
    unsafe {
        let mut all = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
        let pid = libc::clone(begin::<T, F>, top.cast(), flags, std::ptr::from_mut(errand).cast());
        let error = io::Error::last_os_error();
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut());
        if pid < 0 {
            return Err(error);
        }
        while libc::waitpid(pid, std::ptr::null_mut(), libc::__WALL) < 0
            && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
        {}
    }
    Ok(())
}
