//! Writing many files of a commit, with several threads: a checkout, a template, a layer.
//!
//! Blobs are read straight from the hub's packs (see [`crate::packs`]), and by a `git cat-file` of each thread's own what is
//! not to be read there; so unpacking and writing both use all cores. Files are written byte for byte as the blobs hold
//! them: no line-ending conversion, no smudge filter, no keyword. So what an agent sees is what a snapshot records and
//! what lands, and no attribute decides in between. Projects on Git LFS get pointer files.
//!
//! Every file gets a time that lies two seconds back. Git takes a file for *perhaps changed* whose time is not older than
//! that of its index, and reads it again at each `status`; and a change of the same size in the same second would be
//! missed by whoever compares times.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{
    AtFlags, Mode, Stat, Timespec, Timestamps, fstat, futimens, mkdirat, statat, symlinkat, utimensat,
};

use super::root::{WorkspaceError, io_error};
use crate::beneath::{Beneath, looks_like_dot_git};
use crate::git::{Blobs, GitError};
use crate::git_index::GitIndex;
use crate::hub::Hub;
use crate::ids::RepoPath;
use crate::listing::EntryMode;
use crate::packs::{Name, Packs, Reader};

/// Files that one thread takes at a time.
const PORTION: usize = 256;
/// Most threads.
const MAX_THREADS: usize = 8;
/// How far back the files' time lies, in seconds.
const BACK: i64 = 2;

/// Writes these entries of an index below `top`, a folder that nobody else writes in, and says what each file then looks
/// like. A submodule is an empty folder and looks like nothing.
pub(super) fn write_files(
    hub: &Hub,
    top: &Path,
    index: &GitIndex,
    which: &[usize],
) -> Result<Vec<(usize, Stat)>, WorkspaceError> {
    let at = Beneath::open(top).map_err(io_error("open", top))?;
    let now = fstat(&at).map_err(|e| io_error("look at", top)(e.into()))?.st_ctime;
    let time = Timespec { tv_sec: now - BACK, tv_nsec: 0 };
    let times = &Timestamps { last_access: time, last_modification: time };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let most_threads = cores.clamp(2, MAX_THREADS);
    make_folders(&at, top, index, which, most_threads)?;

    let files: Vec<usize> =
        which.iter().copied().filter(|n| index.entry(*n).mode != EntryMode::Gitlink).collect();
    let names: Vec<Name> = files.iter().map(|n| *index.entry(*n).oid).collect();
    let packs = &Packs::find(&hub.dir().join("objects"), &names);
    let numbered: Vec<(usize, usize)> = files.iter().copied().enumerate().collect();
    let portions: Vec<&[(usize, usize)]> = numbered.chunks(PORTION).collect();
    let threads = most_threads.min(portions.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let (packed, blobs) = (Reader::new(packs), None);
        let mut writer = Writer { hub, packed, blobs, top: &at, root: top, index, times, looks: Vec::new() };
        while let Some(portion) = portions.get(next.fetch_add(1, Ordering::Relaxed)) {
            writer.portion(portion)?;
        }
        Ok(writer.looks)
    };
    let mut looks = Vec::with_capacity(files.len());
    for part in side_by_side((0..threads).map(|_| work)) {
        looks.extend(part?);
    }
    Ok(looks)
}

/// What each of these gives, all run at once.
fn side_by_side<T: Send, F: FnOnce() -> Result<T, WorkspaceError> + Send>(
    all: impl Iterator<Item = F>,
) -> Vec<Result<T, WorkspaceError>> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = all.map(|one| scope.spawn(one)).collect();
        let panicked = || Err(git_error(GitError::unexpected("cat-file", "an end")));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| panicked())).collect()
    })
}

/// All folders, before any file or link: so a tree that names something both a folder and a link is refused, and
/// nothing is ever written behind a link. Each thread takes a stretch of the index, with all the folders above it.
fn make_folders(
    at: &Beneath,
    top: &Path,
    index: &GitIndex,
    which: &[usize],
    threads: usize,
) -> Result<(), WorkspaceError> {
    let stretches = which.chunks(which.len().div_ceil(threads).max(PORTION));
    let make = stretches.map(|stretch| || make_folders_of(at, top, index, stretch));
    side_by_side(make).into_iter().collect()
}

fn make_folders_of(
    at: &Beneath,
    top: &Path,
    index: &GitIndex,
    which: &[usize],
) -> Result<(), WorkspaceError> {
    let mut last: Vec<u8> = Vec::new();
    for n in which {
        let entry = index.entry(*n);
        let file = entry.path.rsplit(|b| *b == b'/').next().unwrap_or_default();
        if !may_be_written(file) {
            return Err(WorkspaceError::ForbiddenName(RepoPath::new(entry.path)));
        }
        let folder = match entry.mode {
            EntryMode::Gitlink => entry.path,
            _ => entry.path.get(..entry.path.len() - file.len()).unwrap_or_default(),
        };
        let folder = folder.strip_suffix(b"/").unwrap_or(folder);
        if folder.is_empty() || folder == last.as_slice() {
            continue;
        }
        let mut made = 0;
        for name in folder.split(|b| *b == b'/') {
            made += name.len() + usize::from(made > 0);
            let known = last.len() > made && last[made] == b'/' || last.len() == made;
            if known && last[..made] == folder[..made] {
                continue;
            }
            if !may_be_written(name) {
                return Err(WorkspaceError::ForbiddenName(RepoPath::new(entry.path)));
            }
            match mkdirat(at, OsStr::from_bytes(&folder[..made]), Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                Err(e) => return Err(io_error("make", &top.join(OsStr::from_bytes(folder)))(e.into())),
            }
        }
        last = folder.to_vec();
    }
    Ok(())
}

