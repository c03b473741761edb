//! The hub: one bare repository per project, owned by Divisi alone.
//!
//! It holds every base that an attempt started from, every snapshot and every result, each anchored by a hidden
//! ref, as objects of its own: fetched from the user's repository, never borrowed, so that a `gc` or `prune` over
//! there cannot take anything away. Workspaces borrow from the hub by alternates and never write to it.

mod carry;
mod commits;
mod make;
mod tidy;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use carry::HubRefs;
pub(crate) use commits::CommitInfo;
pub use commits::LoggedCommit;

use crate::git::{Call, CatFile, Git, GitError, Kind};
use crate::git_box::Confine;
use crate::ids::{BadObjectName, CommitId, Signature, TreeId};
use crate::ignore_rules::Rules;
use crate::listing::Listing;
use crate::project::{Project, is_ref_name};
use crate::snapshot::rules_of;

/// How many listings of whole trees are kept in memory.
const LISTINGS_KEPT: usize = 8;

/// Why the hub could not do it.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// A file or folder of the hub.
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
    /// Git gave something that is not an object name.
    #[error("git named no object")]
    Name(#[from] BadObjectName),
    /// Asked for an object that the hub does not have.
    #[error("the hub has no {0}")]
    Missing(String),
    /// The project has only a part of its objects and would have to fetch the rest from the network.
    #[error("{} is a partial clone, and objects that are needed are not here", .0.display())]
    PartialClone(PathBuf),
    /// The project's history is cut by `info/grafts`, which git's transport cannot copy.
    #[error("{} cuts its history short by info/grafts, which cannot be copied", .0.display())]
    Grafts(PathBuf),
    /// Not usable as part of a ref name (letters, digits, `.`, `_` and `-` are).
    #[error("{0:?} cannot be part of a hidden ref")]
    BadLabel(String),
    /// The ref is not where the caller thought.
    #[error("{name} has moved")]
    RefMoved {
        /// The ref.
        name: String,
    },
}

/// The rules of a folder of a commit.
type RulesOf = HashMap<(CommitId, String), Arc<Rules>>;

/// A project's hub. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    pub(crate) git: Git,
    dir: PathBuf,
    listings: Arc<Mutex<HashMap<CommitId, Arc<Listing>>>>,
    tags: Arc<Mutex<HashMap<CommitId, Arc<Vec<u8>>>>>,
    rules: Arc<Mutex<RulesOf>>,
}

impl Hub {
    /// Opens the hub at `dir`, making it if it is not there. Safe to call from several threads and processes.
    pub fn open(git: &Git, dir: &Path) -> Result<Self, HubError> {
        if !dir.join("HEAD").is_file() {
            make::create(git, dir)?;
        }
        let dir = fs::canonicalize(dir).map_err(io_error("open", dir))?;
        Ok(Self {
            git: git.clone(),
            dir,
            listings: Arc::default(),
            tags: Arc::default(),
            rules: Arc::default(),
        })
    }

    /// Its git directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Fetches `commit` with its history out of the user's repository, if it is not here yet, and anchors it by
    /// `refs/divisi/base/<commit>`. The user's repository is only read.
    pub fn take_base(&self, project: &Project, commit: &CommitId) -> Result<(), HubError> {
        let name = format!("refs/divisi/base/{commit}");
        if self.ref_commit(&name)?.is_some() {
            return Ok(());
        }
        // One fetch at a time: fifty attempts that start together want the same objects.
        let _held = self.lock("fetch.lock")?;
        if self.ref_commit(&name)?.is_some() {
            return Ok(());
        }
        if let Err(error) = self.fetch(project, &format!("{commit}:{name}\n")) {
            let common = project.common_dir().to_owned();
            return Err(match common.join("info/grafts").exists() {
                true => HubError::Grafts(common),
                false if project.is_partial_clone() => HubError::PartialClone(common),
                false => error,
            });
        }
        // Tags are a convenience inside of workspaces; a repository whose tags cannot be had is no worse a base.
        if let Ok(tags) = project.tags_in(commit)
            && !tags.is_empty()
        {
            let wanted: String = tags.iter().map(|tag| format!("{tag}:{tag}\n")).collect();
            let _ = self.fetch(project, &wanted);
        }
        Ok(())
    }

