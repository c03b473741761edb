//! Landing in the user's repository, and undoing it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use divisi_workspace::{
    CommitId, Dirty, IntegrateRequest, Integration, LandError, LandMode, LandRequest, Landed, NewWorkspace,
    Project,
};

use crate::results::record;
use crate::support::{Fixture, divisi, write};

fn land_request(expected: Option<CommitId>, new: &CommitId) -> LandRequest {
    LandRequest {
        branch: "main".into(),
        expected,
        new: new.clone(),
        by: divisi(),
        reason: "divisi: land t1".into(),
    }
}

/// An attempt's result that changes, adds, removes, and turns a file into a folder and a folder into a file.
fn result(f: &Fixture) -> CommitId {
    let space = f.workspace("t1.1");
    let dir = space.path();
    write(&dir, "src/main.rs", "fn main() {}\n");
    write(&dir, "added/deep/file", "new\n");
    symlink("file", dir.join("added/deep/link")).unwrap();
    fs::remove_file(dir.join("README.md")).unwrap();
    write(&dir, "README.md/now/a/folder", "x\n");
    fs::remove_dir_all(dir.join("docs")).unwrap();
    write(&dir, "docs", "now a file\n");
    fs::set_permissions(dir.join("src/lib.rs"), fs::Permissions::from_mode(0o755)).unwrap();
    record(f, &space).commit
}

fn fixture() -> (Fixture, CommitId, CommitId) {
    let f = Fixture::new();
    f.write("docs/a/b", "b\n");
    let old = f.commit("docs");
    let new = result(&f);
    (f, old, new)
}

/// Every file of a checkout with its mode and content.
fn files(dir: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            if meta.is_dir() {
                if path.file_name().unwrap() != ".git" {
                    folders.push(path);
                }
                continue;
            }
            let content = match fs::read_link(&path) {
                Ok(target) => target.into_os_string().into_encoded_bytes(),
                Err(_) => fs::read(&path).unwrap(),
            };
            found.insert(path.strip_prefix(dir).unwrap().to_owned(), (meta.permissions().mode(), content));
        }
    }
    found
}

fn land(f: &Fixture, old: &CommitId, new: &CommitId) -> Result<Landed, LandError> {
    f.hub.land(&f.project(), &land_request(Some(old.clone()), new))
}

fn status(f: &Fixture) -> String {
    f.git(["status", "--porcelain", "--ignored"])
}

#[test]
fn a_clean_checkout_moves_with_its_branch_and_back() {
    let (f, old, new) = fixture();
    f.write("mine.txt", "untracked and not in the way");
    f.write("debug.log", "ignored");
    let before = (files(&f.repo()), f.git(["ls-files", "-s"]));
    let landed = land(&f, &old, &new).unwrap();
    assert_eq!(landed.checkouts, [f.repo()]);
    assert_eq!(f.head(), new);
    assert_eq!(status(&f), "?? mine.txt\n!! debug.log");
    assert_eq!(fs::read_to_string(f.repo().join("README.md/now/a/folder")).unwrap(), "x\n");
    assert_eq!(fs::read_to_string(f.repo().join("docs")).unwrap(), "now a file\n");
    assert_eq!(f.git(["fsck", "--strict", "--no-dangling"]), "");
    assert!(f.git(["reflog", "-1", "main"]).contains("divisi: land t1"));
    assert!(f.git(["reflog", "-1"]).contains("divisi: land t1"), "HEAD's log tells it too");
    assert!(!f.repo().join(".git/FETCH_HEAD").exists());

    f.hub.undo(&f.project(), &landed, &divisi(), "divisi: undo t1").unwrap();
    assert_eq!(f.head(), old);
    assert_eq!((files(&f.repo()), f.git(["ls-files", "-s"])), before);
    assert_eq!(status(&f), "?? mine.txt\n!! debug.log");
    assert!(!f.repo().join(".git/index.lock").exists());
    assert_eq!(fs::read_dir(f.hub.dir().join("divisi/landings")).unwrap().count(), 0);
}

