//! The box that a git process runs in: it can write only what it was given, start nothing but git, open no
//! socket.
//!
//! This is the backstop for what the door did not think of, not the first line: no call should ever *want* to do
//! any of this. Landlock and seccomp are applied between fork and exec (about a quarter of a millisecond). Where
//! the kernel has neither, calls still run, and [`level`] says so plainly for `divisi doctor`.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, Scope,
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use serde::Serialize;

use crate::git::Git;

/// Largest file a confined git may write: ends a decompression bomb.
const MAX_FILE_BYTES: u64 = 16 << 30;

/// Folders whose programs and loaders git itself needs; readable in every box.
const SYSTEM_LIBRARIES: &[&str] =
    &["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/libexec", "/nix/store", "/opt/homebrew"];
const SYSTEM_READ: &[&str] =
    &["/usr", "/lib", "/lib64", "/bin", "/etc", "/nix/store", "/proc", "/dev", "/sys"];
const SYSTEM_PROGRAMS: &[&str] = &["/usr", "/bin", "/nix/store", "/opt"];

/// How well git calls are confined on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BoxLevel {
    /// Files by Landlock, network by seccomp.
    Full,
    /// Files only: the kernel refuses seccomp filters.
    FilesOnly,
    /// Network only: the kernel has no Landlock (or one before 5.19, which cannot rename across folders).
    NetworkOnly,
    /// Neither. The door's own rules are then all there is.
    None,
}

/// What one call may do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Confine {
    /// Folders (or files) that may be read besides the system's own; nothing listed means everything.
    pub(crate) read: Vec<PathBuf>,
    /// Folders that may be written; they must exist.
    pub(crate) write: Vec<PathBuf>,
    /// Programs other than git may be started. Only the local transport needs it, which goes through `sh`.
    pub(crate) any_program: bool,
}

/// Probes once per process.
pub fn level() -> BoxLevel {
    static LEVEL: OnceLock<BoxLevel> = OnceLock::new();
    *LEVEL.get_or_init(|| {
        let files = landlock_works();
        let network = filter().is_some();
        match (files, network) {
            (true, true) => BoxLevel::Full,
            (true, false) => BoxLevel::FilesOnly,
            (false, true) => BoxLevel::NetworkOnly,
            (false, false) => BoxLevel::None,
        }
    })
}

impl Confine {
    /// May write in `dirs` only.
    pub(crate) fn writing<I: IntoIterator<Item = P>, P: AsRef<Path>>(dirs: I) -> Self {
        Self { write: dirs.into_iter().map(|d| d.as_ref().to_owned()).collect(), ..Self::default() }
    }

    /// May read only these (and the system's libraries, and what it may write).
    pub(crate) fn reading<I: IntoIterator<Item = P>, P: AsRef<Path>>(mut self, dirs: I) -> Self {
        self.read.extend(dirs.into_iter().map(|d| d.as_ref().to_owned()));
        self
    }

    /// May start `sh` and `git-upload-pack`, for a fetch from one local repository into another.
    pub(crate) fn any_program(mut self) -> Self {
        self.any_program = true;
        self
    }

    /// Builds what has to exist before the fork.
    pub(crate) fn prepare(&self, git: &Git) -> io::Result<Prepared> {
        let ruleset = match level() {
            BoxLevel::Full | BoxLevel::FilesOnly => self.ruleset(git).map_err(io::Error::other)?,
            BoxLevel::NetworkOnly | BoxLevel::None => None,
        };
        Ok(Prepared { ruleset, filter: filter() })
    }

