//! Following lines from one commit to another.

use std::collections::HashMap;

use super::{DiffLimits, FileDiff, FileStatus, Hunk, LineKind};
use crate::hub::{Hub, HubError};
use crate::ids::{CommitId, RepoPath};
use crate::listing::EntryMode;

/// Lines of a file, both ends included, from 1; none: the whole file.
type Lines = Option<(u32, u32)>;

/// Where some lines of a commit stand in another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The file and the lines there; nothing if they are gone.
    pub place: Option<(RepoPath, Lines)>,
    /// Whether something changed there, or right beside it.
    pub touched: bool,
}

/// A comparison of two commits that lines are followed through.
#[derive(Debug)]
pub struct Follow<'a> {
    hub: &'a Hub,
    files: HashMap<RepoPath, FileDiff>,
    read: HashMap<RepoPath, Vec<Hunk>>,
}

impl<'a> Follow<'a> {
    /// Compares the commits.
    pub fn open(hub: &'a Hub, from: &CommitId, to: &CommitId) -> Result<Self, HubError> {
        let limits = DiffLimits { files: usize::MAX, ..DiffLimits::default() };
        let changed = hub.diff_files(from, to, &limits)?.files.into_iter();
        let changed = changed.filter(|file| !matches!(file.status, FileStatus::Added | FileStatus::Copied));
        let files = changed.map(|file| (file.old_path.clone().unwrap_or_else(|| file.path.clone()), file));
        Ok(Self { hub, files: files.collect(), read: HashMap::new() })
    }

    /// Where lines of the first commit stand in the second.
    pub fn place(&mut self, path: &RepoPath, lines: Lines) -> Result<Followed, HubError> {
        let Some(file) = self.files.get(path) else {
            return Ok(Followed { place: Some((path.clone(), lines)), touched: false });
        };
        if matches!(file.status, FileStatus::Deleted | FileStatus::TypeChanged) {
            return Ok(Followed { place: None, touched: true });
        }
        let now = file.path.clone();
        let same = file.old_id == file.new_id;
        let Some((first, last)) = lines else {
            return Ok(Followed { place: Some((now, None)), touched: !same });
        };
        let (lines, touched) = follow_lines(self.hunks(path)?, first, last);
        Ok(Followed { place: lines.map(|lines| (now, Some(lines))), touched })
    }

    /// What became of lines of the first commit: what was put in the place of each stretch of them that changed.
    pub fn became(&mut self, path: &RepoPath, first: u32, last: u32) -> Result<Vec<Vec<String>>, HubError> {
        let touching = self.hunks(path)?.iter().filter(|hunk| touches(hunk, first, last));
        let added = |hunk: &Hunk| {
            let lines = hunk.lines.iter().filter(|line| line.kind == LineKind::Added);
            lines.map(|line| line.text.clone()).collect()
        };
        Ok(touching.map(added).collect())
    }

    /// The changes of a file without context.
    fn hunks(&mut self, path: &RepoPath) -> Result<&[Hunk], HubError> {
        if !self.read.contains_key(path) {
            let hunks = self.read_hunks(path)?;
            self.read.insert(path.clone(), hunks);
        }
        Ok(self.read.get(path).map(Vec::as_slice).unwrap_or_default())
    }

    fn read_hunks(&self, path: &RepoPath) -> Result<Vec<Hunk>, HubError> {
        let Some(file) = self.files.get(path) else { return Ok(Vec::new()) };
        let gitlink = [file.old_mode, file.new_mode].contains(&Some(EntryMode::Gitlink));
        let (Some(old), Some(new)) = (&file.old_id, &file.new_id) else { return Ok(Vec::new()) };
        if old == new || gitlink {
            return Ok(Vec::new());
        }
        let limits = DiffLimits { context: 0, lines_per_file: usize::MAX, ..DiffLimits::default() };
        let mut compared = [file.clone()];
        self.hub.diff_blobs(old, new, &mut compared, &limits)?;
        let [compared] = compared;
        Ok(compared.hunks)
    }
}

/// Whether a change without context is in some lines or right beside them.
fn touches(hunk: &Hunk, first: u32, last: u32) -> bool {
    match hunk.old_lines {
        // Something new after this line.
        0 => hunk.old_start + 1 >= first && hunk.old_start <= last,
        lines => hunk.old_start <= last && hunk.old_start + lines > first,
    }
}

/// Where lines stand after changes without context, and whether they were touched.
fn follow_lines(hunks: &[Hunk], first: u32, last: u32) -> (Lines, bool) {
    let touched = hunks.iter().any(|hunk| touches(hunk, first, last));
    let mut found: Lines = None;
    let mut take = |from: u32, to: u32| {
        found = Some(found.map_or((from, to), |(start, end)| (start.min(from), end.max(to))));
    };
    // Lines between the changes keep their order and move as a whole.
    let (mut next, mut next_new) = (1u32, 1u32);
    for hunk in hunks {
        let old_first = if hunk.old_lines == 0 { hunk.old_start + 1 } else { hunk.old_start };
        let (from, to) = (next.max(first), old_first.saturating_sub(1).min(last));
        if from <= to {
            take(from - next + next_new, to - next + next_new);
        }
        let new_first = if hunk.new_lines == 0 { hunk.new_start + 1 } else { hunk.new_start };
        let old_end = old_first + hunk.old_lines;
        if hunk.old_lines > 0 && hunk.new_lines > 0 && old_first <= last && old_end > first {
            // A stretch that was replaced: the part of it that stands where ours stood.
            let at = |line: u32| new_first + (line - old_first).min(hunk.new_lines - 1);
            take(at(first.max(old_first)), at(last.min(old_end - 1)));
        }
        (next, next_new) = (old_end, new_first + hunk.new_lines);
    }
    if next.max(first) <= last {
        take(next.max(first) - next + next_new, last - next + next_new);
    }
    (found, touched)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hunk(old_start: u32, old_lines: u32, new_start: u32, new_lines: u32) -> Hunk {
        Hunk { old_start, old_lines, new_start, new_lines, section: String::new(), lines: vec![] }
    }

    #[test]
    fn lines_move_with_what_is_above_them() {
        type Case<'a> = (&'a [Hunk], (u32, u32), Lines, bool);
        let table: [Case<'_>; 11] = [
            (&[], (3, 4), Some((3, 4)), false),
            (&[hunk(1, 0, 2, 5)], (3, 4), Some((8, 9)), false),
            (&[hunk(1, 1, 0, 0)], (3, 4), Some((2, 3)), false),
            (&[hunk(9, 1, 9, 3)], (3, 4), Some((3, 4)), false),
            (&[hunk(3, 2, 2, 0)], (3, 4), None, true),
            (&[hunk(3, 1, 3, 3)], (3, 4), Some((3, 6)), true),
            (&[hunk(2, 0, 3, 1)], (3, 4), Some((4, 5)), true),
            (&[hunk(4, 0, 5, 1)], (3, 4), Some((3, 4)), true),
            (&[hunk(3, 0, 4, 2)], (3, 4), Some((3, 6)), true),
            (&[hunk(1, 10, 1, 12)], (3, 4), Some((3, 4)), true),
            (&[hunk(1, 10, 1, 1)], (3, 4), Some((1, 1)), true),
        ];
        for (hunks, (first, last), lines, touched) in table {
            assert_eq!(follow_lines(hunks, first, last), (lines, touched), "{hunks:?} {first}-{last}");
        }
    }
}
