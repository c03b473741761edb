//! A checkout of the user's that moves together with its branch.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::files::{EMPTY_TREE, Inside, filter_names, filtered, in_the_way};
use super::intent::{Intent, LockId};
use super::steps::Move;
use super::{Dirty, DirtyFile, LandError};
use crate::beneath::Beneath;
use crate::diff::FileDiff;
use crate::git::{Git, GitError};
use crate::hub::Hub;
use crate::ids::CommitId;
use crate::listing::EntryMode;
use crate::project::{Checkout, Project};

/// A checkout that was looked over, whose index is locked, and in which nothing has changed yet.
#[derive(Debug)]
pub(super) struct Prepared {
    git: Git,
    pub(super) checkout: Checkout,
    common_dir: PathBuf,
    scratch: PathBuf,
    filters: Vec<String>,
    touched: Vec<FileDiff>,
    /// `index.lock` beside the index: while it is there, no git of the user's changes the index.
    lock: PathBuf,
    /// The index as it was, and the one that becomes it.
    before: PathBuf,
    after: PathBuf,
    installed: bool,
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if !self.installed {
            let _ = fs::remove_file(&self.lock);
        }
    }
}

pub(super) fn tree_name(commit: Option<&CommitId>) -> &str {
    commit.map_or(EMPTY_TREE, CommitId::as_str)
}

