//! Snapshots and diffs of them.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use divisi_workspace::{
    DiffLimits, FileStatus, LineKind, NoteKind, RepoPath, Snapshot, SnapshotError, SnapshotLimits,
};

use crate::support::{Fixture, bytes, request, write};

fn notes(snapshot: &Snapshot) -> Vec<(String, NoteKind)> {
    snapshot.notes.iter().map(|n| (n.path.to_string(), n.kind)).collect()
}

#[test]
fn an_untouched_workspace_is_unchanged_and_hardly_read() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    let snapshot = f.snapshot(&space);
    assert!(snapshot.unchanged, "{snapshot:?}");
    assert_eq!(f.hub.tree_of(&snapshot.commit).unwrap(), f.hub.tree_of(space.base()).unwrap());
    assert_eq!(notes(&snapshot), []);
}

#[test]
fn everything_is_recorded_as_it_is() {
    let f = Fixture::new();
    f.write("dir/inner", "i");
    f.write("plain", "p");
    f.commit("more");
    let space = f.workspace("t1.1");
    let dir = space.path();
    write(&dir, "src/main.rs", "changed\r\n");
    fs::remove_file(dir.join("README.md")).unwrap();
    fs::remove_dir_all(dir.join("dir")).unwrap();
    write(&dir, "dir", "now a file");
    fs::remove_file(dir.join("plain")).unwrap();
    write(&dir, "plain/now/a/folder", "f");
    write(&dir, "with space", "1");
    write(&dir, "with\nline\tbreak \"q\" \\", "2");
    fs::write(dir.join(bytes(b"not-utf8-\xff\xfe")), "3").unwrap();
    symlink("/etc/passwd", dir.join("link-out")).unwrap();
    symlink("/etc", dir.join("folder-link")).unwrap();
    symlink("nowhere", dir.join("broken")).unwrap();
    fs::create_dir_all(dir.join("empty/deeper")).unwrap();
    fs::set_permissions(dir.join("src/lib.rs"), fs::Permissions::from_mode(0o755)).unwrap();
    write(&dir, "ignored.log", "not this");
    write(&dir, "build/out", "nor this");

    let snapshot = f.snapshot(&space);
    assert_eq!(notes(&snapshot), []);
    assert_eq!(snapshot.commit, snapshot.visible);
    let tree = f.tree(&snapshot.commit);
    let expected = [
        "100644 .gitignore",
        "120000 broken",
        "100644 dir",
        "120000 folder-link",
        "120000 link-out",
        "100644 \"not-utf8-\\377\\376\"",
        "100644 plain/now/a/folder",
        "100755 run.sh",
        "100755 src/lib.rs",
        "100644 src/main.rs",
        "100644 with space",
        "100644 \"with\\nline\\tbreak \\\"q\\\" \\\\\"",
    ];
    let sorted = |mut v: Vec<String>| {
        v.sort();
        v
    };
    assert_eq!(sorted(tree), sorted(expected.map(str::to_owned).to_vec()));
    let main = f.hub.file_at(&snapshot.commit, &"src/main.rs".into(), 100).unwrap();
    assert_eq!(main.as_deref(), Some(&b"changed\r\n"[..]));
    assert_eq!(f.show(&snapshot.commit, "link-out"), "/etc/passwd");
}

