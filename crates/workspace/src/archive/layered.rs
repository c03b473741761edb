//! Writing an archive or a snapshot over a template: what is as in the base stays where it is.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::{AtFlags, unlinkat};
use rustix::io::Errno;

use super::ArchiveError;
use super::manifest::{Item, ItemKind};
use super::put_away::io_error;
use super::restore::{write_entries, write_items};
use crate::beneath::Beneath;
use crate::hub::Hub;
use crate::ids::RepoPath;
use crate::listing::{Entry, EntryMode, Listing};
use crate::space::Begun;

/// Makes of the base's files, which `top` shows, those of an archive.
pub(super) fn write(
    hub: &Hub,
    top: &Beneath,
    begun: &Begun,
    base: &Listing,
    items: &[Item],
) -> Result<(), ArchiveError> {
    clear_git_dir(top)?;
    let wanted: HashMap<&RepoPath, &Item> = items.iter().map(|item| (&item.path, item)).collect();
    let mut folder: (&[u8], Option<Beneath>) = (b"", None);
    let mut kept: HashSet<&RepoPath> = HashSet::new();
    for (path, entry) in base.iter() {
        let Some(item) = wanted.get(path).filter(|item| is_as_in(entry, item)) else { continue };
        if folder.1.is_none() || folder.0 != path.parent() {
            let name = if path.parent().is_empty() { b"." } else { path.parent() };
            folder = (path.parent(), Some(top.dir(name).map_err(io_error("open", path.parent()))?));
        }
        let stat = folder.1.as_ref().map(|folder| folder.stat(path.file_name()));
        let of_same_mode = |found: rustix::fs::Stat| found.st_mode & 0o7777 == item.mode;
        if entry.mode != EntryMode::File && entry.mode != EntryMode::Executable
            || stat.is_some_and(|stat| stat.is_ok_and(of_same_mode))
        {
            kept.insert(path);
        }
    }
    let is_folder = |path: &RepoPath| wanted.get(path).is_some_and(|item| item.kind == ItemKind::Dir);
    clear(top, base.iter().filter(|(path, _)| !kept.contains(path)), is_folder)?;
    let written: Vec<&Item> = items.iter().filter(|item| !kept.contains(&item.path)).collect();
    // A folder of which nothing was written is the template's, with its time.
    let upper = Beneath::open(&begun.overlay.upper).map_err(io_error("open", b""))?;
    let own = |item: &Item| {
        let path = item.path.as_bytes();
        let mode = |folder: &Beneath| rustix::fs::fstat(folder).map(|found| found.st_mode & 0o7777);
        upper.dir(path).is_ok() || top.dir(path).is_ok_and(|dir| mode(&dir).is_ok_and(|m| m != item.mode))
    };
    let is_there = |item: &Item| item.kind == ItemKind::Dir && top.dir(item.path.as_bytes()).is_ok();
    let written: Vec<&Item> = written.into_iter().filter(|item| !is_there(item)).collect();
    write_items(hub, top, &written, &[])?;
    let folders: Vec<&Item> = items.iter().filter(|i| i.kind == ItemKind::Dir && own(i)).collect();
    write_items(hub, top, &[], &folders)
}

/// Makes of the base's files, which `top` shows, those of a snapshot.
pub(super) fn write_snapshot(
    hub: &Hub,
    top: &Beneath,
    base: &Listing,
    snapshot: &Listing,
) -> Result<(), ArchiveError> {
    let differing = base.iter().filter(|(path, entry)| snapshot.get(path) != Some(entry));
    clear(top, differing, |path| snapshot.has_below(path.as_bytes()))?;
    write_entries(hub, top, snapshot.iter().filter(|(path, entry)| base.get(path) != Some(entry)))
}

fn is_as_in(entry: &Entry, item: &Item) -> bool {
    let same = item.blob.as_ref().is_some_and(|blob| blob.as_str() == &*entry.oid);
    match entry.mode {
        EntryMode::Gitlink => item.kind == ItemKind::Dir,
        EntryMode::Symlink => item.kind == ItemKind::Link && same,
        EntryMode::File | EntryMode::Executable => item.kind == ItemKind::File && same,
    }
}

/// Removes the index that the template shows: an archive holds the workspace's own git directory, whatever it was.
fn clear_git_dir(top: &Beneath) -> Result<(), ArchiveError> {
    let Ok(git_dir) = top.dir(b".git") else { return Ok(()) };
    let removals = [(&git_dir, "index", AtFlags::empty()), (top, ".git", AtFlags::REMOVEDIR)];
    for (folder, name, flags) in removals {
        match unlinkat(folder, name, flags) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(e) => return Err(io_error("remove", b".git")(e.into())),
        }
    }
    Ok(())
}

/// Removes entries, and the folders above them that are none any more.
fn clear<'a>(
    top: &Beneath,
    entries: impl Iterator<Item = (&'a RepoPath, &'a Entry)>,
    is_folder: impl Fn(&RepoPath) -> bool,
) -> Result<(), ArchiveError> {
    let mut folders = BTreeSet::new();
    let remove = |path: &RepoPath, flags| {
        let folder = top.dir(if path.parent().is_empty() { b"." } else { path.parent() });
        let name = OsStr::from_bytes(path.file_name());
        let removed = folder.and_then(|folder| unlinkat(folder, name, flags).map_err(io::Error::from));
        removed.map_err(io_error("remove", path.as_bytes()))
    };
    for (path, entry) in entries {
        let is_dir = entry.mode == EntryMode::Gitlink;
        remove(path, if is_dir { AtFlags::REMOVEDIR } else { AtFlags::empty() })?;
        let mut above = path.parent();
        while !above.is_empty() {
            let folder = RepoPath::new(above);
            if is_folder(&folder) || folders.contains(&folder) {
                break;
            }
            above = &above[..above.iter().rposition(|b| *b == b'/').unwrap_or(0)];
            folders.insert(folder);
        }
    }
    for folder in folders.iter().rev() {
        remove(folder, AtFlags::REMOVEDIR)?;
    }
    Ok(())
}
