//! One test's own surroundings: home, configuration, git identity, temporary folder and processes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::clean_up::{self, LivingProcess};
use crate::{Program, Redactor, Repo, Transcript, agents, program};

/// The surroundings of one test. Everything lies in one folder below the target folder (Divisi refuses workspaces in
/// the system's temporary folder), and every program started through it sees nothing of the real user.
///
/// When it is dropped, every process that still lives in it is killed and the folder is removed. A test that panics
/// leaves its folder behind and says where; `DIVISI_TEST_KEEP=1` keeps all of them.
pub struct TestEnv {
    root: Option<TempDir>,
    path: PathBuf,
    variables: RefCell<BTreeMap<OsString, OsString>>,
    redactor: Redactor,
}

/// Folders of an environment that programs are told of, by variable.
const FOLDERS: &[(&str, &str)] = &[
    ("HOME", "home"),
    ("XDG_CONFIG_HOME", "home/.config"),
    ("XDG_DATA_HOME", "home/.local/share"),
    ("XDG_STATE_HOME", "home/.local/state"),
    ("XDG_CACHE_HOME", "home/.cache"),
    ("XDG_RUNTIME_DIR", "run"),
    ("TMPDIR", "tmp"),
];

const IDENTITY: &[(&str, &str)] = &[
    ("GIT_AUTHOR_NAME", "Ada Example"),
    ("GIT_AUTHOR_EMAIL", "ada@example.org"),
    ("GIT_COMMITTER_NAME", "Ada Example"),
    ("GIT_COMMITTER_EMAIL", "ada@example.org"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("LANG", "C.UTF-8"),
    ("LC_ALL", "C.UTF-8"),
    ("TZ", "UTC"),
    ("TERM", "dumb"),
    ("NO_COLOR", "1"),
    // Daemons of tests leave the usual port alone.
    ("DIVISI_PORT", "0"),
    // Test suites written in Python leave no byte code behind, so a checkout stays as it was.
    ("PYTHONDONTWRITEBYTECODE", "1"),
];

impl TestEnv {
    /// A new environment with empty folders.
    ///
    /// # Panics
    /// If the folders cannot be made.
    #[expect(clippy::new_without_default, reason = "making one touches the disk")]
    pub fn new() -> TestEnv {
        let parent = target_folder().join("tmp");
        fs::create_dir_all(&parent).expect("the target folder takes new folders");
        let parent = parent.canonicalize().expect("it was just made");
        // The name is short because paths of unix sockets have little room.
        let root = tempfile::Builder::new()
            .prefix("d-")
            .rand_bytes(5)
            .tempdir_in(&parent)
            .expect("it takes one more");
        let path = root.path().canonicalize().expect("it was just made");
        let mut variables: BTreeMap<OsString, OsString> =
            IDENTITY.iter().map(|(name, value)| (OsString::from(*name), OsString::from(*value))).collect();
        for (variable, folder) in FOLDERS {
            fs::create_dir_all(path.join(folder)).expect("the root was just made");
            variables.insert(OsString::from(*variable), path.join(folder).into_os_string());
        }
        restrict(&path.join("run"));
        // PATH is the one thing taken from the real surroundings: git, python and node are found by it.
        variables.insert("PATH".into(), std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
        // The target folder may lie inside a repository, which git must not find by looking upwards.
        variables.insert("GIT_CEILING_DIRECTORIES".into(), parent.into_os_string());
        let redactor = Redactor::new(&path);
        TestEnv { root: Some(root), path, variables: RefCell::new(variables), redactor }
    }

    /// The folder that holds everything of this environment.
    pub fn root(&self) -> &Path {
        &self.path
    }

    /// The home folder that programs see.
    pub fn home(&self) -> PathBuf {
        self.path.join("home")
    }

    /// A path inside the environment; nothing is made.
    pub fn join(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.path.join(relative)
    }

    /// Sets a variable for every program started from now on.
    pub fn set(&self, variable: impl Into<OsString>, value: impl Into<OsString>) {
        self.variables.borrow_mut().insert(variable.into(), value.into());
    }

    /// All variables that programs see, for code that takes its environment as a value.
    pub fn variables(&self) -> Vec<(OsString, OsString)> {
        self.variables.borrow().iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Puts a folder in front of `PATH` for every program started from now on.
    ///
    /// # Panics
    /// If the folder has a colon in its name.
    pub fn prepend_path(&self, folder: impl Into<PathBuf>) {
        let mut variables = self.variables.borrow_mut();
        let old = variables.get(OsStr::new("PATH")).cloned().unwrap_or_default();
        let folders = std::iter::once(folder.into()).chain(std::env::split_paths(&old));
        variables
            .insert("PATH".into(), std::env::join_paths(folders).expect("no colon in the folder's name"));
    }

    /// Makes installed real agents findable by name.
    ///
    /// # Panics
    /// If one is not installed, with the sentence that says how to get it.
    pub fn with_agents(&self, names: &[&str]) {
        for name in names {
            self.prepend_path(agents::require_agent(name).program_folder());
        }
    }

    /// A program with exactly this environment, in the root folder.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.variables()).current_dir(&self.path);
        command
    }

    /// A program to be run to its end, with its output kept and a bound on its time.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Program<'_> {
        Program::new(self, program.as_ref())
    }

    /// The `divisi` program.
    ///
    /// # Panics
    /// If it was not built.
    pub fn divisi(&self) -> Program<'_> {
        Program::new(self, program::divisi_program().as_os_str())
    }

    /// A record of several calls of `divisi` in `folder`, for a snapshot.
    pub fn transcript(&self, folder: impl Into<PathBuf>) -> Transcript<'_> {
        Transcript::new(self, folder.into())
    }

    /// A new git repository named `name`, with no commit yet.
    pub fn repo(&self, name: &str) -> Repo<'_> {
        Repo::init(self, name)
    }

    /// Replaces what differs from run to run (paths, ids, times) by stable names.
    pub fn redact(&self, text: &str) -> String {
        self.redactor.redact(text)
    }

    /// Every living process that belongs to this environment: by its variables, its folder or its arguments.
    pub fn processes(&self) -> Vec<LivingProcess> {
        clean_up::living(&self.path)
    }
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        clean_up::kill_all(&self.path);
        if std::thread::panicking() || std::env::var_os("DIVISI_TEST_KEEP").is_some() {
            if let Some(root) = self.root.take() {
                // Only a test that failed or was asked to keep its folder speaks here.
                let _ = root.keep();
                clean_up::say(&format!("the environment of this test is kept in {}", self.path.display()));
            }
            return;
        }
        if let Some(root) = self.root.take() {
            clean_up::remove(root);
        }
    }
}

/// The target folder that this test was built into.
///
/// # Panics
/// If the test does not lie where cargo puts tests.
pub fn target_folder() -> PathBuf {
    let program = std::env::current_exe().expect("a running test has a program");
    let deps = program.ancestors().find(|folder| folder.file_name() == Some(OsStr::new("deps")));
    let profile = deps.and_then(Path::parent).and_then(Path::parent);
    profile.expect("cargo builds tests into <target>/<profile>/deps").to_path_buf()
}

/// What `XDG_RUNTIME_DIR` has to be: for its owner alone.
fn restrict(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).expect("the folder is ours");
}
