//! Taking an agent's commits over into the hub, strictly.
//!
//! Git looks at the agent's objects only through a git directory of Divisi's own, which borrows from them, in a box
//! that can read nothing but those objects and the hub and write nothing but its own folder. What comes out is a
//! pack; it is indexed in quarantine, which gives every object its true name and checks its form and its links, and
//! only what then keeps to the limits moves into the hub.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{ResultError, agent_head};
use crate::beneath::Beneath;
use crate::git::{Call, GitError};
use crate::git_box::Confine;
use crate::hub::Hub;
use crate::ids::{CommitId, RepoPath};
use crate::listing::Listing;
use crate::space::Workspace;

/// Longest list of an agent's files, in bytes.
const LISTING_MAX: u64 = 256 << 20;

/// Bounds of what is taken from an agent's repository.
#[derive(Debug, Clone, Copy)]
pub struct ImportLimits {
    /// Most commits.
    pub commits: usize,
    /// Largest pack, in bytes.
    pub pack_bytes: u64,
    /// Largest object, in bytes.
    pub object_bytes: u64,
    /// All objects together, unpacked, in bytes.
    pub total_bytes: u64,
    /// Longest time for any one step.
    pub time: Duration,
}

impl Default for ImportLimits {
    fn default() -> Self {
        Self {
            commits: 500,
            pack_bytes: 512 << 20,
            object_bytes: 100 << 20,
            total_bytes: 4 << 30,
            time: Duration::from_secs(120),
        }
    }
}

/// Why an agent's commits are not taken, for a person.
pub(super) type Refusal = String;

/// A folder that is removed when it is no longer needed.
struct Quarantine {
    dir: PathBuf,
}

impl Drop for Quarantine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Brings `head` and its history down to `base` into the hub; gives the number of commits, or why not.
pub(super) fn import(
    hub: &Hub,
    space: &Workspace,
    head: &CommitId,
    limits: &ImportLimits,
) -> Result<Result<usize, Refusal>, ResultError> {
    let quarantine = open_quarantine(hub, space)?;
    let Some(quarantine) = quarantine else {
        return Ok(Err("its object folder is not an ordinary folder".into()));
    };
    let io = |doing| move |source| ResultError::Io { doing, source };
    let pack = quarantine.dir.join("incoming.pack");
    let file = File::create(&pack).map_err(io("make a file for the agent's objects"))?;
    if let Err(error) = collect(hub, space, &quarantine, head, limits, file) {
        return Ok(Err(format!("its objects cannot be read: {}", sentence(&error))));
    }
    if let Err(error) = index(hub, &quarantine, &pack, limits) {
        return Ok(Err(format!("its objects are not sound: {}", sentence(&error))));
    }
    let commits = match inspect(hub, &quarantine, space, head, limits) {
        Ok(Ok(commits)) => commits,
        Ok(Err(why)) => return Ok(Err(why)),
        Err(error) => return Ok(Err(format!("its commits are not sound: {}", sentence(&error)))),
    };
    keep(hub, &quarantine).map_err(io("move the agent's objects into the hub"))?;
    Ok(Ok(commits))
}

/// The files of what the agent committed last, whether or not its history is taken. Nothing, if it committed nothing, or
/// nothing that can be read.
pub(crate) fn committed(hub: &Hub, space: &Workspace) -> Result<Option<Arc<Listing>>, ResultError> {
    let Some(head) = agent_head(space).filter(|head| head != space.base()) else { return Ok(None) };
    if hub.has_commit(&head)? {
        let ours = hub.is_ancestor(space.base(), &head)?;
        return Ok(if ours { Some(hub.listing(&head)?) } else { None });
    }
    let Some(quarantine) = open_quarantine(hub, space)? else { return Ok(None) };
    let (pack, limits) = (quarantine.dir.join("incoming.pack"), ImportLimits::default());
    let file = File::create(&pack);
    let file =
        file.map_err(|source| ResultError::Io { doing: "make a file for the agent's objects", source })?;
    let read = || -> Result<Listing, GitError> {
        collect(hub, space, &quarantine, &head, &limits, file)?;
        index(hub, &quarantine, &pack, &limits)?;
        let call = inside(hub, &quarantine).args(["ls-tree", "-r", "-z", head.as_str()]);
        Listing::parse(&call.max_output(LISTING_MAX).timeout(limits.time).run()?.stdout)
    };
    // What is wrong with it is said when its history is to be taken.
    Ok(read().ok().map(Arc::new))
}

fn sentence(error: &GitError) -> String {
    error.to_string().lines().next().unwrap_or_default().chars().take(300).collect()
}