#[test]
fn snapshots_are_numbered_kept_and_cheap_when_little_changed() {
    let f = Fixture::new();
    for n in 0..300 {
        f.write(format!("many/{n}"), format!("{n}\n"));
    }
    f.commit("many");
    let space = f.workspace("t1.1");
    // The clock of the file system has to move on before what was just written counts as settled.
    let settled = || {
        let probe = f.path("probe");
        fs::write(&probe, "").unwrap();
        // Not the time of the content, which Divisi sets, but that of the last change of any kind.
        let changed = |path| {
            let found = fs::metadata(path).unwrap();
            found.ctime() * 1000 + found.ctime_nsec() / 1_000_000
        };
        // Several workers check out at once, so any file may be the last one.
        let last = (0..300).map(|n| changed(space.path().join(format!("many/{n}")))).max().unwrap();
        changed(probe) - last > 150
    };
    while !settled() {
        std::thread::yield_now();
    }
    assert_eq!(f.snapshot(&space).number, 1);
    write(&space.path(), "many/7", "seven\n");
    let second = f.snapshot(&space);
    assert_eq!((second.number, second.files_read), (2, 1), "{second:?}");
    assert_eq!(f.show(&second.commit, "many/7"), "seven");
    let numbers: Vec<_> = f.hub.snapshots("t1.1").unwrap().into_iter().map(|(n, _)| n).collect();
    assert_eq!(numbers, [1, 2]);
    let mut again = request("t1.1");
    again.number = Some(2);
    assert!(space.snapshot(&f.hub, &again).is_err(), "a snapshot is never replaced");
}

#[test]
fn a_change_of_same_size_and_restored_mtime_is_seen() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    f.snapshot(&space);
    let file = space.path().join("src/lib.rs");
    let before = fs::metadata(&file).unwrap();
    let text = fs::read_to_string(&file).unwrap().replace('1', "2");
    fs::write(&file, text).unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(before.modified().unwrap()).unwrap();
    let snapshot = f.snapshot(&space);
    assert!(f.show(&snapshot.commit, "src/lib.rs").contains('2'));
}

#[test]
fn files_that_only_the_attempts_own_rules_hide_are_recorded_and_named() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    let dir = space.path();
    write(&dir, ".gitignore", "*\n");
    write(&dir, "backdoor.rs", "evil");
    write(&dir, "sub/deep/evil.rs", "evil");
    write(&dir, ".git/info/exclude", "secret-plan\n");
    write(&dir, "secret-plan", "visible");
    let snapshot = f.snapshot(&space);
    let tree = f.tree(&snapshot.commit);
    assert!(
        tree.contains(&"100644 backdoor.rs".to_owned())
            && tree.contains(&"100644 sub/deep/evil.rs".to_owned())
    );
    let noted = notes(&snapshot);
    assert!(noted.contains(&("backdoor.rs".into(), NoteKind::Hidden)), "{noted:?}");
    assert!(noted.contains(&("sub".into(), NoteKind::Hidden)), "{noted:?}");
    assert_ne!(snapshot.commit, snapshot.visible);
    assert!(!f.tree(&snapshot.visible).contains(&"100644 backdoor.rs".to_owned()));
    assert!(!snapshot.is_partial());
}

#[test]
fn excludes_inside_the_private_git_directory_hide_nothing() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), ".git/info/exclude", "hidden.rs\n");
    write(&space.path(), "hidden.rs", "x");
    let snapshot = f.snapshot(&space);
    assert!(f.tree(&snapshot.visible).contains(&"100644 hidden.rs".to_owned()));
}

#[test]
fn build_output_of_a_new_ignore_rule_stays_out_when_it_says_it_is_a_cache() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), ".gitignore", "*.log\n/build/\n.env\n/target/\n");
    write(&space.path(), "target/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n");
    write(&space.path(), "target/debug/big", "x");
    let snapshot = f.snapshot(&space);
    assert_eq!(notes(&snapshot), [("target".into(), NoteKind::Cache)]);
    assert!(!f.tree(&snapshot.commit).iter().any(|line| line.contains("target")));
}

#[test]
fn what_an_attempt_stops_ignoring_is_recorded_and_named() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), ".gitignore", "/build/\n!/keep.log\n");
    write(&space.path(), "keep.log", "k");
    let snapshot = f.snapshot(&space);
    assert_eq!(notes(&snapshot), [("keep.log".into(), NoteKind::Exposed)]);
    assert!(f.tree(&snapshot.visible).contains(&"100644 keep.log".to_owned()));
}

