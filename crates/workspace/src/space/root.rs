//! The folder that holds a project's workspaces.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::checkout;
use super::overlay;
use super::place;
use super::record::{Kind, Presence, Record, Workspace, save_record};
use super::remove::finish_removals;
use crate::git::GitError;
use crate::hub::{Hub, HubError};
use crate::ids::{CommitId, Identity};
use crate::project::{Project, is_ref_name};

/// Places that the system empties by itself. A workspace there would be lost with its agent's work.
const TEMPORARY: &[&str] = &["/tmp", "/var/tmp", "/dev/shm", "/run"];

/// Whether the system empties this place by itself. The path must be absolute and free of links.
pub fn is_temporary(path: &Path) -> bool {
    TEMPORARY.iter().any(|place| path.starts_with(place))
}

/// Why a workspace could not be made, found or removed.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// Workspaces may not lie in the user's repository.
    #[error("workspaces cannot be kept in {}: it lies inside the repository {}", root.display(), project.display())]
    InsideProject {
        /// The folder that was asked for.
        root: PathBuf,
        /// The repository.
        project: PathBuf,
    },
    /// Workspaces may not lie where the system cleans up.
    #[error("workspaces cannot be kept in {}: the system empties it by itself", .0.display())]
    TemporaryPlace(PathBuf),
    /// Letters, digits, `.`, `_` and `-`, at most 100, not starting with `.` or `-`.
    #[error("{0:?} cannot be the name of a workspace")]
    BadName(String),
    /// Not a well-formed branch name.
    #[error("{0:?} cannot be the name of a branch")]
    BadBranch(String),
    /// A workspace of this name is there already, or something that Divisi did not make.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// No workspace of this name was ever made here.
    #[error("there is no workspace {0:?}")]
    Unknown(String),
    /// Its record cannot be understood.
    #[error("the record of workspace {name:?} is damaged")]
    BadRecord {
        /// The workspace.
        name: String,
        /// Cause.
        #[source]
        source: serde_json::Error,
    },
    /// The base holds a name that is never written: a spelling of `.git` or `..`.
    #[error("{0} is not a name that can be written")]
    ForbiddenName(crate::RepoPath),
    /// The folder in its place is not the one that Divisi made.
    #[error("{} is not the folder that Divisi made, so it is left alone", .0.display())]
    NotOurs(PathBuf),
    /// A file or folder.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// Git failed.
    #[error("cannot {doing}")]
    Git {
        /// What was tried.
        doing: &'static str,
        /// Cause.
        #[source]
        source: GitError,
    },
    /// The hub failed.
    #[error("cannot read the base from the hub")]
    Hub(#[from] HubError),
}

/// What a new workspace is to be.
#[derive(Debug, Clone)]
pub struct NewWorkspace {
    /// Name and folder, for example `t12.1`.
    pub name: String,
    /// The commit to start from; the hub must have it (see [`Hub::take_base`]).
    pub base: CommitId,
    /// The branch to check out, made new; nothing for a detached checkout.
    pub branch: Option<String>,
    /// The branch that `base` came from; the workspace gets it too, so that `git diff main` works in it.
    pub base_branch: Option<String>,
    /// Who the agent's own commits are by.
    pub identity: Option<Identity>,
    /// Ignore rules besides those of the base's `.gitignore` files, such as the person's own excludes.
    pub ignore_also: String,
    /// How its files are made.
    pub kind: Kind,
}

impl NewWorkspace {
    /// The least there is to say.
    pub fn new(name: impl Into<String>, base: CommitId) -> Self {
        Self {
            name: name.into(),
            base,
            branch: None,
            base_branch: None,
            identity: None,
            ignore_also: String::new(),
            kind: Kind::Plain,
        }
    }

    /// The same on a branch of its own.
    pub fn on_branch(mut self, branch: impl Into<String>) -> Self {
        self.branch = Some(branch.into());
        self
    }

