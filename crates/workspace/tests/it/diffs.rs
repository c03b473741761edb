//! Reading a comparison on: some of its files, without white space, and lines followed through it.

use std::fs;

use divisi_workspace::{BlobId, CommitId, DiffLimits, DiffPath, FileStatus, Follow, RepoPath};

use crate::support::*;

/// Two commits in the hub: what `before` and then `after` did to the fixture.
fn two(f: &Fixture, before: impl FnOnce(&Fixture), after: impl FnOnce(&Fixture)) -> (CommitId, CommitId) {
    let take = |f: &Fixture, message: &str| {
        f.commit(message);
        let commit = f.project().resolve("main").unwrap();
        f.hub.take_base(&f.project(), &commit).unwrap();
        commit
    };
    before(f);
    let first = take(f, "before");
    after(f);
    (first, take(f, "after"))
}

fn at(path: &[u8]) -> DiffPath {
    DiffPath { path: RepoPath::new(path), old_path: None }
}

#[test]
fn some_files_read_as_the_whole_diff_has_them() {
    let f = Fixture::new();
    let odd: &[u8] = b"odd \xff*.txt";
    let (from, to) = two(
        &f,
        |f| {
            f.write("moved.txt", "one\ntwo\nthree\nfour\nfive\nsix\n");
            fs::write(f.repo().join(bytes(odd)), "a\n").unwrap();
            f.write("was-file", "x\n");
            f.write("bin", [0u8, 1, 2]);
        },
        |f| {
            fs::rename(f.repo().join("moved.txt"), f.repo().join("new place.txt")).unwrap();
            f.write("new place.txt", "one\ntwo\n3\nfour\nfive\nsix\n");
            fs::write(f.repo().join(bytes(odd)), "b\n").unwrap();
            fs::remove_file(f.repo().join("was-file")).unwrap();
            f.write("was-file/inside", "y\n");
            f.write("bin", [0u8, 3]);
        },
    );
    let limits = DiffLimits::default();
    let whole = f.hub.diff(&from, &to, &limits).unwrap();
    for file in &whole.files {
        let asked = DiffPath { path: file.path.clone(), old_path: file.old_path.clone() };
        let some = f.hub.diff_some(&from, &to, &[asked], &limits).unwrap();
        assert_eq!(some, std::slice::from_ref(file), "{:?}", file.path);
    }
    let all: Vec<_> = whole
        .files
        .iter()
        .map(|file| DiffPath { path: file.path.clone(), old_path: file.old_path.clone() })
        .collect();
    let mut some = f.hub.diff_some(&from, &to, &all, &limits).unwrap();
    some.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(some, whole.files);
    assert_eq!(f.hub.diff_some(&from, &to, &[at(b"README.md"), at(b"nowhere")], &limits).unwrap(), []);
}

#[test]
fn white_space_is_passed_over_where_that_is_asked() {
    let f = Fixture::new();
    let (from, to) = two(
        &f,
        |f| {
            f.write("both.rs", "fn a() {\nb();\nc();\n}\n");
            f.write("only.rs", "fn a() {\nb();\n}\n");
        },
        |f| {
            f.write("both.rs", "fn a() {\n    b();\n    d();\n}\n");
            f.write("only.rs", "fn a() {\n    b();\n}\n");
            f.write("zz.rs", "new\n");
        },
    );
    let limits = DiffLimits { ignore_whitespace: true, ..DiffLimits::default() };
    let diff = f.hub.diff(&from, &to, &limits).unwrap();
    let names: Vec<_> = diff.files.iter().map(|file| file.path.to_string()).collect();
    assert_eq!(names, ["both.rs", "zz.rs"]);
    assert_eq!((diff.stat.files, diff.stat.added, diff.stat.removed), (2, 2, 1));
    assert_eq!(diff.files[0].hunks[0].lines.len(), 5);
    assert_eq!(diff.files[1].hunks[0].lines[0].text, "new");
    let some = f.hub.diff_some(&from, &to, &[at(b"only.rs"), at(b"zz.rs")], &limits).unwrap();
    assert_eq!((some.len(), some[0].status), (1, FileStatus::Added));
}

#[test]
fn lines_are_followed_through_renames_and_edits() {
    let f = Fixture::new();
    let text: String = (1..=20).map(|n| format!("line {n}\n")).collect();
    let (from, to) = two(
        &f,
        |f| {
            f.write("a.txt", &text);
            f.write("gone.txt", "x\n");
        },
        |f| {
            fs::remove_file(f.repo().join("gone.txt")).unwrap();
            fs::rename(f.repo().join("a.txt"), f.repo().join("b.txt")).unwrap();
            let edited = text.replace("line 1\n", "line 0\nline 1\n").replace("line 10\n", "line ten\n");
            f.write("b.txt", edited.replace("line 15\n", ""));
        },
    );
    let mut follow = Follow::open(&f.hub, &from, &to).unwrap();
    let mut place = |path: &str, lines| {
        let followed = follow.place(&path.into(), lines).unwrap();
        (followed.place.map(|(path, lines)| (path.to_string(), lines)), followed.touched)
    };
    let b = |lines| Some(("b.txt".to_owned(), lines));
    assert_eq!(place("a.txt", Some((5, 6))), (b(Some((6, 7))), false));
    assert_eq!(place("a.txt", Some((10, 10))), (b(Some((11, 11))), true));
    assert_eq!(place("a.txt", Some((15, 15))), (None, true));
    assert_eq!(place("a.txt", Some((20, 20))), (b(Some((20, 20))), false));
    assert_eq!(place("a.txt", None), (b(None), true));
    assert_eq!(place("gone.txt", Some((1, 1))), (None, true));
    let same = Some(("README.md".to_owned(), Some((1, 1))));
    assert_eq!(place("README.md", Some((1, 1))), (same, false));
    assert_eq!(follow.became(&"a.txt".into(), 10, 10).unwrap(), [["line ten"]]);
    assert!(follow.became(&"a.txt".into(), 5, 6).unwrap().is_empty());
}

#[test]
fn a_file_of_a_commit_is_read_by_its_blob() {
    let f = Fixture::new();
    let (_, to) = two(&f, |f| f.write("a.txt", "x\n"), |f| f.write("dir/b.txt", "one\n"));
    let (_, id) = f.hub.entry_at(&to, &"dir/b.txt".into()).unwrap().unwrap();
    let blob = BlobId::parse(&id).unwrap();
    assert_eq!(f.hub.blob(&blob, 100).unwrap().as_deref(), Some(&b"one\n"[..]));
    assert!(f.hub.blob(&blob, 3).is_err(), "larger than asked for");
    assert_eq!(f.hub.entry_at(&to, &"dir".into()).unwrap(), None);
    assert_eq!(f.hub.entry_at(&to, &"none".into()).unwrap(), None);
    assert_eq!(
        f.hub.blob(&BlobId::parse(to.as_str()).unwrap(), 100_000).unwrap(),
        None,
        "a commit is no blob"
    );
}
