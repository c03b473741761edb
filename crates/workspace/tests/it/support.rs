//! What the git tests share: a user's repository, a hub and a place for workspaces, in a folder of their own.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use divisi_workspace::{
    CommitId, Git, Hub, Identity, NewWorkspace, Project, Signature, Snapshot, SnapshotLimits,
    SnapshotRequest, Workspace, Workspaces,
};

/// 1 January 2026.
pub const NOW: i64 = 1_767_225_600;

pub struct Fixture {
    // Not in the system's temporary folder, where workspaces are refused.
    dir: tempfile::TempDir,
    pub git: Git,
    pub hub: Hub,
}

impl Fixture {
    /// A user's repository `repo` on branch `main` with a few files, and an empty hub.
    pub fn new() -> Self {
        let fixture = Self::empty();
        fixture.write("README.md", "# Sample\n");
        fixture.write("src/main.rs", "fn main() {\n    println!(\"one\");\n}\n");
        fixture.write("src/lib.rs", "pub fn one() -> u32 {\n    1\n}\n");
        fixture.write(".gitignore", "*.log\n/build/\n.env\n");
        fixture.write("run.sh", "#!/bin/sh\nexit 0\n");
        fs::set_permissions(fixture.repo().join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        fixture.commit("first");
        fixture
    }

    /// The same without a commit.
    pub fn empty() -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let git = Git::find(OsStr::new("/usr/local/bin:/usr/bin:/bin")).unwrap();
        fs::create_dir_all(dir.path().join("repo")).unwrap();
        fs::create_dir_all(dir.path().join("home")).unwrap();
        let hub = Hub::open(&git, &dir.path().join("data/hub.git")).unwrap();
        let fixture = Self { dir, git, hub };
        fixture.git(["init", "-q", "-b", "main"]);
        fixture
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn repo(&self) -> PathBuf {
        self.path("repo")
    }

    pub fn project(&self) -> Project {
        Project::open(&self.git, &self.repo()).unwrap()
    }

    pub fn spaces(&self) -> Workspaces {
        Workspaces::open_anywhere(&self.path("data/workspaces"), &self.project()).unwrap()
    }

    pub fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        write(&self.repo(), path, text);
    }

    pub fn commit(&self, message: &str) -> CommitId {
        self.git(["add", "-A"]);
        self.git(["commit", "-q", "--allow-empty", "-m", message]);
        self.head()
    }

    pub fn head(&self) -> CommitId {
        CommitId::parse(&self.git(["rev-parse", "HEAD"])).unwrap()
    }

    /// Runs git as the user would, in the user's repository.
    pub fn git<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, args: I) -> String {
        self.git_in(&self.repo(), args)
    }

    pub fn git_in<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, dir: &Path, args: I) -> String {
        let (ok, text) = self.try_git_in(dir, args);
        assert!(ok, "{text}");
        text
    }

    pub fn try_git_in<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(
        &self,
        dir: &Path,
        args: I,
    ) -> (bool, String) {
        let out = Command::new("git")
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.path("home"))
            .envs([("GIT_AUTHOR_NAME", "User"), ("GIT_AUTHOR_EMAIL", "user@example.com")])
            .envs([("GIT_COMMITTER_NAME", "User"), ("GIT_COMMITTER_EMAIL", "user@example.com")])
            .envs([("GIT_AUTHOR_DATE", "1767225600 +0000"), ("GIT_COMMITTER_DATE", "1767225600 +0000")])
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .current_dir(dir)
            .args(args)
            .output()
            .unwrap();
        let text = if out.status.success() { out.stdout } else { out.stderr };
        (out.status.success(), String::from_utf8_lossy(&text).trim_end().to_owned())
    }

    /// The current commit of the user's repository, taken into the hub.
    pub fn base(&self) -> CommitId {
        let head = self.head();
        self.hub.take_base(&self.project(), &head).unwrap();
        head
    }

    /// A workspace on a branch of its own, from the user's current commit.
    pub fn workspace(&self, name: &str) -> Workspace {
        let new = NewWorkspace::new(name, self.base())
            .on_branch(format!("divisi/{name}"))
            .by(Identity::new("User", "user@example.com"));
        self.spaces().create(&self.hub, &new).unwrap()
    }

    pub fn snapshot(&self, space: &Workspace) -> Snapshot {
        space.snapshot(&self.hub, &request(space.name())).unwrap()
    }

    /// The entries of a commit in the hub: `mode path`.
    pub fn tree(&self, commit: &CommitId) -> Vec<String> {
        let out =
            self.git_in(self.hub.dir(), ["ls-tree", "-r", "--format=%(objectmode) %(path)", commit.as_str()]);
        out.lines().map(str::to_owned).collect()
    }

    pub fn show(&self, commit: &CommitId, path: &str) -> String {
        self.git_in(self.hub.dir(), ["show", &format!("{commit}:{path}")])
    }
}

pub fn request(attempt: &str) -> SnapshotRequest {
    SnapshotRequest {
        attempt: attempt.to_owned(),
        number: None,
        message: "a snapshot".to_owned(),
        by: divisi(),
        limits: SnapshotLimits::default(),
    }
}

pub fn divisi() -> Signature {
    Signature::new(Identity::new("Divisi", "divisi@localhost"), NOW)
}

pub fn write(dir: &Path, path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
    let file = dir.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

pub fn bytes(name: &[u8]) -> &OsStr {
    OsStr::from_bytes(name)
}
