//! Touching files that an agent can swap at any moment, without ever leaving their folder.
//!
//! Every name is resolved by `openat2` below an open directory: no symbolic link is followed, no mount is entered,
//! no `..` leads out; nothing but regular files is opened, and never in a way that can wait (a FIFO).

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, mkdirat, openat, openat2,
    readlinkat, statat,
};

const INSIDE: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_MAGICLINKS)
    .union(ResolveFlags::NO_XDEV);

/// Most names of one folder that are taken into memory.
const MAX_NAMES: usize = 2_000_000;

/// The bytes of a regular file of a folder that others can write to, by a path below it. No link is followed and no
/// mount entered on the way, and nothing but a regular file is opened.
///
/// # Errors
/// `FileTooLarge` when it has more than `max` bytes; `NotFound`; another kind when it is no such file.
pub fn read_inside(dir: &Path, path: &str, max: u64) -> io::Result<Vec<u8>> {
    let (file, _) = Beneath::open(dir)?.file(path.as_bytes())?;
    let mut bytes = Vec::new();
    file.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// An open folder.
#[derive(Debug)]
pub(crate) struct Beneath {
    fd: OwnedFd,
}

impl AsFd for Beneath {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Beneath {
    /// Opens the folder itself; its last component may not be a symbolic link.
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self { fd: openat(CWD, dir, flags, Mode::empty())? })
    }

    /// A folder below.
    pub(crate) fn dir(&self, path: &[u8]) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self { fd: openat2(&self.fd, OsStr::from_bytes(path), flags, Mode::empty(), INSIDE)? })
    }

    /// What a name in this folder is; a link is not followed.
    pub(crate) fn stat(&self, name: &[u8]) -> io::Result<Stat> {
        Ok(statat(&self.fd, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Opens a regular file for reading; anything else is `InvalidInput`.
    pub(crate) fn file(&self, path: &[u8]) -> io::Result<(File, Stat)> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = openat2(&self.fd, OsStr::from_bytes(path), flags, Mode::empty(), INSIDE)?;
        let stat = fstat(&fd)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok((File::from(fd), stat))
    }

    /// The bytes of a small regular file; nothing if it is not there, is no regular file or is larger than `max`.
    pub(crate) fn read_small(&self, path: &[u8], max: u64) -> io::Result<Option<Vec<u8>>> {
        let (file, stat) = match self.file(path) {
            Ok(opened) => opened,
            Err(e) if is_absent(&e) => return Ok(None),
            Err(e) => return Err(e),
        };
        if u64::try_from(stat.st_size).unwrap_or(u64::MAX) > max {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(max + 1).read_to_end(&mut bytes)?;
        Ok((bytes.len() as u64 <= max).then_some(bytes))
    }

    /// The text of a symbolic link.
    pub(crate) fn link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        Ok(readlinkat(&self.fd, OsStr::from_bytes(name), Vec::new())?.into_bytes())
    }

    /// The names in this folder, sorted, without `.` and `..`.
    pub(crate) fn names(&self) -> io::Result<Vec<Vec<u8>>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            let entry = entry?;
            let name: &CStr = entry.file_name();
            if names.len() >= MAX_NAMES {
                return Err(io::Error::other("too many names in one folder"));
            }
            if !matches!(name.to_bytes(), b"." | b"..") {
                names.push(name.to_bytes().to_vec());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The names in this folder with what they are, as far as the file system says, in no order.
    pub(crate) fn typed_names(&self) -> io::Result<Vec<(Vec<u8>, FileType)>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            let entry = entry?;
            if names.len() >= MAX_NAMES {
                return Err(io::Error::other("too many names in one folder"));
            }
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                names.push((name.to_vec(), entry.file_type()));
            }
        }
        Ok(names)
    }

    /// Makes the folders of `path` where they are missing and opens the last one. An empty path is this folder.
    pub(crate) fn make_dirs(&self, path: &[u8]) -> io::Result<Self> {
        let mut at = Self { fd: self.fd.try_clone()? };
        for name in path.split(|b| *b == b'/').filter(|name| !name.is_empty()) {
            match mkdirat(&at.fd, OsStr::from_bytes(name), Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                Err(e) => return Err(e.into()),
            }
            at = at.dir(name)?;
        }
        Ok(at)
    }

    /// Makes a new file in this folder; it must not exist yet.
    pub(crate) fn new_file(&self, name: &[u8], mode: u32) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(openat(&self.fd, OsStr::from_bytes(name), flags, Mode::from_raw_mode(mode))?))
    }
}

/// The name is not there, or is not what was looked for (a link, a device, a folder, another file system).
pub(crate) fn is_absent(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(
        errno,
        Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::ISDIR | Errno::NXIO)
    ) || matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::NotFound)
}

/// True for every spelling that some file system takes for `.git`: letter case, Windows' short name, trailing dots
/// and spaces, streams, and the characters that macOS ignores in names.
pub(crate) fn looks_like_dot_git(name: &[u8]) -> bool {
    if name.contains(&b'\\') {
        // On Windows a backslash separates folders.
        return name.split(|b| *b == b'\\').any(looks_like_dot_git);
    }
    let text: String = String::from_utf8_lossy(name).chars().filter(|c| !ignored_by_hfs(*c)).collect();
    let text = text.to_ascii_lowercase();
    let text = text.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    matches!(text, ".git" | "git~1")
}

fn ignored_by_hfs(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_and_special_files_are_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let out = tempfile::tempdir().unwrap();
        std::fs::write(out.path().join("secret"), "s").unwrap();
        std::fs::write(dir.path().join("plain"), "p").unwrap();
        symlink(out.path().join("secret"), dir.path().join("link")).unwrap();
        symlink(out.path(), dir.path().join("folder")).unwrap();
        rustix::fs::mkfifoat(CWD, dir.path().join("fifo"), Mode::RUSR).unwrap();
        let at = Beneath::open(dir.path()).unwrap();
        assert_eq!(at.read_small(b"plain", 10).unwrap().as_deref(), Some(&b"p"[..]));
        for name in [&b"link"[..], b"folder/secret", b"fifo", b"../x", b"gone"] {
            assert!(at.file(name).is_err(), "{}", String::from_utf8_lossy(name));
        }
        assert_eq!(at.read_small(b"link", 10).unwrap(), None);
        assert!(at.dir(b"folder").is_err());
        assert!(at.make_dirs(b"folder/new").is_err());
        assert!(!out.path().join("new").exists());
    }

    #[test]
    fn all_spellings_of_dot_git_are_known() {
        for name in [
            ".git",
            ".GIT",
            ".Git",
            "git~1",
            "GIT~1",
            ".git.",
            ".git ",
            ".git::$INDEX_ALLOCATION",
            ".g\u{200c}it",
            "a\\.git",
        ] {
            assert!(looks_like_dot_git(name.as_bytes()), "{name:?}");
        }
        for name in [".gitignore", ".github", "git", ".gitmodules", "git~2"] {
            assert!(!looks_like_dot_git(name.as_bytes()), "{name:?}");
        }
    }
}
