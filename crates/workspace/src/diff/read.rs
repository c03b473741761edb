//! Asking git for a comparison.

use super::patch::{self, Patches};
use super::{Diff, DiffLimits, DiffStat, FileDiff, FileStatus};
use crate::git::{Call, GitError};
use crate::hub::{Hub, HubError, git_error};
use crate::ids::{CommitId, RepoPath};
use crate::listing::EntryMode;

pub(super) const DOING: &str = "compare two commits";
const NO_OBJECT: &str = "0000000000000000000000000000000000000000";

impl Hub {
    /// The changed files with their counts, without hunks.
    pub fn diff_files(&self, from: &CommitId, to: &CommitId, limits: &DiffLimits) -> Result<Diff, HubError> {
        Comparison { hub: self, from, to, limits, paths: &[] }.files()
    }

    /// The changed files with their hunks.
    pub fn diff(&self, from: &CommitId, to: &CommitId, limits: &DiffLimits) -> Result<Diff, HubError> {
        let comparison = Comparison { hub: self, from, to, limits, paths: &[] };
        let mut diff = comparison.files()?;
        comparison.read_hunks(&mut diff.files)?;
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

/// What is asked of git about two commits.
pub(super) struct Comparison<'a> {
    pub(super) hub: &'a Hub,
    pub(super) from: &'a CommitId,
    pub(super) to: &'a CommitId,
    pub(super) limits: &'a DiffLimits,
    /// Only these, each at its place; empty: everything, with what was renamed.
    pub(super) paths: &'a [&'a RepoPath],
}

impl Comparison<'_> {
    fn call(&self, options: &[&str]) -> Call {
        let mut call = diff_tree(self.hub, self.from.as_str(), self.to.as_str(), self.limits).args(options);
        if !self.paths.is_empty() {
            call = call.arg("--no-renames").arg("--").args(self.paths.iter().map(|path| path.as_path()));
        }
        call
    }

    /// The files without hunks.
    pub(super) fn files(&self) -> Result<Diff, HubError> {
        let out = self.call(&["-z", "--raw", "--numstat"]).run().map_err(git_error(DOING))?;
        if !self.limits.ignore_whitespace {
            return parse_files(&out.stdout, self.limits).map_err(git_error(DOING));
        }
        // Counted without white space, git leaves out the files in which nothing else changed, and only there.
        let all = DiffLimits { files: usize::MAX, ..*self.limits };
        let mut diff = parse_files(&out.stdout, &all).map_err(git_error(DOING))?;
        let out = self.call(&["-z", "--numstat", "-w"]).run().map_err(git_error(DOING))?;
        without_whitespace(&mut diff, &out.stdout, self.limits).map_err(git_error(DOING))?;
        Ok(diff)
    }

    /// Gives the files, which are those of [`Comparison::files`], their hunks.
    pub(super) fn read_hunks(&self, files: &mut [FileDiff]) -> Result<(), HubError> {
        if files.is_empty() {
            return Ok(());
        }
        let patch = patch_options(self.limits);
        let call = self.call(&patch.iter().map(String::as_str).collect::<Vec<_>>());
        read_patch(call, files, self.limits)
    }
}

/// Runs a call that writes a patch, and gives each of the files its hunks: they come in the same order.
pub(super) fn read_patch(call: Call, files: &mut [FileDiff], limits: &DiffLimits) -> Result<(), HubError> {
    let mut patches = Patches::new(limits);
    let whole = call.long().lines(limits.patch_bytes, |line| patches.line(line)).map_err(git_error(DOING))?;
    patch::join(files, patches.finish(), whole);
    Ok(())
}

/// What makes a comparison a patch.
pub(super) fn patch_options(limits: &DiffLimits) -> Vec<String> {
    let mut options = vec!["-p".to_owned(), format!("-U{}", limits.context)];
    options.extend(["--submodule=short", "--src-prefix=a/", "--dst-prefix=b/"].map(str::to_owned));
    options.extend(limits.ignore_whitespace.then(|| "-w".to_owned()));
    options
}

fn diff_tree(hub: &Hub, from: &str, to: &str, limits: &DiffLimits) -> Call {
    compare(hub, &["diff-tree", "-r"], limits).args([from, to])
}

/// A command that compares, with everything that makes its output the same on every machine.
pub(super) fn compare(hub: &Hub, command: &[&str], limits: &DiffLimits) -> Call {
    hub.call()
        .args(command)
        .args(["--no-color", "--full-index", "--no-ext-diff", "--no-textconv", "--no-indent-heuristic"])
        .args(["--diff-algorithm=histogram", "-M"])
        .arg(format!("-l{}", limits.rename_candidates))
}

/// Takes the counts of `--numstat -z -w`, and leaves out the files that it does not name.
fn without_whitespace(diff: &mut Diff, output: &[u8], limits: &DiffLimits) -> Result<(), GitError> {
    let bad = |what: &str| GitError::unexpected("diff-tree", what);
    let mut counted = std::collections::HashMap::new();
    let mut fields = output.split(|b| *b == 0);
    while let Some(field) = fields.next().filter(|field| !field.is_empty()) {
        let mut words = field.splitn(3, |b| *b == b'\t');
        let mut count = || {
            let word = words.next().and_then(|word| std::str::from_utf8(word).ok());
            word.map(|word| word.parse().unwrap_or(0)).ok_or_else(|| bad("a count"))
        };
        let (added, removed): (u32, u32) = (count()?, count()?);
        let path = match words.next() {
            Some(path) if !path.is_empty() => path,
            _ => fields.nth(1).ok_or_else(|| bad("a second path"))?,
        };
        counted.insert(RepoPath::new(path), (added, removed));
    }
    diff.files.retain_mut(|file| match counted.get(&file.path) {
        Some(counts) => {
            (file.added, file.removed) = *counts;
            true
        }
        None => false,
    });
    let sum = |of: fn(&FileDiff) -> u32| diff.files.iter().map(|file| u64::from(of(file))).sum();
    let files = u32::try_from(diff.files.len()).unwrap_or(u32::MAX);
    diff.stat = DiffStat { files, added: sum(|file| file.added), removed: sum(|file| file.removed) };
    diff.files_dropped = diff.files.len().saturating_sub(limits.files);
    diff.files.truncate(limits.files);
    Ok(())
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
