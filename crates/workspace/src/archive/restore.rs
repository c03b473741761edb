//! Bringing a workspace back, from its archive or from a snapshot.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, Timespec, Timestamps, fchmod, futimens, symlinkat, unlinkat, utimensat};

use super::ArchiveError;
use super::layered;
use super::manifest::{self, Item, ItemKind};
use super::put_away::io_error;
use crate::beneath::{Beneath, looks_like_dot_git};
use crate::git::{Answers, GitError};
use crate::git_box::Confine;
use crate::hub::Hub;
use crate::ids::{CommitId, RepoPath};
use crate::listing::{Entry, EntryMode};
use crate::sandbox::Holder;
use crate::space::{
    Begun, Kind, Presence, Workspace, Workspaces, alternates_line, birth, dir_identity, make_git_dir,
    remove_tree, save_record,
};

impl Workspaces {
    /// Brings an archived workspace back: the same folder name, branch, files (also uncommitted and ignored ones),
    /// modes and times, and the agent's own git directory. It is made as `kind` says, whatever it was; in an overlay a
    /// file that is as in the base has the time of the template. One that is here already stays as it is: whoever
    /// brought it back died before that could be noted.
    pub fn restore(&self, hub: &Hub, name: &str, kind: Kind) -> Result<Workspace, ArchiveError> {
        let mut space = self.get(name)?;
        if space.record.put_away && space.presence() == Presence::Present {
            self.is_back(&mut space);
            return Ok(space);
        }
        let Some(commit) = space.record.archived.clone() else {
            return Err(ArchiveError::NoArchive(name.to_owned()));
        };
        let path = RepoPath::from("manifest");
        let text = hub.file_at(&commit, &path, manifest::MAX_BYTES)?;
        let items = text.and_then(|text| manifest::read(&text));
        let items = items.ok_or_else(|| ArchiveError::Damaged(name.to_owned()))?;
        let borrow = |top: &Beneath| {
            borrow_from(hub, top).map_err(io_error("point to the hub's objects from", b".git"))
        };
        match kind {
            Kind::Plain => self.rebuild(space, |dir| {
                let all: Vec<&Item> = items.iter().collect();
                let top = Beneath::open(dir).map_err(io_error("open", b""))?;
                write_items(hub, &top, &all, &all)?;
                borrow(&top)
            }),
            Kind::Overlay => {
                let base = hub.listing(space.base())?;
                self.rebuild_overlay(hub, space, |top, begun| {
                    layered::write(hub, top, begun, &base, &items)?;
                    borrow(top)
                })
            }
        }
    }

    /// Makes a workspace's folder anew with the files of one of its snapshots, for example after the folder was
    /// deleted by hand. Ignored files and the agent's own git directory are not in a snapshot; the branch starts
    /// at the base again, with the snapshot's changes uncommitted. A snapshot from before a move onto another base
    /// takes the workspace back to the base that it was made on: on the new one it would undo what landed there.
    pub fn recreate(
        &self,
        hub: &Hub,
        name: &str,
        snapshot: &CommitId,
        kind: Kind,
    ) -> Result<Workspace, ArchiveError> {
        let mut space = self.get(name)?;
        space.record.moving = None;
        if let Some(base) = base_of(hub, snapshot)?.filter(|base| *base != space.record.base) {
            (space.record.base, space.record.moved) = (base, None);
        }
        let (record, listing) = (space.record.clone(), hub.listing(snapshot)?);
        let make_git_dir = |git_dir: &Path| {
            make_git_dir(hub, git_dir, &record).map_err(io_error("make the git directory of", b""))
        };
        match kind {
            Kind::Plain => self.rebuild(space, |dir| {
                let git_dir = dir.join(".git");
                make_git_dir(&git_dir)?;
                write_entries(hub, &Beneath::open(dir).map_err(io_error("open", b""))?, listing.iter())?;
                let git = |source: GitError| ArchiveError::Git { doing: "make the index", source };
                let call = || hub.git.call(&git_dir).work_tree(dir).confine(Confine::writing([dir])).long();
                call().args(["read-tree", record.base.as_str()]).run().map_err(git)?;
                call().args(["update-index", "-q", "--refresh"]).accept(&[0, 1]).run().map_err(git)?;
                Ok(())
            }),
            Kind::Overlay => {
                let base = hub.listing(&record.base)?;
                self.rebuild_overlay(hub, space, |top, begun| {
                    layered::write_snapshot(hub, top, &base, &listing)?;
                    let git_dir = top.make_dirs(b".git").map_err(io_error("make", b".git"))?;
                    let git_dir = Path::new("/proc/self/fd").join(git_dir.as_fd().as_raw_fd().to_string());
                    make_git_dir(&git_dir)?;
                    let index = git_dir.join("index");
                    // The template shows its own there, but for those made by the first versions.
                    match index.exists() {
                        true => Ok(()),
                        false => fs::copy(&begun.index, index)
                            .map(drop)
                            .map_err(io_error("write the index of", b"")),
                    }
                })
            }
        }
    }

