//! One overlay for several at once: who comes second takes another mount of the same tree, never a second overlay.
//!
//! The kernel's own folder has a lock. Who mounts anew has it alone; once it is mounted they share it, and who takes
//! another mount shares it too. It changes hands only while the lock of `upper` is held, so nobody can get it alone in
//! the moment in which it begins to be shared.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FlockOperation, Mode, OFlags, flock, fstatfs, statfs};
use rustix::io::{Errno, retry_on_intr};
use rustix::mount::{OpenTreeFlags, open_tree};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::apart::apart;
use super::error::{SandboxError, at, step};
use super::overlay::Mounted;
use super::spec::Overlay;

/// Time that others have to let somebody in, or to end.
const REACH_MAX: Duration = Duration::from_secs(5);
/// Pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// What `statfs` says of an overlay.
const OVERLAY_MAGIC: i64 = 0x794c_7630;
/// `NS_GET_PARENT` of `ioctl_ns(2)`.
const NAMESPACE_PARENT: libc::c_ulong = 0xb702;

/// How an overlay can be had.
pub(crate) enum Reached {
    /// Nobody has it mounted, and nobody can until this lock is shared or dropped.
    Alone(OwnedFd),
    /// Somebody has; this is another mount of theirs.
    Shared(Mounted),
}

impl Overlay {
    /// Waits until it can be mounted, or is shared by who has it mounted.
    pub(crate) fn reach(&self) -> Result<Reached, SandboxError> {
        let until = Instant::now() + REACH_MAX;
        loop {
            let lock = self.try_lock(FlockOperation::NonBlockingLockExclusive)?;
            // One that let go of the lock and lives on has it mounted all the same.
            if let Some(lock) = lock
                && self.inside().next().is_none()
            {
                return Ok(Reached::Alone(lock));
            }
            if let Some(mounted) = self.join()? {
                return Ok(Reached::Shared(mounted));
            }
            if Instant::now() >= until {
                return Err(SandboxError::InUse(self.upper.clone()));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Lets others take mounts of it, now that it is mounted by who holds the lock.
    pub(super) fn share(&self, lock: &OwnedFd) -> Result<(), SandboxError> {
        let gate = folder(&self.upper)?;
        let shared = retry_on_intr(|| flock(&gate, FlockOperation::LockExclusive))
            .and_then(|()| flock(lock, FlockOperation::NonBlockingLockShared));
        shared.map_err(at("share", &self.work))
    }

    /// Whether this process itself sees it in its place.
    pub(crate) fn is_here(&self) -> bool {
        statfs(&self.target).is_ok_and(|found| is_overlay(&found))
    }

    /// Another mount of what somebody has mounted, if they let others in and are where it is seen.
    fn join(&self) -> Result<Option<Mounted>, SandboxError> {
        let Some(lock) = self.try_lock(FlockOperation::NonBlockingLockShared)? else { return Ok(None) };
        let mount = self.inside().find_map(|pid| self.mount_of(pid).ok());
        Ok(mount.map(|mount| Mounted { mount, lock }))
    }

    /// Tries to get the lock of the kernel's own folder.
    pub(super) fn try_lock(&self, how: FlockOperation) -> Result<Option<OwnedFd>, SandboxError> {
        let (gate, work) = (folder(&self.upper)?, folder(&self.work)?);
        let locked = flock(&gate, FlockOperation::NonBlockingLockExclusive).and_then(|()| flock(&work, how));
        match locked {
            Ok(()) => Ok(Some(work)),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(at("lock", &self.work)(error)),
        }
    }

    /// The processes that see it in its place. Only those in a user namespace that was made out of this one count: an
    /// agent can show what it likes in those that it makes itself, which lie one deeper.
    fn inside(&self) -> impl Iterator<Item = i32> + '_ {
        let here = namespace("self", "mnt").ok();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let elsewhere = move |pid: &i32| {
            namespace(&pid.to_string(), "mnt").is_ok_and(|mounts| here.is_some_and(|here| here != mounts))
        };
        pids.filter(elsewhere).filter(|pid| {
            let root = Path::new("/proc").join(pid.to_string()).join("root");
            let place = root.join(self.target.strip_prefix("/").unwrap_or(&self.target));
            statfs(place).is_ok_and(|found| is_overlay(&found)) && is_made_here(*pid)
        })
    }

    /// A mount of what is mounted in its place for a process, made there.
    fn mount_of(&self, pid: i32) -> Result<OwnedFd, SandboxError> {
        let open = |name: &str| File::open(namespace_file(&pid.to_string(), name));
        let there = || -> io::Result<OwnedFd> {
            for (name, of) in [("user", LinkNameSpaceType::User), ("mnt", LinkNameSpaceType::Mount)] {
                move_into_link_name_space(open(name)?.as_fd(), Some(of))?;
            }
            let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
            let mount = open_tree(CWD, &self.target, flags)?;
            if is_overlay(&fstatfs(&mount)?) { Ok(mount) } else { Err(io::ErrorKind::NotFound.into()) }
        };
        apart(0, || there().map_err(step("join a process")))
    }
}

fn is_overlay(found: &rustix::fs::StatFs) -> bool {
    found.f_type == OVERLAY_MAGIC
}

fn folder(path: &Path) -> Result<OwnedFd, SandboxError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    rustix::fs::open(path, flags, Mode::empty()).map_err(at("open the overlay's own folder", path))
}

fn namespace_file(process: &str, name: &str) -> PathBuf {
    Path::new("/proc").join(process).join("ns").join(name)
}

fn namespace(process: &str, name: &str) -> io::Result<u64> {
    Ok(fs::metadata(namespace_file(process, name))?.ino())
}

/// Whether the user namespace of a process was made out of this process's own.
fn is_made_here(pid: i32) -> bool {
    let parent = || -> io::Result<u64> {
        let user = File::open(namespace_file(&pid.to_string(), "user"))?;
        // SAFETY: an open namespace; the call gives a new descriptor or an error.
        let parent = unsafe { libc::ioctl(user.as_raw_fd(), NAMESPACE_PARENT) };
        if parent < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was made just now and is nobody else's.
        let parent = File::from(unsafe { OwnedFd::from_raw_fd(parent) });
        Ok(parent.metadata()?.ino())
    };
    parent().is_ok_and(|parent| namespace("self", "user").is_ok_and(|own| own == parent))
}
