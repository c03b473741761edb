//! An import from outside: looked at whole before anything is visible, and then put in place by one rename. Until then
//! everything lies in one folder, which goes away with [`Staged`], and after a crash with the next try.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use divisi_store::{Store, StoreError};
use divisi_workspace::Git;
use jiff::Timestamp;
use serde::Serialize;

use super::error::ImportError;
use super::manifest::ConfigurationFile;
pub use super::repositories::Moved;
use super::take_in::{Folders, remove, take_in};
use super::write::GATHERED;
use super::{repositories, restored};
use crate::images::IMAGES;

/// Where an import is made, below the data folder.
const IMPORTED: &str = "importing";
/// The folder of the log, which makes everything else visible.
const LOG: &str = "log";
/// The other folders that an import makes.
const FOLDERS: [&str; 6] = ["projects", "workspaces", "sessions", "checks", "setups", IMAGES];

/// What an import is given.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The export.
    pub file: PathBuf,
    /// The data folder; nothing may be in it, and nobody may have it open.
    pub data: PathBuf,
    /// Where git is looked up.
    pub path: std::ffi::OsString,
    /// Where projects are here.
    pub repositories: Vec<Moved>,
    /// A folder in whose repository a project may be found.
    pub here: Option<PathBuf>,
}

/// An import that is complete but not visible yet.
#[derive(Debug)]
pub struct Staged {
    data: PathBuf,
    folders: Folders,
    imported: Imported,
    configuration: Vec<ConfigurationFile>,
}

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Divisi's version that made the export.
    pub divisi: String,
    /// When it was made.
    pub made: Timestamp,
    /// Events in its log.
    pub events: u64,
    /// Tasks in it.
    pub tasks: usize,
    /// The projects.
    pub projects: Vec<ImportedProject>,
    /// Attempts that were under way and have stopped here.
    pub stopped: Vec<String>,
    /// What was missing already when the export was made, each a sentence.
    pub missing: Vec<String>,
}

/// A project that came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportedProject {
    /// Its name.
    pub name: String,
    /// Where it was.
    pub was: String,
    /// Where it is here; none: its repository was not found.
    pub root: Option<String>,
}

/// Takes an export apart in the data folder, and looks at all of it. What is there stays as it is.
///
/// # Errors
/// When the export or the data folder is not as it must be; nothing was changed then.
pub fn stage(options: &ImportOptions) -> Result<Staged, ImportError> {
    let git = Git::find(&options.path)?;
    // Looked at before anything is made.
    File::open(&options.file).map_err(|source| ImportError::Open { path: options.file.clone(), source })?;
    let data = &options.data;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.map_err(ImportError::io("make", data))?;
    let data = data.canonicalize().map_err(ImportError::io("find", data))?;
    require_unused(&data)?;
    let folder = data.join(IMPORTED);
    remove(&folder)?;
    let folders = Folders { new: folder.join("new"), parts: folder.join("parts") };
    // From here on whatever goes wrong takes the folder away again.
    let made = Timestamp::UNIX_EPOCH;
    let imported = Imported {
        divisi: String::new(),
        made,
        events: 0,
        tasks: 0,
        projects: vec![],
        stopped: vec![],
        missing: vec![],
    };
    let mut staged = Staged { data, folders, imported, configuration: Vec::new() };
    for folder in [&staged.folders.new, &staged.folders.parts] {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(ImportError::io("make", folder))?;
    }
    let taken = take_in(&options.file, &staged.folders)?;
    let projects = &taken.manifest.projects;
    let roots = repositories::find(&git, projects, &options.repositories, options.here.as_deref())?;
    let restored = restored::restore(&git, &staged.folders, &taken, &roots)?;
    let projects = projects.iter().map(|known| ImportedProject {
        name: known.project.name.clone(),
        was: known.project.root.clone(),
        root: roots.get(&known.project.id).cloned(),
    });
    staged.imported = Imported {
        divisi: taken.header.divisi.clone(),
        made: taken.header.made,
        events: restored.events,
        tasks: restored.tasks,
        projects: projects.collect(),
        stopped: restored.stopped,
        missing: taken.manifest.missing.clone(),
    };
    staged.configuration = taken.configuration;
    Ok(staged)
}

impl Staged {
    /// The person's configuration as it was there.
    pub fn configuration(&self) -> &[ConfigurationFile] {
        &self.configuration
    }

    /// Makes everything visible: the log last, and whole.
    pub fn put_in_place(self) -> Result<Imported, ImportError> {
        let disk = File::open(&self.data).map_err(ImportError::io("open", &self.data))?;
        let write_out = |()| rustix::fs::syncfs(&disk).map_err(io::Error::from);
        write_out(()).map_err(ImportError::io("write out", &self.data))?;
        for name in FOLDERS.iter().chain([&LOG]) {
            let (from, to) = (self.folders.new.join(name), self.data.join(name));
            if !from.exists() {
                continue;
            }
            // Empty, or left by an import that ended in the middle of this.
            remove(&to)?;
            fs::rename(&from, &to).map_err(ImportError::io("put into place", &to))?;
        }
        disk.sync_all().map_err(ImportError::io("write out", &self.data))?;
        Ok(self.imported.clone())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // What cannot be removed is removed by the next import.
        let _ = fs::remove_dir_all(self.data.join(IMPORTED));
    }
}

/// A daemon that was started and never given anything to do leaves an empty log; everything else is somebody's.
fn require_unused(data: &Path) -> Result<(), ImportError> {
    let begun = data.join(IMPORTED).exists();
    let entries = fs::read_dir(data).map_err(ImportError::io("look into", data))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(ImportError::io("look into", data))?.file_name());
    }
    let not_empty = |what: String| Err(ImportError::NotEmpty { what });
    if names.iter().any(|name| name == LOG) {
        let log = match Store::open(&data.join(LOG)) {
            Err(StoreError::InUse { .. }) => return not_empty("its daemon runs".to_owned()),
            opened => opened?,
        };
        match log.tasks()?.len() {
            0 if log.last_seq() == 0 => {}
            tasks => return not_empty(format!("its log has {tasks} tasks and {} events", log.last_seq())),
        }
    }
    let known = [OsStr::new(LOG), OsStr::new(IMPORTED), OsStr::new(GATHERED)];
    for name in names.iter().filter(|name| !known.contains(&name.as_os_str())) {
        let path = data.join(name);
        let left_over = begun && FOLDERS.iter().any(|folder| name == folder);
        if !left_over && has_files(&path).map_err(ImportError::io("look into", &path))? {
            return not_empty(format!("there is something in {}", path.display()));
        }
    }
    Ok(())
}

fn has_files(path: &Path) -> io::Result<bool> {
    if !path.symlink_metadata()?.is_dir() {
        return Ok(true);
    }
    for entry in fs::read_dir(path)? {
        if has_files(&entry?.path())? {
            return Ok(true);
        }
    }
    Ok(false)
}
