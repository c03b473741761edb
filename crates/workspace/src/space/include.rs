//! `.worktreeinclude`: ignored files of the user's checkout (an `.env`, a local setting) that a new workspace needs.
//!
//! The file has `.gitignore` syntax. What it names is copied only if it is a regular file that git ignores; tracked
//! files come by the checkout, and untracked ones are the user's unfinished work. Links are never followed.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde::Serialize;

use super::record::{Presence, Workspace, save_record};
use super::root::{WorkspaceError, io_error};
use crate::beneath::{Beneath, is_absent, looks_like_dot_git};
use crate::git::{Git, GitError};
use crate::ids::RepoPath;
use crate::project::Project;

/// Bounds of what is copied.
#[derive(Debug, Clone, Copy)]
pub struct IncludeLimits {
    /// Most files.
    pub files: usize,
    /// Most bytes in all.
    pub bytes: u64,
}

impl Default for IncludeLimits {
    fn default() -> Self {
        Self { files: 5_000, bytes: 256 << 20 }
    }
}

/// A file that was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// Where, in both checkouts.
    pub path: RepoPath,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Why a file that was named was not copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Skipped {
    /// A symbolic link, or a special file, or it lies behind a link.
    NotARegularFile,
    /// The workspace has a file of this name already.
    AlreadyThere,
    /// The limit on bytes or files was reached.
    OverTheLimit,
    /// It could not be read or written.
    Unreadable,
}

/// A file that was named but not copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SkippedFile {
    /// Which.
    pub path: RepoPath,
    /// Why not.
    pub why: Skipped,
}

/// What `.worktreeinclude` led to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct IncludeReport {
    /// Copied.
    pub copied: Vec<Copied>,
    /// Named but not copied.
    pub skipped: Vec<SkippedFile>,
}

impl Workspace {
    /// Copies what the `.worktreeinclude` of the user's checkout names. Without such a file nothing happens. It
    /// may be called again after a crash: what is there already stays as it is. Copied files are remembered: unless
    /// they are tracked, they never become part of a snapshot or a result.
    pub fn include_from(
        &mut self,
        project: &Project,
        limits: IncludeLimits,
    ) -> Result<IncludeReport, WorkspaceError> {
        let mut report = IncludeReport::default();
        let Some(top) = project.top() else { return Ok(report) };
        let rules = top.join(".worktreeinclude");
        if !rules.is_file() {
            return Ok(report);
        }
        let dir = self.path();
        if self.presence() != Presence::Present {
            return Err(WorkspaceError::NotOurs(dir));
        }
        let named = named_and_ignored(&project.git, project, top, &rules).map_err(|source| {
            WorkspaceError::Git { doing: "list the files that .worktreeinclude names", source }
        })?;
        let from = Beneath::open(top).map_err(io_error("open", top))?;
        let writable = self.writable().map_err(io_error("write to", &dir))?;
        let to = Beneath::open(&writable.path()).map_err(io_error("open", &dir))?;
        let mut left = limits.bytes;
        for path in named {
            let copied = if report.copied.len() < limits.files {
                copy(&from, &to, &path, left)
            } else {
                Err(Skipped::OverTheLimit)
            };
            match copied {
                Ok(bytes) => {
                    left -= bytes;
                    report.copied.push(Copied { path, bytes });
                }
                Err(Skipped::AlreadyThere) if self.record.included.contains(&path) => {}
                Err(why) => report.skipped.push(SkippedFile { path, why }),
            }
        }
        // What was brought in earlier stays the user's, also if this is the second call.
        self.record.included.extend(report.copied.iter().map(|copied| copied.path.clone()));
        save_record(&self.root, &self.record).map_err(io_error("write the record in", &self.root))?;
        Ok(report)
    }
}

fn named_and_ignored(
    git: &Git,
    project: &Project,
    top: &Path,
    rules: &Path,
) -> Result<Vec<RepoPath>, GitError> {
    let call = || git.call(project.git_dir()).work_tree(top);
    let mut exclude = std::ffi::OsString::from("--exclude-from=");
    exclude.push(rules);
    let named = call().args(["ls-files", "-z", "--others", "--ignored"]).arg(exclude).run()?;
    if named.stdout.is_empty() {
        return Ok(Vec::new());
    }
    // `check-ignore` refuses to take its paths literally; `./` in front keeps `:(magic)` from meaning anything.
    let asked: Vec<u8> = named.records().flat_map(|path| [b"./", path, b"\0"].concat()).collect();
    let check = call().args(["check-ignore", "-z", "--stdin"]).env("GIT_LITERAL_PATHSPECS", "0");
    let ignored = check.stdin(asked).accept(&[0, 1]).run()?;
    let paths = ignored.records().map(|path| path.strip_prefix(b"./").unwrap_or(path));
    let paths = paths.filter(|path| !path.split(|b| *b == b'/').any(looks_like_dot_git));
    Ok(paths.map(RepoPath::new).collect())
}

fn copy(from: &Beneath, to: &Beneath, path: &RepoPath, left: u64) -> Result<u64, Skipped> {
    let (file, stat) = from.file(path.as_bytes()).map_err(|e| match is_absent(&e) {
        true => Skipped::NotARegularFile,
        false => Skipped::Unreadable,
    })?;
    let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
    if size > left {
        return Err(Skipped::OverTheLimit);
    }
    let written = to.make_dirs(path.parent()).and_then(|dir| {
        let mut new = dir.new_file(path.file_name(), 0o600)?;
        let copied = io::copy(&mut file.take(size), &mut new)?;
        new.set_permissions(fs::Permissions::from_mode(stat.st_mode & 0o777))?;
        Ok(copied)
    });
    written.map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => Skipped::AlreadyThere,
        _ => Skipped::Unreadable,
    })
}