    /// The same with an identity for the agent's own commits.
    pub fn by(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }
}

/// The folder `<root>` that holds workspaces as `<root>/<name>`, and what is remembered of them.
#[derive(Debug, Clone)]
pub struct Workspaces {
    root: PathBuf,
}

impl Workspaces {
    /// Opens (or makes) the folder. It may lie neither in the project nor where the system cleans up.
    pub fn open(root: &Path, project: &Project) -> Result<Self, WorkspaceError> {
        let spaces = Self::open_anywhere(root, project)?;
        if is_temporary(&spaces.root) {
            return Err(WorkspaceError::TemporaryPlace(spaces.root));
        }
        Ok(spaces)
    }

    /// The same where the system may clean up: for tests and for a demonstration that is thrown away.
    pub fn open_anywhere(root: &Path, project: &Project) -> Result<Self, WorkspaceError> {
        let inside = [project.top(), Some(project.common_dir()), Some(project.git_dir())];
        let refuse = |root: &Path| match inside.iter().flatten().find(|dir| root.starts_with(dir)) {
            Some(dir) => Err(WorkspaceError::InsideProject { root: root.into(), project: (*dir).into() }),
            None => Ok(()),
        };
        // Looked at before it is made as well, so that a refusal leaves nothing behind.
        refuse(root)?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(io_error("make", root))?;
        let root = fs::canonicalize(root).map_err(io_error("open", root))?;
        refuse(&root)?;
        Ok(Self { root })
    }

    /// One that was opened before.
    pub(super) fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes a workspace. Many may be made at once. A half-made one of the same name, left by a crash, is replaced.
    pub fn create(&self, hub: &Hub, new: &NewWorkspace) -> Result<Workspace, WorkspaceError> {
        check_name(&new.name)?;
        check_branches([&new.branch, &new.base_branch])?;
        let dir = self.root.join(&new.name);
        self.clear_half_made(&new.name)?;
        let mut record = Record {
            name: new.name.clone(),
            kind: new.kind,
            base: new.base.clone(),
            branch: new.branch.clone(),
            base_branch: new.base_branch.clone(),
            identity: new.identity.clone(),
            ignore_also: new.ignore_also.clone(),
            made: None,
            born: None,
            complete: false,
            included: Vec::new(),
            moving: None,
            moved: None,
            rolling: None,
            overlay: None,
            archived: None,
            put_away: false,
        };
        if dir.symlink_metadata().is_ok() {
            return Err(WorkspaceError::Exists(dir));
        }
        let beside = place::make_beside(&self.root, &mut record)?;
        let mut space = Workspace { root: self.root.clone(), record };
        let filled = self.save(&space).and_then(|()| beside.put()).and_then(|()| self.fill(hub, &mut space));
        if filled.is_err() {
            let _ = space.remove_folders();
            let _ = fs::remove_file(self.record_file(&new.name));
        }
        filled.map(|()| space)
    }

    fn fill(&self, hub: &Hub, space: &mut Workspace) -> Result<(), WorkspaceError> {
        match space.record.kind {
            Kind::Plain => checkout::fill(hub, space)?,
            Kind::Overlay => overlay::fill(self, hub, space)?,
        }
        space.record.complete = true;
        self.save(space)
    }

    /// Writes what is remembered of a workspace.
    pub(super) fn save(&self, space: &Workspace) -> Result<(), WorkspaceError> {
        save_record(&self.root, &space.record).map_err(io_error("write the record in", &self.root))
    }