    /// Builds the folder beside its place and moves it there whole.
    fn rebuild(
        &self,
        mut space: Workspace,
        fill: impl FnOnce(&Path) -> Result<(), ArchiveError>,
    ) -> Result<Workspace, ArchiveError> {
        let place = space.path();
        if space.presence() != Presence::Missing {
            return Err(crate::WorkspaceError::Exists(place).into());
        }
        let dir: PathBuf = self.root().join(format!(".restoring-{}", space.name()));
        // Left by a restore that died; the name is ours alone.
        let _ = remove_tree(&dir, dir_identity(&dir).ok());
        DirBuilder::new().mode(0o700).create(&dir).map_err(io_error("make a folder for", b""))?;
        let made = dir_identity(&dir).map_err(io_error("look at", b""))?;
        let done = fill(&dir).and_then(|()| {
            if space.record.overlay.is_some() {
                let _ = space.remove_place();
                space.record.overlay = None;
            }
            space.record.kind = Kind::Plain;
            space.record.made = Some(made);
            space.record.born = birth(&dir);
            save_record(self.root(), &space.record).map_err(io_error("write the record of", b""))?;
            fs::rename(&dir, &place).map_err(io_error("put into place", b""))
        });
        if let Err(error) = done {
            let _ = remove_tree(&dir, Some(made));
            return Err(error);
        }
        self.is_back(&mut space);
        Ok(space)
    }

    /// From here on the folder holds more than its archive. Where this cannot be written, it is back all the same.
    fn is_back(&self, space: &mut Workspace) {
        (space.record.archived, space.record.put_away) = (None, false);
        let _ = save_record(self.root(), &space.record);
    }

    /// Builds an overlay beside its place, fills it through a mount, and moves it there whole.
    fn rebuild_overlay(
        &self,
        hub: &Hub,
        mut space: Workspace,
        fill: impl FnOnce(&Beneath, &Begun) -> Result<(), ArchiveError>,
    ) -> Result<Workspace, ArchiveError> {
        let place = space.path();
        if space.presence() != Presence::Missing {
            return Err(crate::WorkspaceError::Exists(place).into());
        }
        let begun = self.begin_overlay(hub, &space)?;
        let build = || {
            let mounted = Holder::mount(&begun.overlay).map_err(io::Error::other);
            let mounted = mounted.map_err(io_error("mount", b""))?;
            fill(&Beneath::open(&mounted.view()).map_err(io_error("open", b""))?, &begun)
        };
        let done = build().and_then(|()| {
            space.remove_place().map_err(io_error("make room for", b""))?;
            if place.symlink_metadata().is_ok() {
                return Err(crate::WorkspaceError::NotOurs(place).into());
            }
            space.record.kind = Kind::Overlay;
            space.record.overlay = Some(begun.layered.clone());
            save_record(self.root(), &space.record).map_err(io_error("write the record of", b""))?;
            fs::rename(&begun.own, space.own_folder()).map_err(io_error("put into place", b""))
        });
        if let Err(error) = done {
            let _ = remove_tree(&begun.own, Some(begun.layered.made));
            return Err(error);
        }
        self.ready(hub, &mut space)?;
        self.is_back(&mut space);
        Ok(space)
    }
}

