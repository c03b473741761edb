//! Making a template.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{FileType, Mode, makedev, mknodat, syncfs};

use super::difference::Difference;
use super::{INDEX, MADE, Made, SHOWN_INDEX, SYNCED, TREE, Template, Templates, boot_id};
use crate::beneath::Beneath;
use crate::git_index::{FileLook, GitIndex};
use crate::hub::Hub;
use crate::ids::{CommitId, RepoPath};
use crate::space::checkout::read_tree;
use crate::space::dir_identity;
use crate::space::remove::remove_tree;
use crate::space::root::{WorkspaceError, io_error};
use crate::space::write_files::write_files;

/// How many of the whole templates, those used last, are looked at for the nearest.
const LOOKED_AT: usize = 3;
/// A thin layer may hold this part of all files, or what is gone instead; one more and the template is a whole one.
const THIN_PART: usize = 4;

/// The whole template that a new one may lie on.
struct Nearest {
    commit: CommitId,
    index: GitIndex,
    difference: Difference,
}

impl Templates {
    /// Makes the template of a commit; the caller holds its lock. What a process left that was killed here before goes.
    pub(super) fn make(&self, hub: &Hub, commit: &CommitId) -> Result<Template, WorkspaceError> {
        let place = self.place(commit);
        let making = self.dir.join(format!(".making-{commit}"));
        for left in [&making, &place] {
            if let Ok(made) = dir_identity(left) {
                remove_tree(left, Some(made)).map_err(io_error("remove", left))?;
            }
        }
        let tree = making.join(TREE);
        fs::create_dir_all(&tree).map_err(io_error("make", &tree))?;
        let done = self.fill(hub, commit, &making);
        let done =
            done.and_then(|()| fs::rename(&making, &place).map_err(io_error("put into place", &place)));
        if let Err(error) = done {
            let _ = remove_tree(&making, dir_identity(&making).ok());
            return Err(error);
        }
        sync_later(&place);
        let missing = || io_error("read", &place)(io::ErrorKind::NotFound.into());
        self.find(commit).ok_or_else(missing)
    }

    fn fill(&self, hub: &Hub, commit: &CommitId, making: &Path) -> Result<(), WorkspaceError> {
        let tree = making.join(TREE);
        let file = making.join(INDEX);
        let mut index = read_tree(hub, commit, &file)?;
        let nearest = self.nearest(&index);
        let below = match nearest {
            Some(nearest) if mark_gone(&tree, &nearest.difference).is_ok() => {
                let looks = write_files(hub, &tree, &index, &nearest.difference.written)?;
                for (n, stat) in looks {
                    index.set_look(n, FileLook::of(&stat));
                }
                for (n, o) in nearest.difference.same {
                    index.set_look(n, nearest.index.look(o));
                }
                Some(nearest.commit)
            }
            // Also where the file system takes no such marks.
            _ => {
                let all: Vec<usize> = (0..index.len()).collect();
                for (n, stat) in write_files(hub, &tree, &index, &all)? {
                    index.set_look(n, FileLook::of(&stat));
                }
                None
            }
        };
        let made = boot_id().map(|boot| Made { below, boot }).map_err(io_error("describe", making))?;
        let text = serde_json::to_vec(&made).map_err(|e| io_error("describe", making)(e.into()))?;
        fs::write(&file, index.into_bytes()).map_err(io_error("write", &file))?;
        let shown = tree.join(SHOWN_INDEX);
        let show = fs::create_dir(tree.join(".git")).and_then(|()| fs::hard_link(&file, &shown));
        show.map_err(io_error("write", &shown))?;
        fs::write(making.join(MADE), text).map_err(io_error("write", making))
    }

    /// The whole template with the least difference, if that is small.
    fn nearest(&self, new: &GitIndex) -> Option<Nearest> {
        let whole = self.by_use().into_iter().filter_map(|commit| self.find(&commit));
        let whole = whole.filter(|template| template.layers.len() == 1);
        let looked_at = whole.take(LOOKED_AT).filter_map(|template| {
            let index = fs::read(template.index()).and_then(GitIndex::parse).ok()?;
            let difference = Difference::between(&index, new);
            Some(Nearest { commit: template.layers.into_iter().next()?, index, difference })
        });
        let nearest = looked_at.min_by_key(|nearest| nearest.difference.size())?;
        (nearest.difference.size() * THIN_PART <= new.len()).then_some(nearest)
    }
}

/// Marks names as gone, in the way that overlays do.
fn mark_gone(tree: &Path, difference: &Difference) -> io::Result<()> {
    let top = Beneath::open(tree)?;
    for path in &difference.gone {
        let path = RepoPath::new(path.as_slice());
        let folder = top.make_dirs(path.parent())?;
        let name = OsStr::from_bytes(path.file_name());
        mknodat(&folder, name, FileType::CharacterDevice, Mode::empty(), makedev(0, 0))?;
    }
    Ok(())
}

/// Brings it to disk beside everything else. Until that is done it is believed only as long as the machine runs.
fn sync_later(place: &Path) {
    let place = place.to_owned();
    std::thread::spawn(move || {
        let synced = fs::File::open(&place).and_then(|dir| Ok(syncfs(&dir)?));
        if synced.is_ok() {
            // If it cannot be written, the template is made anew after the next restart of the machine.
            let _ = fs::write(place.join(SYNCED), "");
        }
    });
}
