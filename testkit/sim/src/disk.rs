//! The disk that the log is on, and what a power cut leaves of it.

use std::fs;
use std::path::{Path, PathBuf};

use divisi_store::Sync;

/// The files of the log that outlive a process; what else stands beside them is made anew.
const FILES: [&str; 2] = ["log.sqlite", "log.sqlite-wal"];
/// What SQLite shares between processes, and makes anew from the others.
const SHARED: &str = "log.sqlite-shm";

/// The log's disk.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    folder: PathBuf,
    /// The next end of the engine is a power cut.
    pub(crate) cut: bool,
    /// How the commit that is under way is synced.
    sync: Option<Sync>,
    /// The files as they were synced last.
    synced: Vec<(&'static str, Option<Vec<u8>>)>,
}

impl Disk {
    /// The log is in this folder, and all that is there is on the disk.
    pub(crate) fn opened(&mut self, folder: &Path) {
        self.folder = folder.to_owned();
        self.keep();
    }

    /// A group is about to be committed.
    pub(crate) fn commits(&mut self, sync: Sync) {
        self.sync = Some(sync);
    }

    /// It was. A full sync takes all before with it; without one, nothing of it is on the disk for sure.
    pub(crate) fn committed(&mut self) {
        if self.sync.take() == Some(Sync::Full) {
            self.keep();
        }
    }

    fn keep(&mut self) {
        // Reading the files costs time, and only a power cut needs them.
        if self.cut {
            self.synced = FILES.map(|name| (name, fs::read(self.folder.join(name)).ok())).into();
        }
    }

    /// The power is cut: what was not synced is gone. The engine must be gone, too.
    pub(crate) fn lose(&mut self) -> std::io::Result<()> {
        self.cut = false;
        for (name, bytes) in std::mem::take(&mut self.synced) {
            let path = self.folder.join(name);
            match bytes {
                Some(bytes) => fs::write(path, bytes)?,
                None if path.exists() => fs::remove_file(path)?,
                None => {}
            }
        }
        let shared = self.folder.join(SHARED);
        if shared.exists() { fs::remove_file(shared) } else { Ok(()) }
    }
}