/// The git directory was put away as it was, and names the hub where that lay then.
fn borrow_from(hub: &Hub, top: &Beneath) -> io::Result<()> {
    const NAME: &[u8] = b"alternates";
    // An agent may have made anything of its git directory, also none.
    let Ok(info) = top.dir(b".git/objects/info") else { return Ok(()) };
    let line = alternates_line(&hub.dir().join("objects"));
    match info.read_small(NAME, line.len() as u64) {
        Ok(Some(there)) if there == line => return Ok(()),
        _ if info.stat(NAME).is_err() => return Ok(()),
        _ => {}
    }
    unlinkat(&info, OsStr::from_bytes(NAME), AtFlags::empty())?;
    io::Write::write_all(&mut info.new_file(NAME, 0o644)?, &line)
}

/// The base that a snapshot was made on: its parent, or the parent of that where files were hidden.
fn base_of(hub: &Hub, snapshot: &CommitId) -> Result<Option<CommitId>, ArchiveError> {
    let mut at = snapshot.clone();
    for _ in 0..=2 {
        if hub.ref_commit(&format!("refs/divisi/base/{at}"))?.is_some() {
            return Ok(Some(at));
        }
        let Some(parent) = hub.read_commit(&at)?.parents.into_iter().next() else { break };
        at = parent;
    }
    Ok(None)
}

impl Workspace {
    /// Puts one file back as a snapshot has it; where the snapshot has none, it is removed. The workspace as it is
    /// should be snapshotted first.
    pub fn restore_file(&self, hub: &Hub, snapshot: &CommitId, path: &RepoPath) -> Result<(), ArchiveError> {
        if self.presence() != Presence::Present {
            return Err(ArchiveError::Gone(self.name().to_owned()));
        }
        let bytes = path.as_bytes();
        let plain = bytes
            .split(|b| *b == b'/')
            .all(|part| !part.is_empty() && part != b".." && !looks_like_dot_git(part));
        if !plain {
            return Err(io_error("write", bytes)(io::ErrorKind::InvalidInput.into()));
        }
        let writable = self.writable().map_err(io_error("write to", b""))?;
        let top = Beneath::open(&writable.path()).map_err(io_error("open", b""))?;
        let listing = hub.listing(snapshot)?;
        let entry = listing.get(path);
        if let Ok(folder) = folder_of(&top, path) {
            match unlinkat(&folder, OsStr::from_bytes(path.file_name()), AtFlags::empty()) {
                Ok(()) | Err(rustix::io::Errno::NOENT) => {}
                Err(e) => return Err(io_error("remove", bytes)(e.into())),
            }
        }
        match entry {
            Some(entry) if entry.mode == EntryMode::Gitlink => Ok(()),
            Some(entry) => {
                write_entry(&top, path, entry.mode, &mut hub.cat_file()?.ask_all(vec![entry.oid.to_string()]))
            }
            None => Ok(()),
        }
    }
}

fn folder_of(top: &Beneath, path: &RepoPath) -> io::Result<Beneath> {
    top.dir(if path.parent().is_empty() { b"." } else { path.parent() })
}

/// Writes a file or link whose blob is the next one to come.
fn write_entry(
    top: &Beneath,
    path: &RepoPath,
    mode: EntryMode,
    blobs: &mut Answers,
) -> Result<(), ArchiveError> {
    let io = |e| io_error("write", path.as_bytes())(e);
    let folder = top.make_dirs(path.parent()).map_err(io)?;
    match mode {
        EntryMode::Gitlink => drop(folder.make_dirs(path.file_name()).map_err(io)?),
        EntryMode::Symlink => {
            let target = link_text(blobs, path)?;
            let name = OsStr::from_bytes(path.file_name());
            symlinkat(OsStr::from_bytes(&target), &folder, name).map_err(|e| io(e.into()))?;
        }
        EntryMode::File | EntryMode::Executable => {
            let bits = if mode == EntryMode::Executable { 0o777 } else { 0o666 };
            let mut file = folder.new_file(path.file_name(), bits).map_err(io)?;
            copy(blobs, path, &mut file)?;
        }
    }
    Ok(())
}