    /// A workspace that was made earlier, whether or not its folder is still there (see [`Workspace::presence`]).
    pub fn get(&self, name: &str) -> Result<Workspace, WorkspaceError> {
        check_name(name)?;
        let file = self.record_file(name);
        let text = match fs::read(&file) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(WorkspaceError::Unknown(name.to_owned()));
            }
            other => other.map_err(io_error("read", &file))?,
        };
        let record: Record = serde_json::from_slice(&text)
            .map_err(|source| WorkspaceError::BadRecord { name: name.to_owned(), source })?;
        Ok(Workspace { root: self.root.clone(), record })
    }

    /// What is remembered of a workspace below a folder of workspaces; nothing if none of this name was made there.
    pub fn recorded(root: &Path, name: &str) -> Result<Option<Record>, WorkspaceError> {
        match Self::at(root.to_owned()).get(name) {
            Ok(space) => Ok(Some(space.record)),
            Err(WorkspaceError::Unknown(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Remembers a workspace that another machine made, whose folder stayed there: it counts as missing, and comes back
    /// by [`Workspaces::restore`] or [`Workspaces::recreate`].
    pub fn adopt(root: &Path, record: &Record) -> Result<(), WorkspaceError> {
        check_name(&record.name)?;
        check_branches([&record.branch, &record.base_branch])?;
        let (made, born, moving, overlay) = (None, None, None, None);
        let record = Record { complete: true, made, born, moving, overlay, ..record.clone() };
        save_record(root, &record).map_err(io_error("write the record in", root))
    }

    /// The names of all workspaces that were made here and not removed, sorted.
    pub fn names(&self) -> Result<Vec<String>, WorkspaceError> {
        let dir = self.root.join(".records");
        let entries = match fs::read_dir(&dir) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(io_error("list", &dir))?,
        };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> =
            names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect();
        names.sort();
        Ok(names)
    }

    /// Removes a workspace's folder and its record for good: for checkouts that hold nothing of their own, such as
    /// those that checks run in. Everything else goes through [`Workspaces::archive`]. A folder that is not the one
    /// that Divisi made is left alone.
    pub fn discard(&self, space: &Workspace) -> Result<(), WorkspaceError> {
        let dir = space.path();
        match space.presence() {
            Presence::Replaced => return Err(WorkspaceError::NotOurs(dir)),
            Presence::Missing => {}
            Presence::Present => drop(space.remove_folders().map_err(io_error("remove", &dir))?),
        }
        let _ = fs::remove_file(space.stat_cache_file());
        let file = self.record_file(space.name());
        match fs::remove_file(&file) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(io_error("remove", &file)(e)),
            _ => Ok(()),
        }
    }

    /// Finishes removals that a process began and did not end. To be called after a start.
    pub fn tidy(&self) -> Result<(), WorkspaceError> {
        let done = finish_removals(&self.root).and_then(|()| self.tidy_overlays());
        done.map_err(io_error("remove what is left in", &self.root))
    }

    fn clear_half_made(&self, name: &str) -> Result<(), WorkspaceError> {
        match self.get(name) {
            Ok(old) if !old.record.complete => self.discard(&old),
            Ok(old) if old.presence() == Presence::Missing => {
                Err(WorkspaceError::Exists(self.record_file(name)))
            }
            _ => Ok(()),
        }
    }

    fn record_file(&self, name: &str) -> PathBuf {
        self.root.join(".records").join(format!("{name}.json"))
    }
}

fn check_name(name: &str) -> Result<(), WorkspaceError> {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if plain && (1..=100).contains(&name.len()) && !name.starts_with(['.', '-']) {
        Ok(())
    } else {
        Err(WorkspaceError::BadName(name.chars().take(120).collect()))
    }
}

/// Their names become those of files.
fn check_branches(branches: [&Option<String>; 2]) -> Result<(), WorkspaceError> {
    let wrong = |branch: &&String| !is_ref_name(&format!("refs/heads/{branch}"));
    match branches.into_iter().flatten().find(wrong) {
        Some(branch) => Err(WorkspaceError::BadBranch(branch.clone())),
        None => Ok(()),
    }
}

pub(super) fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WorkspaceError + use<> {
    let path = path.to_owned();
    move |source| WorkspaceError::Io { doing, path, source }
}
