//! The folders of a workspace as its agent sees them, read without any mount.
//!
//! A plain checkout is what it is. An overlay is put together here from the folder of its changes and the layers below
//! it, by the kernel's rules: the uppermost one that has a name decides; a device 0/0 means that the name is gone;
//! folders are merged down to one that is marked opaque. Nobody writes into the layers, and what an agent can do to the
//! upper folder are ordinary files: the marks that make an overlay look elsewhere for a file's content (redirects and
//! the like) are refused.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use rustix::fs::{FileType, Stat, fgetxattr};
use rustix::io::Errno;

use crate::beneath::{Beneath, is_absent};
use crate::space::Workspace;

/// Marks by which an overlay leads elsewhere. None of our mounts makes them, and no agent can.
const LEADS_ELSEWHERE: [&str; 2] = ["user.overlay.redirect", "user.overlay.metacopy"];
const OPAQUE: &str = "user.overlay.opaque";

/// A folder.
#[derive(Debug)]
pub(crate) struct Folder {
    /// The uppermost first; never empty.
    parts: Vec<Part>,
    overlay: bool,
}

#[derive(Debug)]
struct Part {
    at: Beneath,
    /// It is the workspace's own, and not of a layer that all share.
    own: bool,
}

/// What a name is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) stat: Stat,
    /// It comes from a layer as it is, with all that is below it: the workspace has nothing of that name.
    pub(crate) shared: bool,
}

impl Folder {
    /// The top folder of a workspace.
    pub(crate) fn top(space: &Workspace) -> io::Result<Self> {
        let Some(overlay) = space.overlay() else {
            let part = Part { at: Beneath::open(&space.path())?, own: true };
            return Ok(Self { parts: vec![part], overlay: false });
        };
        let upper = Part { at: Beneath::open(&overlay.upper)?, own: true };
        let lower = overlay.lower.iter().map(|dir| Ok(Part { at: Beneath::open(dir)?, own: false }));
        let parts: io::Result<Vec<Part>> = std::iter::once(Ok(upper)).chain(lower).collect();
        Ok(Self { parts: parts?, overlay: true })
    }

    /// The names in it, sorted.
    pub(crate) fn names(&self) -> io::Result<Vec<Vec<u8>>> {
        if !self.overlay {
            return self.parts[0].at.names();
        }
        let mut seen: BTreeMap<Vec<u8>, bool> = BTreeMap::new();
        for part in &self.parts {
            for (name, kind) in part.at.typed_names()? {
                let perhaps_gone = matches!(kind, FileType::CharacterDevice | FileType::Unknown);
                let gone =
                    |name: &[u8]| perhaps_gone && part.at.stat(name).is_ok_and(|stat| is_whiteout(&stat));
                seen.entry(name).or_insert_with_key(|name| !gone(name));
            }
        }
        Ok(seen.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect())
    }

    /// What a name is; a link is not followed.
    pub(crate) fn look(&self, name: &[u8]) -> io::Result<Look> {
        let (n, stat) = self.find(name)?;
        Ok(Look { stat, shared: !self.parts[n].own })
    }

