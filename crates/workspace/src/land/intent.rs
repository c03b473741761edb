//! What a landing is about to do, written down first, so that the next process can finish it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::LandError;
use super::checkout::{remove_with_empty_folders, tree_name};
use super::files::{Inside, filter_names};
use super::steps::Move;
use crate::beneath::Beneath;
use crate::git::GitError;
use crate::hub::Hub;
use crate::ids::{CommitId, RepoPath};
use crate::listing::EntryMode;
use crate::project::{Checkout, Project};

/// Which file the index lock is, so that another program's lock is never removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LockId {
    dev: u64,
    ino: u64,
}

impl LockId {
    pub(super) fn of(file: &File) -> Self {
        let meta = file.metadata();
        let (dev, ino) = meta.map_or((0, 0), |m| (m.dev(), m.ino()));
        Self { dev, ino }
    }

    fn is(self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|m| (m.dev(), m.ino()) == (self.dev, self.ino))
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    common_dir: RepoPath,
    branch: String,
    full_name: String,
    from: Option<CommitId>,
    to: Option<CommitId>,
    checkouts: Vec<SavedCheckout>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedCheckout {
    top: RepoPath,
    git_dir: RepoPath,
    lock: LockId,
}

/// A landing under way: a folder in the hub with copies of the indexes and `intent.json`.
#[derive(Debug)]
pub(super) struct Intent {
    dir: PathBuf,
    saved: Saved,
}

impl Drop for Intent {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn path_text(path: &Path) -> RepoPath {
    RepoPath::new(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()))
}

impl Intent {
    pub(super) fn begin(hub: &Hub, step: &Move) -> Result<Self, LandError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = hub.own_dir()?.join("landings").join(format!("{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).map_err(|source| LandError::Io {
            doing: "make",
            path: dir.clone(),
            source,
        })?;
        let saved = Saved {
            common_dir: RepoPath::default(),
            branch: step.branch.clone(),
            full_name: step.full_name.clone(),
            from: step.from.clone(),
            to: step.to.clone(),
            checkouts: Vec::new(),
        };
        Ok(Self { dir, saved })
    }

    /// Notes a checkout whose lock was just taken and gives it a folder for its copies. Saved at once: a lock that
    /// nobody remembers would block the user's git for ever.
    pub(super) fn add(&mut self, checkout: &Checkout, lock: LockId) -> Result<PathBuf, LandError> {
        let scratch = self.dir.join(self.saved.checkouts.len().to_string());
        let (top, git_dir) = (path_text(&checkout.top), path_text(&checkout.git_dir));
        self.saved.checkouts.push(SavedCheckout { top, git_dir, lock });
        fs::create_dir_all(&scratch).map_err(|source| LandError::Io {
            doing: "make",
            path: scratch.clone(),
            source,
        })?;
        self.save()?;
        Ok(scratch)
    }

    pub(super) fn save(&self) -> Result<(), LandError> {
        let (file, new) = (self.dir.join("intent.json"), self.dir.join("intent.new"));
        let written = serde_json::to_vec(&self.saved).map_err(io::Error::from).and_then(|text| {
            let mut out = File::create(&new)?;
            out.write_all(&text)?;
            out.sync_data()?;
            fs::rename(&new, &file)
        });
        written.map_err(|source| LandError::Io { doing: "write", path: file, source })
    }
}

impl Hub {
    /// Finishes landings that a process began and did not end: where the branch had moved, the files follow it;
    /// where it had not, nothing happens; and locks that such a process left in the user's repository go. Files that
    /// were changed since by hand are left as they are. To be called before the first landing after a start.
    /// Gives the branches that were looked at.
    pub fn recover_landings(&self, project: &Project) -> Result<Vec<String>, LandError> {
        let _held = self.lock("land.lock")?;
        let dir = self.own_dir()?.join("landings");
        let mut branches = Vec::new();
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let dir = entry.path();
            let Ok(text) = fs::read(dir.join("intent.json")) else {
                // It died before it took a lock.
                let _ = fs::remove_dir_all(&dir);
                continue;
            };
            let saved: Saved = serde_json::from_slice(&text).map_err(LandError::BadIntent)?;
            let moved = saved.to != saved.from && project.branch(&saved.branch)? == saved.to;
            for (n, checkout) in saved.checkouts.iter().enumerate() {
                let scratch = dir.join(n.to_string());
                finish(self, project, &saved, checkout, &scratch, moved)?;
            }
            branches.push(saved.branch.clone());
            let _ = fs::remove_dir_all(&dir);
        }
        Ok(branches)
    }
}

