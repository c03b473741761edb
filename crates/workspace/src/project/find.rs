//! Finding a repository by its files, without asking git to search.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::ProjectError;

/// Longest `.git` file or `commondir` file that is read.
const MAX_POINTER_BYTES: usize = 8192;

/// The top folder of the checkout that contains `start` (nothing in a bare repository) and its git directory.
pub(super) fn find(start: &Path) -> Result<Option<(Option<PathBuf>, PathBuf)>, ProjectError> {
    for dir in start.ancestors() {
        let dot_git = dir.join(".git");
        if is_git_dir(&dot_git) {
            return Ok(Some((Some(dir.to_owned()), dot_git)));
        }
        if dot_git.is_file() {
            let bytes = read_pointer(&dot_git)
                .map_err(|source| ProjectError::Io { path: dot_git.clone(), source })?;
            let Some(target) = bytes.strip_prefix(b"gitdir: ") else { continue };
            return Ok(Some((Some(dir.to_owned()), canonical(&dir.join(OsStr::from_bytes(target)))?)));
        }
        if is_git_dir(dir) {
            return Ok(Some((None, dir.to_owned())));
        }
    }
    Ok(None)
}

fn is_git_dir(dir: &Path) -> bool {
    dir.join("HEAD").symlink_metadata().is_ok() && dir.join("objects").is_dir() && dir.join("refs").is_dir()
}

pub(super) fn read_pointer(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = fs::read(file)?;
    bytes.truncate(MAX_POINTER_BYTES);
    while bytes.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
        bytes.pop();
    }
    Ok(bytes)
}

pub(super) fn canonical(path: &Path) -> Result<PathBuf, ProjectError> {
    fs::canonicalize(path).map_err(|source| ProjectError::Io { path: path.to_owned(), source })
}