    fn ruleset(&self, git: &Git) -> Result<Option<OwnedFd>, Box<dyn std::error::Error + Send + Sync>> {
        let abi = ABI::V6;
        let read = AccessFs::ReadFile | AccessFs::ReadDir;
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(abi))?
            .handle_access(AccessNet::from_all(abi))?
            .scope(Scope::from_all(abi))?
            .create()?;
        let mut allow = |path: &Path, access| -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            // A folder that this system does not have needs no rule.
            if let Ok(fd) = PathFd::new(path) {
                (&mut rules).add_rule(PathBeneath::new(fd, access))?;
            }
            Ok(())
        };
        if self.read.is_empty() {
            allow(Path::new("/"), read)?;
        } else {
            for dir in SYSTEM_READ.iter().map(Path::new).chain(self.read.iter().map(PathBuf::as_path)) {
                allow(dir, read)?;
            }
        }
        for dir in SYSTEM_LIBRARIES {
            allow(Path::new(dir), read | AccessFs::Execute)?;
        }
        allow(git.program(), AccessFs::ReadFile | AccessFs::Execute)?;
        allow(git.exec_path(), read | AccessFs::Execute)?;
        if !git.starts_boxed() {
            allow(Path::new("/"), read | AccessFs::Execute)?;
        }
        if self.any_program {
            for dir in SYSTEM_PROGRAMS {
                allow(Path::new(dir), read | AccessFs::Execute)?;
            }
        }
        allow(Path::new("/dev/null"), AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate)?;
        for dir in &self.write {
            allow(dir, AccessFs::from_write(abi) | read)?;
        }
        Ok(rules.into())
    }
}

/// A box ready to be put on between fork and exec.
#[derive(Debug)]
pub(crate) struct Prepared {
    ruleset: Option<OwnedFd>,
    filter: Option<Arc<BpfProgram>>,
}

impl Prepared {
    /// The command's process will wear it.
    pub(crate) fn attach(self, command: &mut Command) {
        // SAFETY: the closure only makes system calls on data built before the fork; it neither allocates nor
        // takes a lock, so it may run between fork and exec of a process with other threads.
        unsafe {
            command.pre_exec(move || self.put_on());
        }
    }

    fn put_on(&self) -> io::Result<()> {
        let limit = |resource, bytes: u64| {
            let value = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
            // SAFETY: `value` is a valid rlimit for the time of the call.
            unsafe { libc::setrlimit(resource, &raw const value) };
        };
        limit(libc::RLIMIT_CORE, 0);
        limit(libc::RLIMIT_FSIZE, MAX_FILE_BYTES);
        // SAFETY: plain system calls with constant or owned arguments.
        unsafe {
            if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 {
                return Err(io::Error::last_os_error());
            }
            if let Some(ruleset) = &self.ruleset
                && libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0) != 0
            {
                return Err(io::Error::last_os_error());
            }
        }
        match &self.filter {
            Some(program) => {
                seccompiler::apply_filter(program).map_err(|_| io::ErrorKind::PermissionDenied.into())
            }
            None => Ok(()),
        }
    }
}

/// Landlock is on and new enough to allow a rename from one folder into another (ABI 2, Linux 5.19).
fn landlock_works() -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V2))
        .and_then(Ruleset::create)
        .is_ok()
}

/// No sockets of any family, and none of the calls by which a process reaches out of its own box.
fn filter() -> Option<Arc<BpfProgram>> {
    static FILTER: OnceLock<Option<Arc<BpfProgram>>> = OnceLock::new();
    FILTER.get_or_init(|| build_filter().map(Arc::new)).clone()
}

fn build_filter() -> Option<BpfProgram> {
    // SAFETY: asks the kernel whether it knows the action; no pointer is kept.
    let known = unsafe {
        let action: libc::c_uint = libc::SECCOMP_RET_ERRNO;
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action)
    };
    if known != 0 {
        return None;
    }
    let denied = [
        libc::SYS_socket,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_getfd,
        libc::SYS_io_uring_setup,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_open_by_handle_at,
        libc::SYS_kexec_load,
    ];
    SeccompFilter::new(
        denied.into_iter().map(|number| (number, Vec::new())).collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM.cast_unsigned()),
        std::env::consts::ARCH.try_into().ok()?,
    )
    .ok()?
    .try_into()
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_probed_once_and_stays() {
        assert_eq!(level(), level());
    }

    #[test]
    fn a_filter_can_be_built_here() {
        assert!(build_filter().is_some());
    }
}
