//! Making a new repository with a first commit, for a demonstration.

use std::fs;
use std::path::Path;

use crate::git::{Git, GitError};
use crate::ids::Signature;

/// Why a repository was not made.
#[derive(Debug, thiserror::Error)]
pub enum NewRepositoryError {
    /// A file or folder.
    #[error("cannot write {path}")]
    Io {
        /// Which.
        path: std::path::PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// Git failed.
    #[error("cannot {doing}")]
    Git {
        /// What was tried.
        doing: &'static str,
        /// Cause.
        #[source]
        source: GitError,
    },
}

impl Git {
    /// Makes the folder `dir`, which must not be there yet, with these files (path and text) as the first commit of
    /// `branch`.
    pub fn new_repository(
        &self,
        dir: &Path,
        branch: &str,
        files: &[(&str, &str)],
        by: &Signature,
    ) -> Result<(), NewRepositoryError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| NewRepositoryError::Io { path, source }
        };
        fs::create_dir(dir).map_err(io(dir))?;
        for (path, text) in files {
            let path = dir.join(path);
            let folder = path.parent().unwrap_or(dir);
            fs::create_dir_all(folder).map_err(io(folder))?;
            fs::write(&path, text).map_err(io(&path))?;
        }
        let git_dir = dir.join(".git");
        fs::create_dir(&git_dir).map_err(io(&git_dir))?;
        let git = |doing| move |source| NewRepositoryError::Git { doing, source };
        let call = || self.call(&git_dir).work_tree(dir);
        let head = format!("--initial-branch={branch}");
        let init = self.call(&git_dir).args(["init", "--quiet", "--template=", &head]);
        init.run().map_err(git("begin a repository"))?;
        let who = [("user.name", by.who.clean_name()), ("user.email", by.who.clean_email())];
        for (key, value) in who {
            self.call(&git_dir).args(["config", key]).arg(value).run().map_err(git("set its identity"))?;
        }
        call().args(["add", "--all"]).run().map_err(git("add its files"))?;
        let commit = call().args(["commit", "--quiet", "--message", "First commit"]).author(by).committer(by);
        commit.run().map_err(git("make its first commit"))?;
        Ok(())
    }
}
