//! Overlay workspaces: a template that all share below, and a folder of the workspace's own that takes every change.
//!
//! ```text
//! <root>/<name>                    an empty folder; whoever works in the workspace has the merged files there
//! <root>/.overlays/<name>/upper    every change, and the private git directory
//! <root>/.overlays/<name>/work     for the kernel; locked by whoever has the overlay mounted
//! <root>/.outside/<name>           what somebody put into the empty folder, once the workspace is gone
//! ```
//!
//! Making one writes a git directory without an index, since the template shows one: no file of the base is touched, and
//! no program started. It is mounted in the namespace of a launch (see [`Workspace::sandbox_parts`]), or by a [`Holder`]
//! for a moment in which Divisi writes into it; never twice at once.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::checkout::make_git_dir;
use super::place;
use super::record::{Presence, Workspace, dir_identity};
use super::remove::{finish_removals, remove_tree};
use super::root::{WorkspaceError, Workspaces, io_error};
use super::template::{Template, Templates, boot_id};
use crate::beneath::Beneath;
use crate::git::Git;
use crate::hub::Hub;
use crate::ids::CommitId;
use crate::sandbox::{Overlay, SandboxError};

/// Folder of the overlays' own folders.
const OVERLAYS: &str = ".overlays";
const UPPER: &str = "upper";
const WORK: &str = "work";
/// Folder of what was found in the empty folders of workspaces that are gone.
const OUTSIDE: &str = ".outside";
/// A person who looks into the empty folder finds this.
const NOTICE: &str = "README.txt";
/// A notice of ours is no longer than this.
const NOTICE_BYTES_MAX: u64 = 4096;

/// What an overlay workspace is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layered {
    /// The commits whose templates lie below, topmost first. The first is the commit whose files are seen where nothing
    /// was changed.
    pub layers: Vec<CommitId>,
    /// Device and inode of the folder that holds the changes.
    pub made: (u64, u64),
    /// The hub that its template and its git directory take their objects from.
    pub hub: PathBuf,
    /// The run of the machine in which it was last mounted. Changes are not synced one by one, so after a loss of power
    /// they cannot be relied upon.
    pub boot: String,
    /// The machine went down while it was at work, and something was lost or written since its last snapshot.
    #[serde(default)]
    pub doubted: bool,
}

/// What a launch in a workspace needs to be told of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SandboxParts {
    /// What is to be mounted at the workspace's path; nothing for a plain checkout.
    pub overlay: Option<Overlay>,
    /// Files of the private git directory that must not be changed: a person may run git there later, and these say
    /// which programs git starts and where it looks for objects.
    pub read_only: Vec<PathBuf>,
    /// The private git directory, which must not be replaced as a whole.
    pub held: Vec<PathBuf>,
}

impl Workspace {
    /// What a launch in it needs. Nothing is mounted by asking.
    pub fn sandbox_parts(&self) -> SandboxParts {
        let git_dir = self.path().join(".git");
        let pinned = ["config", "info/attributes", "objects/info/alternates", "hooks"];
        SandboxParts {
            overlay: self.overlay(),
            read_only: pinned.iter().map(|name| git_dir.join(name)).collect(),
            held: vec![git_dir],
        }
    }

    /// How it is mounted, if it is an overlay.
    pub fn overlay(&self) -> Option<Overlay> {
        let layered = self.record.overlay.as_ref()?;
        let own = self.own_folder();
        Some(Overlay {
            lower: Templates::of(&self.root).folders(&layered.layers),
            upper: own.join(UPPER),
            work: own.join(WORK),
            target: self.path(),
        })
    }

    /// True if the machine was restarted since the overlay was made or last looked after: what was written last may be
    /// missing or empty if it lost power (see [`Workspace::is_doubted`]). [`Workspaces::ready`] says so once.
    pub fn is_distrusted(&self) -> bool {
        self.record.overlay.as_ref().is_some_and(|layered| boot_id().ok().as_ref() != Some(&layered.boot))
    }

    /// The folder in which the private git directory lies, where it can be read whether or not anything is mounted. An
    /// overlay's lies in the upper folder, but for the index, as long as nothing has changed that.
    pub(crate) fn git_home(&self) -> PathBuf {
        match &self.record.overlay {
            Some(_) => self.own_folder().join(UPPER),
            None => self.path(),
        }
    }

    /// The folder that holds an overlay's changes.
    pub(crate) fn own_folder(&self) -> PathBuf {
        self.root.join(OVERLAYS).join(&self.record.name)
    }

