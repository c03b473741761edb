//! Bringing files back as an earlier snapshot has them.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use divisi_workspace::sandbox::Holder;
use divisi_workspace::{CommitId, MoveBaseError, RepoPath, Rollback, RollbackRequest, Snapshot, Workspace};

use crate::overlays::overlay;
use crate::support::{Fixture, divisi, write};

/// Works in it as an agent would, whatever it is made of.
fn within<T>(space: &Workspace, work: impl FnOnce(&Path) -> T) -> T {
    match space.overlay() {
        Some(overlay) => work(&Holder::mount(&overlay).unwrap().view()),
        None => work(&space.path()),
    }
}

fn both(test: impl Fn(&Fixture, Workspace)) {
    for is_overlay in [false, true] {
        let f = Fixture::new();
        f.write("keep/a", "a\n");
        f.write("keep/b", "b\n");
        f.commit("more");
        let space = if is_overlay { overlay(&f, "t1.1") } else { f.workspace("t1.1") };
        test(&f, space);
    }
}

fn asked(number: u32, to: &CommitId, paths: &[&str]) -> RollbackRequest {
    let paths = paths.iter().map(|path| RepoPath::from(*path)).collect();
    RollbackRequest { number, to: to.clone(), paths, attempt: "t1.1".to_owned(), by: divisi() }
}

fn back(f: &Fixture, space: &mut Workspace, number: u32, to: &CommitId, paths: &[&str]) -> Rollback {
    space.roll_back(&f.hub, &asked(number, to, paths)).unwrap()
}

fn files(f: &Fixture, taken: &Snapshot) -> Vec<String> {
    f.tree(&taken.commit)
}

#[test]
fn the_whole_workspace_goes_back_and_forth_and_nothing_is_lost() {
    both(|f, mut space| {
        within(&space, |dir| {
            write(dir, "README.md", "first\n");
            write(dir, "new/deep", "first\n");
            write(dir, "debug.log", "ignored by the base\n");
            write(dir, ".gitignore", "*.log\n/hidden\n");
            write(dir, "hidden", "by the attempt\n");
        });
        let first = f.snapshot(&space);
        assert_ne!(first.commit, first.visible);
        within(&space, |dir| {
            write(dir, "README.md", "second\n");
            fs::remove_dir_all(dir.join("new")).unwrap();
            write(dir, "new", "a file now\n");
            fs::remove_file(dir.join("hidden")).unwrap();
            fs::remove_dir_all(dir.join("keep")).unwrap();
            symlink("README.md", dir.join("link")).unwrap();
            write(dir, "run", "x\n");
            fs::set_permissions(dir.join("run"), fs::Permissions::from_mode(0o755)).unwrap();
        });
        let second = f.snapshot(&space);

        let done = back(f, &mut space, 1, &first.commit, &[]);
        assert_eq!(f.tree(&done.before), files(f, &second), "what was there was kept first");
        assert_eq!(f.hub.ref_commit(&done.reference).unwrap(), Some(done.before.clone()));
        assert_eq!((done.files, done.kept.len()), (8, 0));
        assert_eq!(files(f, &f.snapshot(&space)), files(f, &first));
        within(&space, |dir| {
            assert_eq!(fs::read_to_string(dir.join("hidden")).unwrap(), "by the attempt\n");
            assert_eq!(fs::read_to_string(dir.join("debug.log")).unwrap(), "ignored by the base\n");
        });

        let undone = back(f, &mut space, 2, &done.before, &[]);
        assert_eq!(undone.files, 8);
        assert_eq!(files(f, &f.snapshot(&space)), files(f, &second));

        let base = space.base().clone();
        back(f, &mut space, 3, &base, &[]);
        assert_eq!(files(f, &f.snapshot(&space)), f.tree(&base));
    });
}

