//! The mount calls of Linux 5.2 and later: mounts are made and changed by descriptor before they appear anywhere.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string,
    fsmount, fsopen,
};

/// A file system that is being configured.
pub(super) struct Filesystem(OwnedFd);

impl Filesystem {
    /// Begins a mount of the file system type `name`.
    pub(super) fn new(name: &str) -> io::Result<Filesystem> {
        Ok(Filesystem(fsopen(name, FsOpenFlags::FSOPEN_CLOEXEC)?))
    }

    /// Sets a value. The kernel takes up to 255 bytes.
    pub(super) fn set(&self, key: &str, value: &str) -> io::Result<()> {
        Ok(fsconfig_set_string(&self.0, key, value)?)
    }

    /// Sets a flag.
    pub(super) fn flag(&self, key: &str) -> io::Result<()> {
        Ok(fsconfig_set_flag(&self.0, key)?)
    }

    /// The mount, not yet anywhere.
    pub(super) fn mount(self, attributes: MountAttrFlags) -> io::Result<OwnedFd> {
        fsconfig_create(&self.0)?;
        Ok(fsmount(&self.0, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
    }
}

/// Holds a file or folder without opening it.
pub(super) fn hold(path: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty())?)
}

/// A short name of a held file: whatever bytes its path has, and however long it is.
pub(super) fn name_of(held: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", held.as_raw_fd())
}
