//! What an agent can plant in its workspace to have code run outside of it, or to hide something from review.
//!
//! Each attack is armed, every public operation is run over the workspace, and the trace that the attack would leave
//! must not be there. Then an ordinary git is run in the same place, to show that the attack was live: a test that
//! cannot fail would prove nothing.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;

use divisi_workspace::sandbox::Holder;
use divisi_workspace::{
    ArchiveLimits, ArchiveRequest, BoxLevel, CommitId, DiffLimits, Hub, IncludeLimits, IntegrateRequest,
    Integration, Kind, LandError, LandMode, LandRequest, NewWorkspace, Snapshot, Workspace,
};

use crate::results::result_request;
use crate::support::{Fixture, divisi, write};

struct Attack {
    f: Fixture,
    space: Workspace,
    marker: PathBuf,
    script: PathBuf,
}

impl Attack {
    fn new() -> Self {
        let f = Fixture::new();
        let space = f.workspace("t1.1");
        write(&space.path(), "src/lib.rs", "pub fn changed() {}\n");
        write(&space.path(), "new.rs", "new\n");
        let (marker, script) = (f.path("EXECUTED"), f.path("evil.sh"));
        fs::write(&script, format!("#!/bin/sh\necho \"$0 $@\" >> '{}'\ncat\n", marker.display())).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        Self { f, space, marker, script }
    }

    fn script(&self) -> String {
        self.script.display().to_string()
    }

    fn config(&self, text: &str) {
        let file = self.space.path().join(".git/config");
        let mut config = fs::read_to_string(&file).unwrap();
        config.push_str(&text.replace("EVIL", &self.script()));
        fs::write(&file, config).unwrap();
    }

    fn put(&self, path: &str, text: &str) {
        write(&self.space.path(), path, text.replace("EVIL", &self.script()));
    }

    fn agent_git(&self, args: &[&str]) -> (bool, String) {
        self.f.try_git_in(&self.space.path(), args)
    }

    /// Every public operation, over the workspace and over an overlay that holds the same.
    fn run_everything(&mut self) -> (Snapshot, CommitId) {
        let mut twin = self.twin();
        let (of_twin, _) = self.run_over(&mut twin);
        let mut space = self.space.clone();
        let (snapshot, result) = self.run_over(&mut space);
        self.space = space;
        assert_eq!(self.f.tree(&of_twin.commit), self.f.tree(&snapshot.commit));
        assert_eq!(of_twin.notes, snapshot.notes);
        (snapshot, result)
    }

