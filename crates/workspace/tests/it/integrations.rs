//! Merge, squash and rebase in the hub.

use divisi_workspace::{CommitId, IntegrateRequest, Integration, LandMode, TrialMerge};

use crate::results::record;
use crate::support::{Fixture, divisi, write};

fn request(f: &Fixture, target: &CommitId, result: &CommitId, mode: LandMode) -> IntegrateRequest {
    let base = f.hub.merge_base(target, result).unwrap().unwrap();
    IntegrateRequest {
        label: "t1".into(),
        target: Some(target.clone()),
        base,
        result: result.clone(),
        mode,
        message: "Land t1".into(),
        trailers: vec![("Divisi-Task".into(), "t1".into())],
        author: divisi(),
        committer: divisi(),
    }
}

fn log(f: &Fixture, commit: &CommitId) -> String {
    f.git_in(f.hub.dir(), ["log", "--format=%s|%an|%p", "--abbrev=4", commit.as_str()])
}

/// An attempt with two commits of its own, and a target that has moved on.
fn both(f: &Fixture) -> (CommitId, CommitId) {
    let space = f.workspace("t1.1");
    for (name, text) in [("a", "1"), ("src/lib.rs", "pub fn two() {}\n")] {
        write(&space.path(), name, text);
        f.git_in(&space.path(), ["add", "-A"]);
        f.git_in(&space.path(), ["commit", "-q", "-m", &format!("agent changes {name}")]);
    }
    let result = record(f, &space).commit;
    f.write("README.md", "# Moved on\n");
    f.commit("meanwhile");
    (f.base(), result)
}

#[test]
fn each_mode_gives_its_shape_and_the_same_tree() {
    let f = Fixture::new();
    let (target, result) = both(&f);
    let mut trees = Vec::new();
    for (mode, gained) in [(LandMode::Merge, 1), (LandMode::Squash, 1), (LandMode::Rebase, 2)] {
        let Integration::Ready { commit, commits } =
            f.hub.integrate(&request(&f, &target, &result, mode)).unwrap()
        else {
            panic!("{mode:?}");
        };
        assert_eq!(commits, gained, "{mode:?}");
        trees.push(f.hub.tree_of(&commit).unwrap());
        let first_line =
            f.git_in(f.hub.dir(), ["rev-list", "--first-parent", &format!("{target}..{commit}")]);
        assert_eq!(first_line.lines().count(), gained);
        assert!(
            f.git_in(f.hub.dir(), ["show", "-s", "--format=%B", commit.as_str()])
                .ends_with("Divisi-Task: t1")
        );
        assert_eq!(f.hub.is_ancestor(&result, &commit).unwrap(), mode == LandMode::Merge);
        let log = log(&f, &commit);
        match mode {
            LandMode::Rebase => assert!(log.starts_with("agent changes src/lib.rs|User|"), "{log}"),
            _ => assert!(log.starts_with("Land t1|Divisi|"), "{log}"),
        }
    }
    assert!(trees.windows(2).all(|two| two[0] == two[1]));
    assert_eq!(f.git_in(f.hub.dir(), ["for-each-ref", "refs/divisi/integrations"]).lines().count(), 1);
}

#[test]
fn a_contradiction_is_told_with_its_text() {
    let f = Fixture::new();
    let (target, _) = both(&f);
    let old = f.git(["rev-parse", "HEAD~1"]);
    f.git(["checkout", "-q", "-b", "older", &old]);
    let space = f.workspace("t2.1");
    f.git(["checkout", "-q", "main"]);
    write(&space.path(), "README.md", "# Another way\n");
    std::fs::remove_file(space.path().join("src/lib.rs")).unwrap();
    let result = record(&f, &space).commit;
    for mode in [LandMode::Merge, LandMode::Squash, LandMode::Rebase] {
        let Integration::Conflicts(conflicts) =
            f.hub.integrate(&request(&f, &target, &result, mode)).unwrap()
        else {
            panic!("{mode:?}");
        };
        assert_eq!(conflicts.files.len(), 1, "{conflicts:?}");
        let file = &conflicts.files[0];
        assert_eq!(
            (file.path.to_string().as_str(), file.in_base, file.in_target, file.in_result),
            ("README.md", true, true, true)
        );
        let text = file.text.as_deref().unwrap();
        assert!(
            text.contains("# Moved on") && text.contains("# Another way") && text.contains("<<<<<<<"),
            "{text}"
        );
        assert!(conflicts.messages[0].starts_with("CONFLICT"));
        assert_eq!(conflicts.at.is_some(), mode == LandMode::Rebase);
    }
    assert!(matches!(f.hub.trial_merge(&target, &result).unwrap(), TrialMerge::Conflicts(_)));
}

#[test]
fn a_file_one_side_deleted_and_the_other_changed_is_a_conflict() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), "src/lib.rs", "changed\n");
    let result = record(&f, &space).commit;
    f.git(["rm", "-q", "src/lib.rs"]);
    f.commit("gone");
    let target = f.base();
    let Integration::Conflicts(conflicts) =
        f.hub.integrate(&request(&f, &target, &result, LandMode::Merge)).unwrap()
    else {
        panic!("no conflict");
    };
    let file = &conflicts.files[0];
    assert_eq!((file.in_base, file.in_target, file.in_result), (true, false, true));
}

