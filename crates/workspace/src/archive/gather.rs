//! Reading a whole folder into the hub.

use std::collections::HashMap;
use std::sync::Arc;

use rustix::fs::{FileType, Stat, fstat};

use super::manifest::{Item, ItemKind};
use super::{ArchiveError, ArchiveLimits};
use crate::git::{FastImport, GitError, Ticket};
use crate::ids::{BlobId, RepoPath};
use crate::ignore_rules::{MAX_IGNORE_BYTES, Rules};
use crate::listing::Listing;
use crate::seen::{Folder, Look};
use crate::snapshot::{Note, NoteKind, is_cache_tag};
use crate::stat_cache::Print;

/// Deepest nesting; each level holds one open file.
const MAX_DEPTH: usize = 128;

/// What is gathered, and what decides it.
pub(super) struct Gather<'a> {
    pub(super) base: &'a Listing,
    /// The files of an overlay's layers: their blobs are in the hub.
    pub(super) shared: Option<Arc<Listing>>,
    pub(super) base_rules: &'a Rules,
    pub(super) own_rules: Rules,
    pub(super) limits: ArchiveLimits,
    /// Nothing on the second round, which only looks whether anything changed.
    pub(super) objects: Option<&'a mut FastImport>,
    pub(super) items: Vec<(Item, Option<Ticket>)>,
    pub(super) prints: HashMap<RepoPath, Print>,
    pub(super) left_out: Vec<Note>,
    pub(super) bytes: u64,
}

/// What the folders above say.
#[derive(Debug, Clone, Copy)]
struct Above {
    ignored: bool,
    in_git_dir: bool,
    depth: usize,
}

impl Gather<'_> {
    pub(super) fn run(&mut self, top: &Folder) -> Result<(), ArchiveError> {
        self.folder(top, b"", Above { ignored: false, in_git_dir: false, depth: 0 })
    }

    fn folder(&mut self, at: &Folder, folder: &[u8], above: Above) -> Result<(), ArchiveError> {
        let Ok(names) = at.names() else {
            self.leave_out(RepoPath::new(folder), NoteKind::Unreadable);
            return Ok(());
        };
        if !above.in_git_dir
            && names.iter().any(|name| name == b".gitignore")
            && let Ok(Some(text)) = at.read_small(b".gitignore", MAX_IGNORE_BYTES)
        {
            self.own_rules.add(folder, &text);
        }
        for name in names {
            let mut path = folder.to_vec();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(&name);
            let path = RepoPath::new(path);
            let Ok(look) = at.look(&name) else { continue };
            let stat = look.stat;
            if self.items.len() >= self.limits.entries {
                self.leave_out(path, NoteKind::TooLarge);
                return Ok(());
            }
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => self.below(at, &name, path, &stat, above)?,
                FileType::RegularFile => self.file(at, &name, path, &look)?,
                FileType::Symlink => self.link(at, &name, path, &stat)?,
                _ => self.leave_out(path, NoteKind::Special),
            }
        }
        Ok(())
    }

    fn below(
        &mut self,
        at: &Folder,
        name: &[u8],
        path: RepoPath,
        stat: &Stat,
        above: Above,
    ) -> Result<(), ArchiveError> {
        let below = match at.dir(name) {
            Ok(below) if above.depth < MAX_DEPTH => below,
            Ok(_) => {
                self.leave_out(path, NoteKind::TooDeep);
                return Ok(());
            }
            Err(e) => {
                let mount = e.raw_os_error() == Some(rustix::io::Errno::XDEV.raw_os_error());
                self.leave_out(path, if mount { NoteKind::Mount } else { NoteKind::Unreadable });
                return Ok(());
            }
        };
        let bytes = path.as_bytes();
        let in_git_dir = above.in_git_dir || name == b".git";
        let by_rules = self.base_rules.ignores(bytes, true) || self.own_rules.ignores(bytes, true);
        let ignored = above.ignored || (!in_git_dir && by_rules);
        if ignored && !in_git_dir && !self.base.has_below(bytes) {
            let tag = below.read_small(b"CACHEDIR.TAG", 64 << 10);
            if tag.is_ok_and(|tag| tag.is_some_and(|text| is_cache_tag(&text))) {
                self.leave_out(path, NoteKind::Cache);
                return Ok(());
            }
        }
        self.keep(path.clone(), ItemKind::Dir, stat, 0, None);
        self.folder(&below, path.as_bytes(), Above { ignored, in_git_dir, depth: above.depth + 1 })
    }

    fn link(&mut self, at: &Folder, name: &[u8], path: RepoPath, stat: &Stat) -> Result<(), ArchiveError> {
        let Ok(target) = at.link(name) else {
            self.leave_out(path, NoteKind::Unreadable);
            return Ok(());
        };
        let blob = match &mut self.objects {
            Some(objects) => Some(objects.blob(&target).map_err(cannot_store)?),
            None => None,
        };
        self.keep(path, ItemKind::Link, stat, target.len() as u64, blob);
        Ok(())
    }

    fn file(&mut self, at: &Folder, name: &[u8], path: RepoPath, look: &Look) -> Result<(), ArchiveError> {
        let stat = &look.stat;
        let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
        let Some(objects) = &mut self.objects else {
            self.keep(path, ItemKind::File, stat, size, None);
            return Ok(());
        };
        if size > self.limits.file_bytes || self.bytes.saturating_add(size) > self.limits.total_bytes {
            self.leave_out(path, NoteKind::TooLarge);
            return Ok(());
        }
        let layers = self.shared.as_ref().filter(|_| look.shared);
        if let Some(known) = layers.and_then(|shared| BlobId::parse(&shared.get(&path)?.oid).ok()) {
            self.keep(path, ItemKind::File, stat, size, None);
            if let Some((item, _)) = self.items.last_mut() {
                item.blob = Some(known);
            }
            return Ok(());
        }
        let Ok((mut file, opened)) = at.file(name) else {
            self.leave_out(path, NoteKind::Unreadable);
            return Ok(());
        };
        let size = u64::try_from(opened.st_size).unwrap_or(u64::MAX);
        let blob = objects.blob_from(&mut file, size).map_err(cannot_store)?;
        let steady = fstat(&file).is_ok_and(|after| Print::of(&after) == Print::of(&opened));
        match blob.filter(|_| steady) {
            Some(blob) => self.keep(path, ItemKind::File, &opened, size, Some(blob)),
            None => return Err(ArchiveError::StillChanging(path)),
        }
        Ok(())
    }

    fn keep(&mut self, path: RepoPath, kind: ItemKind, stat: &Stat, size: u64, blob: Option<Ticket>) {
        self.bytes += size;
        self.prints.insert(path.clone(), Print::of(stat));
        let time = (stat.st_mtime, stat.st_mtime_nsec.cast_signed());
        self.items.push((Item { path, kind, mode: stat.st_mode & 0o7777, time, size, blob: None }, blob));
    }

    fn leave_out(&mut self, path: RepoPath, kind: NoteKind) {
        self.left_out.push(Note { path, kind });
    }
}

fn cannot_store(source: GitError) -> ArchiveError {
    ArchiveError::Git { doing: "store a file in the hub", source }
}