#[test]
fn single_files_and_folders_come_back_alone() {
    both(|f, mut space| {
        let base = space.base().clone();
        within(&space, |dir| {
            write(dir, "README.md", "changed\n");
            write(dir, "keep/a", "changed\n");
            fs::remove_file(dir.join("keep/b")).unwrap();
            write(dir, "keeper", "not below keep\n");
        });
        let done = back(f, &mut space, 1, &base, &["keep"]);
        assert_eq!(done.files, 2);
        within(&space, |dir| {
            let read = |path: &str| fs::read_to_string(dir.join(path)).unwrap();
            assert_eq!((read("keep/a"), read("keep/b")), ("a\n".to_owned(), "b\n".to_owned()));
            assert_eq!((read("README.md"), read("keeper")), ("changed\n".into(), "not below keep\n".into()));
        });
        let unknown = space.roll_back(&f.hub, &asked(2, &base, &["README.md", "nowhere"]));
        assert!(matches!(unknown, Err(MoveBaseError::NoSuchPath(path)) if path == RepoPath::from("nowhere")));
        within(&space, |dir| {
            assert_eq!(fs::read_to_string(dir.join("README.md")).unwrap(), "changed\n");
        });
    });
}

#[test]
fn a_file_that_no_snapshot_has_is_kept_where_it_is_in_the_way() {
    both(|f, mut space| {
        within(&space, |dir| write(dir, "out/result", "recorded\n"));
        let first = f.snapshot(&space);
        within(&space, |dir| {
            fs::remove_dir_all(dir.join("out")).unwrap();
            write(dir, "out/result/x.log", "ignored, and in the way\n");
        });
        let done = back(f, &mut space, 1, &first.commit, &[]);
        assert_eq!(done.kept.len(), 1);
        let kept = space.kept_dir().join(&done.kept[0].name);
        assert_eq!(fs::read_to_string(kept.join("x.log")).unwrap(), "ignored, and in the way\n");
        within(&space, |dir| assert_eq!(fs::read_to_string(dir.join("out/result")).unwrap(), "recorded\n"));
    });
}

#[test]
fn the_same_number_again_is_the_same_rollback() {
    both(|f, mut space| {
        within(&space, |dir| write(dir, "README.md", "first\n"));
        let first = f.snapshot(&space);
        within(&space, |dir| write(dir, "README.md", "second\n"));
        let done = back(f, &mut space, 1, &first.commit, &[]);
        within(&space, |dir| write(dir, "README.md", "third\n"));
        assert_eq!(back(f, &mut space, 1, &first.commit, &[]), done);
        within(&space, |dir| assert_eq!(fs::read_to_string(dir.join("README.md")).unwrap(), "third\n"));
        assert_eq!(back(f, &mut space, 2, &first.commit, &[]).files, 1);
    });
}

#[test]
fn a_snapshot_of_another_base_is_put_onto_the_present_one() {
    let f = Fixture::new();
    f.write("other", "one\n");
    f.commit("more");
    let mut space = f.workspace("t1.1");
    let dir = space.path();
    write(&dir, "README.md", "first\n");
    let first = f.snapshot(&space);
    write(&dir, "README.md", "second\n");
    write(&dir, "other", "the attempt's\n");
    let second = f.snapshot(&space);
    fs::remove_file(dir.join("other")).unwrap();
    f.write("other", "landed meanwhile\n");
    f.commit("meanwhile");
    let target = f.base();
    write(&dir, "other", "one\n");
    space.move_base(&f.hub, &target, "t1.1", &divisi()).unwrap();

    back(&f, &mut space, 1, &first.commit, &[]);
    assert_eq!(fs::read_to_string(dir.join("README.md")).unwrap(), "first\n");
    assert_eq!(fs::read_to_string(dir.join("other")).unwrap(), "landed meanwhile\n", "it stays landed");
    let refused = space.roll_back(&f.hub, &asked(2, &second.commit, &[]));
    assert!(matches!(refused, Err(MoveBaseError::OtherBase(paths)) if paths == [RepoPath::from("other")]));
    assert_eq!(fs::read_to_string(dir.join("other")).unwrap(), "landed meanwhile\n");
}