#[test]
fn what_cannot_be_recorded_is_named_and_never_looks_deleted() {
    let f = Fixture::new();
    f.write("big", "small before");
    f.commit("big");
    let space = f.workspace("t1.1");
    let dir = space.path();
    write(&dir, "big", vec![b'x'; 5000]);
    write(&dir, "new-big", vec![b'x'; 5000]);
    rustix::fs::mkfifoat(rustix::fs::CWD, dir.join("pipe"), rustix::fs::Mode::RUSR).unwrap();
    std::os::unix::net::UnixListener::bind(dir.join("socket")).unwrap();
    fs::create_dir(dir.join(".GIT")).unwrap();
    write(&dir, ".GIT/config", "x");
    write(&dir, "sub/git~1", "x");
    let mut small = request("t1.1");
    small.limits = SnapshotLimits { file_bytes: 1000, ..SnapshotLimits::default() };
    let snapshot = space.snapshot(&f.hub, &small).unwrap();
    let noted = notes(&snapshot);
    for expected in [
        ("big", NoteKind::TooLarge),
        ("new-big", NoteKind::TooLarge),
        ("pipe", NoteKind::Special),
        ("socket", NoteKind::Special),
        (".GIT", NoteKind::ForbiddenName),
        ("sub/git~1", NoteKind::ForbiddenName),
    ] {
        assert!(noted.contains(&(expected.0.into(), expected.1)), "{expected:?} in {noted:?}");
    }
    assert!(snapshot.is_partial());
    assert_eq!(f.show(&snapshot.commit, "big"), "small before");
    assert!(
        !f.tree(&snapshot.commit)
            .iter()
            .any(|l| l.contains("new-big") || l.contains("git~1") || l.contains(".GIT"))
    );
}

#[test]
fn a_file_that_is_large_in_the_base_already_is_recorded() {
    let f = Fixture::new();
    f.write("large", vec![b'x'; 2000]);
    f.commit("large");
    let space = f.workspace("t1.1");
    write(&space.path(), "large", vec![b'y'; 3000]);
    let mut small = request("t1.1");
    small.limits = SnapshotLimits { file_bytes: 1000, ..SnapshotLimits::default() };
    let snapshot = space.snapshot(&f.hub, &small).unwrap();
    assert_eq!((notes(&snapshot).len(), f.show(&snapshot.commit, "large")), (0, "y".repeat(3000)));
}

#[test]
fn a_large_file_is_streamed_whole() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    let big: Vec<u8> = (0..20_000_000u32).map(|n| (n % 251) as u8).collect();
    write(&space.path(), "big.bin", &big);
    let snapshot = f.snapshot(&space);
    assert_eq!(f.hub.file_at(&snapshot.commit, &"big.bin".into(), 1 << 30).unwrap().unwrap(), big);
}

#[test]
fn a_nested_repository_is_recorded_as_files_and_its_git_directory_is_not_entered() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    f.git_in(&space.path(), ["init", "-q", "vendor/lib"]);
    write(&space.path(), "vendor/lib/code.c", "int x;");
    f.git_in(&space.path().join("vendor/lib"), ["add", "."]);
    f.git_in(&space.path().join("vendor/lib"), ["commit", "-q", "-m", "inner"]);
    let snapshot = f.snapshot(&space);
    assert_eq!(notes(&snapshot), [("vendor/lib".into(), NoteKind::NestedRepository)]);
    assert!(f.tree(&snapshot.commit).contains(&"100644 vendor/lib/code.c".to_owned()));
}

#[test]
fn a_submodule_of_the_base_stays_what_it_was() {
    let f = Fixture::new();
    let inner = f.head();
    f.git(["update-index", "--add", "--cacheinfo", &format!("160000,{inner},sub")]);
    f.git(["commit", "-q", "-m", "gitlink"]);
    let space = f.workspace("t1.1");
    assert!(f.snapshot(&space).unchanged);
    write(&space.path(), "sub/file", "x");
    let snapshot = f.snapshot(&space);
    assert_eq!(notes(&snapshot), [("sub".into(), NoteKind::SubmoduleContent)]);
    assert!(f.tree(&snapshot.commit).contains(&"160000 sub".to_owned()));
    fs::remove_dir_all(space.path().join("sub")).unwrap();
    assert!(!f.tree(&f.snapshot(&space).commit).contains(&"160000 sub".to_owned()));
}

