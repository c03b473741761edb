//! Some files of a comparison, for who has the list of all of them and reads on; and the files themselves.

use std::collections::HashSet;

use super::read::{Comparison, compare, patch_options, read_patch};
use super::{DiffLimits, FileDiff, FileStatus, LineKind};
use crate::git::Kind;
use crate::hub::{Hub, HubError, git_error};
use crate::ids::{BlobId, CommitId, RepoPath};
use crate::listing::{EntryMode, Listing};

/// A file of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffPath {
    /// Its path afterwards (before, if it was deleted).
    pub path: RepoPath,
    /// Its path before, if it was renamed or copied.
    pub old_path: Option<RepoPath>,
}

impl Hub {
    /// These files of a comparison with their hunks. One that did not change is left out.
    pub fn diff_some(
        &self,
        from: &CommitId,
        to: &CommitId,
        paths: &[DiffPath],
        limits: &DiffLimits,
    ) -> Result<Vec<FileDiff>, HubError> {
        let at_their_place: Vec<_> = paths.iter().filter(|p| p.old_path.is_none()).map(|p| &p.path).collect();
        let mut files = Vec::new();
        if !at_their_place.is_empty() {
            let limits = DiffLimits { files: usize::MAX, ..*limits };
            let comparison = Comparison { hub: self, from, to, limits: &limits, paths: &at_their_place };
            files = comparison.files()?.files;
            comparison.read_hunks(&mut files)?;
            // A folder that was a file is asked for too when the file is.
            let asked: HashSet<_> = at_their_place.into_iter().collect();
            files.retain(|file| asked.contains(&file.path));
        }
        for path in paths {
            if let Some(old_path) = &path.old_path {
                files.extend(self.diff_renamed((from, old_path), (to, &path.path), limits)?);
            }
        }
        Ok(files)
    }

    fn diff_renamed(
        &self,
        (from, old_path): (&CommitId, &RepoPath),
        (to, path): (&CommitId, &RepoPath),
        limits: &DiffLimits,
    ) -> Result<Option<FileDiff>, HubError> {
        let (old, new) = (self.entry_at(from, old_path)?, self.entry_at(to, path)?);
        let (Some((old_mode, old_id)), Some((new_mode, new_id))) = (old, new) else { return Ok(None) };
        let mut files = [FileDiff {
            path: path.clone(),
            old_path: Some(old_path.clone()),
            status: FileStatus::Renamed,
            old_mode: Some(old_mode),
            new_mode: Some(new_mode),
            old_id: Some(old_id.clone()),
            new_id: Some(new_id.clone()),
            added: 0,
            removed: 0,
            binary: false,
            hunks: Vec::new(),
            truncated: false,
        }];
        let gitlink = [old_mode, new_mode].contains(&EntryMode::Gitlink);
        if old_id != new_id && !gitlink {
            self.diff_blobs(&old_id, &new_id, &mut files, limits)?;
        }
        let [file] = files;
        Ok(Some(file))
    }

    /// Compares two blobs; the hunks go to the one file.
    pub(super) fn diff_blobs(
        &self,
        old_id: &str,
        new_id: &str,
        file: &mut [FileDiff; 1],
        limits: &DiffLimits,
    ) -> Result<(), HubError> {
        let call = compare(self, &["diff"], limits).args(patch_options(limits)).args([old_id, new_id]);
        read_patch(call, file, limits)?;
        let [file] = file;
        let count = |kind| {
            let lines = file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.kind == kind);
            u32::try_from(lines.count()).unwrap_or(u32::MAX)
        };
        (file.added, file.removed) = (count(LineKind::Added), count(LineKind::Removed));
        file.binary = file.hunks.is_empty() && !limits.ignore_whitespace;
        Ok(())
    }

    /// What stands at a path of a commit: its mode, and its blob or the other repository's commit.
    pub fn entry_at(
        &self,
        commit: &CommitId,
        path: &RepoPath,
    ) -> Result<Option<(EntryMode, String)>, HubError> {
        let call = self.call().args(["ls-tree", "-z", "--full-tree", commit.as_str(), "--"]);
        let out = call.arg(path.as_path()).run().map_err(git_error("look for a file in a commit"))?;
        // A folder is listed as itself, which is no entry here.
        let files: Vec<u8> = out
            .stdout
            .split_inclusive(|b| *b == 0)
            .filter(|record| !record.starts_with(b"040000 "))
            .flatten()
            .copied()
            .collect();
        let listing = Listing::parse(&files).map_err(git_error("look for a file in a commit"))?;
        Ok(listing.get(path).map(|entry| (entry.mode, entry.oid.to_string())))
    }

    /// The bytes of a blob; nothing if the hub has no such blob. Larger than `max` is an error.
    pub fn blob(&self, blob: &BlobId, max: u64) -> Result<Option<Vec<u8>>, HubError> {
        let read =
            self.cat_file()?.read(blob.as_str(), max).map_err(git_error("read a file from the hub"))?;
        Ok(read.filter(|(kind, _)| *kind == Kind::Blob).map(|(_, bytes)| bytes))
    }
}
