//! The bytes of one file of a workspace.

use std::io::{self, Read as _};

use rustix::fs::{FileType, Stat, fstat};

use super::walk::{Walk, cannot_store};
use super::{NoteKind, SnapshotError};
use crate::beneath::{Beneath, is_absent};
use crate::git::Ticket;
use crate::ids::RepoPath;
use crate::listing::{Entry, EntryMode};
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
        at: &Beneath,
        name: &[u8],
        path: &RepoPath,
        stat: &Stat,
    ) -> Result<Option<Content>, SnapshotError> {
        let print = Print::of(stat);
        if let Some(oid) = self.cache.get(path, &print) {
            return Ok(Some(Content::Known(oid)));
        }
        if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
            let Ok(target) = at.link(name) else {
                self.leave_out(path, NoteKind::Unreadable);
                return Ok(None);
            };
            let ticket = self.objects.blob(&target).map_err(cannot_store)?;
            self.seen(target.len() as u64);
            return Ok(Some(Content::HandedOver { ticket, print: Some(print) }));
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
        if size > self.limits.file_bytes || self.bytes_read.saturating_add(size) > self.limits.total_bytes {
            self.leave_out(path, NoteKind::TooLarge);
            return Ok(None);
        }
        let ticket = if size <= READ_WHOLE {
            let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
            match (&mut file).take(READ_WHOLE).read_to_end(&mut bytes) {
                Ok(_) => Some(self.objects.blob(&bytes).map_err(cannot_store)?),
                Err(_) => None,
            }
        } else {
            self.objects.blob_from(&mut file, size).map_err(cannot_store)?
        };
        self.seen(size);
        let Some(ticket) = ticket else {
            self.leave_out(path, NoteKind::Unreadable);
            return Ok(None);
        };
        let steady = fstat(&file).is_ok_and(|after| Print::of(&after) == print);
        if !steady {
            self.note(path.clone(), NoteKind::ChangedWhileRead);
        }
        Ok(Some(Content::HandedOver { ticket, print: steady.then_some(print) }))
    }

    fn seen(&mut self, bytes: u64) {
        self.files_read += 1;
        self.bytes_read += bytes;
    }
}
