//! File steps: what a change would be, then the change itself, so that permission can be asked for the very diff.

use std::path::{Path, PathBuf};

use agent_client_protocol_schema::v1::Diff;

use crate::script::Replacement;

/// Larger files are changed but not shown.
const SHOWN_BYTES_MAX: u64 = 1024 * 1024;

/// A new content for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file.
    pub path: PathBuf,
    /// Its text before, if it was there and is text of a showable size.
    pub old: Option<String>,
    /// Its text afterwards.
    pub new: String,
}

impl Change {
    pub fn write(path: PathBuf, text: &str) -> Result<Self, String> {
        let old = shown(&path);
        Ok(Self { path, old, new: text.to_owned() })
    }

    pub fn append(path: PathBuf, text: &str) -> Result<Self, String> {
        let old = match std::fs::read_to_string(&path) {
            Ok(old) => Some(old),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(format!("{} cannot be read: {error}", path.display())),
        };
        let new = old.clone().unwrap_or_default() + text;
        Ok(Self { path, old, new })
    }

    pub fn edit(path: PathBuf, replacements: &[Replacement]) -> Result<Self, String> {
        let old = std::fs::read_to_string(&path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        let mut new = old.clone();
        for Replacement { old: from, new: to } in replacements {
            if !new.contains(from.as_str()) {
                return Err(format!("{} does not contain the text to replace: {from}", path.display()));
            }
            new = new.replacen(from.as_str(), to, 1);
        }
        Ok(Self { path, old: Some(old), new })
    }

    /// Writes the file, making its folders.
    pub fn apply(&self) -> Result<(), String> {
        let written = self.path.parent().map_or(Ok(()), std::fs::create_dir_all);
        written
            .and_then(|()| std::fs::write(&self.path, &self.new))
            .map_err(|error| format!("{} cannot be written: {error}", self.path.display()))
    }

    pub fn diff(&self) -> Diff {
        Diff::new(&self.path, &self.new).old_text(self.old.clone())
    }
}

/// The text of a file for showing it, if there is one.
pub fn shown(path: &Path) -> Option<String> {
    let size = std::fs::metadata(path).ok()?.len();
    if size > SHOWN_BYTES_MAX {
        return None;
    }
    std::fs::read_to_string(path).ok()
}

pub fn delete(path: &Path) -> Result<(), String> {
    std::fs::remove_file(path).map_err(|error| format!("{} cannot be deleted: {error}", path.display()))
}

pub fn rename(from: &Path, to: &Path) -> Result<(), String> {
    let made = to.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::rename(from, to))
        .map_err(|error| format!("{} cannot be moved to {}: {error}", from.display(), to.display()))
}
