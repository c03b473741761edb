//! Moving a workspace onto what landed meanwhile.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use divisi_workspace::{
    BaseMove, CommitId, History, IntegrateRequest, Integration, LandMode, MoveBaseError, NewWorkspace,
    RepoPath, Workspace,
};

use crate::results::{record, result_request};
use crate::support::{Fixture, bytes, divisi, write};

fn move_to(f: &Fixture, space: &mut Workspace, target: &CommitId) -> BaseMove {
    space.move_base(&f.hub, target, "t1.1", &divisi()).unwrap()
}

fn read(dir: &Path, path: &str) -> String {
    fs::read_to_string(dir.join(path)).unwrap()
}

fn paths(names: &[&str]) -> Vec<RepoPath> {
    names.iter().map(|name| RepoPath::from(*name)).collect()
}

/// Everything below a folder except `.git`: path, and mode with content or target.
fn files(dir: &Path) -> BTreeMap<Vec<u8>, (u32, Vec<u8>)> {
    let (mut found, mut open) = (BTreeMap::new(), vec![dir.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(dir).unwrap().as_os_str().as_bytes().to_vec();
            let meta = fs::symlink_metadata(&path).unwrap();
            if name == b".git" {
                continue;
            } else if meta.is_dir() {
                found.insert(name, (0, Vec::new()));
                open.push(path);
            } else if meta.is_symlink() {
                found.insert(name, (1, fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec()));
            } else {
                found.insert(name, (meta.permissions().mode(), fs::read(&path).unwrap()));
            }
        }
    }
    found
}

fn integrate(f: &Fixture, target: &CommitId, result: &CommitId, mode: LandMode) -> Integration {
    let request = IntegrateRequest {
        label: "t1".into(),
        target: Some(target.clone()),
        base: f.hub.merge_base(target, result).unwrap().unwrap(),
        result: result.clone(),
        mode,
        message: "Land t1".into(),
        trailers: Vec::new(),
        author: divisi(),
        committer: divisi(),
    };
    f.hub.integrate(&request).unwrap()
}

#[test]
fn a_contradiction_is_resolved_in_the_files_and_the_next_result_lands() {
    for mode in [LandMode::Merge, LandMode::Squash, LandMode::Rebase] {
        let f = Fixture::new();
        let mut space = f.workspace("t1.1");
        let dir = space.path();
        write(&dir, "README.md", "# The attempt's\n");
        f.git_in(&dir, ["commit", "-q", "-a", "-m", "an agent's commit"]);
        let old_head = f.git_in(&dir, ["rev-parse", "HEAD"]);
        write(&dir, "new", "only here\n");
        write(&dir, "debug.log", "ignored\n");
        let before = record(&f, &space).commit;
        f.write("README.md", "# Landed meanwhile\n");
        f.write("src/lib.rs", "pub fn two() {}\n");
        f.commit("meanwhile");
        let target = f.base();
        assert!(matches!(integrate(&f, &target, &before, mode), Integration::Conflicts(_)));

        let moved = move_to(&f, &mut space, &target);
        assert_eq!((&moved.conflicts, moved.updated, moved.git_dir), (&paths(&["README.md"]), 2, true));
        assert_eq!((moved.kept, moved.ignored), (Vec::new(), Vec::new()));
        assert_eq!(
            f.hub.ref_commit(&moved.snapshot).unwrap(),
            Some(f.hub.snapshots("t1.1").unwrap()[1].1.clone())
        );
        let text = read(&dir, "README.md");
        let part = |word: &str| text.find(word).unwrap_or_else(|| panic!("{word} in {text}"));
        assert!(part("<<<<<<<") < part("# Landed") && part("# Landed") < part("# The attempt's"), "{text}");
        assert_eq!(read(&dir, "src/lib.rs"), "pub fn two() {}\n");
        assert_eq!((read(&dir, "new"), read(&dir, "debug.log")), ("only here\n".into(), "ignored\n".into()));
        assert_eq!((space.base(), f.spaces().get("t1.1").unwrap().record()), (&target, space.record()));

        // What the agent sees with its own git.
        assert_eq!(f.git_in(&dir, ["status", "--porcelain=v1"]), " M README.md\n?? new");
        assert_eq!(f.git_in(&dir, ["rev-parse", "HEAD", "ORIG_HEAD"]), format!("{target}\n{old_head}"));
        assert_eq!(f.git_in(&dir, ["rev-parse", "--abbrev-ref", "HEAD"]), "divisi/t1.1");
        assert_eq!(f.git_in(&dir, ["diff", "--name-only", "HEAD"]), "README.md");
        assert_eq!(f.git_in(&dir, ["fsck", "--no-dangling"]), "");

        write(&dir, "README.md", "# Both\n");
        let snapshot = f.snapshot(&space);
        let result = space.record_result(&f.hub, &snapshot, &result_request("t1.1")).unwrap().unwrap();
        assert_eq!(f.git_in(f.hub.dir(), ["rev-parse", &format!("{}^", result.commit)]), target.as_str());
        let Integration::Ready { commit, commits } = integrate(&f, &target, &result.commit, mode) else {
            panic!("{mode:?} must be clean now");
        };
        assert_eq!(commits, 1);
        assert_eq!(
            (f.show(&commit, "README.md"), f.show(&commit, "new")),
            ("# Both".into(), "only here".into())
        );
        assert_eq!(f.show(&commit, "src/lib.rs"), "pub fn two() {}");

        // And once more, with commits of the agent's on the new base.
        f.git_in(&dir, ["add", "-A"]);
        f.git_in(&dir, ["commit", "-q", "-m", "resolved"]);
        assert_eq!(record(&f, &space).history, History::Kept { commits: 1 });
    }
}

