//! The folder at a workspace's path, which comes there whole or not at all: it is made beside its place, written down in
//! the record, and only then put there. Whoever is killed in between leaves no folder that the next one does not know.

use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};
use rustix::io::Errno;

use super::record::{Record, birth, dir_identity};
use super::remove::remove_tree;
use super::root::{WorkspaceError, io_error};

/// A folder on its way to its place.
pub(super) struct Beside {
    dir: PathBuf,
    place: PathBuf,
}

/// Makes the folder and notes in `record`, which is to be saved next, which one it is.
pub(super) fn make_beside(root: &Path, record: &mut Record) -> Result<Beside, WorkspaceError> {
    let dir = root.join(format!(".making-{}", record.name));
    // Left by one that died; the name is ours alone.
    let _ = remove_tree(&dir, dir_identity(&dir).ok());
    fs::DirBuilder::new().mode(0o700).create(&dir).map_err(io_error("make", &dir))?;
    record.made = Some(dir_identity(&dir).map_err(io_error("look at", &dir))?);
    record.born = birth(&dir);
    Ok(Beside { dir, place: root.join(&record.name) })
}

/// Waits until nobody else makes a folder again at the path of a workspace; nobody does until the file is dropped.
pub(super) fn making(root: &Path) -> Result<File, WorkspaceError> {
    let path = root.join(".records").join(".making");
    let lock = File::create(&path).map_err(io_error("make", &path))?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|e| io_error("lock", &path)(e.into()))?;
    Ok(lock)
}

impl Beside {
    /// Where it is for now.
    pub(super) fn path(&self) -> &Path {
        &self.dir
    }

    /// Puts it into its place, which must be free.
    pub(super) fn put(self) -> Result<(), WorkspaceError> {
        match renameat_with(CWD, &self.dir, CWD, &self.place, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => Err(WorkspaceError::Exists(self.place.clone())),
            Err(error) => Err(io_error("put into place", &self.place)(error.into())),
        }
    }
}

impl Drop for Beside {
    /// What did not come to its place goes; nothing of anybody is in it.
    fn drop(&mut self) {
        let _ = remove_tree(&self.dir, dir_identity(&self.dir).ok());
    }
}
