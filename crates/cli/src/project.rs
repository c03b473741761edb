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
    folder.ancestors().find(|folder| is_git_dir(folder))
}

fn is_git_dir(folder: &Path) -> bool {
    ["HEAD", "objects", "refs"].iter().all(|name| folder.join(name).exists())
}

/// In a linked worktree or a submodule `.git` is a file. A bare repository that lies in a checkout is not a part of it.
fn root_of(folder: &Path) -> Option<PathBuf> {
    let is_bare = |folder: &Path| !folder.ends_with(".git") && is_git_dir(folder);
    let nearest = folder.ancestors().find(|folder| folder.join(".git").exists() || is_bare(folder))?;
    nearest.join(".git").exists().then(|| nearest.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_repository_in_a_checkout_is_not_the_checkout() {
        let env = divisi_testkit::TestEnv::new();
        let outer = env.root().join("outer");
        for folder in [".git", "src", "bare.git/objects", "bare.git/refs"] {
            std::fs::create_dir_all(outer.join(folder)).unwrap();
        }
        std::fs::write(outer.join("bare.git/HEAD"), "ref: refs/heads/main\n").unwrap();
        assert_eq!(root_of(&outer.join("src")), Some(outer.clone()));
        assert_eq!(root_of(&outer.join("bare.git/refs")), None);
        assert_eq!(bare_around(&outer.join("bare.git/refs")), Some(outer.join("bare.git").as_path()));
    }
}