    fn fetch(&self, project: &Project, wanted: &str) -> Result<(), HubError> {
        let settings = self.fetch_settings()?;
        let call = self
            .git
            .call(&self.dir)
            // The transport would otherwise refuse a repository of another owner, although it only reads it.
            .env("GIT_CONFIG_GLOBAL", &settings)
            .config("protocol.file.allow", "always")
            .config("protocol.version", "2")
            .args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"])
            .args(["--no-recurse-submodules", "--update-shallow", "--force", "--stdin", "--end-of-options"])
            .arg(project.common_dir())
            .stdin(wanted.as_bytes())
            .confine(Confine::writing([&self.dir]).any_program())
            .long();
        call.run().map_err(git_error("fetch the base commit from the project"))?;
        Ok(())
    }

    /// The tags in a commit's history in the form of a `packed-refs` file; kept in memory for the next caller.
    pub(crate) fn packed_tags(&self, commit: &CommitId) -> Result<Arc<Vec<u8>>, HubError> {
        let lock = || self.tags.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(commit) {
            return Ok(Arc::clone(known));
        }
        let call = self.call().args(["for-each-ref", "--format=%(objectname) %(refname)"]);
        let out =
            call.arg(format!("--merged={commit}")).arg("refs/tags").run().map_err(git_error("list tags"))?;
        let text = if out.stdout.is_empty() {
            Vec::new()
        } else {
            [b"# pack-refs with: sorted \n", &*out.stdout].concat()
        };
        let mut tags = lock();
        if tags.len() >= LISTINGS_KEPT {
            tags.clear();
        }
        let text = Arc::new(text);
        tags.insert(commit.clone(), Arc::clone(&text));
        Ok(text)
    }

    /// The starting point for a project without any commit: a root commit with nothing in it. The same `who`
    /// gives the same commit.
    pub fn take_empty_base(&self, who: &Signature) -> Result<CommitId, HubError> {
        let tree = self.call().args(["mktree"]).run().map_err(git_error("make an empty tree"))?;
        let tree = TreeId::parse(&tree.text())?;
        let commit = self.commit(&tree, &[], who, who, "Empty start\n")?;
        self.set_ref(&format!("refs/divisi/base/{commit}"), &commit)?;
        Ok(commit)
    }

    /// Where a hidden ref is.
    pub fn ref_commit(&self, name: &str) -> Result<Option<CommitId>, HubError> {
        let call =
            self.call().args(["rev-parse", "-q", "--verify", "--end-of-options"]).arg(name).accept(&[0, 1]);
        let out = call.run().map_err(git_error("read a ref of the hub"))?;
        if out.code == 1 { Ok(None) } else { Ok(Some(CommitId::parse(&out.text())?)) }
    }

    /// The hidden refs below a prefix (for example `refs/divisi/snapshots/t12.1/`), by name.
    pub fn refs_below(&self, prefix: &str) -> Result<Vec<(String, CommitId)>, HubError> {
        let call = self.call().args(["for-each-ref", "--format=%(objectname) %(refname)"]).arg(prefix);
        let out = call.run().map_err(git_error("list refs of the hub"))?.text();
        let pairs = out.lines().filter_map(|line| line.split_once(' '));
        pairs.map(|(id, name)| Ok((name.to_owned(), CommitId::parse(id)?))).collect()
    }

    /// The bytes of one file of a commit; nothing if there is no such file. Larger than `max` is an error.
    pub fn file_at(
        &self,
        commit: &CommitId,
        path: &crate::RepoPath,
        max: u64,
    ) -> Result<Option<Vec<u8>>, HubError> {
        let listing = self.listing(commit)?;
        let Some(entry) = listing.get(path) else { return Ok(None) };
        let mut objects = self.cat_file()?;
        let read = objects.read(&entry.oid, max).map_err(git_error("read a file from the hub"))?;
        Ok(read.filter(|(kind, _)| *kind == Kind::Blob).map(|(_, bytes)| bytes))
    }

    /// Everything in a commit's tree; kept in memory for the next caller.
    pub(crate) fn listing(&self, commit: &CommitId) -> Result<Arc<Listing>, HubError> {
        let lock = || self.listings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(commit) {
            return Ok(Arc::clone(known));
        }
        let call =
            self.call().args(["ls-tree", "-r", "-z", "--full-tree"]).arg(commit.as_str()).max_output(1 << 30);
        let out = call.run().map_err(git_error("list a commit's files"))?;
        let listing = Arc::new(Listing::parse(&out.stdout).map_err(git_error("list a commit's files"))?);
        let mut listings = lock();
        if listings.len() >= LISTINGS_KEPT {
            listings.clear();
        }
        listings.insert(commit.clone(), Arc::clone(&listing));
        Ok(listing)
    }

