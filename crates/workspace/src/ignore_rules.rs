//! Which paths a set of `.gitignore` files hides.
//!
//! The rules are evaluated here and not by git, because git would read them from the workspace, where the agent
//! writes them.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Largest `.gitignore` that is read; git's own limit is 100 MiB, a person's is a few kilobytes.
pub(crate) const MAX_IGNORE_BYTES: u64 = 1 << 20;
/// Most lines of one file.
const MAX_LINES: usize = 20_000;

/// Rules of one tree: those of each folder, and those that hold everywhere.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    folders: HashMap<Vec<u8>, (Vec<u8>, Gitignore)>,
    everywhere: Option<Gitignore>,
}

impl Rules {
    /// Adds the `.gitignore` of a folder (without a final `/`, empty at the top).
    pub(crate) fn add(&mut self, folder: &[u8], text: &[u8]) {
        self.folders.insert(folder.to_vec(), (text.to_vec(), build(text)));
    }

    /// The text of a folder's `.gitignore`, if it has one.
    pub(crate) fn text(&self, folder: &[u8]) -> Option<&[u8]> {
        self.folders.get(folder).map(|(text, _)| text.as_slice())
    }

    /// Adds rules of lowest rank that hold in every folder, such as the person's own excludes.
    pub(crate) fn add_everywhere(&mut self, text: &[u8]) {
        self.everywhere = Some(build(text));
    }

    /// Whether this path by itself is ignored. A path below an ignored folder is ignored too, but that is for the
    /// walker to remember.
    pub(crate) fn ignores(&self, path: &[u8], is_dir: bool) -> bool {
        let mut folder_end = path.iter().rposition(|b| *b == b'/');
        loop {
            let (folder, rest) = match folder_end {
                Some(at) => (&path[..at], &path[at + 1..]),
                None => (&path[..0], path),
            };
            if let Some((_, rules)) = self.folders.get(folder) {
                match rules.matched(Path::new(OsStr::from_bytes(rest)), is_dir) {
                    Match::Ignore(_) => return true,
                    Match::Whitelist(_) => return false,
                    Match::None => {}
                }
            }
            match folder_end {
                Some(at) => folder_end = path[..at].iter().rposition(|b| *b == b'/'),
                None => break,
            }
        }
        self.everywhere
            .as_ref()
            .is_some_and(|rules| rules.matched(Path::new(OsStr::from_bytes(path)), is_dir).is_ignore())
    }
}

fn build(text: &[u8]) -> Gitignore {
    let mut builder = GitignoreBuilder::new("");
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    for line in text.split(|b| *b == b'\n').take(MAX_LINES) {
        // A malformed line hides nothing, as in git.
        let _ = builder.add_line(None, String::from_utf8_lossy(line).trim_end_matches('\r'));
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deeper_files_win_and_slashes_anchor() {
        let mut rules = Rules::default();
        rules.add(b"", b"*.log\n/build\nlogs/\n");
        rules.add(b"keep", b"!*.log\n");
        rules.add_everywhere(b".DS_Store\n");
        assert!(rules.ignores(b"a.log", false));
        assert!(rules.ignores(b"x/y/a.log", false));
        assert!(!rules.ignores(b"keep/a.log", false));
        assert!(!rules.ignores(b"keep/deep/a.log", false));
        assert!(rules.ignores(b"build", true));
        assert!(!rules.ignores(b"x/build", true));
        assert!(rules.ignores(b"x/logs", true));
        assert!(!rules.ignores(b"x/logs", false));
        assert!(rules.ignores(b"x/.DS_Store", false));
    }
}
