//! The files of a workspace where they can be written, as its agent would.
//!
//! What Divisi writes into an overlay passes through the mount, like everything else: through that of a launch that lives
//! in the workspace, or through one that is made for the moment. Reading needs neither (see [`crate::seen`]).

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::statfs;

use super::record::Workspace;
use crate::sandbox::{Holder, SandboxError, View};

/// What `statfs` says of an overlay.
const OVERLAY_MAGIC: i64 = 0x794c_7630;

/// The top folder of a workspace for as long as this lives.
#[derive(Debug)]
pub(crate) enum Writable {
    /// A plain checkout.
    Plain(PathBuf),
    /// An overlay that nobody else has mounted, and cannot until this is dropped.
    Held(Holder),
    /// An overlay through the mount of a process that lives in it.
    Shared(View),
}

impl Writable {
    /// Where it can be opened.
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Self::Plain(path) => path.clone(),
            Self::Held(holder) => holder.view(),
            Self::Shared(view) => view.path(),
        }
    }
}

impl Workspace {
    /// Opens the workspace for writing.
    pub(crate) fn writable(&self) -> io::Result<Writable> {
        let Some(overlay) = self.overlay() else { return Ok(Writable::Plain(self.path())) };
        // The two cases can swap while one looks: a launch that is just beginning or ending.
        for _ in 0..3 {
            if let Some((_, view)) = self.process_inside(&overlay.upper) {
                return Ok(Writable::Shared(view));
            }
            match Holder::mount(&overlay) {
                Ok(holder) => return Ok(Writable::Held(holder)),
                Err(SandboxError::InUse(_)) => {}
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    /// A process that has the workspace mounted, if there is one, and the workspace as it sees it.
    pub(super) fn process_inside(&self, upper: &Path) -> Option<(i32, View)> {
        let ours = fs::symlink_metadata(upper.join(".git")).ok()?.ino();
        let own = fs::metadata("/proc/self/ns/mnt").ok()?.ino();
        let processes = fs::read_dir("/proc").ok()?.flatten();
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        pids.filter(|pid| fs::metadata(format!("/proc/{pid}/ns/mnt")).is_ok_and(|ns| ns.ino() != own))
            .find_map(|pid| {
                let view = View::of(pid, &self.path()).ok()?;
                let is_overlay = statfs(view.path()).is_ok_and(|found| found.f_type == OVERLAY_MAGIC);
                let same =
                    || fs::symlink_metadata(view.path().join(".git")).is_ok_and(|dir| dir.ino() == ours);
                (is_overlay && same()).then_some((pid, view))
            })
    }
}
