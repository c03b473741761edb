//! Sandboxes in temporary folders, as root and as an ordinary user.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use divisi_workspace::launch::{Launch, ShimCommand, Spec};
use divisi_workspace::sandbox::Sandbox;
use tempfile::TempDir;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

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

/// A folder that `who` can read and write, with a copy of the test's own program.
pub struct Place {
    pub root: TempDir,
    pub who: Who,
    pub program: PathBuf,
}

impl Place {
    pub fn new(who: Who) -> Place {
        let root = tempfile::Builder::new().prefix("sandbox ").tempdir_in(base()).unwrap();
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
        let mut missing: Vec<_> = path.ancestors().take_while(|path| !path.exists()).collect();
        std::fs::create_dir_all(&path).unwrap();
        missing.reverse();
        missing.into_iter().for_each(|path| self.give(path));
        path
    }

    /// Writes a file that belongs to `who`.
    pub fn file(&self, name: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(&name);
        self.folder(name.as_ref().parent().unwrap());
        std::fs::write(&path, text).unwrap();
        self.give(&path);
        path
    }

    fn give(&self, path: &Path) {
        if self.who == Who::Ordinary {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }

    /// A command run by `who`.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", PATH).current_dir("/");
        if self.who == Who::Ordinary {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Runs a habit of the test's own program as `who`.
    pub fn run<A: AsRef<OsStr>>(&self, habit: impl IntoIterator<Item = A>) -> Output {
        self.command(&self.program).args(habit).output().unwrap()
    }

    /// A shell script in `work`, which it may write; the rest of this place it may only read.
    pub fn shell(&self, script: &str, sandbox: Option<Sandbox>) -> Spec {
        let mut spec = Spec::new(["/bin/sh", "-c", script], self.folder("work"));
        spec.env.insert("PATH".into(), PATH.into());
        spec.env.insert("HOME".into(), self.folder("work").into());
        spec.sandbox = sandbox;
        spec
    }

    /// The least that a sandbox here has.
    pub fn sandbox(&self) -> Sandbox {
        Sandbox {
            visible: vec![self.root.path().to_owned()],
            writable: vec![self.folder("work")],
            temp: Some(self.folder("temp")),
            ..Sandbox::default()
        }
    }

    /// Prepares a launch for `launch` or `daemon`.
    pub fn prepare(&self, spec: &Spec) -> PathBuf {
        let run = self.folder(format!("runs/{}", spec.id));
        self.file(run.join("spec-for-daemon.json"), serde_json::to_vec(spec).unwrap());
        run
    }

    pub fn shim(&self) -> ShimCommand {
        ShimCommand::new(&self.program, ["shim"])
    }

    /// Launches it as who runs the tests.
    pub async fn start(&self, spec: &Spec) -> Launch {
        Launch::start(&self.prepare(spec).join("launch"), spec, &self.shim()).await.unwrap()
    }

    /// Launches it as `who`, and gives what it said and how it ended.
    pub fn launch(&self, spec: &Spec) -> String {
        let out = self.run([OsStr::new("launch"), self.prepare(spec).as_os_str()]);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    }
}

/// Where an ordinary user can get to; not where a sandbox has its own, if that can be had.
fn base() -> &'static Path {
    let usual = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let open = |path: &Path| std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o1 != 0);
    if usual.ancestors().all(open) { usual } else { Path::new("/tmp") }
}

/// Processes of this machine with `mark` in their command line.
pub fn processes_with(mark: &str) -> Vec<i32> {
    let pids = std::fs::read_dir("/proc").unwrap().filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    let has = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(mark)
    };
    pids.filter(has).collect()
}
