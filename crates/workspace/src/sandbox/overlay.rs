//! Mounting an overlay, as any user in a user namespace of its own.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::mount::MountAttrFlags;

use super::error::{SandboxError, at, step};
use super::mounts::{Filesystem, hold, name_of};
use super::spec::Overlay;

/// Layers that the kernel takes.
const LAYERS_MAX: usize = 500;
/// Time that a mount which is just ending has to end.
const IN_USE_MAX: Duration = Duration::from_secs(1);
/// Pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// Folders in folders that the kernel makes in its own one.
const WORK_DEPTH_MAX: usize = 6;

/// A mounted overlay that is not yet anywhere, and the lock that keeps a second mount of it away.
pub(crate) struct Mounted {
    pub(crate) mount: OwnedFd,
    pub(crate) lock: OwnedFd,
}

impl Overlay {
    /// Waits until nobody else has it mounted. The lock ends with the descriptor, also when its process is killed.
    pub(crate) fn lock(&self) -> Result<OwnedFd, SandboxError> {
        let until = Instant::now() + IN_USE_MAX;
        loop {
            match self.try_lock(FlockOperation::NonBlockingLockExclusive)? {
                Some(lock) => return Ok(lock),
                None if Instant::now() < until => std::thread::sleep(LOOK_AGAIN),
                None => return Err(SandboxError::InUse(self.upper.clone())),
            }
        }
    }

    /// Takes away what a mount has left in the kernel's own folder.
    pub(super) fn empty_work(&self) -> Result<(), SandboxError> {
        empty(&self.work, WORK_DEPTH_MAX).map_err(at("empty the overlay's own folder", &self.work))
    }

    /// Mounts it; to be called in user and mount namespaces of the caller's own.
    pub(super) fn mount(&self, lock: OwnedFd) -> Result<Mounted, SandboxError> {
        if self.lower.is_empty() || self.lower.len() > LAYERS_MAX {
            return Err(SandboxError::Layers(self.lower.len()));
        }
        // What a mount before left there, a mark that it was not synced among it, would refuse this one.
        self.empty_work()?;
        let held = |path: &Path| hold(path).map_err(at("open the layer", path));
        let (upper, work) = (held(&self.upper)?, held(&self.work)?);
        let lower = self.lower.iter().map(|path| held(path)).collect::<Result<Vec<_>, _>>()?;
        let overlay = Filesystem::new("overlay").map_err(step("make an overlay"))?;
        let refused = || at("mount an overlay with its changes in", &self.upper);
        let set = |key: &str, value: &str| overlay.set(key, value).map_err(refused());
        set("source", "divisi")?;
        layers(&overlay, &lower).map_err(refused())?;
        set("upperdir", &name_of(&upper))?;
        set("workdir", &name_of(&work))?;
        set("index", "off")?;
        overlay.flag("userxattr").map_err(refused())?;
        // Not syncing each file at its first change is a matter of speed, and kernels before 5.10 do not know it.
        drop(overlay.flag("volatile"));
        let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
        let mount = overlay.mount(attributes).map_err(refused())?;
        Ok(Mounted { mount, lock })
    }
}

/// One by one since Linux 6.5, all in one value before, which then has 255 bytes.
fn layers(overlay: &Filesystem, lower: &[OwnedFd]) -> io::Result<()> {
    let names: Vec<_> = lower.iter().map(name_of).collect();
    let Some((first, rest)) = names.split_first() else { return Ok(()) };
    match overlay.set("lowerdir+", first) {
        Ok(()) => rest.iter().try_for_each(|name| overlay.set("lowerdir+", name)),
        Err(_) => overlay.set("lowerdir", &names.join(":")),
    }
}

fn empty(folder: &Path, depth: usize) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && depth > 0 {
            // The kernel makes folders there that their owner may not enter.
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o700))?;
            empty(&entry.path(), depth - 1)?;
            fs::remove_dir(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
