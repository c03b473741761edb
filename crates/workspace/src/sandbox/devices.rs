//! The devices of a sandbox: those that every program expects, terminals of its own, shared memory of its own.
//!
//! Not the machine's `/dev`: root opens a disk there by owning it, and the terminals of the same user lie there.

use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::mount::MountAttrFlags;

use super::error::{SandboxError, at, step};
use super::inside::tmpfs;
use super::mounts::{Filesystem, copy, hold, name_of};

const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Collects the mounts of `/dev` and what lies in it.
pub(super) fn collect(mut add: impl FnMut(&Path, OwnedFd)) -> Result<(), SandboxError> {
    let dev = Path::new("/dev");
    let folder = tmpfs("0755").map_err(step("make a folder for devices"))?;
    let inside = name_of(&folder);
    let inside = Path::new(&inside);
    for (name, to) in LINKS {
        symlink(to, inside.join(name)).map_err(at("make a link in", dev))?;
    }
    let made = |name: &str| std::fs::create_dir(inside.join(name)).map_err(at("make a folder in", dev));
    made("pts")?;
    made("shm")?;
    for name in DEVICES {
        std::fs::File::create(inside.join(name)).map_err(at("make a place in", dev))?;
        let path = dev.join(name);
        add(&path, hold(&path).and_then(copy).map_err(at("open the device", &path))?);
    }
    add(dev, folder);
    add(&dev.join("pts"), terminals().map_err(step("mount terminals of its own"))?);
    add(&dev.join("shm"), tmpfs("1777").map_err(step("make shared memory of its own"))?);
    Ok(())
}

fn terminals() -> std::io::Result<OwnedFd> {
    let devpts = Filesystem::new("devpts")?;
    devpts.set("source", "divisi")?;
    devpts.set("mode", "0620")?;
    devpts.set("ptmxmode", "0666")?;
    devpts.mount(MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC)
}
