//! The user's repository, as far as it is read: where it is, what is checked out, what a name means.
//!
//! Nothing here writes. Git is always told the repository explicitly; its hooks, monitors and helpers never run
//! (see [`crate::git`]). The only writer of the user's repository is [`crate::land`].

mod find;
mod ref_name;

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use find::{canonical, find, read_pointer};
pub(crate) use ref_name::is_ref_name;

use crate::git::{Call, Git, GitError};
use crate::ids::{BadObjectName, CommitId, Identity};

/// Largest `info/exclude` that is read.
const MAX_EXCLUDE_BYTES: u64 = 1 << 20;

/// How many tags a workspace gets, so that `git describe` and version plugins work in it.
const MAX_TAGS: usize = 2_000;

/// Why a project cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// No repository at this path or above it.
    #[error("{} is not in a git repository", .0.display())]
    NotARepository(PathBuf),
    /// A file of the repository could not be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// The repository names its objects by SHA-256, which is not supported.
    #[error("{} uses {format} object names; only sha1 repositories are supported", path.display())]
    ObjectFormat {
        /// The repository.
        path: PathBuf,
        /// What it says.
        format: String,
    },
    /// The name means no commit here.
    #[error("{0:?} is not a commit of this repository")]
    NoSuchCommit(String),
    /// Not a well-formed branch name.
    #[error("{0:?} is not a branch name")]
    BadBranch(String),
    /// Git failed.
    #[error("cannot {doing}")]
    Git {
        /// What was asked.
        doing: &'static str,
        /// Cause.
        #[source]
        source: GitError,
    },
    /// Git gave something that is not an object name.
    #[error("git named no object")]
    Name(#[from] BadObjectName),
}

/// What is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A branch; without a commit if it is still unborn.
    Branch {
        /// Short name, for example `main`.
        name: String,
        /// Where it is.
        commit: Option<CommitId>,
    },
    /// A commit and no branch.
    Detached {
        /// Which.
        commit: CommitId,
    },
}

impl Head {
    /// The commit, if there is one.
    pub fn commit(&self) -> Option<&CommitId> {
        match self {
            Head::Branch { commit, .. } => commit.as_ref(),
            Head::Detached { commit } => Some(commit),
        }
    }

    /// The branch, if one is checked out.
    pub fn branch(&self) -> Option<&str> {
        match self {
            Head::Branch { name, .. } => Some(name),
            Head::Detached { .. } => None,
        }
    }
}

/// A checkout of the user's repository: the main one or a linked worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// Its top folder.
    pub top: PathBuf,
    /// Its own git directory (for a linked worktree `…/worktrees/NAME`).
    pub git_dir: PathBuf,
    /// The full name of the checked-out branch (`refs/heads/…`); nothing when detached.
    pub branch: Option<String>,
}

/// The user's repository.
#[derive(Debug, Clone)]
pub struct Project {
    pub(crate) git: Git,
    top: Option<PathBuf>,
    git_dir: PathBuf,
    common_dir: PathBuf,
}

impl Project {
    /// Finds the repository that contains `path` (an ordinary checkout, a linked worktree or a bare repository).
    pub fn open(git: &Git, path: &Path) -> Result<Self, ProjectError> {
        let start =
            fs::canonicalize(path).map_err(|source| ProjectError::Io { path: path.into(), source })?;
        let (top, git_dir) = find(&start)?.ok_or(ProjectError::NotARepository(start))?;
        let common_dir = match read_pointer(&git_dir.join("commondir")) {
            Ok(bytes) => canonical(&git_dir.join(OsStr::from_bytes(&bytes)))?,
            Err(_) => git_dir.clone(),
        };
        let project = Self { git: git.clone(), top, git_dir, common_dir };
        let format = project
            .call()
            .args(["rev-parse", "--show-object-format"])
            .run()
            .map_err(|source| ProjectError::Git { doing: "read the repository's object format", source })?
            .text();
        if format != "sha1" {
            return Err(ProjectError::ObjectFormat { path: project.common_dir, format });
        }
        Ok(project)
    }

