//! The project that a command is called in.

use std::path::{Path, PathBuf};

use crate::errors::{CommandError, Done};

/// The top folder of the repository around the present folder.
pub(crate) fn require_root() -> Done<PathBuf> {
    let here = std::env::current_dir();
    let here =
        here.map_err(|error| CommandError::failed("the present folder is gone", "").because(&error))?;
    root_of(&here).ok_or_else(|| {
        if let Some(bare) = bare_around(&here) {
            let message = format!("{} is a bare repository, which has no files to work on", bare.display());
            return CommandError::usage(
                message,
                "make a checkout of it: git worktree add ../FOLDER, or git clone",
            );
        }
        let message = format!("{} is not in a git repository", here.display());
        CommandError::not_found(message, "go to the project, name it with -C, or make one: git init")
    })
}

/// The same, as text for a request.
pub(crate) fn require_root_text() -> Done<String> {
    let root = require_root()?;
    root.into_os_string().into_string().map_err(|path| {
        let message = format!("the path {} is not UTF-8", Path::new(&path).display());
        CommandError::usage(message, "Divisi works on projects whose path is UTF-8")
    })
}

/// The same, or none outside of a repository.
pub(crate) fn root() -> Option<PathBuf> {
    root_of(&std::env::current_dir().ok()?)
}

/// Called in the git directory of a checkout, too, there is nothing to work on.
fn bare_around(folder: &Path) -> Option<&Path> {
    let is_git_dir =
        |folder: &&Path| ["HEAD", "objects", "refs"].iter().all(|name| folder.join(name).exists());
    folder.ancestors().find(is_git_dir)
}

/// In a linked worktree or a submodule `.git` is a file.
fn root_of(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_path_buf)
}
