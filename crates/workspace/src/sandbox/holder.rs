//! An overlay for Divisi's own use, while nobody works in it.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::apart::{Owner, apart};
use super::error::{SandboxError, at};
use super::overlay::Mounted;
use super::share::Reached;
use super::spec::Overlay;
use crate::launch::new_id;

/// A mounted overlay that only this process reaches: it appears nowhere, and is gone when this is dropped or the
/// process ends, in whatever way. As long as it is there nothing else can mount the same overlay anew.
#[derive(Debug)]
pub struct Holder {
    mount: OwnedFd,
    /// Kept after the mount is gone, never the other way round: fields are dropped in order.
    lock: OwnedFd,
}

impl Holder {
    /// Mounts it, in well under a millisecond. Waits up to a second for one that is just ending. The overlay's
    /// `target` plays no part.
    pub fn mount(overlay: &Overlay) -> Result<Holder, SandboxError> {
        let owner = Owner::now();
        let lock = overlay.lock()?;
        let Mounted { mount, lock } = apart(libc::CLONE_NEWUSER | libc::CLONE_NEWNS, || {
            owner.map_ids()?;
            overlay.mount(lock)
        })?;
        Ok(Holder { mount, lock })
    }

    /// Mounts it so that others can take mounts of the same tree, or takes another mount of what somebody has mounted
    /// like this: a launch, or another holder whose mount was put into its place. Waits some seconds for whoever does
    /// not share it.
    pub fn share(overlay: &Overlay) -> Result<Holder, SandboxError> {
        let owner = Owner::now();
        let Mounted { mount, lock } = match overlay.reach()? {
            Reached::Shared(mounted) => mounted,
            Reached::Alone(lock) => {
                let mounted = apart(libc::CLONE_NEWUSER | libc::CLONE_NEWNS, || {
                    owner.map_ids()?;
                    overlay.mount(lock)
                })?;
                overlay.share(&mounted.lock)?;
                mounted
            }
        };
        Ok(Holder { mount, lock })
    }

    /// As long as this is open somewhere, nothing else mounts the overlay anew.
    pub(crate) fn lock(&self) -> BorrowedFd<'_> {
        self.lock.as_fd()
    }

    /// The merged tree, as a path that leads there for every process of the same user while this is alive.
    pub fn view(&self) -> PathBuf {
        path_of(&self.mount)
    }
}

/// A folder as a process of another mount namespace sees it, held open.
#[derive(Debug)]
pub struct View(OwnedFd);

impl View {
    /// The folder, as a path that leads there for every process of the same user while this is alive.
    pub fn path(&self) -> PathBuf {
        path_of(&self.0)
    }

    /// What `path` is for the process `pid`, which has to be known to be the one that is meant until this returns.
    pub(crate) fn of(pid: i32, path: &Path) -> io::Result<View> {
        let inside = Path::new("/proc").join(pid.to_string()).join("root");
        let path = inside.join(path.strip_prefix("/").unwrap_or(path));
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(View(rustix::fs::open(path, flags, Mode::empty())?))
    }
}

/// The dot at its end, because what opens it may refuse a link there, and the name before it is one.
fn path_of(folder: &OwnedFd) -> PathBuf {
    format!("/proc/{}/fd/{}/.", std::process::id(), folder.as_raw_fd()).into()
}

/// Whether overlays can be mounted whose changes are kept in `folder`: tries it. Changes nothing but for a moment. Without
/// attributes the kernel mounts one as well, and fails when a folder is removed.
pub fn try_overlay(folder: &Path) -> Result<(), SandboxError> {
    let place = folder.join(format!(".overlay-{}", new_id()));
    let below = |name: &str| place.join(name);
    let overlay = Overlay {
        lower: vec![below("lower")],
        upper: below("upper"),
        work: below("work"),
        target: below("to"),
    };
    let make = || {
        for name in ["lower", "upper", "work"] {
            fs::create_dir_all(below(name))?;
        }
        fs::write(below("lower/removed"), "")?;
        fs::write(below("lower/changed"), "")?;
        fs::create_dir(below("lower/folder"))?;
        fs::write(below("lower/folder/file"), "")
    };
    let tried = make().map_err(at("write to", folder)).and_then(|()| {
        let holder = Holder::mount(&overlay).map_err(|error| match error {
            // Whoever reads it has never heard of the folder that is there for a moment.
            SandboxError::At { doing, source, .. } => SandboxError::At { doing, path: folder.into(), source },
            error => error,
        })?;
        let change = || {
            fs::remove_file(holder.view().join("removed"))?;
            fs::write(holder.view().join("changed"), "x")
        };
        change().map_err(at("change a file of an overlay with its changes in", folder))?;
        let make_again = || {
            fs::remove_dir_all(holder.view().join("folder"))?;
            fs::create_dir(holder.view().join("folder"))
        };
        make_again().map_err(at("remove a folder of an overlay with its changes in", folder))
    });
    // What the kernel made there can be emptied only as it is emptied before a mount.
    drop(overlay.empty_work());
    drop(fs::remove_dir_all(&place));
    tried
}

impl AsFd for Holder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.mount.as_fd()
    }
}