    /// Keeps an overlay from being mounted until the file is dropped. `ResourceBusy` if somebody has it mounted. Nothing
    /// for a plain checkout.
    pub(crate) fn keep_unmounted(&self) -> io::Result<Option<OwnedFd>> {
        let Some(overlay) = self.overlay() else { return Ok(None) };
        match overlay.lock() {
            Ok(lock) => Ok(Some(lock)),
            Err(SandboxError::InUse(_)) => {
                Err(io::Error::new(io::ErrorKind::ResourceBusy, "a program has it open"))
            }
            Err(SandboxError::At { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    /// Removes its folders for good. Each only if it is the one that was made. What somebody had put into the empty
    /// folder of an overlay is moved aside; the path of it.
    pub(crate) fn remove_folders(&self) -> io::Result<Option<PathBuf>> {
        let Some(layered) = &self.record.overlay else {
            return remove_tree(&self.path(), self.record.made).map(|()| None);
        };
        let _unmounted = self.keep_unmounted()?;
        let aside = self.remove_place()?;
        if self.own_folder().exists() {
            remove_tree(&self.own_folder(), Some(layered.made))?;
        }
        Ok(aside)
    }

    /// Removes the empty folder where an overlay is seen. If it is not empty, nothing in it is anywhere else, nor part of
    /// the attempt: then it is moved aside.
    pub(crate) fn remove_place(&self) -> io::Result<Option<PathBuf>> {
        let place = self.path();
        match dir_identity(&place) {
            Ok(found) if Some(found) == self.record.made => {}
            _ => return Ok(None),
        }
        if holds_only_the_notice(&place, self.name())? {
            return remove_tree(&place, self.record.made).map(|()| None);
        }
        let folder = self.root.join(OUTSIDE);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        // A folder that cannot be written cannot be moved either.
        fs::set_permissions(&place, fs::Permissions::from_mode(0o700))?;
        for number in 1.. {
            let aside = match number {
                1 => folder.join(self.name()),
                n => folder.join(format!("{}-{n}", self.name())),
            };
            match renameat_with(CWD, &place, CWD, &aside, RenameFlags::NOREPLACE) {
                Err(Errno::EXIST) => {}
                moved => return moved.map(|()| Some(aside)).map_err(io::Error::from),
            }
        }
        Ok(None)
    }
}

/// Makes the folders of an overlay workspace; its mount point is there already.
pub(super) fn fill(spaces: &Workspaces, hub: &Hub, space: &mut Workspace) -> Result<(), WorkspaceError> {
    let templates = Templates::of(spaces.root());
    let _held = templates.hold()?;
    let template = templates.take(hub, &space.record.base)?;
    let layered = make_folders(hub, &space.own_folder(), &template)?;
    let upper = space.own_folder().join(UPPER);
    space.record.overlay = Some(layered);
    // From here on the template is known to be in use.
    spaces.save(space)?;
    let git_dir = upper.join(".git");
    make_git_dir(hub, &git_dir, &space.record).map_err(io_error("make the git directory in", &upper))?;
    if !template.shows_index() {
        let index = git_dir.join("index");
        fs::copy(template.index(), &index).map_err(io_error("write", &index))?;
    }
    point_out(&space.path(), space.name()).map_err(io_error("write to", &space.path()))
}

/// Makes the folders of an overlay in `own`.
fn make_folders(hub: &Hub, own: &Path, template: &Template) -> Result<Layered, WorkspaceError> {
    for dir in [own.join(UPPER), own.join(WORK)] {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir);
        made.map_err(io_error("make", &dir))?;
    }
    let made = dir_identity(own).map_err(io_error("look at", own))?;
    let boot = boot_id().map_err(io_error("ask the machine about", own))?;
    Ok(Layered { layers: template.layers.clone(), made, hub: hub.dir().to_owned(), boot, doubted: false })
}

/// An overlay that is made beside its place, to be filled and then put there.
pub(crate) struct Begun {
    /// Its folder for now.
    pub(crate) own: PathBuf,
    /// What the record will say of it.
    pub(crate) layered: Layered,
    /// How it is mounted for now.
    pub(crate) overlay: Overlay,
    /// Git's index of the base.
    pub(crate) index: PathBuf,
    /// Keeps the template until the record is written.
    _held: File,
}

impl Workspaces {
    /// Begins to make an overlay of the workspace's base anew.
    pub(crate) fn begin_overlay(&self, hub: &Hub, space: &Workspace) -> Result<Begun, WorkspaceError> {
        let templates = Templates::of(self.root());
        let held = templates.hold()?;
        let template = templates.take(hub, space.base())?;
        let own = self.root().join(OVERLAYS).join(format!(".restoring-{}", space.name()));
        // Left by one that died; the name is ours alone.
        let _ = remove_tree(&own, dir_identity(&own).ok());
        let layered = make_folders(hub, &own, &template)?;
        let lower = templates.folders(&template.layers);
        let overlay = Overlay { lower, upper: own.join(UPPER), work: own.join(WORK), target: space.path() };
        Ok(Begun { own, layered, overlay, index: template.index(), _held: held })
    }
}

/// Leaves a notice in the empty folder that is the mount point, and makes it read-only: what a person wrote there would
/// not be in the workspace.
fn point_out(dir: &Path, name: &str) -> io::Result<()> {
    fs::write(dir.join(NOTICE), notice(name))?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o500))
}

fn notice(name: &str) -> String {
    format!(
        "The files of this workspace are seen by its agent, and not in this folder.\n\
         `divisi open {name}` opens a shell among them.\n"
    )
}

fn holds_only_the_notice(place: &Path, name: &str) -> io::Result<bool> {
    let names = Beneath::open(place)?.names()?;
    let ours = || Beneath::open(place)?.read_small(NOTICE.as_bytes(), NOTICE_BYTES_MAX);
    match names.as_slice() {
        [] => Ok(true),
        [only] if only == NOTICE.as_bytes() => Ok(ours()?.as_deref() == Some(notice(name).as_bytes())),
        _ => Ok(false),
    }
}

impl Workspaces {
    /// What a launch in `folder` needs, if that is a workspace that was made below `root`. Nothing for any other folder.
    pub fn for_launch(git: &Git, root: &Path, folder: &Path) -> Result<Option<SandboxParts>, WorkspaceError> {
        Ok(Self::of_folder(git, root, folder)?.map(|space| space.sandbox_parts()))
    }

