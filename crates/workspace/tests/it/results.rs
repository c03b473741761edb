//! Results: what Divisi commits for an attempt, and what it takes of the agent's own commits.

use std::fs;
use std::os::unix::fs::symlink;

use divisi_workspace::{AttemptResult, CommitId, History, ImportLimits, ResultRequest, Workspace};

use crate::support::{Fixture, divisi, write};

pub fn result_request(attempt: &str) -> ResultRequest {
    ResultRequest {
        attempt: attempt.to_owned(),
        message: "Do the thing".to_owned(),
        trailers: vec![("Divisi-Task".to_owned(), "t1".to_owned())],
        author: divisi(),
        committer: divisi(),
        keep_history: true,
        limits: ImportLimits::default(),
    }
}

pub fn record(f: &Fixture, space: &Workspace) -> AttemptResult {
    let snapshot = f.snapshot(space);
    space.record_result(&f.hub, &snapshot, &result_request(space.name())).unwrap().unwrap()
}

fn parents(f: &Fixture, commit: &CommitId) -> Vec<String> {
    let line = f.git_in(f.hub.dir(), ["rev-list", "--parents", "-n1", commit.as_str()]);
    line.split(' ').skip(1).map(str::to_owned).collect()
}

fn agent_commits(f: &Fixture, space: &Workspace, message: &str) -> CommitId {
    f.git_in(&space.path(), ["add", "-A"]);
    f.git_in(&space.path(), ["commit", "-q", "-m", message]);
    CommitId::parse(&f.git_in(&space.path(), ["rev-parse", "HEAD"])).unwrap()
}

#[test]
fn an_agent_that_does_not_commit_has_a_result_all_the_same() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), "new", "x");
    let result = record(&f, &space);
    assert_eq!(result.history, History::None);
    assert_eq!(parents(&f, &result.commit), [space.base().as_str()]);
    assert_eq!(f.hub.result_of("t1.1").unwrap(), Some(result.commit.clone()));
    let text = f.git_in(f.hub.dir(), ["show", "-s", "--format=%B%an", result.commit.as_str()]);
    assert_eq!(text, "Do the thing\n\nDivisi-Task: t1\nDivisi");
}

#[test]
fn nothing_changed_is_no_result() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    let snapshot = f.snapshot(&space);
    assert_eq!(space.record_result(&f.hub, &snapshot, &result_request("t1.1")).unwrap(), None);
}

#[test]
fn sound_commits_of_the_agent_are_kept() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), "a", "1");
    agent_commits(&f, &space, "first step");
    write(&space.path(), "b", "2");
    let head = agent_commits(&f, &space, "second step");
    let result = record(&f, &space);
    assert_eq!(result, AttemptResult { commit: head.clone(), history: History::Kept { commits: 2 } });
    // What is not committed yet comes on top.
    write(&space.path(), "c", "3");
    let more = record(&f, &space);
    assert_eq!(more.history, History::Kept { commits: 2 });
    assert_eq!(parents(&f, &more.commit), [head.as_str()]);
    // Packed by the agent's own git, the same.
    f.git_in(&space.path(), ["gc", "-q"]);
    f.git_in(&space.path(), ["pack-refs", "--all"]);
    assert_eq!(record(&f, &space), more);
    assert_eq!(f.git_in(f.hub.dir(), ["fsck", "--strict", "--no-dangling"]), "");
    assert!(
        !fs::read_dir(f.hub.dir().join("divisi")).unwrap().any(|e| e.unwrap().path().is_dir()),
        "no quarantine left"
    );
}

#[test]
fn a_history_that_is_not_asked_for_is_not_taken() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), "a", "1");
    agent_commits(&f, &space, "step");
    let mut request = result_request("t1.1");
    request.keep_history = false;
    let result = space.record_result(&f.hub, &f.snapshot(&space), &request).unwrap().unwrap();
    assert_eq!(
        (parents(&f, &result.commit), result.history),
        (vec![space.base().to_string()], History::None)
    );
}

/// The result must then be one commit on the base with the same files.
fn assert_refused(f: &Fixture, space: &Workspace, word: &str) {
    let result = record(f, space);
    let History::Refused { why } = &result.history else { panic!("{result:?}") };
    assert!(why.contains(word), "{why}");
    assert_eq!(parents(f, &result.commit), [space.base().as_str()]);
    assert!(f.tree(&result.commit).contains(&"100644 a".to_owned()));
    assert_eq!(f.git_in(f.hub.dir(), ["fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn a_history_from_elsewhere_is_refused() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), "a", "1");
    f.git_in(&space.path(), ["checkout", "-q", "--orphan", "fresh"]);
    agent_commits(&f, &space, "orphan");
    assert_refused(&f, &space, "does not descend");
}

#[test]
fn too_much_is_refused() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), "a", "x".repeat(10_000));
    agent_commits(&f, &space, "big");
    let snapshot = f.snapshot(&space);
    let mut request = result_request("t1.1");
    for (limits, word) in [
        (ImportLimits { object_bytes: 9_999, ..ImportLimits::default() }, "a file of more"),
        (ImportLimits { total_bytes: 9_999, ..ImportLimits::default() }, "hold more"),
        (ImportLimits { pack_bytes: 20, ..ImportLimits::default() }, "wrote more"),
        (ImportLimits { commits: 0, ..ImportLimits::default() }, "more than 0"),
    ] {
        request.limits = limits;
        let result = space.record_result(&f.hub, &snapshot, &request).unwrap().unwrap();
        let History::Refused { why } = result.history else { panic!("{word}") };
        assert!(why.contains(word), "{why}");
    }
}