    /// An overlay workspace into which everything was copied that the agent planted, its git directory included.
    fn twin(&self) -> Workspace {
        let mut new = NewWorkspace::new("t8.1", self.space.base().clone()).on_branch("divisi/t8.1");
        new.kind = Kind::Overlay;
        let twin = self.f.spaces().create(&self.f.hub, &new).unwrap();
        let holder = Holder::mount(&twin.overlay().unwrap()).unwrap();
        for entry in fs::read_dir(holder.view()).unwrap().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => fs::remove_dir_all(entry.path()).unwrap(),
                false => fs::remove_file(entry.path()).unwrap(),
            }
        }
        let (from, to) = (self.space.path().join("."), holder.view());
        let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
        assert!(copied.success());
        twin
    }

    /// Every public operation that touches the workspace or what came out of it.
    fn run_over(&self, space: &mut Workspace) -> (Snapshot, CommitId) {
        let f = &self.f;
        let project = f.project();
        let old = f.base();
        let snapshot = f.snapshot(space);
        space.changed(&f.hub).unwrap();
        let asked = result_request(space.name());
        let result = space.record_result(&f.hub, &snapshot, &asked).unwrap().unwrap();
        let diff = f.hub.diff(space.base(), &snapshot.commit, &DiffLimits::default()).unwrap();
        assert!(diff.files.iter().any(|d| d.path == "src/lib.rs".into() && !d.hunks.is_empty()), "{diff:#?}");
        f.hub.patch_text(space.base(), &result.commit, 1 << 20).unwrap();
        f.hub.trial_merge(&old, &result.commit).unwrap();
        for mode in [LandMode::Merge, LandMode::Rebase, LandMode::Squash] {
            let wanted = IntegrateRequest {
                label: "t1".into(),
                target: Some(old.clone()),
                base: self.space.base().clone(),
                result: result.commit.clone(),
                mode,
                message: "land".into(),
                trailers: vec![],
                author: divisi(),
                committer: divisi(),
            };
            let Integration::Ready { commit, .. } = f.hub.integrate(&wanted).unwrap() else {
                panic!("{mode:?}")
            };
            // A clean checkout for checks.
            let check = f.spaces().create(&f.hub, &NewWorkspace::new("check", commit.clone())).unwrap();
            f.spaces().discard(&check).unwrap();
            let request = LandRequest {
                branch: "main".into(),
                expected: Some(old.clone()),
                new: commit,
                by: divisi(),
                reason: "land".into(),
            };
            match f.hub.land(&project, &request) {
                Ok(landed) => f.hub.undo(&project, &landed, &divisi(), "undo").unwrap(),
                Err(LandError::NeedsFilter { .. }) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        space.restore_file(&f.hub, &snapshot.commit, &"src/lib.rs".into()).unwrap();
        space.include_from(&project, IncludeLimits::default()).unwrap();
        let request = ArchiveRequest { by: divisi(), limits: ArchiveLimits::default(), allow_loss: false };
        f.spaces().archive(&f.hub, space, &request).unwrap();
        *space = f.spaces().restore(&f.hub, space.name(), space.record().kind).unwrap();
        self.assert_not_executed();
        assert_eq!(f.head(), old);
        (snapshot, result.commit)
    }

    fn assert_not_executed(&self) {
        if let Ok(trace) = fs::read_to_string(&self.marker) {
            panic!("the attack was executed: {trace}");
        }
    }

    /// The same place under an ordinary git: the attack works there.
    fn assert_live(&self, commands: &[&[&str]]) {
        for args in commands {
            self.agent_git(args);
        }
        assert!(self.marker.exists(), "the attack was not armed, so the test shows nothing");
    }
}

const NAIVE: &[&[&str]] = &[&["status"], &["diff"], &["add", "-A"], &["commit", "-m", "x"]];

#[test]
fn file_system_monitor() {
    let mut a = Attack::new();
    a.config("[core]\n\tfsmonitor = EVIL\n");
    a.run_everything();
    a.assert_live(NAIVE);
}

#[test]
fn clean_and_smudge_filters() {
    let mut a = Attack::new();
    a.config("[filter \"evil\"]\n\tclean = EVIL\n\tsmudge = EVIL\n\tprocess = EVIL\n\trequired = true\n");
    a.put(".gitattributes", "* filter=evil\n");
    // Divisi's own rule against filters is in a file that the agent can write as well.
    a.put(".git/info/attributes", "");
    a.run_everything();
    a.assert_live(NAIVE);
}

#[test]
fn filters_by_attributes_outside_the_tree() {
    let mut a = Attack::new();
    a.config("[filter \"evil\"]\n\tclean = EVIL\n\tsmudge = EVIL\n");
    a.put(".git/info/attributes", "* filter=evil\n");
    a.run_everything();
    a.assert_live(NAIVE);
}

#[test]
fn text_converters_and_external_diffs() {
    let mut a = Attack::new();
    a.config("[diff]\n\texternal = EVIL\n[diff \"evil\"]\n\ttextconv = EVIL\n\tcommand = EVIL\n[merge \"evil\"]\n\tdriver = EVIL\n");
    a.put(".gitattributes", "* diff=evil merge=evil\n");
    a.run_everything();
    a.assert_live(NAIVE);
}

#[test]
fn a_git_directory_replaced_by_a_pointer() {
    let mut a = Attack::new();
    a.config("[core]\n\tfsmonitor = EVIL\n");
    fs::rename(a.space.path().join(".git"), a.f.path("moved.git")).unwrap();
    a.put(".git", &format!("gitdir: {}\n", a.f.path("moved.git").display()));
    a.run_everything();
    a.assert_live(NAIVE);
}

#[test]
fn a_git_directory_replaced_by_a_link() {
    let mut a = Attack::new();
    a.config("[core]\n\tfsmonitor = EVIL\n");
    fs::rename(a.space.path().join(".git"), a.f.path("moved.git")).unwrap();
    symlink(a.f.path("moved.git"), a.space.path().join(".git")).unwrap();
    a.run_everything();
    a.assert_live(NAIVE);
}

#[test]
fn a_common_directory_pointed_elsewhere() {
    let mut a = Attack::new();
    let other = a.f.path("other.git");
    a.f.git_in(&a.f.path(""), ["clone", "-q", "--bare", "repo", "other.git"]);
    let mut config = fs::read_to_string(other.join("config")).unwrap();
    config.push_str(&format!("[core]\n\tfsmonitor = {}\n\tbare = false\n", a.script()));
    fs::write(other.join("config"), config).unwrap();
    a.put(".git/commondir", &format!("{}\n", other.display()));
    a.run_everything();
    a.assert_live(NAIVE);
}

#[test]
fn configuration_of_a_worktree() {
    let mut a = Attack::new();
    a.config("[extensions]\n\tworktreeConfig = true\n");
    a.put(".git/config.worktree", "[core]\n\tfsmonitor = EVIL\n");
    a.run_everything();
    a.assert_live(NAIVE);
}

#[test]
fn included_configuration() {
    let mut a = Attack::new();
    a.config("[include]\n\tpath = extra\n");
    a.put(".git/extra", "[core]\n\tfsmonitor = EVIL\n\tsshCommand = EVIL\n\tpager = EVIL\n[uploadpack]\n\tpackObjectsHook = EVIL\n");
    a.run_everything();
    a.assert_live(NAIVE);
}

#[test]
fn a_nested_repository_with_a_filter() {
    let mut a = Attack::new();
    let nested = a.space.path().join("nested");
    a.f.git_in(&a.space.path(), ["init", "-q", "nested"]);
    write(&nested, "f", "x\n");
    a.f.git_in(&nested, ["add", "f"]);
    a.f.git_in(&nested, ["commit", "-q", "-m", "inner"]);
    a.put("nested/.gitattributes", "* filter=evil\n");
    a.put("nested/f", "y\n");
    let config = format!("\n[filter \"evil\"]\n\tclean = {}\n", a.script());
    let file = nested.join(".git/config");
    fs::write(&file, fs::read_to_string(&file).unwrap() + &config).unwrap();
    a.put(".gitmodules", "[submodule \"nested\"]\n\tpath = nested\n\turl = ./nested\n\tignore = none\n");
    a.agent_git(&["add", "nested"]);
    let (snapshot, result) = a.run_everything();
    for commit in [&snapshot.commit, &result] {
        let tree = a.f.tree(commit);
        assert!(tree.contains(&"100644 nested/f".to_owned()), "{tree:?}");
        assert!(!tree.iter().any(|line| line.starts_with("160000") || line.contains(".git/")), "{tree:?}");
    }
    a.assert_live(NAIVE);
}

#[test]
fn hooks() {
    let mut a = Attack::new();
    for hook in [
        "post-index-change",
        "reference-transaction",
        "pre-commit",
        "post-commit",
        "post-checkout",
        "update",
        "post-receive",
    ] {
        fs::copy(&a.script, a.space.path().join(".git/hooks").join(hook)).unwrap();
    }
    a.run_everything();
    a.assert_live(NAIVE);
}

#[test]
fn a_work_tree_pointed_at_somebody_elses_folder() {
    let mut a = Attack::new();
    write(&a.f.path("victim"), "precious", "mine\n");
    write(&a.f.path("victim"), "src/lib.rs", "mine\n");
    a.config(&format!("[core]\n\tworktree = {}\n", a.f.path("victim").display()));
    a.run_everything();
    let read = |name: &str| fs::read_to_string(a.f.path("victim").join(name)).unwrap();
    assert_eq!((read("precious"), read("src/lib.rs")), ("mine\n".into(), "mine\n".into()));
    a.agent_git(&["reset", "--hard"]);
    assert_ne!(read("src/lib.rs"), "mine\n", "the attack was not armed");
}

#[test]
fn a_branch_that_stands_for_another() {
    let mut a = Attack::new();
    a.agent_git(&["update-ref", "refs/heads/main", "HEAD"]);
    a.put(".git/refs/heads/divisi/t1.1", "ref: refs/heads/main\n");
    let refs = a.f.git(["for-each-ref"]);
    a.run_everything();
    assert_eq!(a.f.git(["for-each-ref"]), refs);
    assert_eq!(
        a.agent_git(&["symbolic-ref", "refs/heads/divisi/t1.1"]).1,
        "refs/heads/main",
        "and its own is not moved"
    );
}

#[test]
fn forged_objects_reach_nobody_else() {
    let mut a = Attack::new();
    let base_blob = a.f.git(["rev-parse", "HEAD:run.sh"]);
    let evil = a.space.path().join("evil-content");
    fs::write(&evil, "#!/bin/sh\nevil\n").unwrap();
    let (_, name) = a.agent_git(&["hash-object", "-w", "evil-content"]);
    let loose = |name: &str| a.space.path().join(".git/objects").join(&name[..2]).join(&name[2..]);
    fs::create_dir_all(loose(&base_blob).parent().unwrap()).unwrap();
    fs::copy(loose(&name), loose(&base_blob)).unwrap();
    a.agent_git(&["add", "-A"]);
    a.agent_git(&["commit", "-q", "-m", "with a forged object"]);
    a.run_everything();
    let next = a.f.workspace("t2.1");
    assert_eq!(fs::read_to_string(next.path().join("run.sh")).unwrap(), "#!/bin/sh\nexit 0\n");
    assert_eq!(a.f.git_in(a.f.hub.dir(), ["fsck", "--strict", "--no-dangling"]), "");
    assert_eq!(a.f.git(["fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn index_bits_and_private_excludes_hide_nothing() {
    let mut a = Attack::new();
    a.agent_git(&["update-index", "--skip-worktree", "src/lib.rs"]);
    a.agent_git(&["update-index", "--assume-unchanged", "src/main.rs"]);
    a.put("src/main.rs", "evil\n");
    a.put(".git/info/exclude", "*\n");
    a.put("backdoor.rs", "evil\n");
    let (_, status) = a.agent_git(&["status", "--porcelain"]);
    assert_eq!(status, "", "the attack is live: an ordinary git sees nothing");
    let (snapshot, result) = a.run_everything();
    let diff = a.f.hub.diff_files(a.space.base(), &result, &DiffLimits::default()).unwrap();
    let paths: Vec<_> = diff.files.iter().map(|d| d.path.to_string()).collect();
    assert_eq!(paths, ["backdoor.rs", "new.rs", "src/lib.rs", "src/main.rs"]);
    assert!(snapshot.notes.is_empty());
}

#[test]
fn an_ignore_rule_for_everything_is_told() {
    let mut a = Attack::new();
    a.put(".gitignore", "*\n");
    a.put("backdoor.rs", "evil\n");
    let (snapshot, _) = a.run_everything();
    assert!(a.f.tree(&snapshot.commit).contains(&"100644 backdoor.rs".to_owned()));
    assert!(snapshot.notes.iter().any(|n| n.path == "backdoor.rs".into()), "{:?}", snapshot.notes);
}

#[test]
fn replace_refs_change_no_diff() {
    let mut a = Attack::new();
    a.agent_git(&["add", "-A"]);
    a.agent_git(&["commit", "-q", "-m", "evil"]);
    let base = a.space.base().to_string();
    assert!(a.agent_git(&["replace", "HEAD", &base]).0);
    assert_eq!(a.agent_git(&["diff", &base, "HEAD"]).1, "", "the attack is live");
    let (_, result) = a.run_everything();
    let diff = a.f.hub.diff_files(a.space.base(), &result, &DiffLimits::default()).unwrap();
    assert_eq!(diff.stat.files, 2);
}

#[test]
fn links_out_of_the_tree_show_their_text_only() {
    let mut a = Attack::new();
    write(&a.f.path("host"), "secret", "HOST-SECRET\n");
    symlink(a.f.path("host/secret"), a.space.path().join("file-link")).unwrap();
    symlink(a.f.path("host"), a.space.path().join("folder-link")).unwrap();
    fs::remove_dir_all(a.space.path().join(".git/objects/info")).unwrap();
    symlink(a.f.path("host"), a.space.path().join(".git/objects/info")).unwrap();
    let (snapshot, _) = a.run_everything();
    let tree = a.f.tree(&snapshot.commit);
    assert!(tree.contains(&"120000 file-link".to_owned()) && tree.contains(&"120000 folder-link".to_owned()));
    let every_object = a.f.git_in(a.f.hub.dir(), ["cat-file", "--batch", "--batch-all-objects"]);
    assert!(!every_object.contains("HOST-SECRET"));
    assert_eq!(fs::read_dir(a.f.path("host")).unwrap().count(), 1);
}

#[test]
fn pipes_in_place_of_files_hold_nobody_up() {
    let a = Attack::new();
    let fifo = |path: &str| {
        let path = a.space.path().join(path);
        let _ = fs::remove_file(&path);
        rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::RWXU).unwrap();
    };
    for path in [
        ".gitignore",
        ".gitattributes",
        ".git/HEAD",
        ".git/packed-refs",
        ".git/index",
        ".git/config",
        "src/CACHEDIR.TAG",
        "run.sh",
    ] {
        fifo(path);
    }
    // The archive comes last and keeps everything but the pipes.
    let snapshot = a.f.snapshot(&a.space);
    assert_eq!(a.f.show(&snapshot.commit, "run.sh"), "#!/bin/sh\nexit 0", "a pipe is not a deletion");
    a.space.record_result(&a.f.hub, &snapshot, &result_request("t1.1")).unwrap().unwrap();
    let request = ArchiveRequest { by: divisi(), limits: ArchiveLimits::default(), allow_loss: false };
    a.f.spaces().archive(&a.f.hub, &a.space, &request).unwrap();
}

#[test]
fn shallow_and_graft_files_change_no_history() {
    let mut a = Attack::new();
    a.agent_git(&["add", "-A"]);
    a.agent_git(&["commit", "-q", "-m", "step"]);
    let (_, head) = a.agent_git(&["rev-parse", "HEAD"]);
    a.put(".git/shallow", &format!("{head}\n"));
    a.put(".git/info/grafts", &format!("{head}\n"));
    let (_, result) = a.run_everything();
    assert_eq!(result.as_str(), head);
    assert_eq!(a.f.git_in(a.f.hub.dir(), ["rev-list", "--count", result.as_str()]), "2");
    assert!(!a.f.hub.dir().join("shallow").exists() && !a.f.repo().join(".git/shallow").exists());
}

/// The last line of defence on its own: a git that *wants* to run a program, write elsewhere or open a socket.
#[test]
fn the_box_holds_even_if_the_door_does_not() {
    let level = divisi_workspace::git_box_level();
    assert_eq!(
        level,
        BoxLevel::Full,
        "needs Landlock and seccomp: Linux 5.19 or newer, outside of a container that forbids them"
    );
    let f = Fixture::new();
    // A hub whose own configuration has turned against us, as if an attack had got that far.
    let hub = Hub::open(&f.git, &f.path("data/turned.git")).unwrap();
    f.hub.take_base(&f.project(), &f.head()).unwrap();
    hub.take_base(&f.project(), &f.head()).unwrap();
    let marker = f.path("EXECUTED");
    let script = f.path("evil.sh");
    fs::write(&script, format!("#!/bin/sh\ntouch '{}'\n", marker.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let mut config = fs::read_to_string(hub.dir().join("config")).unwrap();
    config.push_str(&format!(
        "[merge \"evil\"]\n\tdriver = {}\n[filter \"evil\"]\n\tsmudge = {0}\n",
        script.display()
    ));
    fs::write(hub.dir().join("config"), config).unwrap();
    f.write(".gitattributes", "* merge=evil\n");
    f.write("src/lib.rs", "one\n");
    f.commit("ours");
    let ours = f.head();
    hub.take_base(&f.project(), &ours).unwrap();
    f.git(["checkout", "-q", "-b", "side", "HEAD~1"]);
    f.write("src/lib.rs", "two\n");
    let theirs = f.commit("theirs");
    hub.take_base(&f.project(), &theirs).unwrap();
    let _ = hub.trial_merge(&ours, &theirs);
    assert!(!marker.exists());
    let (_, said) = f.try_git_in(
        hub.dir(),
        ["-c", &format!("attr.tree={ours}"), "merge-tree", "--write-tree", ours.as_str(), theirs.as_str()],
    );
    assert!(marker.exists(), "without the box the driver runs: {said}");
}