/// A git directory of our own that sees the hub's objects and then the agent's.
fn open_quarantine(hub: &Hub, space: &Workspace) -> Result<Option<Quarantine>, ResultError> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let dir = hub.own_dir()?.join(format!("incoming-{}-{number}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    let Ok(agent) = Beneath::open(&space.git_home()).and_then(|top| top.dir(b".git/objects")) else {
        return Ok(None);
    };
    let quarantine = Quarantine { dir };
    let made = || -> io::Result<()> {
        let view = quarantine.dir.join("view");
        for folder in ["view/objects/info", "view/objects/pack", "view/refs", "objects/pack"] {
            fs::create_dir_all(quarantine.dir.join(folder))?;
        }
        fs::write(view.join("HEAD"), "ref: refs/heads/none\n")?;
        fs::write(view.join("config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n")?;
        // The agent's store is seen through a folder of links to its object folders, without its `info`: the
        // alternates and the commit graph that the agent may have put there do not exist for git.
        let seen = quarantine.dir.join("agent");
        fs::create_dir(&seen)?;
        for name in agent.names()?.into_iter().filter(|name| is_object_folder(name)) {
            if agent.dir(&name).is_ok() {
                let name = OsStr::from_bytes(&name);
                symlink(agent_objects(space).join(name), seen.join(name))?;
            }
        }
        let mut alternates = Vec::new();
        for objects in [hub.dir().join("objects"), seen] {
            alternates.extend_from_slice(RepoPath::new(objects.as_os_str().as_bytes()).quoted().as_bytes());
            alternates.push(b'\n');
        }
        fs::write(view.join("objects/info/alternates"), alternates)
    };
    made()
        .map_err(|source| ResultError::Io { doing: "make a quarantine for the agent's objects", source })?;
    Ok(Some(quarantine))
}

fn is_object_folder(name: &[u8]) -> bool {
    name == b"pack" || (name.len() == 2 && name.iter().all(u8::is_ascii_hexdigit))
}

fn agent_objects(space: &Workspace) -> PathBuf {
    space.git_home().join(".git/objects")
}

fn collect(
    hub: &Hub,
    space: &Workspace,
    quarantine: &Quarantine,
    head: &CommitId,
    limits: &ImportLimits,
    mut to: File,
) -> Result<(), GitError> {
    let view = quarantine.dir.join("view");
    let seen = quarantine.dir.join("agent");
    let confine = Confine::writing([&view]).reading([hub.dir(), &agent_objects(space), &view, &seen]);
    hub.git
        .call(&view)
        // Side files that an agent can forge, so that git would believe them instead of the objects.
        .config("core.commitGraph", "false")
        .config("core.multiPackIndex", "false")
        .args(["pack-objects", "--revs", "--stdout", "-q", "--no-use-bitmap-index", "--delta-base-offset"])
        .stdin(format!("{head}\n^{}\n", space.base()))
        .confine(confine)
        .timeout(limits.time)
        .stream(limits.pack_bytes, &mut to)
}

fn index(hub: &Hub, quarantine: &Quarantine, pack: &Path, limits: &ImportLimits) -> Result<(), GitError> {
    let call = inside(hub, quarantine)
        .args(["index-pack", "--strict", "--stdin"])
        .arg(format!("--max-input-size={}", limits.pack_bytes))
        .timeout(limits.time);
    call.stdin_file(pack).run().map(drop)
}

/// A call on the hub that sees the quarantined objects too and can write only there.
fn inside(hub: &Hub, quarantine: &Quarantine) -> Call {
    let objects = RepoPath::new(hub.dir().join("objects").as_os_str().as_bytes());
    hub.git
        .call(hub.dir())
        .env("GIT_OBJECT_DIRECTORY", quarantine.dir.join("objects"))
        .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects.quoted())
        .confine(Confine::writing([&quarantine.dir]))
}

fn inspect(
    hub: &Hub,
    quarantine: &Quarantine,
    space: &Workspace,
    head: &CommitId,
    limits: &ImportLimits,
) -> Result<Result<usize, Refusal>, GitError> {
    let base = space.base();
    let call = || inside(hub, quarantine).timeout(limits.time);
    let descends =
        call().args(["merge-base", "--is-ancestor", base.as_str(), head.as_str()]).accept(&[0, 1]).run()?;
    if descends.code == 1 {
        return Ok(Err("its branch does not descend from the base".into()));
    }
    let range = format!("{base}..{head}");
    let list = call().args(["rev-list", "--topo-order"]).arg(&range).arg("--").max_output(64 << 20).run()?;
    let commits = list.stdout.split(|b| *b == b'\n').filter(|line| !line.is_empty()).count();
    if commits > limits.commits {
        return Ok(Err(format!("its branch has {commits} commits, more than {}", limits.commits)));
    }
    let changes =
        call().args(["diff-tree", "--stdin", "-r", "-m", "-z", "--raw", "--no-renames", "--no-commit-id"]);
    let changes = changes.stdin(list.stdout).run()?;
    // A record begins `:OLD-MODE NEW-MODE`; only a gitlink's new mode is 160000.
    if changes.records().any(|record| record.starts_with(b":") && record.get(8..14) == Some(&b"160000"[..])) {
        return Ok(Err("its commits add a submodule".into()));
    }
    let brought_in = |record: &[u8]| space.record.included.iter().find(|path| path.as_bytes() == record);
    if let Some(path) = changes.records().find_map(brought_in) {
        return Ok(Err(format!("its commits hold {path}, which was brought in from your checkout")));
    }
    let objects = call().args(["rev-list", "--objects", "--no-object-names"]).arg(&range).arg("--").run()?;
    let sizes = call().args(["cat-file", "--batch-check=%(objectsize)"]).stdin(objects.stdout).run()?;
    let sizes = String::from_utf8_lossy(&sizes.stdout).into_owned();
    let sizes: Vec<u64> = sizes.lines().filter_map(|line| line.parse().ok()).collect();
    if sizes.iter().any(|size| *size > limits.object_bytes) {
        return Ok(Err(format!("its commits hold a file of more than {} bytes", limits.object_bytes)));
    }
    if sizes.iter().sum::<u64>() > limits.total_bytes {
        return Ok(Err(format!("its commits hold more than {} bytes", limits.total_bytes)));
    }
    Ok(Ok(commits))
}

/// Moves the checked pack into the hub, its index last: a pack without an index does not exist for git.
fn keep(hub: &Hub, quarantine: &Quarantine) -> io::Result<()> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(quarantine.dir.join("objects/pack"))? {
        files.push(entry?.path());
    }
    files.sort_by_key(|file| file.extension().is_some_and(|e| e == "idx"));
    for file in files {
        if let Some(name) = file.file_name() {
            fs::rename(&file, hub.dir().join("objects/pack").join(name))?;
        }
    }
    Ok(())
}
