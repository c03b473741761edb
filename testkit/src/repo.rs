//! Real git repositories, made by the real git, with commit ids that are the same in every run.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::TestEnv;

/// The time of the first commit; each further one is a minute later (seconds since 1970: 1 January 2026).
const FIRST_COMMIT_AT: u64 = 1_767_225_600;

/// A git repository inside a [`TestEnv`], on branch `main`.
pub struct Repo<'env> {
    env: &'env TestEnv,
    path: PathBuf,
    commits: Cell<u64>,
}

impl<'env> Repo<'env> {
    pub(crate) fn init(env: &'env TestEnv, name: &str) -> Repo<'env> {
        let path = env.join(name);
        fs::create_dir_all(&path).expect("the environment takes new folders");
        let repo = Repo { env, path, commits: Cell::new(0) };
        repo.git(["init", "--quiet", "--initial-branch=main"]);
        repo
    }

    /// The folder of the checkout.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file, with its folders.
    pub fn file(&self, path: &str, contents: impl AsRef<[u8]>) -> &Self {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
        fs::write(path, contents).expect("the file can be written");
        self
    }

    /// Writes a file that can be run.
    pub fn executable(&self, path: &str, contents: impl AsRef<[u8]>) -> &Self {
        self.file(path, contents);
        let permissions = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.path.join(path), permissions).expect("the file is ours");
        self
    }

    /// Removes a file.
    pub fn remove(&self, path: &str) -> &Self {
        fs::remove_file(self.path.join(path)).expect("the file is there");
        self
    }

    /// The contents of a file of the checkout.
    pub fn read(&self, path: &str) -> String {
        let path = self.path.join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
    }

    /// Commits everything in the checkout; returns the commit id. An empty commit is allowed.
    pub fn commit(&self, message: &str) -> String {
        self.git(["add", "--all"]);
        let number = self.commits.replace(self.commits.get() + 1);
        let at = format!("{} +0000", FIRST_COMMIT_AT + 60 * number);
        let done = self
            .env
            .program("git")
            .in_folder(&self.path)
            .args(["commit", "--quiet", "--allow-empty", "--no-verify", "-m", message])
            .set("GIT_AUTHOR_DATE", &at)
            .set("GIT_COMMITTER_DATE", &at)
            .run();
        done.require_success();
        self.head()
    }

    /// Makes a branch at the current commit, without switching to it.
    pub fn branch(&self, name: &str) -> &Self {
        self.git(["branch", name]);
        self
    }

    /// Switches the checkout to a branch, which is made if need be.
    pub fn switch(&self, name: &str) -> &Self {
        let known =
            self.try_git(["rev-parse", "--verify", "--quiet", &format!("refs/heads/{name}")]).is_some();
        let mut arguments = vec!["switch", "--quiet"];
        if !known {
            arguments.push("--create");
        }
        arguments.push(name);
        self.git(arguments);
        self
    }

    /// The current commit id.
    pub fn head(&self) -> String {
        self.git(["rev-parse", "HEAD"])
    }

    /// The commit id of a revision, if there is one.
    pub fn commit_of(&self, revision: &str) -> Option<String> {
        self.try_git(["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")])
    }

    /// The contents of a file in a revision, if it is there.
    pub fn read_at(&self, revision: &str, path: &str) -> Option<String> {
        self.try_git(["show", &format!("{revision}:{path}")])
    }

    /// The tracked files of a revision, sorted.
    pub fn files_at(&self, revision: &str) -> Vec<String> {
        self.git(["ls-tree", "-r", "--name-only", "--full-tree", revision])
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// What `git status` says in its short form; empty when nothing was changed.
    pub fn status(&self) -> String {
        self.git(["status", "--short", "--untracked-files=all"])
    }

    /// All refs with their commits, one per line: equal before and after means nothing was moved.
    pub fn refs(&self) -> String {
        self.git(["for-each-ref", "--format=%(refname) %(objectname)"])
    }

    /// Runs git in the checkout; returns its output without the last line break.
    ///
    /// # Panics
    /// If git fails, with what it said.
    pub fn git(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
        let done = self.env.program("git").in_folder(&self.path).args(arguments).run();
        done.require_success();
        done.stdout.trim_end_matches('\n').to_owned()
    }

    /// As [`Repo::git`], but a failure is nothing.
    pub fn try_git(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Option<String> {
        let done = self.env.program("git").in_folder(&self.path).args(arguments).run();
        done.success().then(|| done.stdout.trim_end_matches('\n').to_owned())
    }
}