#[test]
fn what_the_target_has_already_is_nothing() {
    let f = Fixture::new();
    let (target, result) = both(&f);
    let Integration::Ready { commit, .. } =
        f.hub.integrate(&request(&f, &target, &result, LandMode::Merge)).unwrap()
    else {
        panic!("not ready");
    };
    assert_eq!(
        f.hub.integrate(&request(&f, &commit, &result, LandMode::Merge)).unwrap(),
        Integration::Nothing
    );
    let Integration::Ready { commit, .. } =
        f.hub.integrate(&request(&f, &target, &result, LandMode::Squash)).unwrap()
    else {
        panic!("not ready");
    };
    for mode in [LandMode::Squash, LandMode::Rebase] {
        assert_eq!(
            f.hub.integrate(&request(&f, &commit, &result, mode)).unwrap(),
            Integration::Nothing,
            "{mode:?}"
        );
    }
}

#[test]
fn a_rebase_onto_an_unmoved_target_keeps_what_it_can() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), "a", "1");
    let result = record(&f, &space).commit;
    let target = space.base().clone();
    let Integration::Ready { commit, commits } =
        f.hub.integrate(&request(&f, &target, &result, LandMode::Rebase)).unwrap()
    else {
        panic!("not ready");
    };
    assert_eq!(commits, 1);
    assert_eq!(f.hub.tree_of(&commit).unwrap(), f.hub.tree_of(&result).unwrap());
}

#[test]
fn an_unborn_target_takes_the_result_as_it_is() {
    let f = Fixture::empty();
    let base = f.hub.take_empty_base(&divisi()).unwrap();
    let space =
        f.spaces().create(&f.hub, &divisi_workspace::NewWorkspace::new("t1.1", base.clone())).unwrap();
    write(&space.path(), "a", "1");
    let result = record(&f, &space).commit;
    let mut wanted = request(&f, &base, &result, LandMode::Squash);
    wanted.target = None;
    let Integration::Ready { commit, .. } = f.hub.integrate(&wanted).unwrap() else { panic!("not ready") };
    assert_eq!(log(&f, &commit), "Land t1|Divisi|");
}

#[test]
fn merge_drivers_and_attributes_of_the_attempt_do_nothing() {
    let f = Fixture::new();
    f.write(".gitattributes", "CHANGES merge=union\n");
    f.write("CHANGES", "start\n");
    f.commit("union");
    let space = f.workspace("t1.1");
    write(&space.path(), "CHANGES", "start\nours\n");
    write(&space.path(), ".gitattributes", "* merge=evil\n");
    let result = record(&f, &space).commit;
    f.write("CHANGES", "start\ntheirs\n");
    f.commit("meanwhile");
    let target = f.base();
    let Integration::Ready { commit, .. } =
        f.hub.integrate(&request(&f, &target, &result, LandMode::Merge)).unwrap()
    else {
        panic!("the person's own merge=union holds");
    };
    assert_eq!(f.show(&commit, "CHANGES"), "start\ntheirs\nours");
}

#[test]
fn what_a_rewrite_of_the_target_dropped_does_not_come_back() {
    for mode in [LandMode::Merge, LandMode::Squash, LandMode::Rebase] {
        let f = Fixture::new();
        f.write("dropped", "x\n");
        f.write("README.md", "# Dropped\n");
        f.commit("dropped later");
        let base = f.base();
        let space = f.workspace("t1.1");
        for name in ["a", "b"] {
            write(&space.path(), name, "own\n");
            f.git_in(&space.path(), ["add", "-A"]);
            f.git_in(&space.path(), ["commit", "-q", "-m", &format!("agent adds {name}")]);
        }
        let result = record(&f, &space).commit;
        f.git(["reset", "-q", "--hard", "HEAD~1"]);
        f.write("other", "rewritten\n");
        f.commit("rewritten");
        let target = f.base();
        let request = IntegrateRequest { base: base.clone(), ..request(&f, &target, &result, mode) };
        let Integration::Ready { commit, .. } = f.hub.integrate(&request).unwrap() else {
            panic!("{mode:?}")
        };
        let landed = f.git_in(f.hub.dir(), ["diff", "--name-status", target.as_str(), commit.as_str()]);
        assert_eq!(landed, "A\ta\nA\tb", "{mode:?}");
        assert!(
            !f.hub.is_ancestor(&base, &commit).unwrap(),
            "{mode:?}: the dropped commit is not in its history"
        );
        assert!(f.hub.is_ancestor(&target, &commit).unwrap(), "{mode:?}");
    }
}

#[test]
fn a_change_of_what_a_rewrite_dropped_is_a_conflict() {
    for mode in [LandMode::Merge, LandMode::Squash, LandMode::Rebase] {
        let f = Fixture::new();
        f.write("dropped", "x\n");
        f.commit("dropped later");
        let base = f.base();
        let space = f.workspace("t1.1");
        write(&space.path(), "dropped", "y\n");
        let result = record(&f, &space).commit;
        f.git(["reset", "-q", "--hard", "HEAD~1"]);
        let target = f.base();
        let request = IntegrateRequest { base, ..request(&f, &target, &result, mode) };
        let Integration::Conflicts(conflicts) = f.hub.integrate(&request).unwrap() else {
            panic!("{mode:?}")
        };
        assert_eq!(conflicts.files[0].path, "dropped".into(), "{mode:?}");
    }
}
