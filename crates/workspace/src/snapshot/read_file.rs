//! The bytes of one file of a workspace.

use std::io::{self, Read as _};

use rustix::fs::{FileType, fstat};
use sha1::{Digest as _, Sha1};

use super::walk::{Keep, Walk, cannot_store};
use super::{NoteKind, SnapshotError};
use crate::beneath::is_absent;
use crate::git::{GitError, Ticket};
use crate::git_index::hex;
use crate::ids::RepoPath;
use crate::listing::{Entry, EntryMode};
use crate::seen::{Folder, Look};
use crate::stat_cache::Print;

/// Files up to this size are read whole before they are handed over.
const READ_WHOLE: u64 = 8 << 20;

/// A file whose blob may still be on its way into the hub.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) mode: EntryMode,
    pub(super) hidden: bool,
    pub(super) content: Content,
}

impl Pending {
    pub(super) fn of_base(entry: &Entry) -> Self {
        Self { mode: entry.mode, hidden: false, content: Content::Known(entry.oid.clone()) }
    }
}

/// The bytes of a file.
#[derive(Debug)]
pub(super) enum Content {
    /// Known to be in the hub.
    Known(Box<str>),
    /// Handed over; remembered as what the file was when it looked so, unless it was changing.
    HandedOver { ticket: Ticket, print: Option<Print> },
}

impl Walk<'_> {
    /// A file's bytes, read only if it may have changed. Nothing if it had to be left out.
    pub(super) fn bytes_of(
        &mut self,
        at: &Folder,
        name: &[u8],
        path: &RepoPath,
        look: &Look,
    ) -> Result<Option<Content>, SnapshotError> {
        let stat = &look.stat;
        let layers = self.shared.filter(|_| look.shared);
        if let Some(entry) = layers.and_then(|shared| shared.listing.get(path)) {
            return Ok(Some(Content::Known(entry.oid.clone())));
        }
        let print = Print::of(stat);
        if let Some(oid) = self.cache.get(path, &print) {
            return Ok(Some(Content::Known(oid)));
        }
        if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
            let Ok(target) = at.link(name) else {
                self.leave_out(path, NoteKind::Unreadable);
                return Ok(None);
            };
            self.seen(target.len() as u64);
            return self.bytes(&target, Some(print)).map(Some).map_err(cannot_store);
        }
        let (mut file, opened) = match at.file(name) {
            Ok(opened) => opened,
            // Deleted since it was listed: the snapshot is of a moment after that.
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => {
                self.leave_out(path, if is_absent(&e) { NoteKind::Special } else { NoteKind::Unreadable });
                return Ok(None);
            }
        };
        let print = Print::of(&opened);
        let size = u64::try_from(opened.st_size).unwrap_or(u64::MAX);
        let too_large = size > self.limits.file_bytes && !self.is_large_in_base(path)?;
        if too_large || self.bytes_read.saturating_add(size) > self.limits.total_bytes {
            self.leave_out(path, NoteKind::TooLarge);
            return Ok(None);
        }
        let content = if size <= READ_WHOLE {
            let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
            match (&mut file).take(READ_WHOLE).read_to_end(&mut bytes) {
                Ok(_) => Some(self.bytes(&bytes, Some(print)).map_err(cannot_store)?),
                Err(_) => None,
            }
        } else {
            self.bytes_from(&mut file, size, print).map_err(cannot_store)?
        };
        self.seen(size);
        let Some(mut content) = content else {
            self.leave_out(path, NoteKind::Unreadable);
            return Ok(None);
        };
        let steady = fstat(&file).is_ok_and(|after| Print::of(&after) == print);
        if !steady {
            self.note(path.clone(), NoteKind::ChangedWhileRead);
            if let Content::HandedOver { print, .. } = &mut content {
                *print = None;
            }
        }
        Ok(Some(content))
    }

    fn bytes(&mut self, bytes: &[u8], print: Option<Print>) -> Result<Content, GitError> {
        match &mut self.keep {
            Keep::InHub(objects) => Ok(Content::HandedOver { ticket: objects.blob(bytes)?, print }),
            Keep::Nowhere => {
                let hash = blob_head(bytes.len() as u64).chain_update(bytes).finalize();
                Ok(Content::Known(hex(&hash).into()))
            }
        }
    }

    /// Nothing if the file became shorter meanwhile.
    fn bytes_from(
        &mut self,
        from: &mut dyn io::Read,
        size: u64,
        print: Print,
    ) -> Result<Option<Content>, GitError> {
        match &mut self.keep {
            Keep::InHub(objects) => {
                let ticket = objects.blob_from(from, size)?;
                Ok(ticket.map(|ticket| Content::HandedOver { ticket, print: Some(print) }))
            }
            Keep::Nowhere => {
                let mut hash = blob_head(size);
                let (mut left, mut piece) = (size, vec![0; 1 << 16]);
                while left > 0 {
                    let want = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
                    let Ok(got @ 1..) = from.read(&mut piece[..want]) else { return Ok(None) };
                    hash.update(&piece[..got]);
                    left -= got as u64;
                }
                Ok(Some(Content::Known(hex(&hash.finalize()).into())))
            }
        }
    }

    /// A file that is beyond the limit in the base already is part of the work; any other of that size is hardly meant.
    fn is_large_in_base(&self, path: &RepoPath) -> Result<bool, SnapshotError> {
        let Some(entry) = self.base.get(path) else { return Ok(false) };
        Ok(self.hub.size_of(&entry.oid)? > self.limits.file_bytes)
    }

    fn seen(&mut self, bytes: u64) {
        self.files_read += 1;
        self.bytes_read += bytes;
    }
}

/// What git puts before a blob's bytes to name it.
fn blob_head(size: u64) -> Sha1 {
    Sha1::new().chain_update(format!("blob {size}\0"))
}
