//! Bringing the files of a move into the workspace, and out of it what stood there.
//!
//! Everything passes through a staging folder beside the workspace, where the agent does not write: a new file is
//! made there whole and then renamed into its place; what stood in that place is renamed into staging first, looked
//! at there, and then removed (it is recorded, or is what was to be written) or kept. So nothing is overwritten, no
//! half of a file is ever seen, and what is judged can no longer be swapped.
//!
//! In an overlay the staging folder lies at the top of the workspace itself, since nothing can be renamed into a mount
//! from outside; it is there for the time of the move only. A folder that comes from a layer below cannot be renamed
//! there as a whole, so it is moved piece by piece.
//!
//! Names in staging: `<n>.part` a file being written, `<n>.new` one that is whole, `<n>.old` what stood in place of
//! change `n`, `<n>.obstacle` what stood in place of one of its folders.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, FileType, Mode, RenameFlags, fchmod, mkdirat, renameat, renameat_with, symlinkat, syncfs,
    unlinkat,
};

use super::change::Change;
use super::compare::holds;
use super::transfer::{copy_out, move_to, remove_below};
use super::{KeptFile, MoveBaseError};
use crate::beneath::{Beneath, is_absent};
use crate::git::{CatFile, Kind};
use crate::hub::{Hub, HubError, git_error};
use crate::ids::RepoPath;
use crate::listing::{Entry, EntryMode};
use crate::space::{Workspace, Writable};

/// The staging folder of an overlay, at the top of the workspace.
const INSIDE: &str = ".divisi-moving";
/// How often a place is cleared before the move gives up on it.
const MAX_TRIES: usize = 10;
/// Longest target of a symbolic link that Linux takes.
const MAX_LINK_BYTES: u64 = 4095;

/// An open workspace and its staging folder.
pub(super) struct Place<'a> {
    pub(super) top: Beneath,
    /// A folder for git to write in, never inside of a mount.
    pub(super) staging: PathBuf,
    pub(super) staged: Beneath,
    /// The name of the staging folder, if it lies in the workspace.
    inside: Option<&'static str>,
    writable: Writable,
    /// Number of the snapshot before the move; tells what was kept by this move from what earlier ones kept.
    pub(super) number: String,
    kept: PathBuf,
    objects: CatFile,
    changes: &'a [Change],
}

impl<'a> Place<'a> {
    /// Opens both folders. What an interrupted move left in staging is settled; without one, what is there are only
    /// copies that were never used.
    pub(super) fn open(
        hub: &Hub,
        space: &Workspace,
        snapshot: &str,
        changes: &'a [Change],
        resumed: bool,
    ) -> Result<Self, MoveBaseError> {
        let io = |doing| move |source| MoveBaseError::Io { doing, path: RepoPath::default(), source };
        let staging = space.staging_dir();
        if !resumed {
            remove_dir(&staging).map_err(io("clear the staging folder"))?;
        }
        for dir in [&staging, &space.kept_dir()] {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
            made.map_err(io("make the staging folder"))?;
        }
        let writable = space.writable().map_err(io("open the workspace"))?;
        let top = Beneath::open(&writable.path()).map_err(io("open the workspace"))?;
        let inside = space.overlay().map(|_| INSIDE);
        let staged = match inside {
            Some(name) if !resumed => {
                remove_below(&top, name.as_bytes()).map_err(io("clear the staging folder"))?;
                top.make_dirs(name.as_bytes())
            }
            Some(name) => top.make_dirs(name.as_bytes()),
            None => Beneath::open(&staging),
        };
        let mut place = Self {
            top,
            staged: staged.map_err(io("open the staging folder"))?,
            staging,
            inside,
            writable,
            number: snapshot.rsplit('/').next().unwrap_or_default().to_owned(),
            kept: space.kept_dir(),
            objects: hub.cat_file()?,
            changes,
        };
        for name in place.staged.names().map_err(io("list the staging folder"))? {
            let text = String::from_utf8_lossy(&name).into_owned();
            match text.split_once('.').and_then(|(n, kind)| Some((n.parse::<usize>().ok()?, kind))) {
                Some((n, "old")) if n < changes.len() => place.settle(n, true)?,
                Some((n, "obstacle")) if n < changes.len() => place.settle(n, false)?,
                _ => drop(unlinkat(&place.staged, os(&name), AtFlags::empty())),
            }
        }
        Ok(place)
    }

