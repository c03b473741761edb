//! Templates: one unchanging checkout per base commit, which overlay workspaces share as their lower layer.
//!
//! ```text
//! .templates/<commit>/tree       the files, or only those that differ from another template's, and `.git/index`
//!                     index      the same file: git's index of the commit, which fits the files as an overlay shows them
//!                     made.json  written last; without it there is no template
//! ```
//!
//! A template is made once, whole and beside its place, by whoever needs it first; others wait for that one. The next
//! base is a thin layer over a whole template: changed files, and a mark (a device 0/0, which is how overlays say it)
//! for each name that is gone. A workspace never stands on more than two layers: when the difference has grown to a
//! quarter of all files, the next template is a whole one.
//!
//! Nothing ever writes into a template. It goes when no workspace stands on it and others were used since.

mod difference;
mod keep;
mod make;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FlockOperation, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, flock, utimensat,
};
use serde::{Deserialize, Serialize};

use super::root::{WorkspaceError, io_error};
use crate::hub::Hub;
use crate::ids::CommitId;

const MADE: &str = "made.json";
const INDEX: &str = "index";
const TREE: &str = "tree";
/// The index once more, in the tree.
const SHOWN_INDEX: &str = ".git/index";
/// Says that the files are on disk: without it a template is not believed after a restart of the machine.
const SYNCED: &str = "synced";

/// The templates of a folder of workspaces.
#[derive(Debug, Clone)]
pub(crate) struct Templates {
    dir: PathBuf,
}

/// A template that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    dir: PathBuf,
    /// Its commit, and that of the template that it lies on.
    pub(crate) layers: Vec<CommitId>,
}

/// The content of `made.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Made {
    /// The whole template that this one lies on; nothing for a whole one.
    below: Option<CommitId>,
    /// The boot in which it was made.
    boot: String,
}

impl Template {
    /// Git's index of the commit.
    pub(crate) fn index(&self) -> PathBuf {
        self.dir.join(INDEX)
    }

    /// Whether every workspace that stands on it sees that index as its own. Those made by the first versions show none.
    pub(crate) fn shows_index(&self) -> bool {
        self.dir.join(TREE).join(SHOWN_INDEX).exists()
    }
}

impl Templates {
    /// Those in this folder of workspaces.
    pub(crate) fn of(root: &Path) -> Self {
        Self { dir: root.join(".templates") }
    }

    /// Keeps all templates from being removed until the file is dropped: from the moment in which one is taken until
    /// the record of the workspace that stands on it is written.
    pub(crate) fn hold(&self) -> Result<File, WorkspaceError> {
        self.lock("in-use", FlockOperation::LockShared)
    }

    /// The template of a commit. Made, if there is none; whoever comes meanwhile waits for it.
    pub(crate) fn take(&self, hub: &Hub, commit: &CommitId) -> Result<Template, WorkspaceError> {
        if let Some(found) = self.find(commit) {
            self.touch(commit);
            return Ok(found);
        }
        let _making = self.lock(commit.as_str(), FlockOperation::LockExclusive)?;
        match self.find(commit) {
            Some(found) => Ok(found),
            None => self.make(hub, commit),
        }
    }

    /// The folders of these layers.
    pub(crate) fn folders(&self, layers: &[CommitId]) -> Vec<PathBuf> {
        layers.iter().map(|commit| self.place(commit).join(TREE)).collect()
    }

    /// The template of a commit, if it was made and can be believed.
    fn find(&self, commit: &CommitId) -> Option<Template> {
        let dir = self.place(commit);
        let made: Made = serde_json::from_slice(&fs::read(dir.join(MADE)).ok()?).ok()?;
        if made.boot != boot_id().ok()? && !dir.join(SYNCED).exists() {
            return None;
        }
        let mut layers = vec![commit.clone()];
        if let Some(below) = made.below {
            self.find(&below).filter(|found| found.layers.len() == 1)?;
            layers.push(below);
        }
        Some(Template { dir, layers })
    }

    /// The commits of all templates, the one used last first.
    fn by_use(&self) -> Vec<CommitId> {
        let names = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let mut found: Vec<_> = names
            .filter_map(|entry| {
                let commit = CommitId::parse(entry.file_name().to_str()?).ok()?;
                let used = fs::metadata(entry.path().join(MADE)).ok()?.modified().ok()?;
                Some((used, commit))
            })
            .collect();
        found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.as_str().cmp(b.1.as_str())));
        found.into_iter().map(|(_, commit)| commit).collect()
    }

    fn touch(&self, commit: &CommitId) {
        let omit = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let times = Timestamps { last_access: omit, last_modification: now };
        // When it was used decides only which of the unused ones goes first.
        let _ = utimensat(CWD, self.place(commit).join(MADE), &times, AtFlags::empty());
    }

    fn place(&self, commit: &CommitId) -> PathBuf {
        self.dir.join(commit.as_str())
    }

    fn lock(&self, name: &str, how: FlockOperation) -> Result<File, WorkspaceError> {
        let path = self.dir.join("locks").join(name);
        let open = || -> io::Result<File> {
            fs::create_dir_all(self.dir.join("locks"))?;
            let file = File::options().create(true).truncate(false).write(true).open(&path)?;
            flock(&file, how)?;
            Ok(file)
        };
        open().map_err(io_error("lock", &path))
    }

    /// All that stand on something in `used`, with what these lie on.
    fn with_below(&self, used: &HashSet<CommitId>) -> HashSet<CommitId> {
        let found = used.iter().filter_map(|commit| self.find(commit));
        used.iter().cloned().chain(found.flat_map(|template| template.layers)).collect()
    }
}

/// Tells this run of the machine from any other.
pub(super) fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}