#[test]
fn a_clean_merge_needs_nobody() {
    let f = Fixture::new();
    f.write("folder/a", "a\n");
    f.write("flat", "flat\n");
    f.commit("more");
    let mut space = f.workspace("t1.1");
    let dir = space.path();
    write(&dir, "src/main.rs", "fn main() {}\n");
    // A file becomes a folder, a folder a file, one gets executable, one a link, two go with their folder.
    for name in ["folder", "flat"] {
        f.git(["rm", "-q", "-r", name]);
    }
    f.write("folder", "now a file\n");
    f.write("flat/inside/deep", "now a folder\n");
    f.git(["rm", "-q", ".gitignore"]);
    symlink("README.md", f.repo().join(".gitignore")).unwrap();
    fs::set_permissions(f.repo().join("src/lib.rs"), fs::Permissions::from_mode(0o755)).unwrap();
    f.commit("meanwhile");
    let target = f.base();
    let moved = move_to(&f, &mut space, &target);
    assert_eq!((moved.conflicts.len(), moved.updated, moved.kept.len()), (0, 6, 0));
    f.write("src/main.rs", "fn main() {}\n");
    assert_eq!(files(&dir), files(&f.repo()));
    let snapshot = f.snapshot(&space);
    assert_eq!(
        f.git_in(f.hub.dir(), ["diff", "--name-only", target.as_str(), snapshot.visible.as_str()]),
        "src/main.rs"
    );
    assert_eq!(f.git_in(&dir, ["status", "--porcelain=v1"]), " M src/main.rs");
    let leftovers: Vec<_> = fs::read_dir(f.path("data/workspaces/.records")).unwrap().collect();
    assert_eq!(leftovers.len(), 2, "the record and what was read when: {leftovers:?}");

    // There already: nothing changes, and a branch with later commits stays.
    f.git_in(&dir, ["commit", "-q", "-a", "-m", "later"]);
    let head = f.git_in(&dir, ["rev-parse", "HEAD"]);
    assert_eq!(move_to(&f, &mut f.spaces().get("t1.1").unwrap(), &target), moved);
    assert_eq!(f.git_in(&dir, ["rev-parse", "HEAD"]), head);
}