#[test]
fn a_new_submodule_in_the_history_is_refused() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), "a", "1");
    f.git_in(&space.path(), ["add", "-A"]);
    f.git_in(
        &space.path(),
        ["update-index", "--add", "--cacheinfo", &format!("160000,{},sub", space.base())],
    );
    f.git_in(&space.path(), ["commit", "-q", "-m", "gitlink"]);
    assert_refused(&f, &space, "submodule");
}

#[test]
fn a_tree_with_a_git_directory_in_it_is_refused() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), "a", "1");
    agent_commits(&f, &space, "good");
    let dir = space.path();
    let blob = f.git_in(&dir, ["hash-object", "-w", "a"]);
    let inner = make_tree(&f, &space, &format!("100644 blob {blob}\tconfig"));
    let whole = make_tree(&f, &space, &format!("100644 blob {blob}\ta\n040000 tree {inner}\t.git"));
    let commit = f.git_in(&dir, ["commit-tree", &whole, "-p", "HEAD", "-m", "evil"]);
    f.git_in(&dir, ["update-ref", "HEAD", &commit]);
    assert_refused(&f, &space, "not sound");
}

fn make_tree(f: &Fixture, space: &Workspace, lines: &str) -> String {
    let file = f.path("tree-lines");
    fs::write(&file, format!("{lines}\n")).unwrap();
    f.git_in(&space.path(), ["-c", "alias.m=!f() { git mktree < \"$1\"; }; f", "m", file.to_str().unwrap()])
}

#[test]
fn objects_that_are_forged_or_missing_are_refused() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), "a", "1");
    let head = agent_commits(&f, &space, "good");
    let blob = f.git_in(&space.path(), ["rev-parse", "HEAD:a"]);
    // The hub must not know the bytes from a snapshot, or it would take its own.
    write(&space.path(), "a", "2");
    let loose = |name: &str| space.path().join(".git/objects").join(&name[..2]).join(&name[2..]);
    // Another object's bytes under this name.
    let other = f.git_in(&space.path(), ["rev-parse", "HEAD^{tree}"]);
    let kept = fs::read(loose(&blob)).unwrap();
    fs::remove_file(loose(&blob)).unwrap();
    fs::copy(loose(&other), loose(&blob)).unwrap();
    assert_refused(&f, &space, "objects");
    fs::remove_file(loose(&blob)).unwrap();
    assert_refused(&f, &space, "objects");
    fs::write(loose(&blob), kept).unwrap();
    assert_eq!(parents(&f, &record(&f, &space).commit), [head.as_str()]);
}

#[test]
fn a_head_that_is_not_plainly_a_commit_is_not_followed() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), "a", "1");
    let head = agent_commits(&f, &space, "good");
    let git_dir = space.path().join(".git");
    let outside = f.path("outside");
    fs::write(&outside, format!("{head}\n")).unwrap();
    let branch = git_dir.join("refs/heads/divisi/t1.1");
    fs::remove_file(&branch).unwrap();
    symlink(&outside, &branch).unwrap();
    assert_eq!(record(&f, &space).history, History::None, "a link is not followed");
    fs::remove_file(&branch).unwrap();
    for head in
        ["ref: refs/heads/../../../../outside\n", "ref: ../outside\n", "HEAD\n", "--upload-pack=x\n", ""]
    {
        fs::write(git_dir.join("HEAD"), head).unwrap();
        assert_eq!(record(&f, &space).history, History::None, "{head}");
    }
    fs::write(git_dir.join("HEAD"), format!("{head}\n")).unwrap();
    assert_eq!(record(&f, &space).history, History::Kept { commits: 1 });
    fs::rename(&git_dir, f.path("elsewhere")).unwrap();
    symlink(f.path("elsewhere"), &git_dir).unwrap();
    assert_eq!(record(&f, &space).history, History::None);
}

#[test]
fn other_repositories_cannot_be_read_through_the_agents_alternates() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    // A secret of another repository, whose name the agent knows.
    f.git_in(&f.path(""), ["init", "-q", "other"]);
    write(&f.path("other"), "secret", "s3cret");
    f.git_in(&f.path("other"), ["add", "."]);
    let secret = f.git_in(&f.path("other"), ["rev-parse", ":secret"]);
    write(&space.path(), "a", "1");
    agent_commits(&f, &space, "good");
    let alternates = space.path().join(".git/objects/info/alternates");
    let mut lines = fs::read_to_string(&alternates).unwrap();
    lines.push_str(&format!("{}\n", f.path("other/.git/objects").display()));
    fs::write(&alternates, lines).unwrap();
    let whole = make_tree(&f, &space, &format!("100644 blob {secret}\ta"));
    let commit = f.git_in(&space.path(), ["commit-tree", &whole, "-p", "HEAD", "-m", "exfiltrate"]);
    f.git_in(&space.path(), ["update-ref", "HEAD", &commit]);
    assert_refused(&f, &space, "objects");
    let (found, _) = f.try_git_in(f.hub.dir(), ["cat-file", "-e", &secret]);
    assert!(!found, "the secret must not reach the hub");
}
