//! Making a new hub.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{HubError, git_error, io_error};
use crate::git::Git;
use crate::git_box::Confine;

/// Makes the repository beside its place and moves it there whole, so that nobody ever sees half of it.
pub(super) fn create(git: &Git, dir: &Path) -> Result<(), HubError> {
    // Absolute, because git runs in a folder of its own.
    let dir = &std::path::absolute(dir).map_err(io_error("find", dir))?;
    let parent = dir.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent).map_err(io_error("make", parent))?;
    let new = tempdir_in(parent).map_err(io_error("make a folder in", parent))?;
    let call = git.call(&new).args(["init", "--quiet", "--bare", "--template=", "--initial-branch=none"]);
    let made = call.confine(Confine::writing([&new])).run().map_err(git_error("make the hub"));
    let made = made.and_then(|_| match fs::rename(&new, dir) {
        // Another process was faster, which is as good.
        Err(_) if dir.join("HEAD").is_file() => Ok(()),
        other => other.map_err(io_error("move the new hub to", dir)),
    });
    let _ = fs::remove_dir_all(&new);
    made
}

fn tempdir_in(parent: &Path) -> io::Result<PathBuf> {
    for n in 0..1000u32 {
        let dir = parent.join(format!(".new-hub-{}-{n}", std::process::id()));
        match fs::create_dir(&dir) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other.map(|()| dir),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
