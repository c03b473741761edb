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
    let Ok(git_dir) = place.top.dir(b".git") else { return Ok(false) };
    let git = |doing| move |source| MoveBaseError::Git { doing, source };
    // Without files' times: the agent's git looks at each file once, at its next `status`.
    let index = place.staging.join("index");
    let call = hub.git.call(hub.dir()).index(&index).args(["read-tree", moving.target.as_str()]);
    let call = call.confine(Confine::writing([&place.staging])).long();
    call.run().map_err(git("make an index for the agent"))?;
    Ok(write(hub, space, moving, place, &git_dir).is_ok())
}

fn write(
    hub: &Hub,
    space: &Workspace,
    moving: &UnfinishedMove,
    place: &Place<'_>,
    git_dir: &Beneath,
) -> io::Result<()> {
    let target = format!("{}\n", moving.target);
    if let Some(shallow) = Beneath::open(hub.dir())?.read_small(b"shallow", MAX_SHALLOW_BYTES)? {
        put(place, git_dir, "shallow", &shallow)?;
    }
    for name in UNDER_WAY {
        let aside = format!("{name}.before-{}", place.number);
        match renameat_with(git_dir, *name, git_dir, &aside, RenameFlags::NOREPLACE) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => {}
            Err(e) => return Err(e.into()),
        }
    }
    if let Some(head) = agent_head(space).filter(|head| *head != moving.target) {
        put(place, git_dir, "ORIG_HEAD", format!("{head}\n").as_bytes())?;
    }
    let record = space.record();
    if let Some(name) = record.base_branch.as_deref().filter(|name| Some(*name) != record.branch.as_deref()) {
        // Where the two names cannot both exist, the workspace never had this one.
        let _ = put(place, git_dir, &format!("refs/heads/{name}"), target.as_bytes());
    }
    match &record.branch {
        Some(name) => {
            put(place, git_dir, &format!("refs/heads/{name}"), target.as_bytes())?;
            put(place, git_dir, "HEAD", format!("ref: refs/heads/{name}\n").as_bytes())?;
        }
        None => put(place, git_dir, "HEAD", target.as_bytes())?,
    }
    Ok(renameat(&place.staged, "index", git_dir, "index")?)
}

/// Puts a file of the git directory in its place, whole; its folders are made and never entered through a link.
fn put(place: &Place<'_>, git_dir: &Beneath, path: &str, bytes: &[u8]) -> io::Result<()> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = git_dir.make_dirs(folder.as_bytes())?;
    let _ = unlinkat(&place.staged, "text", AtFlags::empty());
    place.staged.new_file(b"text", 0o666)?.write_all(bytes)?;
    Ok(renameat(&place.staged, "text", &folder, name)?)
}