    /// Every path in a commit's tree, in order.
    pub fn paths(&self, commit: &CommitId) -> Result<Vec<crate::RepoPath>, HubError> {
        Ok(self.listing(commit)?.iter().map(|(path, _)| path.clone()).collect())
    }

    /// The ignore rules of a commit, with `also` below them in rank; kept in memory for the next caller.
    pub(crate) fn rules(&self, commit: &CommitId, also: &str) -> Result<Arc<Rules>, HubError> {
        let lock = || self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (commit.clone(), also.to_owned());
        if let Some(known) = lock().get(&key) {
            return Ok(Arc::clone(known));
        }
        let rules = Arc::new(rules_of(self, commit, also)?);
        let mut known = lock();
        if known.len() >= LISTINGS_KEPT {
            known.clear();
        }
        known.insert(key, Arc::clone(&rules));
        Ok(rules)
    }

    /// Creates or moves a hidden ref, whatever it was before.
    pub(crate) fn set_ref(&self, name: &str, commit: &CommitId) -> Result<(), HubError> {
        self.update_refs(&format!("update {name}\0{commit}\0\0"))
    }

    /// Creates a hidden ref; if it is there already it must be at `commit`.
    pub(crate) fn create_ref(&self, name: &str, commit: &CommitId) -> Result<(), HubError> {
        match self.ref_commit(name)? {
            Some(there) if there == *commit => Ok(()),
            Some(_) => Err(HubError::RefMoved { name: name.to_owned() }),
            None => self.update_refs(&format!("create {name}\0{commit}\0")),
        }
    }

    pub(crate) fn delete_ref(&self, name: &str) -> Result<(), HubError> {
        self.update_refs(&format!("delete {name}\0\0"))
    }

    fn update_refs(&self, commands: &str) -> Result<(), HubError> {
        let call = self.call().args(["update-ref", "--no-deref", "-z", "--stdin"]).stdin(commands.as_bytes());
        call.run().map_err(git_error("move a ref of the hub"))?;
        Ok(())
    }

    /// A call on the hub, confined to writing there.
    pub(crate) fn call(&self) -> Call {
        self.git.call(&self.dir).confine(Confine::writing([&self.dir]))
    }

    pub(crate) fn cat_file(&self) -> Result<CatFile, HubError> {
        CatFile::open(&self.git, &self.dir).map_err(git_error("open the hub for reading"))
    }

    /// Device and inode of the object folder: tells this hub from any other.
    pub(crate) fn identity(&self) -> Result<(u64, u64), HubError> {
        let dir = self.dir.join("objects");
        let found = fs::metadata(&dir).map_err(io_error("look at", &dir))?;
        Ok((found.dev(), found.ino()))
    }

    /// A folder of the hub for Divisi's own bookkeeping.
    pub(crate) fn own_dir(&self) -> Result<PathBuf, HubError> {
        let dir = self.dir.join("divisi");
        fs::create_dir_all(&dir).map_err(io_error("make", &dir))?;
        Ok(dir)
    }

    /// Holds a lock among all processes that use this hub, until the file is dropped.
    pub(crate) fn lock(&self, name: &str) -> Result<File, HubError> {
        let path = self.own_dir()?.join(name);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(io_error("open", &path))?;
        let locked = rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive);
        locked.map_err(|e| io_error("lock", &path)(e.into()))?;
        Ok(file)
    }

    pub(crate) fn fetch_settings(&self) -> Result<PathBuf, HubError> {
        let path = self.own_dir()?.join("fetch.config");
        fs::write(&path, "[safe]\n\tdirectory = *\n").map_err(io_error("write", &path))?;
        Ok(path)
    }
}

/// A label that becomes one component of a hidden ref, such as an attempt's handle `t12.1`.
pub(crate) fn check_label(label: &str) -> Result<(), HubError> {
    let plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if plain && !label.contains('/') && is_ref_name(&format!("refs/divisi/{label}")) {
        Ok(())
    } else {
        Err(HubError::BadLabel(label.chars().take(100).collect()))
    }
}

pub(crate) fn git_error(doing: &'static str) -> impl FnOnce(GitError) -> HubError {
    move |source| HubError::Git { doing, source }
}

pub(crate) fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> HubError {
    let path = path.to_owned();
    move |source| HubError::Io { doing, path, source }
}