#[test]
fn what_one_side_deleted_stays_deleted_or_is_a_conflict() {
    let f = Fixture::new();
    f.write("both", "1\n");
    f.commit("more");
    let mut space = f.workspace("t1.1");
    let dir = space.path();
    fs::remove_file(dir.join("README.md")).unwrap();
    fs::remove_file(dir.join("both")).unwrap();
    write(&dir, "src/lib.rs", "changed by the attempt\n");
    f.git(["rm", "-q", "run.sh", "src/lib.rs", "both"]);
    f.write("README.md", "# Changed meanwhile\n");
    f.commit("meanwhile");
    let target = f.base();
    let moved = move_to(&f, &mut space, &target);
    assert_eq!(moved.conflicts, paths(&["README.md", "src/lib.rs"]));
    assert!(!dir.join("run.sh").exists() && !dir.join("both").exists());
    assert_eq!(read(&dir, "README.md"), "# Changed meanwhile\n");
    assert_eq!(read(&dir, "src/lib.rs"), "changed by the attempt\n");
}

#[test]
fn a_folder_that_became_a_link_to_elsewhere_is_not_followed() {
    let f = Fixture::new();
    let mut space = f.workspace("t1.1");
    let dir = space.path();
    let outside = f.path("outside");
    write(&outside, "lib.rs", "precious\n");
    write(&outside, "main.rs", "precious\n");
    fs::remove_dir_all(dir.join("src")).unwrap();
    symlink(&outside, dir.join("src")).unwrap();
    f.write("src/lib.rs", "pub fn two() {}\n");
    f.write("src/added.rs", "\n");
    f.git(["rm", "-q", "src/main.rs"]);
    f.commit("meanwhile");
    let before = files(&outside);
    let target = f.base();
    let moved = move_to(&f, &mut space, &target);
    assert!(!moved.conflicts.is_empty());
    assert_eq!(files(&outside), before);
    assert_eq!(read(&dir, "src/lib.rs"), "pub fn two() {}\n");
    assert!(fs::symlink_metadata(dir.join("src")).unwrap().is_dir());
    let links: Vec<_> = files(&dir).into_iter().filter(|(_, (mode, _))| *mode == 1).collect();
    assert_eq!(links.len(), 1, "the link is kept under another name: {links:?}");
}

#[test]
fn names_of_any_bytes_are_brought_along() {
    let f = Fixture::new();
    f.write(bytes(b"caf\xe9"), "1\n");
    f.commit("more");
    let mut space = f.workspace("t1.1");
    write(&space.path(), bytes(b"caf\xe9"), "attempt\n");
    write(&space.path(), bytes(b"own \xff\nname"), "x");
    f.write(bytes(b"caf\xe9"), "meanwhile\n");
    f.write(bytes(b"d\xfe/new"), "x");
    f.commit("meanwhile");
    let target = f.base();
    let moved = move_to(&f, &mut space, &target);
    assert_eq!(moved.conflicts, [RepoPath::new(&b"caf\xe9"[..])]);
    assert!(fs::read(space.path().join(bytes(b"caf\xe9"))).unwrap().starts_with(b"<<<<<<<"));
    assert!(
        space.path().join(bytes(b"d\xfe/new")).exists()
            && space.path().join(bytes(b"own \xff\nname")).exists()
    );
    let json = serde_json::to_string(&moved).unwrap();
    assert_eq!(serde_json::from_str::<BaseMove>(&json).unwrap(), moved);
}

#[test]
fn what_is_ignored_stays_or_is_kept_aside() {
    let f = Fixture::new();
    let mut space = f.workspace("t1.1");
    let dir = space.path();
    write(&dir, ".env", "TOKEN=mine\n");
    write(&dir, "build/out/x", "built\n");
    write(&dir, "a.log", "log\n");
    write(&dir, "plan.txt", "the attempt's own\n");
    f.write(".gitignore", "*.log\n*.txt\n");
    f.write(".env", "TOKEN=\n");
    f.write("build", "a file\n");
    f.commit("meanwhile");
    let target = f.base();
    let moved = move_to(&f, &mut space, &target);
    assert_eq!(
        moved.kept.iter().map(|kept| kept.path.clone()).collect::<Vec<_>>(),
        paths(&[".env", "build"])
    );
    assert_eq!(fs::read_to_string(space.kept_dir().join(&moved.kept[0].name)).unwrap(), "TOKEN=mine\n");
    assert_eq!(read(&space.kept_dir(), &format!("{}/out/x", moved.kept[1].name)), "built\n");
    assert!(!space.kept_dir().starts_with(&dir));
    assert_eq!(
        (read(&dir, ".env"), read(&dir, "build"), read(&dir, "a.log")),
        ("TOKEN=\n".into(), "a file\n".into(), "log\n".into())
    );
    assert_eq!(moved.ignored, paths(&["plan.txt"]));
    assert_eq!(read(&dir, "plan.txt"), "the attempt's own\n");
}