    /// The top folder of the checkout that was named; nothing for a bare repository.
    pub fn top(&self) -> Option<&Path> {
        self.top.as_deref()
    }

    /// The git directory of that checkout.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The git directory that all checkouts of the repository share. It identifies the repository.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// True if the repository has only part of its history.
    pub fn is_shallow(&self) -> bool {
        self.common_dir.join("shallow").exists()
    }

    /// True if the repository may lack objects that its remote has promised.
    pub fn is_partial_clone(&self) -> bool {
        let keys = "^(remote\\..*\\.promisor|extensions\\.partialclone)$";
        self.call().args(["config", "--local", "--name-only", "--get-regexp", keys]).run().is_ok()
    }

    /// What is checked out.
    pub fn head(&self) -> Result<Head, ProjectError> {
        let doing = "read what is checked out";
        let call = self.call().args(["symbolic-ref", "-q", "HEAD"]).accept(&[0, 1]);
        let symbolic = call.run().map_err(|source| ProjectError::Git { doing, source })?.text();
        match symbolic.strip_prefix("refs/heads/") {
            Some(name) => Ok(Head::Branch { name: name.to_owned(), commit: self.branch(name)? }),
            None => Ok(Head::Detached { commit: self.resolve("HEAD")? }),
        }
    }

    /// Where a branch is; nothing if it does not exist.
    pub fn branch(&self, name: &str) -> Result<Option<CommitId>, ProjectError> {
        let full = self.full_branch(name)?;
        let doing = "read a branch";
        let call = self
            .call()
            .args(["rev-parse", "-q", "--verify", "--end-of-options"])
            .arg(format!("{full}^{{commit}}"));
        let out = call.accept(&[0, 1]).run().map_err(|source| ProjectError::Git { doing, source })?;
        if out.code == 1 { Ok(None) } else { Ok(Some(CommitId::parse(&out.text())?)) }
    }

    /// The commit that a person's word means here: a branch, a tag, a commit name, `HEAD~2`.
    pub fn resolve(&self, word: &str) -> Result<CommitId, ProjectError> {
        let no_such = || ProjectError::NoSuchCommit(word.chars().take(200).collect());
        if word.is_empty() || word.contains(['\0', '\n']) {
            return Err(no_such());
        }
        let call = self
            .call()
            .args(["rev-parse", "-q", "--verify", "--end-of-options"])
            .arg(format!("{word}^{{commit}}"));
        let out = call.accept(&[0, 1, 128]).run();
        let out = out.map_err(|source| ProjectError::Git { doing: "look a commit up", source })?;
        if out.code == 0 { Ok(CommitId::parse(&out.text())?) } else { Err(no_such()) }
    }

    /// Whether the repository has this commit, by its full name, on whatever branch.
    pub fn has_commit(&self, commit: &CommitId) -> Result<bool, ProjectError> {
        let call = self.call().args(["cat-file", "-e"]).arg(format!("{commit}^{{commit}}"));
        let out = call.accept(&[0, 1, 128]).run();
        Ok(out.map_err(|source| ProjectError::Git { doing: "look for a commit", source })?.code == 0)
    }

    /// How many commits `to` has in its history that `from` has not.
    pub fn commits_between(&self, from: &CommitId, to: &CommitId) -> Result<u64, ProjectError> {
        let doing = "count commits";
        let call = self.call().args(["rev-list", "--count"]).arg(format!("{from}..{to}"));
        let out = call.run().map_err(|source| ProjectError::Git { doing, source })?.text();
        out.parse()
            .map_err(|_| ProjectError::Git { doing, source: GitError::unexpected("rev-list", "a number") })
    }