    /// A folder in it.
    pub(crate) fn dir(&self, name: &[u8]) -> io::Result<Self> {
        let (first, _) = self.find(name)?;
        let mut parts = Vec::with_capacity(self.parts.len() - first);
        for part in &self.parts[first..] {
            let at = match part.at.dir(name) {
                Ok(at) => at,
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                // A file or a mark in a lower layer ends the merge.
                Err(e) if !parts.is_empty() && is_absent(&e) => break,
                Err(e) => return Err(e),
            };
            let opaque = self.overlay && part.own && is_opaque(&at)?;
            parts.push(Part { at, own: part.own });
            if opaque {
                break;
            }
        }
        if parts.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Self { parts, overlay: self.overlay })
    }

    /// Opens a regular file in it for reading; anything else is `InvalidInput`.
    pub(crate) fn file(&self, name: &[u8]) -> io::Result<(File, Stat)> {
        let (n, _) = self.find(name)?;
        let (file, stat) = self.parts[n].at.file(name)?;
        if self.overlay && self.parts[n].own {
            refuse_elsewhere(&file)?;
        }
        Ok((file, stat))
    }

    /// The bytes of a small regular file; nothing if it is not there, is no regular file or is larger than `max`.
    pub(crate) fn read_small(&self, name: &[u8], max: u64) -> io::Result<Option<Vec<u8>>> {
        match self.find(name) {
            Ok((n, _)) => self.parts[n].at.read_small(name, max),
            Err(e) if is_absent(&e) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The text of a symbolic link.
    pub(crate) fn link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        let (n, _) = self.find(name)?;
        self.parts[n].at.link(name)
    }

    fn find(&self, name: &[u8]) -> io::Result<(usize, Stat)> {
        for (n, part) in self.parts.iter().enumerate() {
            match part.at.stat(name) {
                Ok(stat) if self.overlay && is_whiteout(&stat) => break,
                Ok(stat) => return Ok((n, stat)),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }
}

fn is_whiteout(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == 0
}

fn is_opaque(dir: &Beneath) -> io::Result<bool> {
    refuse_elsewhere(dir)?;
    Ok(mark(dir, OPAQUE)?.is_some_and(|text| text == b"y"))
}

fn refuse_elsewhere(of: impl std::os::fd::AsFd) -> io::Result<()> {
    for name in LEADS_ELSEWHERE {
        if mark(&of, name)?.is_some() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its content is said to be elsewhere"));
        }
    }
    Ok(())
}

fn mark(of: impl std::os::fd::AsFd, name: &str) -> io::Result<Option<Vec<u8>>> {
    let mut text = [0u8; 16];
    match fgetxattr(of, name, &mut text[..]) {
        Ok(n) => Ok(Some(text[..n].to_vec())),
        Err(Errno::RANGE) => Ok(Some(Vec::new())),
        Err(Errno::NODATA | Errno::NOTSUP) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use rustix::fs::{CWD, Mode, XattrFlags, makedev, mknodat, setxattr};

    fn folder(parts: &[&Path]) -> Folder {
        let own = |n| n == 0;
        let part = |(n, dir): (usize, &&Path)| Part { at: Beneath::open(dir).unwrap(), own: own(n) };
        Folder { parts: parts.iter().enumerate().map(part).collect(), overlay: true }
    }

    fn put(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn gone(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        mknodat(CWD, path, FileType::CharacterDevice, Mode::empty(), makedev(0, 0)).unwrap();
    }

    fn text(folder: &Folder, name: &str) -> Option<String> {
        let bytes = folder.read_small(name.as_bytes(), 100).unwrap();
        bytes.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    fn names(folder: &Folder) -> Vec<String> {
        let name = |name: Vec<u8>| std::ffi::OsStr::from_bytes(&name).to_string_lossy().into_owned();
        folder.names().unwrap().into_iter().map(name).collect()
    }

    #[test]
    fn layers_are_merged_as_the_kernel_does() {
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let (up, mid, low) = (dir.path().join("up"), dir.path().join("mid"), dir.path().join("low"));
        for name in ["a", "b", "d/x", "d/y", "e/z", "f/q", "o/old"] {
            put(&low.join(name), "low");
        }
        put(&mid.join("b"), "mid");
        gone(&mid.join("d/x"));
        put(&mid.join("e"), "a file now");
        put(&up.join("d/new"), "up");
        gone(&up.join("a"));
        put(&up.join("o/new"), "up");
        setxattr(up.join("o"), OPAQUE, b"y", XattrFlags::empty()).unwrap();
        symlink("/etc", up.join("link")).unwrap();

        let top = folder(&[&up, &mid, &low]);
        assert_eq!(names(&top), ["b", "d", "e", "f", "link", "o"]);
        assert_eq!(text(&top, "b").as_deref(), Some("mid"));
        assert_eq!((text(&top, "a"), text(&top, "link")), (None, None));
        assert!(top.dir(b"link").is_err() && top.dir(b"e").is_err() && top.file(b"a").is_err());
        assert_eq!(names(&top.dir(b"d").unwrap()), ["new", "y"]);
        assert_eq!(names(&top.dir(b"o").unwrap()), ["new"]);
        assert!(top.look(b"f").unwrap().shared && !top.look(b"d").unwrap().shared);
    }

    #[test]
    fn marks_that_lead_elsewhere_are_refused() {
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let (up, low) = (dir.path().join("up"), dir.path().join("low"));
        put(&up.join("d/x"), "");
        put(&up.join("file"), "");
        put(&low.join("secret/x"), "s");
        setxattr(up.join("d"), LEADS_ELSEWHERE[0], b"/secret", XattrFlags::empty()).unwrap();
        setxattr(up.join("file"), LEADS_ELSEWHERE[1], b"", XattrFlags::empty()).unwrap();
        let top = folder(&[&up, &low]);
        assert!(top.dir(b"d").is_err() && top.file(b"file").is_err());
    }
}
