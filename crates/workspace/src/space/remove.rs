//! Removing a folder that Divisi made, without being led elsewhere.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, chmodat, openat, renameat_with, statat, unlinkat,
};

use super::record::dir_identity;
use crate::beneath::Beneath;

/// Deepest nesting that is removed in place; each level holds one open file.
const MAX_DEPTH: usize = 100;

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
    clear(&doomed)
}

fn clear(doomed: &Path) -> io::Result<()> {
    make_writable(CWD, doomed)?;
    empty(&Beneath::open(doomed)?)?;
    fs::remove_dir(doomed)
}

/// Finishes removals that a process began in this folder and did not end.
pub(crate) fn finish_removals(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let inode = name.strip_prefix(".removing-").and_then(|number| number.parse().ok());
        if inode.is_some() && dir_identity(&path).ok().map(|(_, found)| found) == inode {
            clear(&path)?;
        }
    }
    Ok(())
}

/// Gives the owner all rights on a folder, which may be unreadable, without following a link put in its place.
fn make_writable(at: impl AsFd, path: impl rustix::path::Arg) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = openat(at, path, flags, Mode::empty())?;
    // A handle of this kind cannot be changed itself; its name in /proc leads to exactly it.
    let name = format!("/proc/self/fd/{}", handle.as_raw_fd());
    Ok(chmodat(CWD, name, Mode::RWXU, AtFlags::empty())?)
}

/// Empties a folder. What lies deeper than [`MAX_DEPTH`] is moved up first, so that no nesting, however deep, can keep
/// itself from being removed.
fn empty(top: &Beneath) -> io::Result<()> {
    let mut moved = 0u64;
    loop {
        let names = top.names()?;
        if names.is_empty() {
            return Ok(());
        }
        for name in names {
            remove(top, &name, top, 0, &mut moved)?;
        }
    }
}

fn remove(at: &Beneath, name: &[u8], top: &Beneath, depth: usize, moved: &mut u64) -> io::Result<()> {
    let path = OsStr::from_bytes(name);
    let stat = statat(at, path, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return Ok(unlinkat(at, path, AtFlags::empty())?);
    }
    if stat.st_mode & 0o700 != 0o700 {
        make_writable(at, path)?;
    }
    if depth >= MAX_DEPTH {
        *moved += 1;
        return Ok(renameat_with(at, path, top, format!(".deep-{moved}"), RenameFlags::NOREPLACE)?);
    }
    let below = at.dir(name)?;
    for name in below.names()? {
        remove(&below, &name, top, depth + 1, moved)?;
    }
    Ok(unlinkat(at, path, AtFlags::REMOVEDIR)?)
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

    #[test]
    fn no_nesting_is_too_deep_and_a_begun_removal_is_finished() {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("w");
        fs::create_dir(&dir).unwrap();
        let mut at = Beneath::open(&dir).unwrap();
        for _ in 0..400 {
            at = at.make_dirs(b"d/e").unwrap();
        }
        drop(at);
        fs::write(dir.join(".deep-1x"), "").unwrap();
        let made = dir_identity(&dir).unwrap();
        let begun = base.path().join(format!(".removing-{}", made.1));
        fs::rename(&dir, &begun).unwrap();
        fs::create_dir(base.path().join(".removing-1")).unwrap();
        finish_removals(base.path()).unwrap();
        assert!(!begun.exists());
        assert!(base.path().join(".removing-1").exists(), "not the folder that its name says");
    }
}
