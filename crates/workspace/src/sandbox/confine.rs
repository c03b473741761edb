//! What a process of a sandbox gives up for good before it becomes the child: capabilities, new privileges, system calls
//! that lead out, and signals and abstract sockets of processes outside.

use std::io;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
    RulesetCreated, RulesetCreatedAttr as _, Scope,
};
use rustix::thread::{
    CapabilitiesSecureBits, CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    configure_capability_in_ambient_set, set_capabilities, set_capabilities_secure_bits, set_no_new_privs,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use super::spec::{Sandbox, Walls};

/// Capabilities that a kernel may know of at most.
const CAPABILITIES_MAX: u32 = 64;
/// Where a program without namespaces writes without meaning a file of the machine.
const ALWAYS_WRITABLE: [&str; 5] = ["/dev", "/proc", "/tmp", "/var/tmp", "/dev/shm"];

/// Everything that is given up, prepared before the fork.
pub(crate) struct Confined {
    namespaces: bool,
    landlock: Option<RulesetCreated>,
    filters: Vec<BpfProgram>,
}

impl Confined {
    /// Prepares it. What this kernel does not know is left out: which that is, `divisi doctor` says.
    pub(crate) fn new(sandbox: &Sandbox) -> Confined {
        let namespaces = sandbox.walls == Walls::Namespaces;
        let landlock = if namespaces { scopes() } else { writes(&sandbox.writable) };
        Confined { namespaces, landlock: landlock.ok(), filters: filters() }
    }

    /// Gives it up: between fork and exec of the child.
    pub(crate) fn give_up(&mut self) -> io::Result<()> {
        if self.namespaces {
            give_up_capabilities()?;
        }
        set_no_new_privs(true)?;
        if let Some(rules) = self.landlock.take() {
            rules.restrict_self().map_err(io::Error::other)?;
        }
        for filter in &self.filters {
            seccompiler::apply_filter(filter).map_err(io::Error::other)?;
        }
        Ok(())
    }
}

/// Root would have them all again at its next exec, were it not for the secure bits; they and the bounding set are
/// locked, so no program that is started can undo it. A user namespace that it makes for itself is another matter:
/// its capabilities reach nothing out here.
///
/// Root keeps one, without which the kernel lets nobody map root into a namespace of their own, as the sandboxes of
/// agents do. With it a file can be given capabilities; whoever owns a file as root can make it set-user-id as well.
fn give_up_capabilities() -> io::Result<()> {
    let none = CapabilitySet::empty();
    let root = rustix::process::geteuid().is_root();
    let kept = if root { CapabilitySet::SETFCAP } else { none };
    clear_ambient_capability_set()?;
    if root {
        let own = capabilities(None)?;
        set_capabilities(None, CapabilitySets { inheritable: kept, ..own })?;
        configure_capability_in_ambient_set(kept, true)?;
    }
    let bits = CapabilitiesSecureBits::NO_ROOT
        | CapabilitiesSecureBits::NO_ROOT_LOCKED
        | CapabilitiesSecureBits::NO_SETUID_FIXUP
        | CapabilitiesSecureBits::NO_SETUID_FIXUP_LOCKED
        | CapabilitiesSecureBits::KEEP_CAPS_LOCKED
        | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE
        | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE_LOCKED;
    set_capabilities_secure_bits(bits)?;
    for number in (0..CAPABILITIES_MAX).filter(|number| kept.bits() >> number & 1 == 0) {
        // SAFETY: a number and no pointers.
        let dropped = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(number), 0, 0, 0) };
        if dropped != 0 {
            // The first one that the kernel does not know is the end of them.
            break;
        }
    }
    Ok(set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable: kept })?)
}

/// Signals and abstract sockets reach only what is in the sandbox. Nothing about files: a process that Landlock
/// restricts there may not mount, and agents build sandboxes of their own.
fn scopes() -> Result<RulesetCreated, landlock::RulesetError> {
    Ruleset::default().set_compatibility(CompatLevel::BestEffort).scope(Scope::from_all(ABI::V6))?.create()
}

/// The same, and files are written only where it is allowed.
fn writes(writable: &[PathBuf]) -> Result<RulesetCreated, landlock::RulesetError> {
    let abi = ABI::V3;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_write(abi))?
        .scope(Scope::from_all(ABI::V6))?
        .create()?;
    for path in ALWAYS_WRITABLE.iter().map(Path::new).chain(writable.iter().map(PathBuf::as_path)) {
        // What is not there needs no rule.
        if let Ok(held) = PathFd::new(path) {
            let folder = path.is_dir();
            let access = AccessFs::from_write(abi);
            let access = if folder { access } else { access & AccessFs::from_file(abi) };
            rules = rules.add_rule(PathBeneath::new(held, access))?;
        }
    }
    Ok(rules)
}

/// Refused as if the kernel did not have them: programs that would use them do without.
const UNKNOWN: [i64; 4] =
    [libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register, libc::SYS_userfaultfd];
/// Refused as not permitted: the kernel's key rings are the person's, the rest looks into the kernel or loads into it.
const FORBIDDEN: [i64; 12] = [
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_open_by_handle_at,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_syslog,
];
/// Added to a number, the same call of the x32 interface, which a filter for `x86_64` would not know.
const X32: i64 = 0x4000_0000;

fn filters() -> Vec<BpfProgram> {
    // SAFETY: asks the kernel whether it knows the action; no pointer is kept.
    let known = unsafe {
        let action: libc::c_uint = libc::SECCOMP_RET_ERRNO;
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action)
    };
    if known != 0 {
        return Vec::new();
    }
    let always = |numbers: &[i64]| -> Vec<_> { numbers.iter().map(|number| (*number, Vec::new())).collect() };
    let filters =
        [filter(always(&UNKNOWN), libc::ENOSYS), filter(forbidden(always(&FORBIDDEN)), libc::EPERM)];
    filters.into_iter().flatten().collect()
}

/// Besides the calls: sockets to the machine that runs this one, which no network namespace keeps apart, and putting
/// characters into a terminal as if they had been typed.
fn forbidden(mut calls: Vec<(i64, Vec<SeccompRule>)>) -> Vec<(i64, Vec<SeccompRule>)> {
    let when = |argument: u8, value: u64| {
        let is = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value);
        is.and_then(|is| SeccompRule::new(vec![is])).ok()
    };
    calls.push((libc::SYS_socket, when(0, libc::AF_VSOCK as u64).into_iter().collect()));
    #[allow(clippy::unnecessary_cast, reason = "the number has another type with musl")]
    calls.push((libc::SYS_ioctl, when(1, libc::TIOCSTI as u64).into_iter().collect()));
    // A call without a rule would be refused always.
    calls
        .retain(|(number, rules)| ![libc::SYS_socket, libc::SYS_ioctl].contains(number) || !rules.is_empty());
    calls
}

fn filter(calls: Vec<(i64, Vec<SeccompRule>)>, error: i32) -> Option<BpfProgram> {
    let x32 = if cfg!(target_arch = "x86_64") { Some(X32) } else { None };
    let doubled = calls.iter().filter_map(|(number, rules)| Some((number + x32?, rules.clone())));
    let doubled: Vec<_> = doubled.collect();
    SeccompFilter::new(
        calls.into_iter().chain(doubled).collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(error.cast_unsigned()),
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
    fn both_filters_and_all_rules_can_be_built_here() {
        assert_eq!(filters().len(), 2);
        assert!(scopes().is_ok() && writes(&["/tmp".into(), "/dev/null".into()]).is_ok());
    }
}
