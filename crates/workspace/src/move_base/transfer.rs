//! Moving what stands in the way of a move, where a rename alone does not do it: in an overlay and out of one.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;

use rustix::fs::{AtFlags, FileType, Mode, RenameFlags, mkdirat, renameat_with, symlinkat, unlinkat};
use rustix::io::Errno;

use crate::beneath::Beneath;

/// Deepest nesting; each level holds two open files.
const MAX_DEPTH: usize = 100;

/// Renames within one file system; a folder that an overlay shows from a layer below goes piece by piece.
pub(super) fn move_to(from: &Beneath, name: &[u8], to: &Beneath, new: &[u8]) -> rustix::io::Result<()> {
    move_deep(from, name, to, new, 0)
}

fn move_deep(from: &Beneath, name: &[u8], to: &Beneath, new: &[u8], depth: usize) -> rustix::io::Result<()> {
    match renameat_with(from, os(name), to, os(new), RenameFlags::NOREPLACE) {
        Err(Errno::XDEV) if depth < MAX_DEPTH => {}
        other => return other,
    }
    let (below, names) =
        from.dir(name).and_then(|dir| dir.names().map(|names| (dir, names))).map_err(errno)?;
    mkdirat(to, os(new), Mode::RWXU)?;
    let target = to.dir(new).map_err(errno)?;
    for name in names {
        move_deep(&below, &name, &target, &name, depth + 1)?;
    }
    unlinkat(from, os(name), AtFlags::REMOVEDIR)
}

/// Copies a file, link or folder to another file system and removes it afterwards. What is none of these holds nothing.
/// `AlreadyExists`, if the new name is taken; nothing has happened then.
pub(super) fn copy_out(from: &Beneath, name: &[u8], to: &Beneath, new: &[u8]) -> io::Result<()> {
    if to.stat(new).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    copy(from, name, to, new, 0)?;
    remove_below(from, name)
}

fn copy(from: &Beneath, name: &[u8], to: &Beneath, new: &[u8], depth: usize) -> io::Result<()> {
    let stat = from.stat(name)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory if depth < MAX_DEPTH => {
            let (below, target) = (from.dir(name)?, to.make_dirs(new)?);
            for name in below.names()? {
                copy(&below, &name, &target, &name, depth + 1)?;
            }
            Ok(())
        }
        FileType::Directory => Err(io::Error::other("folders are nested too deeply")),
        FileType::Symlink => Ok(symlinkat(os(&from.link(name)?), to, os(new))?),
        FileType::RegularFile => {
            let (mut file, _) = from.file(name)?;
            let mut copied = to.new_file(new, 0o600)?;
            io::copy(&mut file, &mut copied)?;
            copied.set_permissions(Permissions::from_mode(stat.st_mode & 0o777))
        }
        _ => Ok(()),
    }
}

/// Removes a name with all below it; one that is not there is no error.
pub(super) fn remove_below(at: &Beneath, name: &[u8]) -> io::Result<()> {
    remove(at, name, 0)
}

fn remove(at: &Beneath, name: &[u8], depth: usize) -> io::Result<()> {
    let stat = match at.stat(name) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return Ok(unlinkat(at, os(name), AtFlags::empty())?);
    }
    if depth >= MAX_DEPTH {
        return Err(io::Error::other("folders are nested too deeply"));
    }
    let below = at.dir(name)?;
    for name in below.names()? {
        remove(&below, &name, depth + 1)?;
    }
    Ok(unlinkat(at, os(name), AtFlags::REMOVEDIR)?)
}

fn os(name: &[u8]) -> &OsStr {
    OsStr::from_bytes(name)
}

fn errno(error: io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_copied_out_is_the_same_and_gone_where_it_was() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (from, to) = (Beneath::open(one.path()).unwrap(), Beneath::open(other.path()).unwrap());
        fs::create_dir_all(one.path().join("d/e")).unwrap();
        fs::write(one.path().join("d/e/run"), "x").unwrap();
        fs::set_permissions(one.path().join("d/e/run"), Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink("nowhere", one.path().join("d/link")).unwrap();
        copy_out(&from, b"d", &to, b"1").unwrap();
        assert!(!one.path().join("d").exists());
        let run = other.path().join("1/e/run");
        assert_eq!(fs::read_to_string(&run).unwrap(), "x");
        assert_eq!(fs::metadata(&run).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(fs::read_link(other.path().join("1/link")).unwrap(), std::path::Path::new("nowhere"));

        fs::write(one.path().join("d"), "second").unwrap();
        assert_eq!(copy_out(&from, b"d", &to, b"1").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(one.path().join("d").exists());
    }
}