/// False for a name that git would not check out either.
fn may_be_written(name: &[u8]) -> bool {
    let suspicious = matches!(name.first(), None | Some(b'.' | b'g' | b'G'))
        || name.iter().any(|b| *b >= 0x80 || *b == b'\\');
    !suspicious || !(matches!(name, b"" | b"." | b"..") || looks_like_dot_git(name))
}

/// The folder that was written to last, open.
type OpenFolder = Option<(Vec<u8>, Beneath)>;

/// One thread's work.
struct Writer<'a> {
    hub: &'a Hub,
    packed: Reader<'a>,
    /// Opened for the first file that is not to be read from a pack.
    blobs: Option<Blobs>,
    top: &'a Beneath,
    root: &'a Path,
    index: &'a GitIndex,
    times: &'a Timestamps,
    looks: Vec<(usize, Stat)>,
}

impl Writer<'_> {
    /// Each file by its number among all that are written, and by its number in the index.
    fn portion(&mut self, portion: &[(usize, usize)]) -> Result<(), WorkspaceError> {
        let (mut open, mut by_git) = (None, Vec::new());
        for (asked, n) in portion {
            match self.packed.read(*asked, self.index.entry(*n).oid) {
                Some(bytes) => self.write(&mut open, *n, Some(&bytes))?,
                None => by_git.push(*n),
            }
        }
        if by_git.is_empty() {
            return Ok(());
        }
        let blobs = match &mut self.blobs {
            Some(blobs) => blobs,
            none => none.insert(Blobs::open(&self.hub.git, self.hub.dir()).map_err(git_error)?),
        };
        blobs.ask(by_git.iter().map(|n| self.index.oid(*n))).map_err(git_error)?;
        by_git.into_iter().try_for_each(|n| self.write(&mut open, n, None))
    }

    /// Writes an entry of the index with these bytes, or with those that git says next.
    fn write(&mut self, open: &mut OpenFolder, n: usize, bytes: Option<&[u8]>) -> Result<(), WorkspaceError> {
        let index = self.index;
        let entry = index.entry(n);
        let (folder, name) = split(entry.path);
        let dir = match open {
            Some((known, dir)) if *known == folder => dir,
            _ => {
                let at = if folder.is_empty() { b"." } else { folder };
                let dir = self.top.dir(at).map_err(self.failed("open the folder of", entry.path))?;
                &open.insert((folder.to_vec(), dir)).1
            }
        };
        let stat = match entry.mode {
            EntryMode::Symlink => self.link(dir, name, entry.path, bytes)?,
            mode => self.file(dir, name, mode, entry.path, bytes)?,
        };
        self.looks.push((n, stat));
        Ok(())
    }

    fn file(
        &mut self,
        dir: &Beneath,
        name: &[u8],
        mode: EntryMode,
        path: &[u8],
        bytes: Option<&[u8]>,
    ) -> Result<Stat, WorkspaceError> {
        let bits = if mode == EntryMode::Executable { 0o777 } else { 0o666 };
        let mut file = dir.new_file(name, bits).map_err(self.failed("write", path))?;
        match bytes {
            Some(bytes) => file.write_all(bytes).map_err(self.failed("write", path))?,
            None => self.said_next(path, &mut file)?,
        }
        let looked = futimens(&file, self.times).and_then(|()| fstat(&file));
        looked.map_err(|e| self.failed("write", path)(e.into()))
    }

    fn link(
        &mut self,
        dir: &Beneath,
        name: &[u8],
        path: &[u8],
        bytes: Option<&[u8]>,
    ) -> Result<Stat, WorkspaceError> {
        let mut said = Vec::new();
        let target = match bytes {
            Some(bytes) => bytes,
            None => {
                self.said_next(path, &mut said)?;
                &said
            }
        };
        let (name, flags) = (OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW);
        let made = symlinkat(OsStr::from_bytes(target), dir, name)
            .and_then(|()| utimensat(dir, name, self.times, flags))
            .and_then(|()| statat(dir, name, flags));
        made.map_err(|e| self.failed("write", path)(e.into()))
    }

    fn said_next(&mut self, path: &[u8], to: &mut dyn std::io::Write) -> Result<(), WorkspaceError> {
        let blobs = self.blobs.as_mut().ok_or_else(|| missing(path))?;
        blobs.next(to).map_err(git_error)?.map(drop).ok_or_else(|| missing(path))
    }

    fn failed(
        &self,
        doing: &'static str,
        path: &[u8],
    ) -> impl FnOnce(std::io::Error) -> WorkspaceError + use<> {
        io_error(doing, &self.root.join(OsStr::from_bytes(path)))
    }
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|b| *b == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}

fn git_error(source: GitError) -> WorkspaceError {
    WorkspaceError::Git { doing: "read the base's files", source }
}

fn missing(path: &[u8]) -> WorkspaceError {
    git_error(GitError::unexpected("cat-file", format!("the blob of {}", RepoPath::new(path))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_git_would_not_check_out_are_refused() {
        for name in [".git", ".GIT", "git~1", "..", ".", "", ".g\u{200c}it", "a\\.git"] {
            assert!(!may_be_written(name.as_bytes()), "{name:?}");
        }
        for name in [".gitignore", "git", "a", ".github", "\u{fc}"] {
            assert!(may_be_written(name.as_bytes()), "{name:?}");
        }
    }
}