fn finish(
    hub: &Hub,
    project: &Project,
    saved: &Saved,
    one: &SavedCheckout,
    scratch: &Path,
    moved: bool,
) -> Result<(), LandError> {
    let checkout = Checkout {
        top: one.top.as_path().to_owned(),
        git_dir: one.git_dir.as_path().to_owned(),
        branch: Some(saved.full_name.clone()),
    };
    let lock = checkout.git_dir.join("index.lock");
    if !one.lock.is(&lock) {
        // The index was installed, or the lock was removed by hand: this checkout is done or no longer ours.
        return Ok(());
    }
    if moved {
        follow(hub, project, saved, &checkout, scratch)?;
        let index = checkout.git_dir.join("index");
        let installed = fs::copy(scratch.join("index.after"), &lock).and_then(|_| fs::rename(&lock, &index));
        return installed.map_err(|source| LandError::Io { doing: "replace", path: index, source });
    }
    fs::remove_file(&lock).map_err(|source| LandError::Io { doing: "remove", path: lock, source })
}

/// Brings the files to where the branch is: those that are still as before are written or removed.
fn follow(
    hub: &Hub,
    project: &Project,
    saved: &Saved,
    checkout: &Checkout,
    scratch: &Path,
) -> Result<(), LandError> {
    let git = |source: GitError| LandError::Git { doing: "finish an interrupted landing", source };
    let filters = filter_names(project).map_err(git)?;
    let inside =
        Inside { git: &project.git, checkout, common_dir: project.common_dir(), scratch, filters: &filters };
    let (before, after) = (scratch.join("index.before"), scratch.join("index.after"));
    let (from, to) = (tree_name(saved.from.as_ref()), tree_name(saved.to.as_ref()));
    let _ = fs::remove_file(&after);
    if before.exists() {
        let copied = fs::copy(&before, &after);
        copied.map_err(|source| LandError::Io { doing: "copy", path: before.clone(), source })?;
    }
    inside.call(&after).args(["read-tree", "-i", "-m", from, to]).run().map_err(git)?;
    let differing = |index: &Path| -> Result<Vec<RepoPath>, LandError> {
        let refresh = inside.call(index).args(["update-index", "-q", "--refresh", "--ignore-submodules"]);
        refresh.accept(&[0, 1]).run().map_err(git)?;
        let call = inside.call(index).args([
            "diff-files",
            "--no-renames",
            "--ignore-submodules=all",
            "-z",
            "--name-only",
        ]);
        Ok(call.run().map_err(git)?.records().map(RepoPath::new).collect())
    };
    let touched = hub.changed_paths(from, to)?;
    let unlike_before = if before.exists() { differing(&before)? } else { Vec::new() };
    let unlike_after = differing(&after)?;
    let top = Beneath::open(&checkout.top);
    let top = top.map_err(|source| LandError::Io { doing: "open", path: checkout.top.clone(), source })?;
    let mut write = Vec::new();
    for file in &touched {
        let as_before = !unlike_before.contains(&file.path);
        let absent = fs::symlink_metadata(checkout.top.join(file.path.as_path())).is_err();
        match (file.old_mode, file.new_mode) {
            (Some(_), None) if as_before => remove_with_empty_folders(&top, file.path.as_bytes()),
            (_, Some(EntryMode::Gitlink) | None) => {}
            (old, Some(_)) => {
                // New files that are not there, and old ones that nobody touched.
                let ours = if old.is_none() { absent } else { as_before || absent };
                if ours && unlike_after.contains(&file.path) {
                    write.extend_from_slice(file.path.as_bytes());
                    write.push(0);
                }
            }
        }
    }
    if !write.is_empty() {
        let call =
            inside.call(&after).args(["checkout-index", "-f", "-u", "-q", "-z", "--stdin"]).stdin(write);
        call.run().map_err(git)?;
    }
    Ok(())
}
