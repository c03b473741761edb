//! The machine as a launch sees it, built by its init process in namespaces of its own.
//!
//! Everything that will be seen at another place or in another way is held first; then the whole machine is made
//! read-only; then what was held is put into its places, the outer ones before those within them. Nothing is looked
//! up by a name that could mean something else by then.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, fstat};
use rustix::mount::MountAttrFlags;

use super::apart::Owner;
use super::devices;
use super::error::{SandboxError, at, step};
use super::loopback;
use super::mounts::{Filesystem, copy, hold, make_private, make_read_only, place};
use super::share::Reached;
use super::spec::{Network, Overlay, Sandbox, Walls};

/// What stands in for folders that every program writes to.
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];
/// Parts of `/proc` that root may write by being root alone, without any capability.
const KERNEL_SETTINGS: [&str; 7] = ["sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi"];

/// What the init process keeps as long as the launch runs.
#[derive(Debug, Default)]
pub(crate) struct Inside {
    /// The working directory, which the launch itself does not see.
    _here: Option<OwnedFd>,
    /// The lock of the overlay.
    _lock: Option<OwnedFd>,
}

/// What is put at a path.
enum Piece {
    /// Nothing, read-only.
    Empty,
    /// A mount.
    Mount(OwnedFd),
}

impl Sandbox {
    /// The namespaces that its init process is born into (`CLONE_NEW…`).
    pub(crate) fn namespaces(&self) -> i32 {
        let network = if self.network == Network::Loopback { libc::CLONE_NEWNET } else { 0 };
        let all = libc::CLONE_NEWUSER
            | libc::CLONE_NEWNS
            | libc::CLONE_NEWPID
            | libc::CLONE_NEWIPC
            | libc::CLONE_NEWUTS;
        if self.walls == Walls::Namespaces { all | network } else { 0 }
    }

    /// Sees how its overlay can be had; to be called before its namespaces are made, from which others cannot be joined.
    pub(crate) fn reach(&self) -> Option<Result<Reached, SandboxError>> {
        let overlay = self.overlay.as_ref().filter(|_| self.walls == Walls::Namespaces);
        overlay.map(Overlay::reach)
    }

    /// Builds it around the caller, which was born into its namespaces, has one thread and nothing open for writing.
    /// The working directory stays as it was, whatever becomes of its path. `reached` is how its overlay can be had.
    pub(crate) fn enter(
        &self,
        owner: Owner,
        reached: Option<Result<Reached, SandboxError>>,
    ) -> Result<Inside, SandboxError> {
        if self.walls == Walls::Landlock {
            return Ok(Inside::default());
        }
        owner.map_ids()?;
        if self.network == Network::Loopback {
            loopback::bring_up().map_err(step("bring the loopback interface up"))?;
        }
        let root = hold(Path::new("/")).map_err(step("open the root folder"))?;
        make_private(&root).map_err(step("keep mounts from other namespaces"))?;
        let here = stay_here().map_err(step("keep the working directory"))?;

        let mut pieces = Pieces::default();
        let mut inside = Inside { _here: Some(here), _lock: None };
        if let (Some(overlay), Some(reached)) = (&self.overlay, reached) {
            let mounted = match reached? {
                Reached::Shared(mounted) => mounted,
                Reached::Alone(lock) => {
                    let mounted = overlay.mount(lock)?;
                    overlay.share(&mounted.lock)?;
                    mounted
                }
            };
            pieces.add(&overlay.target, Piece::Mount(mounted.mount));
            inside._lock = Some(mounted.lock);
        }
        let proc = proc().map_err(step("mount a /proc of its own"))?;
        pieces.add(Path::new("/proc"), Piece::Mount(proc));
        devices::collect(|path, mount| pieces.add(path, Piece::Mount(mount)))?;
        for path in &self.hidden {
            pieces.add(path, Piece::Empty);
        }
        let target = self.overlay.as_ref().map(|overlay| overlay.target.as_path());
        for path in self.writable.iter().filter(|path| Some(path.as_path()) != target) {
            pieces.hold(path, false)?;
        }
        for path in &self.visible {
            pieces.hold(path, true)?;
        }
        for name in TEMPORARY.iter().map(Path::new).filter(|name| name.is_dir()) {
            let temp = self.temp.as_deref().unwrap_or(name);
            let held = hold(temp).and_then(copy).map_err(at("open", temp))?;
            pieces.add(name, Piece::Mount(held));
        }

        make_read_only(&root, true).map_err(step("make the machine read-only"))?;
        pieces.put_in_place()?;
        if owner.is_root() {
            for name in KERNEL_SETTINGS {
                pin(&Path::new("/proc").join(name), true)?;
            }
        }
        for path in &self.held {
            pin(path, false)?;
        }
        for path in &self.read_only {
            pin(path, true)?;
        }
        Ok(inside)
    }
}

