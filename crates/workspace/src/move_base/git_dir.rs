//! Bringing the agent's own git directory along: as data, by renaming whole files into it, never by running git on it.

use std::io;
use std::io::Write as _;

use rustix::fs::{AtFlags, RenameFlags, renameat, renameat_with, unlinkat};

use super::place::Place;
use super::{MoveBaseError, UnfinishedMove};
use crate::beneath::Beneath;
use crate::git_box::Confine;
use crate::hub::Hub;
use crate::result::agent_head;
use crate::space::Workspace;

/// What git leaves in the middle of a merge, rebase or the like. It would lead a later `commit` astray.
const UNDER_WAY: &[&str] = &[
    "MERGE_HEAD",
    "MERGE_MSG",
    "MERGE_MODE",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "REBASE_HEAD",
    "rebase-merge",
    "rebase-apply",
    "sequencer",
];
/// Largest `shallow` file of the hub that is handed on.
const MAX_SHALLOW_BYTES: u64 = 16 << 20;

/// Branch, HEAD and index lead to the new base. False if the git directory is not as it was made (a link, a file in
/// the place of a folder): then it is left as it is, wholly or in part.
pub(super) fn bring_along(
    hub: &Hub,
    space: &Workspace,
    moving: &UnfinishedMove,
    place: &mut Place<'_>,
) -> Result<bool, MoveBaseError> {
    let Ok((git_dir, staged)) = place.git_dir() else { return Ok(false) };
    let git = |doing| move |source| MoveBaseError::Git { doing, source };
    // Without files' times: the agent's git looks at each file once, at its next `status`.
    let index = place.staging.join("index");
    let call = hub.git.call(hub.dir()).index(&index).args(["read-tree", moving.target.as_str()]);
    let call = call.confine(Confine::writing([&place.staging])).long();
    call.run().map_err(git("make an index for the agent"))?;
    let done = write(hub, space, moving, place, &Put { git_dir, staged });
    Ok(done.is_ok())
}

/// The git directory and the folder from which files are renamed into it.
struct Put {
    git_dir: Beneath,
    staged: Beneath,
}

fn write(
    hub: &Hub,
    space: &Workspace,
    moving: &UnfinishedMove,
    place: &Place<'_>,
    to: &Put,
) -> io::Result<()> {
    let git_dir = &to.git_dir;
    let target = format!("{}\n", moving.target);
    if let Some(shallow) = Beneath::open(hub.dir())?.read_small(b"shallow", MAX_SHALLOW_BYTES)? {
        to.put("shallow", &shallow)?;
    }
    for name in UNDER_WAY {
        let aside = format!("{name}.before-{}", place.number);
        match renameat_with(git_dir, *name, git_dir, &aside, RenameFlags::NOREPLACE) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => {}
            Err(e) => return Err(e.into()),
        }
    }
    if let Some(head) = agent_head(space).filter(|head| *head != moving.target) {
        to.put("ORIG_HEAD", format!("{head}\n").as_bytes())?;
    }
    let record = space.record();
    if let Some(name) = record.base_branch.as_deref().filter(|name| Some(*name) != record.branch.as_deref()) {
        // Where the two names cannot both exist, the workspace never had this one.
        let _ = to.put(&format!("refs/heads/{name}"), target.as_bytes());
    }
    match &record.branch {
        Some(name) => {
            to.put(&format!("refs/heads/{name}"), target.as_bytes())?;
            to.put("HEAD", format!("ref: refs/heads/{name}\n").as_bytes())?;
        }
        None => to.put("HEAD", target.as_bytes())?,
    }
    let index = std::fs::read(place.staging.join("index"))?;
    to.put("index", &index)?;
    place.close_git_dir();
    Ok(())
}

impl Put {
    /// Puts a file of the git directory in its place, whole; its folders are made and never entered through a link.
    fn put(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = self.git_dir.make_dirs(folder.as_bytes())?;
        let _ = unlinkat(&self.staged, "text", AtFlags::empty());
        self.staged.new_file(b"text", 0o666)?.write_all(bytes)?;
        Ok(renameat(&self.staged, "text", &folder, name)?)
    }
}
