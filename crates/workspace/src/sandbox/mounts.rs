//! The mount calls of Linux 5.2 and later: mounts are made and changed by descriptor before they appear anywhere.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
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

/// Holds a file or folder without opening it. A link anywhere in its path is refused.
pub(super) fn hold(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    Ok(openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS)?)
}

/// A short name of a held file: whatever bytes its path has, and however long it is.
pub(super) fn name_of(held: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", held.as_raw_fd())
}

/// A second mount of what is held with all that is mounted below it, not yet anywhere.
pub(super) fn copy(held: impl AsFd) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_EMPTY_PATH;
    Ok(open_tree(held, "", flags)?)
}

/// Puts a mount where it is to be seen.
pub(super) fn place(mount: impl AsFd, at: impl AsFd) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(move_mount(mount, "", at, "", flags)?)
}

/// Makes a mount read-only, and with `below` all that is mounted below it.
pub(super) fn make_read_only(mount: impl AsFd, below: bool) -> io::Result<()> {
    change(mount, libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID, 0, below)
}

/// Keeps what happens to a mount and all below it from any other namespace, and the other way round.
pub(super) fn make_private(mount: impl AsFd) -> io::Result<()> {
    change(mount, 0, libc::MS_PRIVATE, true)
}

fn change(mount: impl AsFd, set: u64, propagation: u64, below: bool) -> io::Result<()> {
    let attributes = libc::mount_attr { attr_set: set, attr_clr: 0, propagation, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | if below { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a C string, the structure is valid for the call, and its size is given.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
