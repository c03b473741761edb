//! Sandboxes in temporary folders, as root and as an ordinary user.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// An ordinary user of every Linux system, to whom nothing here belongs.
const NOBODY: u32 = 65534;

/// Who runs what is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Whoever runs the tests.
    Self_,
    /// `nobody`; only root can become it.
    Ordinary,
}

/// All that can be tried here: an ordinary user who runs the tests cannot become another.
pub fn everyone() -> Vec<Who> {
    if rustix::process::geteuid().is_root() { vec![Who::Self_, Who::Ordinary] } else { vec![Who::Self_] }
}

/// A folder with a copy of the test's own program, which `who` can read and write.
pub struct Place {
    pub root: TempDir,
    pub who: Who,
    pub program: PathBuf,
}

impl Place {
    pub fn new(who: Who) -> Place {
        // Below /tmp, because an ordinary user cannot pass through root's home.
        let root = tempfile::Builder::new().prefix("divisi sandbox").tempdir_in("/tmp").unwrap();
        let program = root.path().join("program");
        std::fs::copy(env!("CARGO_BIN_EXE_divisi-shim-test"), &program).unwrap();
        std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let place = Place { root, who, program };
        place.give(place.root.path());
        place
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(name)
    }

    /// Makes a folder that belongs to `who`.
    pub fn folder(&self, name: impl AsRef<Path>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(&path).unwrap();
        self.give(&path);
        path
    }

    /// Writes a file that belongs to `who`.
    pub fn file(&self, name: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        self.give(path.parent().unwrap());
        self.give(&path);
        path
    }

    fn give(&self, path: &Path) {
        if self.who == Who::Ordinary {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }

    /// Runs a habit of the test's own program as `who`.
    pub fn run<A: AsRef<OsStr>>(&self, habit: impl IntoIterator<Item = A>) -> Output {
        let mut command = Command::new(&self.program);
        command.args(habit).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").current_dir("/");
        if self.who == Who::Ordinary {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.output().unwrap()
    }
}
