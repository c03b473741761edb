//! The paths that a task may change, as patterns of `.gitignore` name them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::ids::RepoPath;

/// The paths that a task may change.
#[derive(Debug)]
pub struct Scope(Gitignore);

/// A pattern that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is no pattern: {why}")]
pub struct BadPattern {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub why: String,
}

impl Scope {
    /// A scope of these patterns. A later one wins, and `!` takes out what an earlier one let in.
    pub fn new(patterns: &[String]) -> Result<Self, BadPattern> {
        let mut builder = GitignoreBuilder::new("");
        // git would let such a pattern name nothing, and then nothing could be changed.
        builder.allow_unclosed_class(false);
        let bad = |pattern: &str, error: &ignore::Error| BadPattern {
            pattern: pattern.to_owned(),
            why: error.to_string(),
        };
        for pattern in patterns {
            builder.add_line(None, pattern).map_err(|error| bad(pattern, &error))?;
        }
        let all = patterns.join(" ");
        builder.build().map(Self).map_err(|error| bad(&all, &error))
    }

    /// Whether a file may be changed: a pattern names it or a folder above it.
    pub fn allows(&self, path: &RepoPath) -> bool {
        let path = Path::new(OsStr::from_bytes(path.as_bytes()));
        self.0.matched_path_or_any_parents(path, false).is_ignore()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_files_and_folders_as_gitignore_does() {
        let patterns = ["src/parser/", "/docs/*.md", "*.snap", "!src/parser/old.rs"].map(str::to_owned);
        let scope = Scope::new(&patterns).unwrap();
        let allows = |path: &str| scope.allows(&RepoPath::new(path.as_bytes()));
        for inside in ["src/parser/mod.rs", "src/parser/a/b.rs", "docs/a.md", "tests/x.snap"] {
            assert!(allows(inside), "{inside}");
        }
        for outside in ["src/lib.rs", "src/parser/old.rs", "docs/deep/a.md", "README.md", "x/docs/a.md"] {
            assert!(!allows(outside), "{outside}");
        }
        assert!(Scope::new(&["a[".to_owned()]).is_err());
    }
}
