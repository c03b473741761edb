//! Filling a new workspace: its private git directory and its files.
//!
//! Files are written byte for byte as the blobs hold them (see [`super::write_files`]). The workspace's own
//! `info/attributes` says the same to the agent's git.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::Stat;

use super::record::{Record, Workspace};
use super::root::{WorkspaceError, io_error};
use super::write_files::write_files;
use crate::git_box::Confine;
use crate::git_index::{FileLook, GitIndex};
use crate::hub::Hub;
use crate::ids::{CommitId, RepoPath};
use crate::stat_cache::{Print, StatCache};

const RAW_ATTRIBUTES: &str = "# Divisi checks files out byte for byte: no conversion and no filter.\n\
     * -text !eol -filter -ident -working-tree-encoding\n";

/// Writes the private git directory, checks the base out, and remembers what was written.
pub(super) fn fill(hub: &Hub, space: &Workspace) -> Result<(), WorkspaceError> {
    let (dir, record) = (space.path(), &space.record);
    let git_dir = dir.join(".git");
    make_git_dir(hub, &git_dir, record).map_err(io_error("make the git directory in", &dir))?;
    let index_file = git_dir.join("index");
    let mut index = read_tree(hub, &record.base, &index_file)?;
    let all: Vec<usize> = (0..index.len()).collect();
    let looks = write_files(hub, &dir, &index, &all)?;
    for (n, stat) in &looks {
        index.set_look(*n, FileLook::of(stat));
    }
    remember(hub, space, &index, &looks)?;
    fs::write(&index_file, index.into_bytes()).map_err(io_error("write", &index_file))
}

/// Lets git make the index of a commit, without files.
pub(super) fn read_tree(hub: &Hub, commit: &CommitId, file: &Path) -> Result<GitIndex, WorkspaceError> {
    let folder = file.parent().unwrap_or(file);
    let call = hub.git.call(hub.dir()).index(file).config("index.version", "2");
    let call = call.args(["read-tree", commit.as_str()]).confine(Confine::writing([folder])).long();
    call.run().map_err(|source| WorkspaceError::Git { doing: "check the base out", source })?;
    let read = fs::read(file).and_then(GitIndex::parse);
    read.map_err(io_error("read", file))
}

/// Writes a git directory by hand: about a tenth of the time of `git init`, and nothing in it that was not meant.
pub(crate) fn make_git_dir(hub: &Hub, git_dir: &Path, record: &Record) -> io::Result<()> {
    for folder in ["objects/info", "objects/pack", "refs/heads", "refs/tags", "info", "hooks", "logs"] {
        fs::create_dir_all(git_dir.join(folder))?;
    }
    let mut config = String::from(
        "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n\
         [gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n",
    );
    if let Some(who) = &record.identity {
        let (name, email) = (quote_value(&who.clean_name()), quote_value(&who.clean_email()));
        config.push_str(&format!("[user]\n\tname = {name}\n\temail = {email}\n"));
    }
    fs::write(git_dir.join("config"), config)?;
    fs::write(git_dir.join("info/attributes"), RAW_ATTRIBUTES)?;
    fs::write(git_dir.join("info/exclude"), &record.ignore_also)?;
    let objects = hub.dir().join("objects");
    fs::write(git_dir.join("objects/info/alternates"), alternates_line(&objects))?;
    if let Ok(shallow) = fs::read(hub.dir().join("shallow")) {
        fs::write(git_dir.join("shallow"), shallow)?;
    }
    let tags = hub.packed_tags(&record.base).map_err(io::Error::other)?;
    if !tags.is_empty() {
        fs::write(git_dir.join("packed-refs"), &**tags)?;
    }
    let base = format!("{}\n", record.base);
    let put_branch = |name: &str| {
        let file = git_dir.join("refs/heads").join(name);
        fs::create_dir_all(file.parent().unwrap_or(git_dir)).and_then(|()| fs::write(file, &base))
    };
    if let Some(name) = record.base_branch.as_deref().filter(|name| Some(*name) != record.branch.as_deref()) {
        // A base branch `divisi` and a branch `divisi/x` cannot both exist; the workspace's own comes first.
        let clash = record.branch.as_deref().is_some_and(|own| below(own, name) || below(name, own));
        if !clash {
            put_branch(name)?;
        }
    }
    match &record.branch {
        Some(name) => {
            put_branch(name)?;
            fs::write(git_dir.join("HEAD"), format!("ref: refs/heads/{name}\n"))
        }
        None => fs::write(git_dir.join("HEAD"), &base),
    }
}

fn below(name: &str, folder: &str) -> bool {
    name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn quote_value(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The line of `objects/info/alternates` that borrows from a folder of objects.
pub(crate) fn alternates_line(objects: &Path) -> Vec<u8> {
    let bytes = objects.as_os_str().as_bytes();
    let mut line =
        if bytes.contains(&b'\n') { RepoPath::new(bytes).quoted().into_bytes() } else { bytes.to_vec() };
    line.push(b'\n');
    line
}

/// Primes the stat cache: nobody else has been in the folder yet, so each file is known to hold its blob.
fn remember(
    hub: &Hub,
    space: &Workspace,
    index: &GitIndex,
    looks: &[(usize, Stat)],
) -> Result<(), WorkspaceError> {
    let file = space.stat_cache_file();
    let mut cache = StatCache::load(&file, hub.identity()?).map_err(io_error("write", &file))?;
    for (n, stat) in looks {
        cache.put(&RepoPath::new(index.entry(*n).path), Print::of(stat), &index.oid(*n));
    }
    cache.save().map_err(io_error("write", &file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_alternates_are_quoted() {
        assert_eq!(quote_value("a\"b\\"), "\"a\\\"b\\\\\"");
        assert_eq!(alternates_line(Path::new("/h/o")), b"/h/o\n");
        assert_eq!(alternates_line(Path::new("/h\n/o")), b"\"/h\\n/o\"\n");
        assert!(below("divisi/x", "divisi") && !below("divisix", "divisi"));
    }
}