/// Writes these items; `folders` are those whose mode and time are set.
pub(super) fn write_items(
    hub: &Hub,
    top: &Beneath,
    items: &[&Item],
    folders: &[&Item],
) -> Result<(), ArchiveError> {
    let blobs = items.iter().filter_map(|item| item.blob.as_ref()).map(ToString::to_string).collect();
    let mut blobs = hub.cat_file()?.ask_all(blobs);
    for item in items {
        write_item(top, item, &mut blobs)?;
    }
    // Folders last and from the inside out: a read-only one would not take its files, and each file changes its time.
    for item in folders.iter().rev().filter(|item| item.kind == ItemKind::Dir) {
        let io = |e: rustix::io::Errno| io_error("set the mode of", item.path.as_bytes())(e.into());
        let dir = top.dir(item.path.as_bytes()).map_err(io_error("open", item.path.as_bytes()))?;
        futimens(&dir, &times(item)).map_err(io)?;
        fchmod(&dir, Mode::from_raw_mode(item.mode)).map_err(io)?;
    }
    Ok(())
}

/// Writes the files and links of a tree.
pub(super) fn write_entries<'a>(
    hub: &Hub,
    top: &Beneath,
    entries: impl Iterator<Item = (&'a RepoPath, &'a Entry)>,
) -> Result<(), ArchiveError> {
    let entries: Vec<_> = entries.collect();
    let blobs = entries.iter().filter(|(_, entry)| entry.mode != EntryMode::Gitlink);
    let mut blobs = hub.cat_file()?.ask_all(blobs.map(|(_, entry)| entry.oid.to_string()).collect());
    for (path, entry) in entries {
        write_entry(top, path, entry.mode, &mut blobs)?;
    }
    Ok(())
}

fn write_item(top: &Beneath, item: &Item, blobs: &mut Answers) -> Result<(), ArchiveError> {
    let path = &item.path;
    let io = |e| io_error("write", path.as_bytes())(e);
    let name = OsStr::from_bytes(path.file_name());
    let damaged = || ArchiveError::NotReadable(path.clone());
    match (item.kind, &item.blob) {
        (ItemKind::Dir, _) => drop(top.make_dirs(path.as_bytes()).map_err(io)?),
        (ItemKind::Link, Some(_)) => {
            let folder = folder_of(top, path).map_err(io)?;
            let target = link_text(blobs, path)?;
            symlinkat(OsStr::from_bytes(&target), &folder, name).map_err(|e| io(e.into()))?;
            utimensat(&folder, name, &times(item), AtFlags::SYMLINK_NOFOLLOW).map_err(|e| io(e.into()))?;
        }
        (ItemKind::File, Some(_)) => {
            let folder = folder_of(top, path).map_err(io)?;
            let mut file = folder.new_file(path.file_name(), 0o600).map_err(io)?;
            copy(blobs, path, &mut file)?;
            futimens(&file, &times(item)).map_err(|e| io(e.into()))?;
            fchmod(&file, Mode::from_raw_mode(item.mode)).map_err(|e| io(e.into()))?;
        }
        (ItemKind::Link | ItemKind::File, None) => return Err(damaged()),
    }
    Ok(())
}

fn times(item: &Item) -> Timestamps {
    let time = Timespec { tv_sec: item.time.0, tv_nsec: item.time.1 };
    Timestamps { last_access: time, last_modification: time }
}

fn copy(blobs: &mut Answers, path: &RepoPath, to: &mut dyn io::Write) -> Result<(), ArchiveError> {
    match blobs.next(to).map_err(|source| ArchiveError::Git { doing: "read from the hub", source })? {
        Some(_) => Ok(()),
        None => Err(ArchiveError::NotReadable(path.clone())),
    }
}

fn link_text(blobs: &mut Answers, path: &RepoPath) -> Result<Vec<u8>, ArchiveError> {
    let mut target = Vec::new();
    copy(blobs, path, &mut target)?;
    Ok(target)
}