#[test]
fn changes_elsewhere_in_the_checkout_stay() {
    let (f, old, new) = fixture();
    f.write("run.sh", "#!/bin/sh\nexit 1\n");
    f.write(".gitignore", "*.log\n/build/\n.env\nmine\n");
    f.git(["add", ".gitignore"]);
    land(&f, &old, &new).unwrap();
    assert_eq!(status(&f), "M  .gitignore\n M run.sh");
    assert_eq!(f.head(), new);
}

#[test]
fn a_checkout_with_changes_in_the_way_is_left_exactly_as_it_is() {
    type Case = (&'static str, &'static dyn Fn(&Fixture), &'static str, Dirty);
    let cases: [Case; 7] = [
        ("modified", &|f| f.write("src/main.rs", "mine\n"), "src/main.rs", Dirty::Modified),
        (
            "deleted",
            &|f| fs::remove_file(f.repo().join("src/main.rs")).unwrap(),
            "src/main.rs",
            Dirty::Modified,
        ),
        (
            "staged",
            &|f| {
                f.write("src/main.rs", "mine\n");
                f.git(["add", "src/main.rs"]);
            },
            "src/main.rs",
            Dirty::Staged,
        ),
        ("untracked", &|f| f.write("added/deep/file", "mine\n"), "added/deep/file", Dirty::Untracked),
        (
            "ignored",
            &|f| {
                f.write(".git/info/exclude", "added\n");
                f.write("added/deep/file", "mine\n");
            },
            "added/deep/file",
            Dirty::Untracked,
        ),
        ("in the way of a folder", &|f| f.write("added", "mine\n"), "added", Dirty::Untracked),
        (
            "in a folder that becomes a file",
            &|f| f.write("docs/mine", "mine\n"),
            "docs/mine",
            Dirty::Untracked,
        ),
    ];
    for (name, change, path, why) in cases {
        let (f, old, new) = fixture();
        change(&f);
        let before = (files(&f.repo()), f.git(["ls-files", "-s"]), status(&f));
        let Err(LandError::Dirty { files: dirty, .. }) = land(&f, &old, &new) else { panic!("{name}") };
        assert!(dirty.iter().any(|d| d.path.to_string() == path && d.why == why), "{name}: {dirty:?}");
        assert_eq!((files(&f.repo()), f.git(["ls-files", "-s"]), status(&f)), before, "{name}");
        assert_eq!(f.head(), old, "{name}");
        assert!(!f.repo().join(".git/index.lock").exists(), "{name}");
    }
}

#[test]
fn bits_that_hide_changes_from_git_do_not_hide_them_here() {
    let (f, old, new) = fixture();
    f.git(["update-index", "--assume-unchanged", "src/main.rs"]);
    f.write("src/main.rs", "mine\n");
    assert!(matches!(land(&f, &old, &new), Err(LandError::Dirty { .. })));
    assert_eq!(fs::read_to_string(f.repo().join("src/main.rs")).unwrap(), "mine\n");
}

#[test]
fn a_touched_but_unchanged_file_is_not_dirty() {
    let (f, old, new) = fixture();
    let main = f.repo().join("src/main.rs");
    let text = fs::read(&main).unwrap();
    fs::remove_file(&main).unwrap();
    fs::write(&main, text).unwrap();
    land(&f, &old, &new).unwrap();
}

#[test]
fn a_branch_that_moved_meanwhile_is_not_moved() {
    let (f, old, new) = fixture();
    f.write("more", "x");
    let found = f.commit("the user was faster");
    let Err(LandError::Moved { expected, found: there, .. }) = land(&f, &old, &new) else { panic!("moved") };
    assert_eq!((expected, there), (Some(old.clone()), Some(found.clone())));
    assert_eq!(f.head(), found);
    // Undo asks the same.
    let landed = Landed { branch: "main".into(), old: Some(old), new, checkouts: vec![] };
    let undone = f.hub.undo(&f.project(), &landed, &divisi(), "undo");
    assert!(matches!(undone, Err(LandError::Moved { .. })));
    assert_eq!(f.head(), found);
}

#[test]
fn landing_backwards_or_sideways_is_refused() {
    let (f, old, new) = fixture();
    f.write("more", "x");
    let ahead = f.commit("ahead");
    f.base();
    assert!(matches!(land(&f, &ahead, &new), Err(LandError::NotForward(_))));
    assert!(matches!(land(&f, &ahead, &old), Err(LandError::NotForward(_))));
}

#[test]
fn a_branch_that_is_not_checked_out_moves_alone() {
    let (f, old, new) = fixture();
    f.git(["checkout", "-q", "-b", "elsewhere"]);
    f.write("src/main.rs", "mine\n");
    let before = files(&f.repo());
    let landed = land(&f, &old, &new).unwrap();
    assert_eq!((landed.checkouts.len(), f.git(["rev-parse", "main"])), (0, new.to_string()));
    assert_eq!(files(&f.repo()), before);
    f.hub.undo(&f.project(), &landed, &divisi(), "undo").unwrap();
    assert_eq!(f.git(["rev-parse", "main"]), old.to_string());
}

#[test]
fn a_detached_head_at_the_same_commit_stays() {
    let (f, old, new) = fixture();
    f.git(["checkout", "-q", "--detach"]);
    land(&f, &old, &new).unwrap();
    assert_eq!(f.head(), old);
    assert_eq!(status(&f), "");
}

#[test]
fn the_checkout_in_another_worktree_is_looked_after_too() {
    let (f, old, new) = fixture();
    f.git(["checkout", "-q", "-b", "elsewhere"]);
    let linked = f.path("linked tree");
    f.git(["worktree", "add", "-q", linked.to_str().unwrap(), "main"]);
    write(&linked, "src/main.rs", "mine\n");
    let Err(LandError::Dirty { checkout, .. }) = land(&f, &old, &new) else { panic!("dirty") };
    assert_eq!(checkout, linked);
    f.git_in(&linked, ["checkout", "-q", "src/main.rs"]);
    // From whichever checkout the project was opened.
    let project = Project::open(&f.git, &linked).unwrap();
    let landed = f.hub.land(&project, &land_request(Some(old.clone()), &new)).unwrap();
    assert_eq!(landed.checkouts, std::slice::from_ref(&linked));
    assert_eq!(f.git_in(&linked, ["status", "--porcelain"]), "");
    assert_eq!(status(&f), "");
    f.hub.undo(&f.project(), &landed, &divisi(), "undo").unwrap();
    assert_eq!(f.git_in(&linked, ["status", "--porcelain"]), "");
    assert!(linked.join("docs/a/b").exists());
    fs::remove_dir_all(&linked).unwrap();
    land(&f, &old, &new).unwrap();
}

#[test]
fn what_is_under_way_in_a_checkout_is_not_disturbed() {
    let (f, old, new) = fixture();
    let git_dir = f.repo().join(".git");
    fs::write(git_dir.join("index.lock"), "somebody else's").unwrap();
    assert!(matches!(land(&f, &old, &new), Err(LandError::Busy { .. })));
    assert_eq!(fs::read_to_string(git_dir.join("index.lock")).unwrap(), "somebody else's");
    fs::remove_file(git_dir.join("index.lock")).unwrap();
    fs::write(git_dir.join("MERGE_HEAD"), format!("{old}\n")).unwrap();
    assert!(matches!(land(&f, &old, &new), Err(LandError::Busy { .. })));
    fs::remove_file(git_dir.join("MERGE_HEAD")).unwrap();
    fs::create_dir(git_dir.join("rebase-merge")).unwrap();
    fs::write(git_dir.join("rebase-merge/head-name"), "refs/heads/main\n").unwrap();
    assert!(matches!(land(&f, &old, &new), Err(LandError::Busy { .. })));
    assert_eq!(f.git(["rev-parse", "main"]), old.to_string());
}

#[test]
fn a_symbolic_branch_is_not_followed() {
    let (f, old, new) = fixture();
    f.git(["branch", "real"]);
    f.git(["checkout", "-q", "--detach"]);
    f.git(["symbolic-ref", "refs/heads/main", "refs/heads/real"]);
    assert!(matches!(land(&f, &old, &new), Err(LandError::Symbolic(_))));
    assert_eq!(f.git(["rev-parse", "real"]), old.to_string());
}

#[test]
fn filters_are_never_run_and_their_files_refused() {
    let f = Fixture::new();
    f.write(".gitattributes", "*.bin filter=mark\n");
    f.write("big.bin", "pointer\n");
    f.write("docs/a/b", "b\n");
    let old = f.commit("filters");
    let marker = f.path("ran");
    let touch = format!("touch {}; cat", marker.display());
    for key in ["clean", "smudge", "process"] {
        f.git(["config", &format!("filter.mark.{key}"), &touch]);
    }
    // Files of other kinds land as ever.
    let first = result(&f);
    let landed = land(&f, &old, &first).unwrap();
    f.hub.undo(&f.project(), &landed, &divisi(), "undo").unwrap();
    let space = f.workspace("t2.1");
    write(&space.path(), "big.bin", "other\n");
    let second = record(&f, &space).commit;
    let Err(LandError::NeedsFilter { files, .. }) = land(&f, &old, &second) else { panic!("filter") };
    assert_eq!(files, ["big.bin".into()]);
    // The attempt's own attributes count as well: they would decide how its files are written.
    let space = f.workspace("t3.1");
    write(&space.path(), ".gitattributes", "* filter=mark\n");
    write(&space.path(), "plain.txt", "x\n");
    let third = record(&f, &space).commit;
    assert!(matches!(land(&f, &old, &third), Err(LandError::NeedsFilter { .. })));
    assert!(!marker.exists());
    assert_eq!(f.head(), old);
    // Without a checkout there is nothing to write.
    f.git(["checkout", "-q", "--detach"]);
    let _ = fs::remove_file(&marker); // The user's own git may well have run it.
    land(&f, &old, &second).unwrap();
    assert!(!marker.exists());
}

#[test]
fn hooks_and_monitors_of_the_user_do_not_run() {
    let (f, old, new) = fixture();
    let marker = f.path("ran");
    let hooks = f.repo().join(".git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    let script = format!("#!/bin/sh\necho $0 >> {}\n", marker.display());
    for hook in ["post-index-change", "reference-transaction", "post-checkout", "post-merge", "pre-auto-gc"] {
        fs::write(hooks.join(hook), &script).unwrap();
        fs::set_permissions(hooks.join(hook), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let monitor = hooks.join("monitor");
    fs::write(&monitor, &script).unwrap();
    fs::set_permissions(&monitor, fs::Permissions::from_mode(0o755)).unwrap();
    let config = f.repo().join(".git/config");
    let mut text = fs::read_to_string(&config).unwrap();
    text.push_str(&format!("[core]\n\tfsmonitor = {}\n", monitor.display()));
    fs::write(&config, text).unwrap();
    let landed = land(&f, &old, &new).unwrap();
    f.hub.undo(&f.project(), &landed, &divisi(), "undo").unwrap();
    assert!(!marker.exists());
}

#[test]
fn if_a_file_cannot_be_written_everything_is_put_back() {
    let (f, old, _) = fixture();
    // A name that no file system takes, made by hand because no workspace can hold it either.
    let space = f.workspace("t9.1");
    write(&space.path(), "src/main.rs", "fn main() {}\n");
    write(&space.path(), "aaa-first", "x\n");
    fs::remove_file(space.path().join("run.sh")).unwrap();
    let result = record(&f, &space).commit;
    let stream = format!(
        "commit refs/heads/long\ncommitter X <x@x> 1767225600 +0000\ndata 1\nx\nfrom {result}\nM 644 inline zzz/{}\ndata 1\nx\ndone\n",
        "n".repeat(300)
    );
    let file = f.path("stream");
    fs::write(&file, stream).unwrap();
    f.git_in(
        f.hub.dir(),
        ["-c", "alias.f=!f() { git fast-import --quiet --done < \"$1\"; }; f", "f", file.to_str().unwrap()],
    );
    let new = CommitId::parse(&f.git_in(f.hub.dir(), ["rev-parse", "refs/heads/long"])).unwrap();
    let before = (files(&f.repo()), f.git(["ls-files", "-s"]));
    let Err(LandError::PutBack { .. }) = land(&f, &old, &new) else { panic!("put back") };
    assert_eq!((files(&f.repo()), f.git(["ls-files", "-s"])), before);
    assert_eq!((f.head(), status(&f)), (old, String::new()));
    assert!(!f.repo().join("zzz").exists());
}

#[test]
fn the_first_commit_of_an_unborn_branch_can_be_landed_and_undone() {
    let f = Fixture::empty();
    let base = f.hub.take_empty_base(&divisi()).unwrap();
    let space = f.spaces().create(&f.hub, &NewWorkspace::new("t1.1", base)).unwrap();
    write(&space.path(), "a/b", "1");
    let result = record(&f, &space).commit;
    f.write("a/b", "mine");
    let refused = f.hub.land(&f.project(), &land_request(None, &result));
    assert!(matches!(refused, Err(LandError::Dirty { .. })));
    fs::remove_dir_all(f.repo().join("a")).unwrap();
    let landed = f.hub.land(&f.project(), &land_request(None, &result)).unwrap();
    assert_eq!((f.head(), status(&f)), (result, String::new()));
    assert!(f.repo().join("a/b").exists());
    f.hub.undo(&f.project(), &landed, &divisi(), "undo").unwrap();
    assert_eq!(f.project().head().unwrap().commit(), None);
    assert!(!f.repo().join("a").exists());
    assert_eq!(status(&f), "");
}

#[test]
fn a_bare_repository_moves_its_branch() {
    let (f, old, new) = fixture();
    f.git_in(&f.path(""), ["clone", "-q", "--bare", "repo", "bare.git"]);
    let bare = Project::open(&f.git, &f.path("bare.git")).unwrap();
    let landed = f.hub.land(&bare, &land_request(Some(old.clone()), &new)).unwrap();
    assert_eq!(bare.branch("main").unwrap(), Some(new));
    f.hub.undo(&bare, &landed, &divisi(), "undo").unwrap();
    assert_eq!(bare.branch("main").unwrap(), Some(old));
}

#[test]
fn a_split_index_and_odd_names_are_no_obstacle() {
    let (f, old, _) = fixture();
    f.git(["update-index", "--split-index"]);
    let space = f.workspace("t2.1");
    write(&space.path(), "with\nline\tand \"q\"", "x");
    write(&space.path(), crate::support::bytes(b"b\xff"), "y");
    write(&space.path(), ":(top)magic*", "z");
    let new = record(&f, &space).commit;
    let landed = land(&f, &old, &new).unwrap();
    assert_eq!(status(&f), "");
    assert!(f.repo().join(":(top)magic*").exists());
    f.hub.undo(&f.project(), &landed, &divisi(), "undo").unwrap();
    assert_eq!(status(&f), "");
    assert!(!f.repo().join(":(top)magic*").exists());
}

#[test]
fn two_attempts_land_one_after_the_other_and_are_undone_in_turn() {
    let f = Fixture::new();
    let (one, two) = (f.workspace("t1.1"), f.workspace("t2.1"));
    write(&one.path(), "one", "1");
    write(&two.path(), "two", "2");
    let results = [record(&f, &one).commit, record(&f, &two).commit];
    let (start, base) = (f.head(), f.base());
    let mut landed = Vec::new();
    for (n, result) in results.iter().enumerate() {
        let target = f.base();
        let wanted = IntegrateRequest {
            label: format!("t{n}"),
            target: Some(target.clone()),
            base: base.clone(),
            result: result.clone(),
            mode: LandMode::Squash,
            message: format!("land {n}"),
            trailers: vec![],
            author: divisi(),
            committer: divisi(),
        };
        let Integration::Ready { commit, .. } = f.hub.integrate(&wanted).unwrap() else { panic!("ready") };
        landed.push(land(&f, &target, &commit).unwrap());
    }
    assert!(f.repo().join("one").exists() && f.repo().join("two").exists());
    for one in landed.iter().rev() {
        f.hub.undo(&f.project(), one, &divisi(), "undo").unwrap();
    }
    assert_eq!((f.head(), status(&f)), (start, String::new()));
}
