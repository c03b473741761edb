//! What Divisi remembers about a workspace, outside of it, where its agent does not write.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::overlay::Layered;
use crate::ids::{CommitId, Identity, RepoPath};
use crate::move_base::{BaseMove, UnfinishedMove, UnfinishedRollback};

/// How a workspace's files come into being.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// A private git directory and an ordinary checkout: works everywhere.
    #[default]
    Plain,
    /// A private git directory and an overlay over a template that all workspaces of the same base share: made in
    /// milliseconds, whatever the size of the base, and seen only from within a launch.
    Overlay,
}

/// The record of a workspace, kept as `<root>/.records/<name>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its name, which is also its folder's.
    pub name: String,
    /// How its files were made.
    pub kind: Kind,
    /// The commit it started from, or was moved onto (see [`Workspace::move_base`]).
    pub base: CommitId,
    /// Its branch; nothing for a detached checkout (checks run in those).
    pub branch: Option<String>,
    /// Name of the branch that `base` was taken from, as the workspace knows it.
    pub base_branch: Option<String>,
    /// Who its own commits are by.
    pub identity: Option<Identity>,
    /// Ignore rules besides those of the base's `.gitignore` files.
    pub ignore_also: String,
    /// Device and inode of the folder that Divisi made. Only that folder is ever removed.
    pub made: Option<(u64, u64)>,
    /// When that folder was made, in nanoseconds since 1970, where the file system remembers it: another folder can get
    /// the same inode once the first is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<u64>,
    /// False until the checkout was whole.
    pub complete: bool,
    /// Files copied in from the user's checkout because `.worktreeinclude` named them.
    pub included: Vec<RepoPath>,
    /// A move onto another base that was begun and not finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moving: Option<UnfinishedMove>,
    /// What the last move onto another base, which is `base`, came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<BaseMove>,
    /// The last rollback that was begun, and what it came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolling: Option<UnfinishedRollback>,
    /// What an overlay workspace is made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlay: Option<Layered>,
    /// The archive that it can be restored from, once it was archived.
    #[serde(default)]
    pub archived: Option<CommitId>,
    /// The folder goes, or is gone, because all of it is in that archive; false again once it is back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub put_away: bool,
}

/// Whether a workspace's folder is what Divisi made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is there.
    Present,
    /// It is gone (archived, or deleted by hand).
    Missing,
    /// Another folder, a file or a link stands in its place. Divisi neither reads nor removes it.
    Replaced,
}

/// A workspace that was made by [`crate::Workspaces::create`]. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) record: Record,
}

impl Workspace {
    /// The top folder of the checkout: the agent's working directory.
    pub fn path(&self) -> PathBuf {
        self.root.join(&self.record.name)
    }

    /// What is remembered about it.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.record.name
    }

    /// The archive that its folder was removed into; none when it is here, or was deleted by hand.
    pub fn put_away_as(&self) -> Option<&CommitId> {
        let away = self.record.put_away && self.presence() == Presence::Missing;
        self.record.archived.as_ref().filter(|_| away)
    }

    /// The commit it started from.
    pub fn base(&self) -> &CommitId {
        &self.record.base
    }

    /// Whether its folder is still the one that was made. Of an overlay it is the folder of its changes: if the empty
    /// one, where the merged files are seen, was deleted by hand, nothing is lost, and it is made anew.
    pub fn presence(&self) -> Presence {
        let (dir, made, born) = match &self.record.overlay {
            Some(layered) => (self.own_folder(), Some(layered.made), None),
            None => (self.path(), self.record.made, self.record.born),
        };
        match dir_identity(&dir) {
            Ok(found) if Some(found) == made && (born.is_none() || birth(&dir) == born) => Presence::Present,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Presence::Missing,
            _ => Presence::Replaced,
        }
    }

    pub(crate) fn stat_cache_file(&self) -> PathBuf {
        self.root.join(".records").join(format!("{}.stat", self.record.name))
    }
}

/// When a file was made, in nanoseconds since 1970, if the file system remembers it.
pub(crate) fn birth(path: &Path) -> Option<u64> {
    let born = fs::symlink_metadata(path).ok()?.created().ok()?;
    u64::try_from(born.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()
}

/// Device and inode of a folder; an error if the name is anything else.
pub(crate) fn dir_identity(dir: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(dir)?;
    if found.is_dir() { Ok((found.dev(), found.ino())) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// Writes the record whole or not at all.
pub(crate) fn save_record(root: &Path, record: &Record) -> io::Result<()> {
    let dir = root.join(".records");
    fs::create_dir_all(&dir)?;
    let text = serde_json::to_vec_pretty(record)?;
    let new = dir.join(format!("{}.json.new", record.name));
    let mut file = fs::File::create(&new)?;
    file.write_all(&text)?;
    file.sync_data()?;
    fs::rename(&new, dir.join(format!("{}.json", record.name)))
}
