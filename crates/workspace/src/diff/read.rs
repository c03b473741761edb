//! Asking git for a comparison.

use super::patch::{self, Patches};
use super::{Diff, DiffLimits, DiffStat, FileDiff, FileStatus};
use crate::git::{Call, GitError};
use crate::hub::{Hub, HubError, git_error};
use crate::ids::{CommitId, RepoPath};
use crate::listing::EntryMode;

const DOING: &str = "compare two commits";
const NO_OBJECT: &str = "0000000000000000000000000000000000000000";

impl Hub {
    /// The changed files with their counts, without hunks.
    pub fn diff_files(&self, from: &CommitId, to: &CommitId, limits: &DiffLimits) -> Result<Diff, HubError> {
        let out =
            diff_tree(self, from.as_str(), to.as_str(), limits).args(["-z", "--raw", "--numstat"]).run();
        let out = out.map_err(git_error(DOING))?;
        parse_files(&out.stdout, limits).map_err(git_error(DOING))
    }

    /// The changed files with their hunks.
    pub fn diff(&self, from: &CommitId, to: &CommitId, limits: &DiffLimits) -> Result<Diff, HubError> {
        let mut diff = self.diff_files(from, to, limits)?;
        if diff.files.is_empty() {
            return Ok(diff);
        }
        let call = diff_tree(self, from.as_str(), to.as_str(), limits)
            .arg("-p")
            .arg(format!("-U{}", limits.context))
            .args(["--submodule=short", "--src-prefix=a/", "--dst-prefix=b/"])
            .long();
        let mut patches = Patches::new(limits);
        let whole = call.lines(limits.patch_bytes, |line| patches.line(line)).map_err(git_error(DOING))?;
        patch::join(&mut diff.files, patches.finish(), whole);
        Ok(diff)
    }

    /// The patch as `git apply` takes it, binary files included; more than `max` bytes is an error.
    pub fn patch_text(&self, from: &CommitId, to: &CommitId, max: u64) -> Result<Vec<u8>, HubError> {
        let call = diff_tree(self, from.as_str(), to.as_str(), &DiffLimits::default())
            .args(["-p", "--binary"])
            .max_output(max);
        Ok(call.run().map_err(git_error(DOING))?.stdout)
    }

    /// The paths that differ between two trees or commits, without rename detection.
    pub(crate) fn changed_paths(&self, from: &str, to: &str) -> Result<Vec<FileDiff>, HubError> {
        let limits = DiffLimits { files: usize::MAX, ..DiffLimits::default() };
        let out = diff_tree(self, from, to, &limits).args(["--no-renames", "-z", "--raw", "--numstat"]).run();
        Ok(parse_files(&out.map_err(git_error(DOING))?.stdout, &limits).map_err(git_error(DOING))?.files)
    }
}

fn diff_tree(hub: &Hub, from: &str, to: &str, limits: &DiffLimits) -> Call {
    hub.call()
        .args([
            "diff-tree",
            "-r",
            "--no-color",
            "--full-index",
            "--no-ext-diff",
            "--no-textconv",
            "--no-indent-heuristic",
        ])
        .args(["--diff-algorithm=histogram", "-M"])
        .arg(format!("-l{}", limits.rename_candidates))
        .args([from, to])
}

/// Reads `--raw --numstat -z`: first all raw records, then all counts, in the same order.
fn parse_files(output: &[u8], limits: &DiffLimits) -> Result<Diff, GitError> {
    let bad = |what: &str| GitError::unexpected("diff-tree", what);
    let mut fields = output.split(|b| *b == 0);
    let mut diff = Diff::default();
    let mut field = fields.next().unwrap_or_default();
    let mut files = Vec::new();
    while let Some(raw) = field.strip_prefix(b":") {
        let raw = std::str::from_utf8(raw).map_err(|_| bad("a raw record"))?;
        let words: Vec<&str> = raw.split(' ').collect();
        let [old_mode, new_mode, old_id, new_id, letter] = words[..] else {
            return Err(bad("five fields of a raw record"));
        };
        let first = RepoPath::new(fields.next().ok_or_else(|| bad("a path"))?);
        let status = match letter.as_bytes().first() {
            Some(b'A') => FileStatus::Added,
            Some(b'D') => FileStatus::Deleted,
            Some(b'R') => FileStatus::Renamed,
            Some(b'C') => FileStatus::Copied,
            Some(b'T') => FileStatus::TypeChanged,
            _ => FileStatus::Modified,
        };
        let (path, old_path) = match status {
            FileStatus::Renamed | FileStatus::Copied => {
                (RepoPath::new(fields.next().ok_or_else(|| bad("a second path"))?), Some(first))
            }
            _ => (first, None),
        };
        let id = |text: &str| (text != NO_OBJECT).then(|| text.to_owned());
        files.push(FileDiff {
            path,
            old_path,
            status,
            old_mode: EntryMode::from_git(old_mode),
            new_mode: EntryMode::from_git(new_mode),
            old_id: id(old_id),
            new_id: id(new_id),
            added: 0,
            removed: 0,
            binary: false,
            hunks: Vec::new(),
            truncated: false,
        });
        field = fields.next().unwrap_or_default();
    }
    let mut stat = DiffStat { files: u32::try_from(files.len()).unwrap_or(u32::MAX), ..DiffStat::default() };
    for file in &mut files {
        let counts = std::str::from_utf8(field).map_err(|_| bad("counts"));
        // `3<TAB>1<TAB>path`, or for a rename `3<TAB>1<TAB>` and the two paths as records of their own.
        let text = match counts {
            Ok(text) => text.to_owned(),
            Err(_) => String::from_utf8_lossy(field).into_owned(),
        };
        let mut words = text.splitn(3, '\t');
        let (added, removed) =
            (words.next().unwrap_or_default(), words.next().ok_or_else(|| bad("two counts"))?);
        file.binary = added == "-";
        file.added = added.parse().unwrap_or(0);
        file.removed = removed.parse().unwrap_or(0);
        stat.added += u64::from(file.added);
        stat.removed += u64::from(file.removed);
        if words.next().unwrap_or_default().is_empty() {
            let (_, _) = (fields.next(), fields.next());
        }
        field = fields.next().unwrap_or_default();
    }
    diff.files_dropped = files.len().saturating_sub(limits.files);
    files.truncate(limits.files);
    diff.files = files;
    diff.stat = stat;
    Ok(diff)
}