#[test]
fn a_folder_that_is_gone_cannot_be_snapshotted() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    fs::remove_dir_all(space.path()).unwrap();
    assert!(matches!(space.snapshot(&f.hub, &request("t1.1")), Err(SnapshotError::Gone(_))));
    fs::create_dir(space.path()).unwrap();
    assert!(matches!(space.snapshot(&f.hub, &request("t1.1")), Err(SnapshotError::Gone(_))));
}

#[test]
fn labels_cannot_leave_their_namespace() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    for label in ["", "../x", "a/b", "x.lock", "a..b", "-x", "a b"] {
        assert!(space.snapshot(&f.hub, &request(label)).is_err(), "{label:?}");
    }
}

#[test]
fn a_diff_tells_everything_once() {
    let f = Fixture::new();
    f.write("moved.txt", "one\ntwo\nthree\nfour\nfive\nsix\n");
    f.write("bin", [0u8, 1, 2, 0]);
    f.write("typed", "a file\n");
    f.commit("more");
    let space = f.workspace("t1.1");
    let dir = space.path();
    write(&dir, "src/main.rs", "fn main() {\n    println!(\"two\");\n    more();\n}");
    fs::rename(dir.join("moved.txt"), dir.join(bytes(b"moved \xff.txt"))).unwrap();
    write(&dir, "bin", [0u8, 9, 9]);
    fs::remove_file(dir.join("typed")).unwrap();
    symlink("target", dir.join("typed")).unwrap();
    fs::remove_file(dir.join("README.md")).unwrap();
    fs::set_permissions(dir.join("src/lib.rs"), fs::Permissions::from_mode(0o755)).unwrap();
    write(&dir, "added\nfile", "+++ looks like a header\n@@ -1 +1 @@\n");
    write(&dir, "zz-last", "end\n");
    let snapshot = f.snapshot(&space);
    let diff = f.hub.diff(space.base(), &snapshot.commit, &DiffLimits::default()).unwrap();
    let file = |path: &[u8]| diff.files.iter().find(|f| f.path == RepoPath::new(path)).unwrap();
    assert_eq!(diff.stat.files, 8, "{diff:#?}");
    let main = file(b"src/main.rs");
    assert_eq!((main.status, main.added, main.removed), (FileStatus::Modified, 3, 2));
    assert!(main.hunks[0].lines.last().unwrap().no_newline);
    assert_eq!(main.hunks[0].lines.iter().filter(|l| l.kind == LineKind::Added).count(), 3);
    let moved = file(b"moved \xff.txt");
    assert_eq!((moved.status, moved.old_path.clone()), (FileStatus::Renamed, Some("moved.txt".into())));
    assert!(file(b"bin").binary && file(b"bin").hunks.is_empty());
    let typed = file(b"typed");
    assert_eq!((typed.status, typed.hunks.len()), (FileStatus::TypeChanged, 2));
    assert_eq!(typed.hunks[1].lines[0].text, "target");
    assert_eq!(file(b"README.md").status, FileStatus::Deleted);
    let lib = file(b"src/lib.rs");
    assert!(lib.old_mode != lib.new_mode && lib.hunks.is_empty());
    assert_eq!(file(b"added\nfile").hunks[0].lines[1].text, "@@ -1 +1 @@");
    assert_eq!(file(b"zz-last").hunks[0].lines[0].text, "end");
    let json = serde_json::to_string(&diff).unwrap();
    assert_eq!(serde_json::from_str::<divisi_workspace::Diff>(&json).unwrap(), diff);
}