    /// The newest tags in the history of `commit`, as full names, at most [`MAX_TAGS`].
    pub(crate) fn tags_in(&self, commit: &CommitId) -> Result<Vec<String>, ProjectError> {
        let call = self.call().args(["for-each-ref", "--sort=-creatordate", "--format=%(refname)"]);
        let call = call.arg(format!("--count={MAX_TAGS}")).arg(format!("--merged={commit}")).arg("refs/tags");
        let out = call.run().map_err(|source| ProjectError::Git { doing: "list the tags", source })?.text();
        Ok(out.lines().filter(|name| is_ref_name(name)).map(str::to_owned).collect())
    }

    /// All checkouts of the repository that exist on disk, the main one first.
    pub fn checkouts(&self) -> Result<Vec<Checkout>, ProjectError> {
        let mut git_dirs = vec![self.common_dir.clone()];
        if let Ok(entries) = fs::read_dir(self.common_dir.join("worktrees")) {
            git_dirs
                .extend(entries.flatten().map(|entry| entry.path()).filter(|dir| dir.join("HEAD").is_file()));
        }
        let mut found = Vec::new();
        for git_dir in git_dirs {
            let Some(top) = self.top_of(&git_dir)? else { continue };
            let call = self.git.call(&git_dir).args(["symbolic-ref", "-q", "HEAD"]).accept(&[0, 1, 128]);
            let out = call
                .run()
                .map_err(|source| ProjectError::Git { doing: "read a worktree's branch", source })?;
            let branch = (out.code == 0).then(|| out.text());
            found.push(Checkout { top, git_dir, branch });
        }
        Ok(found)
    }

    /// The person's name and address as this repository's own configuration gives them, if it does. (The personal
    /// configuration in the home folder is not read here; the command line passes it in.)
    pub fn identity(&self) -> Option<Identity> {
        Some(Identity::new(self.config("user.name")?, self.config("user.email")?))
    }

    /// The person's own ignore rules for this repository (`info/exclude`), for
    /// [`crate::NewWorkspace::ignore_also`]. Those of the home folder are for the command line to add.
    pub fn own_excludes(&self) -> String {
        let file = self.common_dir.join("info/exclude");
        let small = file.metadata().is_ok_and(|m| m.is_file() && m.len() <= MAX_EXCLUDE_BYTES);
        let bytes = if small { fs::read(file).unwrap_or_default() } else { Vec::new() };
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// One value of the repository's own configuration.
    pub(crate) fn config(&self, key: &str) -> Option<String> {
        let out = self.call().args(["config", "--local", "--includes", "--get"]).arg(key).run().ok()?;
        Some(out.text())
    }

    /// The full name of a branch, checked to be well-formed.
    pub(crate) fn full_branch(&self, name: &str) -> Result<String, ProjectError> {
        let full = format!("refs/heads/{name}");
        if is_ref_name(&full) {
            Ok(full)
        } else {
            Err(ProjectError::BadBranch(name.chars().take(200).collect()))
        }
    }

    pub(crate) fn call(&self) -> Call {
        self.git.call(&self.git_dir)
    }

    fn top_of(&self, git_dir: &Path) -> Result<Option<PathBuf>, ProjectError> {
        if git_dir == self.git_dir && self.top.is_some() {
            return Ok(self.top.clone());
        }
        if git_dir != self.common_dir {
            let Ok(bytes) = read_pointer(&git_dir.join("gitdir")) else { return Ok(None) };
            let pointer = git_dir.join(OsStr::from_bytes(&bytes));
            return Ok(pointer.parent().filter(|top| pointer.exists() && top.is_dir()).map(Path::to_owned));
        }
        if self.config("core.bare").as_deref() == Some("true") {
            return Ok(None);
        }
        if let Some(elsewhere) = self.config("core.worktree") {
            return canonical(&git_dir.join(elsewhere)).map(Some);
        }
        Ok(git_dir.parent().filter(|_| git_dir.file_name() == Some(OsStr::new(".git"))).map(Path::to_owned))
    }
}
