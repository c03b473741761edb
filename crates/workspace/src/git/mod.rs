//! The one door for git: every git process of Divisi is started here and nowhere else.
//!
//! A call sees no environment but the one built here, no configuration but the repository's own (and of the
//! user's repository only what [`settings`] cannot override harmfully), no hooks, no file-system monitor, no
//! editor, no prompt, no credential helper, no replace refs, no network. It has its own process group, a time
//! limit, an output limit, and runs in a box (see [`crate::git_box_level`]). Repositories are always named
//! explicitly; nothing is ever discovered from a directory that an agent can write.

mod batch;
mod blobs;
mod call;
mod error;
mod fast_import;
mod process;
pub mod settings;

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use batch::{Answers, CatFile, Kind};
pub(crate) use blobs::Blobs;
pub(crate) use call::Call;
pub use error::GitError;

use crate::git_box::Confine;
pub(crate) use fast_import::{Change, FastImport, NewCommit, Parent, Ticket};
pub(crate) use process::Running;

/// The oldest git that can do all that is asked here.
pub const OLDEST: (u32, u32) = (2, 38);

/// The git program, found and asked for its version once. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Git {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    program: PathBuf,
    exec_path: PathBuf,
    search_path: std::ffi::OsString,
    version: (u32, u32),
    version_text: String,
    /// It starts in a box that allows no other programs. Not so where its loader lies in an unusual folder.
    starts_boxed: bool,
}

impl Git {
    /// Finds `git` in `search_path` (a `PATH`-like list, handed in because this crate reads no environment)
    /// and refuses one older than [`OLDEST`].
    pub fn find(search_path: &OsStr) -> Result<Self, GitError> {
        let program = std::env::split_paths(search_path)
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join("git"))
            .find(|file| is_program(file))
            .ok_or(GitError::NotFound)?;
        let mut inner = Inner {
            program,
            exec_path: PathBuf::from("/"),
            search_path: search_path.to_owned(),
            version: (0, 0),
            version_text: String::new(),
            starts_boxed: true,
        };
        let first = Git { inner: Arc::new(inner) };
        let text = first.call(Path::new("/")).arg("version").run()?.text();
        let exec_path = first.call(Path::new("/")).arg("--exec-path").run()?.path();
        let version = parse_version(&text)
            .ok_or_else(|| GitError::unexpected("version", format!("a version number in {text:?}")))?;
        if version < OLDEST {
            return Err(GitError::TooOld { found: text, needed: "2.38" });
        }
        inner = Inner {
            program: first.inner.program.clone(),
            exec_path,
            search_path: search_path.to_owned(),
            version,
            version_text: text.trim_start_matches("git version ").to_owned(),
            starts_boxed: true,
        };
        let mut git = Git { inner: Arc::new(inner) };
        let boxed = git.call(Path::new("/")).arg("version").confine(Confine::writing::<_, &Path>([])).run();
        if boxed.is_err()
            && let Some(inner) = Arc::get_mut(&mut git.inner)
        {
            inner.starts_boxed = false;
        }
        Ok(git)
    }

    /// The version as git says it, for example `2.47.3`.
    pub fn version(&self) -> &str {
        &self.inner.version_text
    }

    /// Where the program is.
    pub fn program(&self) -> &Path {
        &self.inner.program
    }

    pub(crate) fn at_least(&self, version: (u32, u32)) -> bool {
        self.inner.version >= version
    }

    pub(crate) fn starts_boxed(&self) -> bool {
        self.inner.starts_boxed
    }

    pub(crate) fn exec_path(&self) -> &Path {
        &self.inner.exec_path
    }

    pub(crate) fn search_path(&self) -> &OsStr {
        &self.inner.search_path
    }

    /// A call on the repository whose git directory is `git_dir`.
    pub(crate) fn call(&self, git_dir: &Path) -> Call {
        Call::new(self.clone(), git_dir)
    }
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("git version ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_several_vendors_are_read() {
        assert_eq!(parse_version("git version 2.47.3"), Some((2, 47)));
        assert_eq!(parse_version("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(parse_version("jgit 6"), None);
    }

    #[test]
    fn an_empty_search_path_finds_nothing() {
        assert!(matches!(Git::find(OsStr::new("")), Err(GitError::NotFound)));
    }
}
