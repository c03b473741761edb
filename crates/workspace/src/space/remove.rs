//! Removing a folder that Divisi made, without being led elsewhere.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, chmodat, openat, statat, unlinkat};

use super::record::dir_identity;
use crate::beneath::Beneath;

/// Deepest nesting that is removed.
const MAX_DEPTH: usize = 1000;

/// Removes the folder with everything in it, if it is the one named by `made` (device and inode). Links are removed
/// and not followed; read-only folders are made writable; other file systems mounted below make it fail.
pub(crate) fn remove_tree(dir: &Path, made: Option<(u64, u64)>) -> io::Result<()> {
    if made.is_none() || dir_identity(dir).ok() != made {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not the folder that was made"));
    }
    // It disappears at once under its name and is then taken apart.
    let (Some(parent), Some((_, inode))) = (dir.parent(), made) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let doomed = parent.join(format!(".removing-{inode}"));
    fs::rename(dir, &doomed)?;
    if dir_identity(&doomed).ok() != made {
        fs::rename(&doomed, dir)?;
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the folder was swapped"));
    }
    empty(&open_for_removal(&doomed)?, 0)?;
    fs::remove_dir(&doomed)
}

fn open_for_removal(dir: &Path) -> io::Result<Beneath> {
    make_writable(CWD, dir)?;
    Beneath::open(dir)
}

/// Gives the owner all rights on a folder, which may be unreadable, without following a link put in its place.
fn make_writable(at: impl AsFd, path: impl rustix::path::Arg) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = openat(at, path, flags, Mode::empty())?;
    // A handle of this kind cannot be changed itself; its name in /proc leads to exactly it.
    let name = format!("/proc/self/fd/{}", handle.as_raw_fd());
    Ok(chmodat(CWD, name, Mode::RWXU, AtFlags::empty())?)
}

fn empty(at: &Beneath, depth: usize) -> io::Result<()> {
    if depth > MAX_DEPTH {
        return Err(io::Error::other("folders nested too deeply"));
    }
    for name in at.names()? {
        let path = OsStr::from_bytes(&name);
        let stat = statat(at, path, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            if stat.st_mode & 0o700 != 0o700 {
                make_writable(at, path)?;
            }
            empty(&at.dir(&name)?, depth + 1)?;
            unlinkat(at, path, AtFlags::REMOVEDIR)?;
        } else {
            unlinkat(at, path, AtFlags::empty())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    #[test]
    fn only_the_folder_that_was_made_goes_and_nothing_behind_a_link() {
        let base = tempfile::tempdir().unwrap();
        let (dir, other) = (base.path().join("w"), base.path().join("other"));
        fs::create_dir_all(dir.join("a/b")).unwrap();
        fs::create_dir(&other).unwrap();
        fs::write(other.join("kept"), "").unwrap();
        symlink(&other, dir.join("link")).unwrap();
        fs::set_permissions(dir.join("a/b"), fs::Permissions::from_mode(0o000)).unwrap();

        let made = dir_identity(&dir).unwrap();
        assert!(remove_tree(&dir, Some((made.0, made.1 + 1))).is_err());
        assert!(remove_tree(&dir, None).is_err());
        assert!(dir.exists());
        remove_tree(&dir, Some(made)).unwrap();
        assert!(!dir.exists());
        assert!(other.join("kept").exists());
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1);
    }
}