#[test]
fn attributes_of_an_attempt_do_not_hide_its_diff() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), ".gitattributes", "*.rs binary -diff linguist-generated\n");
    write(&space.path(), "src/lib.rs", "pub fn evil() {}\n");
    let snapshot = f.snapshot(&space);
    let diff = f.hub.diff(space.base(), &snapshot.commit, &DiffLimits::default()).unwrap();
    let lib = diff.files.iter().find(|d| d.path == "src/lib.rs".into()).unwrap();
    assert!(!lib.binary && !lib.hunks.is_empty());
}

#[test]
fn a_diff_beyond_its_limits_says_so() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    for n in 0..10 {
        write(&space.path(), format!("f{n}"), "line\n".repeat(100));
    }
    let snapshot = f.snapshot(&space);
    let limits = DiffLimits { files: 4, patch_bytes: 1500, ..DiffLimits::default() };
    let diff = f.hub.diff(space.base(), &snapshot.commit, &limits).unwrap();
    assert_eq!((diff.stat.files, diff.stat.added, diff.files.len(), diff.files_dropped), (10, 1000, 4, 6));
    assert!(!diff.files[0].truncated && diff.files[3].truncated);
}

#[test]
fn many_attempts_are_snapshotted_at_once_and_the_hub_can_be_tidied_meanwhile() {
    let f = Fixture::new();
    let spaces: Vec<_> = (0..8).map(|n| f.workspace(&format!("t{n}.1"))).collect();
    std::thread::scope(|scope| {
        for space in &spaces {
            let f = &f;
            scope.spawn(move || {
                for n in 0..3 {
                    // More than a hundred new blobs make a pack of their own.
                    for file in 0..60 {
                        write(&space.path(), format!("{n}/{file}"), format!("{} {n} {file}", space.name()));
                    }
                    f.snapshot(space);
                }
            });
        }
        scope.spawn(|| (0..3).for_each(|_| f.hub.tidy().unwrap()));
    });
    f.hub.tidy().unwrap();
    for space in &spaces {
        let taken = f.hub.snapshots(space.name()).unwrap();
        assert_eq!(taken.len(), 3);
        assert_eq!(f.show(&taken[2].1, "2/59"), format!("{} 2 59", space.name()));
    }
    assert_eq!(f.hub.refs_below("refs/divisi/tmp/").unwrap(), []);
    assert_eq!(f.git_in(f.hub.dir(), ["fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn a_tidy_clears_what_a_dead_process_left() {
    let f = Fixture::new();
    let base = f.base();
    // No process has a number like this.
    for owner in ["4999999-0", &format!("{}-77", std::process::id())] {
        f.git_in(f.hub.dir(), ["update-ref", &format!("refs/divisi/tmp/{owner}"), base.as_str()]);
        fs::create_dir_all(f.hub.dir().join("divisi").join(format!("incoming-{owner}"))).unwrap();
    }
    f.hub.tidy().unwrap();
    let left = f.hub.refs_below("refs/divisi/tmp/").unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(!f.hub.dir().join("divisi/incoming-4999999-0").exists());
    assert!(f.hub.dir().join(format!("divisi/incoming-{}-77", std::process::id())).exists());
}

#[test]
fn folders_that_were_ignored_stay_ignored_when_another_rule_changes() {
    let f = Fixture::new();
    f.write("web/.gitignore", "dist/\n");
    f.commit("web");
    let space = f.workspace("t1.1");
    write(&space.path(), "build/out", "x");
    write(&space.path(), "web/dist/out", "x");
    write(&space.path(), "web/.gitignore", "dist/\n*.map\n");
    write(&space.path(), "web/a.map", "x");
    let snapshot = f.snapshot(&space);
    assert_eq!(notes(&snapshot), [("web/a.map".into(), NoteKind::Hidden)]);
    fs::remove_file(space.path().join("web/.gitignore")).unwrap();
    let snapshot = f.snapshot(&space);
    assert_eq!(notes(&snapshot), [("web/dist".into(), NoteKind::Exposed)]);
}