    /// Makes every file that is not in its place yet, beside the workspace.
    pub(super) fn stage(&mut self) -> Result<(), MoveBaseError> {
        for (n, change) in self.changes.iter().enumerate() {
            let Some(to) = &change.to else { continue };
            if to.mode == EntryMode::Gitlink || self.is_in_place(change, to)? {
                continue;
            }
            let (part, whole) = (format!("{n}.part"), format!("{n}.new"));
            self.make(&part, to, &change.path)?;
            renameat(&self.staged, &part, &self.staged, &whole).map_err(at(&change.path, "stage"))?;
        }
        Ok(())
    }

    /// Brings everything into its place: first all removals, so that a file can become a folder and a folder a file.
    pub(super) fn files(&mut self) -> Result<(), MoveBaseError> {
        let changes = self.changes;
        for (n, change) in changes.iter().enumerate().filter(|(_, change)| change.to.is_none()) {
            self.remove(n, change)?;
        }
        for (n, change) in changes.iter().enumerate() {
            match &change.to {
                Some(to) if to.mode == EntryMode::Gitlink => self.put_folder(n, change)?,
                Some(_) if self.staged.stat(format!("{n}.new").as_bytes()).is_ok() => self.put(n, change)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The agent's git directory and the folder from which files can be renamed into it. In the mount of a launch the git
    /// directory is a mount of its own; then that folder lies in it.
    pub(super) fn git_dir(&self) -> io::Result<(Beneath, Beneath)> {
        match self.inside {
            Some(name) => {
                let git_dir = Beneath::open(&self.writable.path().join(".git"))?;
                let staged = git_dir.make_dirs(name.as_bytes())?;
                Ok((git_dir, staged))
            }
            None => Ok((self.top.dir(b".git")?, self.staged.dir(b".")?)),
        }
    }

    /// Removes what [`Place::git_dir`] made.
    pub(super) fn close_git_dir(&self) {
        if let Some(name) = self.inside
            && let Ok(git_dir) = Beneath::open(&self.writable.path().join(".git"))
        {
            // An empty folder that stays does no harm.
            let _ = remove_below(&git_dir, name.as_bytes());
        }
    }

    /// Writes what the kernel still holds back, as far as that can be told.
    pub(super) fn flush(&self) {
        // The record is written durably next and must not be ahead of the files.
        let _ = syncfs(&self.top);
    }

    /// What this move kept, also before a crash.
    pub(super) fn kept(&self) -> Result<Vec<KeptFile>, MoveBaseError> {
        let io =
            |source| MoveBaseError::Io { doing: "list what was kept", path: RepoPath::default(), source };
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.kept).map_err(io)? {
            let name = entry.map_err(io)?.file_name().to_string_lossy().into_owned();
            let n = name.strip_prefix(&format!("{}-", self.number)).and_then(|rest| rest.split('-').next());
            if let Some(change) = n.and_then(|n| self.changes.get(n.parse::<usize>().ok()?)) {
                found.push(KeptFile { path: change.path.clone(), name });
            }
        }
        found.sort_by(|a, b| (&a.path, &a.name).cmp(&(&b.path, &b.name)));
        Ok(found)
    }

    /// Removes the staging folder, and the one for what is kept if nothing is in it.
    pub(super) fn close(self) {
        // What stays is cleared by the next move.
        if let Some(name) = self.inside {
            let _ = remove_below(&self.top, name.as_bytes());
        }
        let _ = remove_dir(&self.staging);
        let _ = fs::remove_dir(&self.kept);
    }

    fn make(&mut self, name: &str, entry: &Entry, path: &RepoPath) -> Result<(), MoveBaseError> {
        let missing = || HubError::Missing(format!("object {}", entry.oid));
        let git = || git_error("read a file from the hub");
        if entry.mode == EntryMode::Symlink {
            let read = self.objects.read(&entry.oid, MAX_LINK_BYTES).map_err(git())?;
            let (_, target) = read.filter(|(kind, _)| *kind == Kind::Blob).ok_or_else(missing)?;
            return symlinkat(os(&target), &self.staged, name).map_err(at(path, "make the link"));
        }
        let mode = if entry.mode == EntryMode::Executable { 0o777 } else { 0o666 };
        let mut file = self.staged.new_file(name.as_bytes(), mode).map_err(at(path, "write"))?;
        self.objects.copy(&entry.oid, &mut file).map_err(git())?.ok_or_else(missing)?;
        Ok(())
    }

    fn is_in_place(&mut self, change: &Change, entry: &Entry) -> Result<bool, MoveBaseError> {
        let Ok(parent) = self.top.dir(or_dot(change.path.parent())) else { return Ok(false) };
        Ok(holds(&mut self.objects, &parent, change.path.file_name(), entry)?)
    }

    fn remove(&mut self, n: usize, change: &Change) -> Result<(), MoveBaseError> {
        let (folder, name) = (change.path.parent(), change.path.file_name());
        let parent = match self.top.dir(or_dot(folder)) {
            Ok(parent) => parent,
            // Gone with its folder, or the folder is now something else, which is not entered.
            Err(e) if is_absent(&e) => return Ok(()),
            Err(e) => return Err(at(&change.path, "open the folder of")(e)),
        };
        match parent.stat(name) {
            Err(_) => {}
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
                // A submodule's folder goes if it is empty; any other folder was not there at the snapshot.
                if change.from.as_ref().is_some_and(|from| from.mode == EntryMode::Gitlink) {
                    let _ = unlinkat(&parent, os(name), AtFlags::REMOVEDIR);
                }
            }
            Ok(_) => self.take_away(n, &parent, name, true)?,
        }
        self.remove_empty_folders(folder);
        Ok(())
    }

    fn remove_empty_folders(&self, mut folder: &[u8]) {
        while !folder.is_empty() {
            let slash = folder.iter().rposition(|b| *b == b'/');
            let (parent, name) = slash.map_or((&b""[..], folder), |at| (&folder[..at], &folder[at + 1..]));
            let Ok(dir) = self.top.dir(or_dot(parent)) else { return };
            if unlinkat(&dir, os(name), AtFlags::REMOVEDIR).is_err() {
                return;
            }
            folder = parent;
        }
    }

    fn put(&mut self, n: usize, change: &Change) -> Result<(), MoveBaseError> {
        let (path, name, whole) = (&change.path, change.path.file_name(), format!("{n}.new"));
        for _ in 0..MAX_TRIES {
            let parent = self.folder_of(n, path)?;
            let put = || renameat_with(&self.staged, &whole, &parent, os(name), RenameFlags::NOREPLACE);
            match with_rights(&parent, put) {
                Ok(()) => return Ok(()),
                Err(rustix::io::Errno::EXIST) => self.take_away(n, &parent, name, true)?,
                Err(e) => return Err(at(path, "write")(e)),
            }
        }
        Err(MoveBaseError::Unsteady(path.clone()))
    }

    /// The folder of a submodule, which stays empty.
    fn put_folder(&mut self, n: usize, change: &Change) -> Result<(), MoveBaseError> {
        let mut inside = change.path.as_bytes().to_vec();
        inside.extend_from_slice(b"/.");
        self.folder_of(n, &RepoPath::new(inside)).map(drop)
    }

    /// Opens the folder that a path lies in, making what is missing and clearing away what is no folder.
    fn folder_of(&mut self, n: usize, path: &RepoPath) -> Result<Beneath, MoveBaseError> {
        let mut dir = self.top.dir(b".").map_err(at(path, "open the workspace for"))?;
        for name in path.parent().split(|b| *b == b'/').filter(|name| !name.is_empty()) {
            let mut tries = 0;
            dir = loop {
                match dir.dir(name) {
                    Ok(below) => break below,
                    Err(_) if tries == MAX_TRIES => return Err(MoveBaseError::Unsteady(path.clone())),
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {
                        let make = || match mkdirat(&dir, os(name), Mode::from_raw_mode(0o777)) {
                            Err(rustix::io::Errno::EXIST) => Ok(()),
                            other => other,
                        };
                        with_rights(&dir, make).map_err(at(path, "make a folder for"))?;
                    }
                    Err(e) if is_absent(&e) => self.take_away(n, &dir, name, false)?,
                    Err(e) => return Err(at(path, "open a folder of")(e)),
                }
                tries += 1;
            };
        }
        Ok(dir)
    }

    /// Moves what is there into staging and settles it. `own`: it is what the change is about, and not something
    /// above it.
    fn take_away(&mut self, n: usize, dir: &Beneath, name: &[u8], own: bool) -> Result<(), MoveBaseError> {
        let path = &self.changes[n].path;
        let away = taken_name(n, own);
        let take = || move_to(dir, name, &self.staged, away.as_bytes());
        match with_rights(dir, take) {
            Ok(()) => self.settle(n, own),
            Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(e) => Err(at(path, "clear the place of")(e)),
        }
    }

    /// Removes what was taken away if it is known, and keeps it otherwise.
    fn settle(&mut self, n: usize, own: bool) -> Result<(), MoveBaseError> {
        let change = &self.changes[n];
        let name = taken_name(n, own);
        if unlinkat(&self.staged, &name, AtFlags::REMOVEDIR).is_ok() {
            // An empty folder.
            return Ok(());
        }
        let staged = self.staged.dir(b".").map_err(at(&change.path, "look at what was in place of"))?;
        for entry in [&change.from, &change.to].into_iter().flatten().filter(|_| own) {
            if holds(&mut self.objects, &staged, name.as_bytes(), entry)? {
                return unlinkat(&staged, &name, AtFlags::empty()).map_err(at(&change.path, "remove"));
            }
        }
        let kept = Beneath::open(&self.kept).map_err(at(&change.path, "keep what was in place of"))?;
        for k in 0.. {
            let to = format!("{}-{n}-{k}", self.number);
            let moved = match self.inside {
                Some(_) => copy_out(&staged, name.as_bytes(), &kept, to.as_bytes()),
                None => renameat_with(&staged, &name, &kept, &to, RenameFlags::NOREPLACE).map_err(Into::into),
            };
            match moved {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                other => return other.map_err(at(&change.path, "keep what was in place of")),
            }
        }
        Ok(())
    }
}

fn taken_name(n: usize, own: bool) -> String {
    format!("{n}.{}", if own { "old" } else { "obstacle" })
}

/// Tries again with all of the owner's rights on a folder that an agent made read-only.
fn with_rights(dir: &Beneath, step: impl Fn() -> rustix::io::Result<()>) -> rustix::io::Result<()> {
    match step() {
        Err(rustix::io::Errno::ACCESS) => fchmod(dir, Mode::RWXU).and_then(|()| step()),
        other => other,
    }
}

fn remove_dir(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

fn os(name: &[u8]) -> &OsStr {
    OsStr::from_bytes(name)
}

fn or_dot(folder: &[u8]) -> &[u8] {
    if folder.is_empty() { b"." } else { folder }
}

fn at<E: Into<io::Error>>(path: &RepoPath, doing: &'static str) -> impl FnOnce(E) -> MoveBaseError {
    let path = path.clone();
    move |source| MoveBaseError::Io { doing, path, source: source.into() }
}