    /// The workspace whose path is `folder`, if it was made below `root`, [ready] to be mounted.
    ///
    /// [ready]: Workspaces::ready
    pub fn of_folder(git: &Git, root: &Path, folder: &Path) -> Result<Option<Workspace>, WorkspaceError> {
        let Ok(root) = fs::canonicalize(root) else { return Ok(None) };
        let name = folder.file_name().and_then(OsStr::to_str);
        let Some(name) = name.filter(|_| folder.parent() == Some(&root)) else { return Ok(None) };
        let spaces = Self::at(root);
        let mut space = match spaces.get(name) {
            Err(WorkspaceError::Unknown(_) | WorkspaceError::BadName(_)) => return Ok(None),
            other => other?,
        };
        if let Some(layered) = &space.record.overlay {
            let hub = Hub::open(git, &layered.hub)?;
            spaces.ready(&hub, &mut space)?;
        }
        Ok(Some(space))
    }

    /// Sees to it that an overlay can be mounted: to be called before each launch in a workspace. The folder where it is
    /// seen is made anew if somebody deleted it, and so are layers that were not on disk yet when the machine went down.
    /// True if the machine was restarted since the last time: what was written last before may be missing then.
    pub fn ready(&self, hub: &Hub, space: &mut Workspace) -> Result<bool, WorkspaceError> {
        let Some(mut layered) = space.record.overlay.clone() else { return Ok(false) };
        self.see_to_place(space)?;
        let (place, before) = (space.path(), space.record.clone());
        let templates = Templates::of(self.root());
        let _held = templates.hold()?;
        if let Some(base) = layered.layers.first() {
            layered.layers = templates.take(hub, base)?.layers;
        }
        let distrusted = space.is_distrusted();
        // What cannot be compared is not known to be whole.
        layered.doubted = space.is_doubted(hub).unwrap_or(true);
        layered.boot = boot_id().map_err(io_error("ask the machine about", &place))?;
        space.record.overlay = Some(layered);
        if space.record != before {
            self.save(space)?;
        }
        Ok(distrusted)
    }

    /// Makes the folder where an overlay is seen anew if it is gone.
    fn see_to_place(&self, space: &mut Workspace) -> Result<(), WorkspaceError> {
        let place = space.path();
        if matches!(dir_identity(&place), Ok(found) if Some(found) == space.record.made) {
            return Ok(());
        }
        let _alone = place::making(self.root())?;
        // Somebody else may have made it meanwhile.
        let mut now = self.get(space.name())?;
        match dir_identity(&place) {
            Ok(found) if Some(found) == now.record.made => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let beside = place::make_beside(self.root(), &mut now.record)?;
                point_out(beside.path(), space.name()).map_err(io_error("write to", beside.path()))?;
                self.save(&now)?;
                beside.put()?;
            }
            _ => return Err(WorkspaceError::NotOurs(place)),
        }
        (space.record.made, space.record.born) = (now.record.made, now.record.born);
        Ok(())
    }

    /// Removes templates that nobody needs, and finishes removals of overlays.
    pub(super) fn tidy_overlays(&self) -> io::Result<()> {
        let overlays = self.root().join(OVERLAYS);
        if overlays.is_dir() {
            finish_removals(&overlays)?;
        }
        Templates::of(self.root()).tidy(|| self.layers_in_use())
    }

    /// The layers that any workspace stands on; nothing if a record cannot be read.
    fn layers_in_use(&self) -> Option<HashSet<CommitId>> {
        let mut used = HashSet::new();
        for name in self.names().ok()? {
            let space = self.get(&name).ok()?;
            // One that was archived gets the template of its base when it comes back.
            let layered = space.record.overlay.as_ref().filter(|_| space.presence() != Presence::Missing);
            let layered = layered.cloned();
            used.extend(layered.into_iter().flat_map(|layered| layered.layers));
        }
        Some(used)
    }
}