/// Puts the record back to where a move has been begun, as a crash in the middle leaves it.
fn begin_again(f: &Fixture, space: &Workspace, old_base: &CommitId, moved: &BaseMove) -> Workspace {
    let from = f.hub.ref_commit(&moved.snapshot).unwrap().unwrap();
    // Only for moves without conflicts: then this prints nothing but the tree.
    let merged = f.git_in(f.hub.dir(), ["merge-tree", "--write-tree", space.base().as_str(), from.as_str()]);
    let file = f.path("data/workspaces/.records/t1.1.json");
    let mut json: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    json["base"] = old_base.as_str().into();
    json["moving"] = serde_json::json!({
        "snapshot": moved.snapshot, "from": from, "tree": merged, "target": space.base(), "conflicts": moved.conflicts,
    });
    fs::write(&file, serde_json::to_vec(&json).unwrap()).unwrap();
    f.spaces().get("t1.1").unwrap()
}

#[test]
fn a_move_that_died_is_finished_to_the_same_end() {
    let f = Fixture::new();
    let mut space = f.workspace("t1.1");
    let (dir, old_base) = (space.path(), space.base().clone());
    write(&dir, "src/main.rs", "fn main() {}\n");
    f.git(["rm", "-q", "run.sh"]);
    f.write("README.md", "# Meanwhile\n");
    f.write("src/lib.rs", "pub fn two() {}\n");
    f.write("deep/er/file", "x\n");
    f.commit("meanwhile");
    let target = f.base();
    let before = files(&dir);
    let moved = move_to(&f, &mut space, &target);
    let after = files(&dir);
    let staging = f.path("data/workspaces/.records/t1.1.staging");
    let restore = |names: &[&str]| {
        for name in names {
            match before.get(name.as_bytes()) {
                Some((mode, content)) => {
                    write(&dir, name, content);
                    fs::set_permissions(dir.join(name), fs::Permissions::from_mode(*mode)).unwrap();
                }
                None => drop(fs::remove_file(dir.join(name))),
            }
        }
    };
    // Changes in order: README.md 0, deep/er/file 1, run.sh 2, src/lib.rs 3.
    let all = ["README.md", "deep/er/file", "run.sh", "src/lib.rs"];
    for still_old in [&all[..], &all[1..], &all[..2], &[]] {
        restore(still_old);
        let mut space = begin_again(&f, &space, &old_base, &moved);
        assert_eq!(space.unfinished_move(), Some(&target));
        assert_eq!(move_to(&f, &mut space, &target), moved, "{still_old:?}");
        assert_eq!((files(&dir), space.base(), space.unfinished_move()), (after.clone(), &target, None));
        assert!(!staging.exists());
    }
    assert_eq!(f.hub.snapshots("t1.1").unwrap().len(), 1, "no second snapshot for the same move");

    // Died between taking an old file away and putting the new one in its place; one copy was half written.
    restore(&["README.md", "src/lib.rs", "deep/er/file"]);
    write(&staging, "0.part", "# Mean");
    fs::rename(dir.join("README.md"), f.path("data/workspaces/.records/t1.1.staging/0.old")).unwrap();
    let mut space = begin_again(&f, &space, &old_base, &moved);
    assert_eq!(move_to(&f, &mut space, &target), moved);
    assert_eq!(files(&dir), after);

    // Somebody was at work in between: in a file, in place of a folder, and in what had been taken away.
    let outside = f.path("outside");
    fs::create_dir_all(&outside).unwrap();
    restore(&all);
    fs::remove_dir_all(dir.join("deep")).unwrap();
    symlink(&outside, dir.join("deep")).unwrap();
    write(&dir, "src/lib.rs", "later work\n");
    write(&staging, "0.old", "later work too\n");
    let mut space = begin_again(&f, &space, &old_base, &moved);
    let again = move_to(&f, &mut space, &target);
    assert_eq!(files(&dir), after);
    assert_eq!(
        again.kept.iter().map(|kept| kept.path.clone()).collect::<Vec<_>>(),
        paths(&["README.md", "deep/er/file", "src/lib.rs"])
    );
    assert_eq!(fs::read_to_string(space.kept_dir().join(&again.kept[0].name)).unwrap(), "later work too\n");
    assert_eq!(fs::read_link(space.kept_dir().join(&again.kept[1].name)).unwrap(), outside);
    assert_eq!(fs::read_to_string(space.kept_dir().join(&again.kept[2].name)).unwrap(), "later work\n");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn an_unfinished_move_is_finished_before_another_begins() {
    let f = Fixture::new();
    let mut space = f.workspace("t1.1");
    let (dir, old_base) = (space.path(), space.base().clone());
    write(&dir, "own", "x\n");
    f.write("README.md", "# Second\n");
    f.commit("second");
    let second = f.base();
    let moved = move_to(&f, &mut space, &second);
    write(&dir, "README.md", "# Sample\n");
    let mut space = begin_again(&f, &space, &old_base, &moved);
    f.write("src/lib.rs", "pub fn three() {}\n");
    f.commit("third");
    let third = f.base();
    let moved = move_to(&f, &mut space, &third);
    assert_eq!((moved.updated, space.base()), (1, &third));
    assert_eq!(
        (read(&dir, "README.md"), read(&dir, "src/lib.rs")),
        ("# Second\n".into(), "pub fn three() {}\n".into())
    );
}

#[test]
fn what_a_rewrite_dropped_leaves_the_workspace_and_the_attempts_own_work_stays() {
    let f = Fixture::new();
    f.write("dropped", "x\n");
    f.write("changed", "x\n");
    f.commit("dropped later");
    let mut space = f.workspace("t1.1");
    write(&space.path(), "own", "x\n");
    write(&space.path(), "changed", "y\n");
    f.git(["reset", "-q", "--hard", "HEAD~1"]);
    f.write("README.md", "# Rewritten\n");
    f.commit("rewritten");
    let target = f.base();
    let moved = move_to(&f, &mut space, &target);
    assert_eq!((moved.conflicts, space.base()), (paths(&["changed"]), &target));
    let dir = space.path();
    assert_eq!(read(&dir, "README.md"), "# Rewritten\n");
    assert!(!dir.join("dropped").exists() && dir.join("own").exists());
    assert_eq!(read(&dir, "changed"), "y\n", "what one side dropped and the other changed is there, changed");
    let result = record(&f, &space);
    assert!(matches!(integrate(&f, &target, &result.commit, LandMode::Merge), Integration::Ready { .. }));
}

#[test]
fn a_history_that_was_rewritten_from_its_first_commit_on_works_and_a_missing_one_does_not() {
    let f = Fixture::new();
    let mut space = f.workspace("t1.1");
    write(&space.path(), "own", "x\n");
    f.git(["checkout", "-q", "--orphan", "other"]);
    f.write("README.md", "# Rewritten\n");
    f.commit("unrelated");
    let unrelated = f.base();
    let moved = move_to(&f, &mut space, &unrelated);
    assert_eq!((moved.conflicts.len(), space.base()), (0, &unrelated));
    assert_eq!(read(&space.path(), "README.md"), "# Rewritten\n");

    let before = files(&space.path());
    let missing = CommitId::parse(&"1".repeat(40)).unwrap();
    let refused = space.move_base(&f.hub, &missing, "t1.1", &divisi());
    assert!(matches!(refused, Err(MoveBaseError::NoTarget(_))), "{refused:?}");
    assert_eq!((files(&space.path()), space.base()), (before, &unrelated));
}

#[test]
fn an_attempt_that_started_from_nothing_moves_onto_the_first_commit() {
    let f = Fixture::empty();
    let base = f.hub.take_empty_base(&divisi()).unwrap();
    let new = NewWorkspace::new("t1.1", base).on_branch("divisi/t1");
    let mut space = f.spaces().create(&f.hub, &new).unwrap();
    write(&space.path(), "README.md", "# The attempt's\n");
    write(&space.path(), "own", "x\n");
    f.write("README.md", "# First\n");
    f.write("other", "x\n");
    f.commit("first");
    let target = f.base();
    let moved = move_to(&f, &mut space, &target);
    assert_eq!(moved.conflicts, paths(&["README.md"]));
    write(&space.path(), "README.md", "# Both\n");
    let result = record(&f, &space);
    assert!(matches!(integrate(&f, &target, &result.commit, LandMode::Rebase), Integration::Ready { .. }));
}

#[test]
fn a_git_directory_that_is_not_as_it_was_made_is_left_alone() {
    let f = Fixture::new();
    let mut space = f.workspace("t1.1");
    let dir = space.path();
    let elsewhere = f.path("elsewhere");
    fs::rename(dir.join(".git"), &elsewhere).unwrap();
    symlink(&elsewhere, dir.join(".git")).unwrap();
    let before = files(&elsewhere);
    f.write("README.md", "# Two\n");
    f.commit("two");
    let two = f.base();
    assert!(!move_to(&f, &mut space, &two).git_dir);
    assert_eq!((files(&elsewhere), read(&dir, "README.md")), (before, "# Two\n".into()));

    // A folder of refs that leads elsewhere, and a merge in the middle.
    fs::remove_file(dir.join(".git")).unwrap();
    fs::rename(&elsewhere, dir.join(".git")).unwrap();
    let refs = f.path("refs");
    fs::rename(dir.join(".git/refs/heads"), &refs).unwrap();
    symlink(&refs, dir.join(".git/refs/heads")).unwrap();
    write(&dir, ".git/MERGE_HEAD", format!("{two}\n"));
    let before = files(&refs);
    f.write("README.md", "# Three\n");
    f.commit("three");
    let three = f.base();
    assert!(!move_to(&f, &mut space, &three).git_dir);
    assert_eq!(files(&refs), before);
    assert!(!dir.join(".git/MERGE_HEAD").exists() && dir.join(".git/MERGE_HEAD.before-2").exists());
}

#[test]
fn names_that_lead_into_the_git_directory_are_refused() {
    let f = Fixture::new();
    let mut space = f.workspace("t1.1");
    let before = files(&space.path());
    let blob = f.git(["rev-parse", "HEAD:run.sh"]);
    let lines = f.path("lines");
    let mktree = |text: String| {
        fs::write(&lines, text).unwrap();
        f.git(["-c", "alias.m=!f() { git mktree < \"$1\"; }; f", "m", lines.to_str().unwrap()])
    };
    let hooks = mktree(format!("100755 blob {blob}\tpost-checkout\n"));
    let git = mktree(format!("040000 tree {hooks}\thooks\n"));
    let listed = f.git(["ls-tree", "HEAD"]);
    let tree = mktree(format!("{listed}\n040000 tree {git}\t.git\n"));
    let commit = f.git(["commit-tree", &tree, "-p", "HEAD", "-m", "evil"]);
    let target = CommitId::parse(&commit).unwrap();
    f.hub.take_base(&f.project(), &target).unwrap();
    let refused = space.move_base(&f.hub, &target, "t1.1", &divisi());
    assert!(matches!(refused, Err(MoveBaseError::ForbiddenName(_))), "{refused:?}");
    assert_eq!((files(&space.path()), space.unfinished_move()), (before, None));
    assert!(!space.path().join(".git/hooks/post-checkout").exists());
}
