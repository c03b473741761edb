//! The files of the repository, in memory: what git tracks or would track.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::JobResult;

/// One file.
pub struct File {
    /// Relative to the root, with forward slashes.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Nothing if it is not text.
    pub text: Option<String>,
}

/// Every file of the repository, sorted by path.
pub struct Repository {
    pub files: Vec<File>,
}

impl Repository {
    /// Reads the tracked files and those that are new and not ignored.
    pub fn read(root: &Path) -> JobResult<Repository> {
        let list = Command::new("git")
            .current_dir(root)
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])
            .output()?;
        if !list.status.success() {
            return Err(format!("git ls-files failed: {}", String::from_utf8_lossy(&list.stderr)).into());
        }
        let mut files = Vec::new();
        for path in String::from_utf8_lossy(&list.stdout).split('\0').filter(|path| !path.is_empty()) {
            // A file that was removed but is still tracked, or a link, has no contents to judge.
            let full = root.join(path);
            if fs::symlink_metadata(&full).is_ok_and(|found| found.is_file()) {
                let bytes = fs::read(&full)?;
                let size = bytes.len() as u64;
                files.push(File { path: path.to_owned(), size, text: String::from_utf8(bytes).ok() });
            }
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Repository { files })
    }

    /// The text files whose name ends like this.
    pub fn texts<'a>(&'a self, ending: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files
            .iter()
            .filter(move |file| file.path.ends_with(ending))
            .filter_map(|file| Some((file.path.as_str(), file.text.as_deref()?)))
    }

    /// The text of a file, if it is there.
    pub fn text_of(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path)?.text.as_deref()
    }

    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Repository {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            size: text.len() as u64,
            text: Some((*text).to_owned()),
        };
        Repository { files: files.iter().map(file).collect() }
    }
}

/// Whether a Rust file is no part of the product, so that it may do what production code may not: a test, an example, the
/// bench, the conformance matrix, or a build script, which talks to cargo by printing and is talked to by the environment.
pub fn is_outside_product(path: &str) -> bool {
    let folders = ["/tests/", "/benches/", "/examples/"];
    ["testkit/", "bench/", "conformance/"].iter().any(|folder| path.starts_with(folder))
        || folders.iter().any(|folder| path.contains(folder))
        || path.ends_with("/tests.rs")
        || path.ends_with("/build.rs")
}
