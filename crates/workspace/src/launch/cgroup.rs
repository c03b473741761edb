//! Control groups (version 2), where the machine lets us have one.
//!
//! They do two things. The shims move out of the daemon's group, because a service manager that stops the daemon ends
//! everything in its group. And each child gets a group of its own, which can be killed at one stroke.
//! Where no group can be had, the tree of the init process does for the second, and `KillMode=process` in the
//! daemon's unit for the first.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, Mode, OFlags, access};

/// The group of all shims, beside the daemon's or below it. It stays; without a daemon it is empty when
/// nothing runs.
const SHIMS: &str = "divisi-shims";

/// Age at which an empty group is taken for forgotten: a child is born into its group within milliseconds.
const SWEEP_AGE: Duration = Duration::from_secs(60);

/// Where groups can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CgroupPlace {
    /// Beside the daemon's: what runs there outlives a stop of the daemon's service.
    Beside(PathBuf),
    /// Below the daemon's: trees end at one stroke, but also with the daemon's service.
    Below(PathBuf),
    /// Nowhere, for this reason.
    Nowhere(String),
}

/// The group of one launch.
#[derive(Debug, Clone)]
pub(super) struct Cgroup(PathBuf);

impl CgroupPlace {
    /// Looks where a group of shims can be, and makes it.
    pub(super) fn find() -> CgroupPlace {
        let Some((mount, own)) = own() else {
            return CgroupPlace::Nowhere("there is no control group hierarchy of version 2".to_owned());
        };
        let own = mount.join(own.strip_prefix("/").unwrap_or(&own));
        // Already among the shims, when a shim looks or Divisi runs inside Divisi.
        if own.file_name().is_some_and(|name| name == SHIMS) {
            return CgroupPlace::Beside(own);
        }
        let parent = own.parent().filter(|parent| parent.starts_with(&mount) && own != mount);
        if let Some(Ok(shims)) = parent.map(make_shims) {
            return CgroupPlace::Beside(shims);
        }
        match make_shims(&own) {
            Ok(shims) => CgroupPlace::Below(shims),
            Err(error) => CgroupPlace::Nowhere(format!("{} is not delegated: {error}", own.display())),
        }
    }

    /// The group of all shims.
    fn shims(&self) -> Option<&Path> {
        match self {
            CgroupPlace::Beside(shims) | CgroupPlace::Below(shims) => Some(shims),
            CgroupPlace::Nowhere(_) => None,
        }
    }

    /// The group of all shims, opened for a process to be made in it.
    pub(super) fn open(&self) -> Option<OwnedFd> {
        open(self.shims()?)
    }

    /// Makes a group for the child of a launch. Best effort.
    pub(super) fn make(&self, id: &str) -> Option<Cgroup> {
        let group = self.shims()?.join(id);
        fs::create_dir(&group).ok()?;
        // Without the file the kernel is older than 5.14, and the group would be good for nothing.
        if group.join("cgroup.kill").exists() {
            Some(Cgroup(group))
        } else {
            fs::remove_dir(group).ok()?;
            None
        }
    }

    /// Removes groups that nothing is in: those of launches that were interrupted at their very beginning.
    pub(super) fn sweep(&self) {
        let Some(shims) = self.shims() else { return };
        let old = |entry: &fs::DirEntry| {
            let made = entry.metadata().and_then(|found| found.modified());
            made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > SWEEP_AGE))
        };
        let entries = fs::read_dir(shims).into_iter().flatten().flatten();
        for group in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).filter(old) {
            // Refused where there is a process.
            drop(fs::remove_dir(group.path()));
        }
    }
}

impl Cgroup {
    /// The group that an identity names, if it is one of ours.
    pub(super) fn named(path: &Path) -> Option<Cgroup> {
        let ours = path.parent().and_then(Path::file_name).is_some_and(|name| name == SHIMS);
        (ours && path.join("cgroup.kill").exists()).then(|| Cgroup(path.to_owned()))
    }

    /// One that was just made.
    pub(super) fn at(path: PathBuf) -> Cgroup {
        Cgroup(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Opened for a process to be made in it.
    pub(super) fn open(&self) -> Option<OwnedFd> {
        open(&self.0)
    }

    /// Kills all that is in it, forking or not.
    pub(super) fn kill(&self) {
        // It may be gone already, which is as good.
        drop(fs::write(self.0.join("cgroup.kill"), "1"));
    }

    /// Removes it and what the child made below it; it has to be empty.
    pub(super) fn remove(&self) {
        remove_below(&self.0, REMOVE_DEPTH_MAX);
    }
}

fn open(group: &Path) -> Option<OwnedFd> {
    rustix::fs::open(group, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// Groups in groups that are removed; deeper ones stay.
const REMOVE_DEPTH_MAX: usize = 8;

fn remove_below(group: &Path, depth: usize) {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        if depth > 0 {
            remove_below(&entry.path(), depth - 1);
        }
    }
    drop(fs::remove_dir(group));
}

/// Makes the group of shims in `base`, if it is ours to use.
fn make_shims(base: &Path) -> io::Result<PathBuf> {
    if !is_delegated(base)? {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to the service manager"));
    }
    // A process is made in a group only by who may write to the group and to the one that holds it.
    access(base.join("cgroup.procs"), Access::WRITE_OK)?;
    let shims = base.join(SHIMS);
    match fs::create_dir(&shims) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => access(&shims, Access::WRITE_OK)?,
    }
    Ok(shims)
}

/// Root could write anywhere, but under systemd a group belongs to systemd unless it was handed over.
fn is_delegated(base: &Path) -> io::Result<bool> {
    let uid = rustix::process::geteuid().as_raw();
    let handed_over = ["user.delegate", "trusted.delegate"].iter().any(|name| {
        let mut value = [0; 1];
        rustix::fs::getxattr(base, *name, &mut value[..]).is_ok_and(|_| value == *b"1")
    });
    let without_manager = !Path::new("/run/systemd/system").exists();
    Ok(handed_over || without_manager || (uid != 0 && fs::metadata(base)?.uid() == uid))
}

/// Where the hierarchy is mounted, and our own group in it.
fn own() -> Option<(PathBuf, PathBuf)> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    parse(&mounts, &groups)
}

fn parse(mounts: &str, groups: &str) -> Option<(PathBuf, PathBuf)> {
    let is_v2 = |line: &&str| line.split_once(" - ").is_some_and(|(_, right)| right.starts_with("cgroup2 "));
    let mount = mounts.lines().find(is_v2)?.split(' ').nth(4)?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some((mount.into(), own.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_layouts_of_the_hierarchy_are_found() {
        let unified =
            "25 1 0:2 / /proc rw - proc proc rw\n30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        let own = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/divisi.service\n";
        let (mount, group) = parse(unified, own).unwrap();
        assert_eq!(mount, Path::new("/sys/fs/cgroup"));
        assert!(group.ends_with("app.slice/divisi.service"));
        let hybrid = "30 23 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                      31 23 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        assert_eq!(parse(hybrid, "8:pids:/\n0::/\n").unwrap(), ("/sys/fs/cgroup/unified".into(), "/".into()));
        assert_eq!(parse("", own), None);
        assert_eq!(parse(unified, "8:pids:/\n"), None);
    }

    #[test]
    fn only_a_group_of_ours_is_taken_from_an_identity() {
        assert!(Cgroup::named(Path::new("/sys/fs/cgroup/system.slice")).is_none());
        assert!(Cgroup::named(Path::new("/")).is_none());
    }
}