impl Prepared {
    /// Looks everything over that could stand in the way and takes the index lock.
    pub(super) fn new(
        hub: &Hub,
        project: &Project,
        checkout: Checkout,
        step: &Move,
        intent: &mut Intent,
    ) -> Result<Self, LandError> {
        let (from, to) = (tree_name(step.from.as_ref()), tree_name(step.to.as_ref()));
        let git = |doing| move |source: GitError| LandError::Git { doing, source };
        let filters = filter_names(project).map_err(git("read the project's filters"))?;
        let touched = hub.changed_paths(from, to)?;
        let lock = checkout.git_dir.join("index.lock");
        let held = match File::create_new(&lock) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                let what = "another git command holds its index (index.lock)".to_owned();
                return Err(LandError::Busy { checkout: checkout.top, what });
            }
            Err(source) => return Err(LandError::Io { doing: "lock", path: lock, source }),
        };
        let scratch = intent.add(&checkout, LockId::of(&held))?;
        let (before, after) = (scratch.join("index.before"), scratch.join("index.after"));
        let common_dir = project.common_dir().to_owned();
        let git_program = project.git.clone();
        let this = Self {
            git: git_program,
            checkout,
            common_dir,
            scratch,
            filters,
            touched,
            lock,
            before,
            after,
            installed: false,
        };
        // Without an index (nothing was ever added) the copies are missing too, which means an empty one.
        match fs::copy(this.checkout.git_dir.join("index"), &this.before) {
            Ok(_) => drop(fs::copy(&this.before, &this.after).map_err(|e| this.io("copy", &this.after, e))?),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(this.io("copy", &this.before, e)),
        }
        this.look_over(from, to)?;
        Ok(this)
    }

    fn look_over(&self, from: &str, to: &str) -> Result<(), LandError> {
        let git = |doing| move |source: GitError| LandError::Git { doing, source };
        let inside = self.inside();
        let checkout = || self.checkout.top.clone();
        let looking = "look for changes in the checkout";
        let files = in_the_way(&inside, &self.after, from, &self.touched).map_err(git(looking))?;
        if !files.is_empty() {
            return Err(LandError::Dirty { checkout: checkout(), files });
        }
        let source = (to != EMPTY_TREE).then_some(to);
        let files =
            filtered(&inside, &self.after, source, &self.touched).map_err(git("read the attributes"))?;
        if !files.is_empty() {
            return Err(LandError::NeedsFilter { checkout: checkout(), files });
        }
        // Git's own check, for what we did not think of (bits such as assume-unchanged, sparse checkouts).
        let trial = inside.call(&self.after).args(["read-tree", "-m", "-u", "-n", from, to]).run();
        match trial {
            Ok(_) => Ok(()),
            Err(GitError::Failed { stderr, .. }) => {
                let named = self
                    .touched
                    .iter()
                    .filter(|f| stderr.contains(&*String::from_utf8_lossy(f.path.as_bytes())));
                let files = named.map(|f| DirtyFile { path: f.path.clone(), why: Dirty::Modified }).collect();
                Err(LandError::Dirty { checkout: checkout(), files })
            }
            Err(source) => Err(LandError::Git { doing: looking, source }),
        }
    }

    /// Writes the files. The index stays locked and as it was.
    pub(super) fn move_files(&self, step: &Move) -> Result<(), LandError> {
        let (from, to) = (tree_name(step.from.as_ref()), tree_name(step.to.as_ref()));
        let call = self.inside().call(&self.after).args(["read-tree", "-m", "-u", from, to]);
        call.run().map_err(|source| LandError::Git { doing: "write the files of the checkout", source })?;
        Ok(())
    }

    /// Undoes [`Self::move_files`], wherever it stopped: every touched file was as in the index before.
    pub(super) fn put_back(&self) -> Result<(), LandError> {
        let top = Beneath::open(&self.checkout.top).map_err(|e| self.io("open", &self.checkout.top, e))?;
        for added in self.touched.iter().filter(|file| file.old_mode.is_none()) {
            remove_with_empty_folders(&top, added.path.as_bytes());
        }
        let kept = self.touched.iter().filter(|f| f.old_mode.is_some_and(|mode| mode != EntryMode::Gitlink));
        let paths: Vec<u8> = kept.flat_map(|file| [file.path.as_bytes(), b"\0"].concat()).collect();
        if paths.is_empty() {
            return Ok(());
        }
        let call = self
            .inside()
            .call(&self.before)
            .args(["checkout-index", "-f", "-q", "-z", "--stdin"])
            .stdin(paths);
        call.run().map_err(|source| LandError::Git { doing: "put the files back", source })?;
        Ok(())
    }

    /// Writes the new index into the lock, where there may be no room for it. The checkout's own is as it was.
    pub(super) fn write_index(&self) -> Result<(), LandError> {
        let index = self.checkout.git_dir.join("index");
        let bytes = fs::read(&self.after).map_err(|e| self.io("read", &self.after, e))?;
        let written = File::create(&self.lock).and_then(|mut file| {
            let written = file.write_all(&bytes).and_then(|()| file.sync_all());
            if written.is_err() {
                // What was written of it may be the room that putting the files back needs.
                file.set_len(0)?;
            }
            if let Ok(old) = index.metadata() {
                file.set_permissions(old.permissions())?;
            }
            written
        });
        written.map_err(|e| self.io("write", &self.lock, e))
    }

    /// Makes what was written into the lock the checkout's index, which also releases the lock.
    pub(super) fn install_index(&mut self) -> Result<(), LandError> {
        let index = self.checkout.git_dir.join("index");
        fs::rename(&self.lock, &index).map_err(|e| self.io("replace", &index, e))?;
        self.installed = true;
        Ok(())
    }

    fn inside(&self) -> Inside<'_> {
        Inside {
            git: &self.git,
            checkout: &self.checkout,
            common_dir: &self.common_dir,
            scratch: &self.scratch,
            filters: &self.filters,
        }
    }

    fn io(&self, doing: &'static str, path: &Path, source: io::Error) -> LandError {
        LandError::Io { doing, path: path.to_owned(), source }
    }
}

/// Removes a file that a landing brought, and the folders that are empty then.
pub(super) fn remove_with_empty_folders(top: &Beneath, path: &[u8]) {
    let mut end = path.len();
    let mut flags = rustix::fs::AtFlags::empty();
    loop {
        let slash = path[..end].iter().rposition(|b| *b == b'/');
        let (folder, name) = match slash {
            Some(at) => (top.dir(&path[..at]), &path[at + 1..end]),
            None => (top.dir(b"."), &path[..end]),
        };
        let Ok(folder) = folder else { return };
        let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(name);
        let gone = rustix::fs::unlinkat(&folder, name, flags);
        if flags == rustix::fs::AtFlags::REMOVEDIR && gone.is_err() {
            return;
        }
        let Some(at) = slash else { return };
        (end, flags) = (at, rustix::fs::AtFlags::REMOVEDIR);
    }
}