/// Moves the working directory to a mount of its own, which is neither read-only nor hidden.
fn stay_here() -> io::Result<OwnedFd> {
    let here = copy(hold(Path::new("."))?)?;
    rustix::process::fchdir(&here)?;
    Ok(here)
}

fn proc() -> io::Result<OwnedFd> {
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    Filesystem::new("proc")?.mount(attributes)
}

/// Mounts a file or folder onto itself, so that it cannot be renamed or replaced.
fn pin(path: &Path, read_only: bool) -> Result<(), SandboxError> {
    let held = match hold(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        held => held.map_err(at("pin", path))?,
    };
    let pinned = copy(&held).map_err(at("pin", path))?;
    if read_only {
        make_read_only(&pinned, true).map_err(at("pin", path))?;
    }
    place(pinned, held).map_err(at("pin", path))
}

#[derive(Default)]
struct Pieces(Vec<(PathBuf, Piece)>);

impl Pieces {
    fn add(&mut self, path: &Path, piece: Piece) {
        self.0.push((path.to_owned(), piece));
    }

    /// Holds what is at a path now, to put it there again. What is not there cannot be.
    fn hold(&mut self, path: &Path, read_only: bool) -> Result<(), SandboxError> {
        let held = match hold(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            held => held.and_then(copy).map_err(at("open", path))?,
        };
        if read_only {
            make_read_only(&held, true).map_err(at("make read-only", path))?;
        }
        self.add(path, Piece::Mount(held));
        Ok(())
    }

    /// The outer ones first; at one path what was added first, below what was added later.
    fn put_in_place(mut self) -> Result<(), SandboxError> {
        self.0.sort_by(|one, other| one.0.cmp(&other.0));
        let mut covers = Vec::new();
        for (path, piece) in self.0 {
            let failed = || at("put its place into the sandbox:", &path);
            match piece {
                Piece::Empty => {
                    let held = match hold(&path) {
                        Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                        held => held.map_err(failed())?,
                    };
                    let cover = tmpfs("0755").map_err(step("make an empty folder"))?;
                    if is_folder(&held).map_err(failed())? {
                        place(&cover, held).map_err(failed())?;
                        covers.push(cover);
                    } else {
                        let empty = empty_file(&cover).and_then(copy).map_err(failed())?;
                        make_read_only(&empty, true).map_err(failed())?;
                        place(empty, held).map_err(failed())?;
                    }
                }
                Piece::Mount(mount) => {
                    let spot = match hold(&path) {
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {
                            make_spot(&path, &mount).and_then(|()| hold(&path))
                        }
                        held => held,
                    };
                    place(mount, spot.map_err(failed())?).map_err(failed())?;
                }
            }
        }
        for cover in covers {
            make_read_only(&cover, false).map_err(step("make an empty folder read-only"))?;
        }
        Ok(())
    }
}

/// Makes the file or folder that a mount is put on; possible only where the machine is covered.
fn make_spot(path: &Path, mount: &OwnedFd) -> io::Result<()> {
    if is_folder(mount)? {
        return fs::create_dir_all(path);
    }
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::File::create(path).map(drop)
}

fn is_folder(held: &OwnedFd) -> io::Result<bool> {
    Ok(FileType::from_raw_mode(fstat(held)?.st_mode) == FileType::Directory)
}

/// An empty file that nobody can read, in a file system that goes with it.
fn empty_file(cover: &OwnedFd) -> io::Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags, openat};
    let flags = OFlags::CREATE | OFlags::RDONLY | OFlags::CLOEXEC;
    Ok(openat(cover.as_fd(), OsStr::new("hidden"), flags, Mode::empty())?)
}

/// An empty file system in memory.
pub(super) fn tmpfs(mode: &str) -> io::Result<OwnedFd> {
    let tmpfs = Filesystem::new("tmpfs")?;
    tmpfs.set("source", "divisi")?;
    tmpfs.set("mode", mode)?;
    tmpfs.mount(MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV)
}
