//! Archiving a workspace and bringing it back.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use divisi_workspace::{
    ArchiveError, ArchiveLimits, ArchiveRequest, Kind, NoteKind, Presence, Workspace, WorkspaceError,
};

use crate::support::{Fixture, bytes, divisi, write};

fn archive_request() -> ArchiveRequest {
    ArchiveRequest { by: divisi(), limits: ArchiveLimits::default(), allow_loss: false }
}

/// Mode, time, and content or link text.
type Seen = (u32, (i64, i64), Vec<u8>);

/// Everything below a folder, `.git` too.
fn everything(dir: &Path) -> BTreeMap<PathBuf, Seen> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let content = if meta.is_dir() {
                folders.push(path.clone());
                Vec::new()
            } else if meta.is_symlink() {
                fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            } else {
                fs::read(&path).unwrap()
            };
            let time = (meta.mtime(), meta.mtime_nsec());
            found.insert(path.strip_prefix(dir).unwrap().to_owned(), (meta.mode(), time, content));
        }
    }
    found
}

fn full(f: &Fixture) -> Workspace {
    let space = f.workspace("t1.1");
    let dir = space.path();
    write(&dir, "src/main.rs", "changed\n");
    write(&dir, "committed", "c");
    f.git_in(&dir, ["add", "committed"]);
    f.git_in(&dir, ["commit", "-q", "-m", "the agent's own"]);
    write(&dir, "staged", "s");
    f.git_in(&dir, ["add", "staged"]);
    f.git_in(&dir, ["stash", "list"]);
    write(&dir, ".env", "SECRET=1");
    fs::set_permissions(dir.join(".env"), fs::Permissions::from_mode(0o600)).unwrap();
    write(&dir, "build/cache/out.o", vec![0u8, 1, 2, 255]);
    fs::create_dir_all(dir.join("empty/deeper")).unwrap();
    fs::write(dir.join(bytes(b"odd \xff\n\"name")), "odd").unwrap();
    symlink("/etc/passwd", dir.join("link-out")).unwrap();
    symlink("/etc", dir.join("folder-link")).unwrap();
    f.git_in(&dir, ["init", "-q", "nested"]);
    write(&dir, "nested/x", "x");
    write(&dir, "big.bin", vec![7u8; 9 << 20]);
    write(&dir, "readonly/file", "r");
    fs::set_permissions(dir.join("readonly"), fs::Permissions::from_mode(0o500)).unwrap();
    space
}

#[test]
fn what_comes_back_is_what_was_put_away() {
    let f = Fixture::new();
    let space = full(&f);
    // Before the look at everything: `git status` itself may refresh the index.
    let status = f.git_in(&space.path(), ["status", "--porcelain", "--branch", "--ignored"]);
    let before = everything(&space.path());
    let archived = f.spaces().archive(&f.hub, &space, &archive_request()).unwrap();
    assert_eq!(archived.left_out, []);
    assert!(!space.path().exists());
    assert_eq!(fs::read_dir(f.spaces().root()).unwrap().count(), 1, "only the records are left");
    assert_eq!(space.presence(), Presence::Missing);
    // A clean-up of the hub takes nothing of it.
    f.git_in(f.hub.dir(), ["gc", "-q", "--prune=now"]);

    let back = f.spaces().restore(&f.hub, "t1.1", Kind::Plain).unwrap();
    assert_eq!(back.presence(), Presence::Present);
    let after = everything(&back.path());
    for (path, was) in &before {
        assert_eq!(after.get(path).map(|is| (is.0, &is.2)), Some((was.0, &was.2)), "{}", path.display());
        assert_eq!(after[path].1, was.1, "time of {}", path.display());
    }
    assert_eq!(after.len(), before.len());
    assert_eq!(f.git_in(&back.path(), ["status", "--porcelain", "--branch", "--ignored"]), status);
    // And it is a workspace like any other: it can be put away again.
    f.snapshot(&back);
    f.spaces().archive(&f.hub, &back, &archive_request()).unwrap();
    f.spaces().restore(&f.hub, "t1.1", Kind::Plain).unwrap();
}

#[test]
fn after_a_crash_it_is_known_whether_it_was_put_away_or_is_back() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), "work", "x");
    assert_eq!(space.put_away_as(), None);
    let archived = f.spaces().archive(&f.hub, &space, &archive_request()).unwrap();
    assert_eq!(f.spaces().get("t1.1").unwrap().put_away_as(), Some(&archived.commit));
    let back = f.spaces().restore(&f.hub, "t1.1", Kind::Plain).unwrap();
    // Deleted by hand, the old archive is not what it was last.
    fs::remove_dir_all(back.path()).unwrap();
    assert_eq!(f.spaces().get("t1.1").unwrap().put_away_as(), None);
}

#[test]
fn caches_pipes_and_sockets_are_named_and_left_out() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    let dir = space.path();
    write(&dir, "build/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n");
    write(&dir, "build/huge", "x");
    // Not ignored, so it counts as work whatever it says of itself.
    write(&dir, "mine/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n");
    write(&dir, "mine/work", "x");
    rustix::fs::mkfifoat(rustix::fs::CWD, dir.join("pipe"), rustix::fs::Mode::RUSR).unwrap();
    let archived = f.spaces().archive(&f.hub, &space, &archive_request()).unwrap();
    let left_out: Vec<_> = archived.left_out.iter().map(|n| (n.path.to_string(), n.kind)).collect();
    assert_eq!(left_out, [("build".into(), NoteKind::Cache), ("pipe".into(), NoteKind::Special)]);
    let back = f.spaces().restore(&f.hub, "t1.1", Kind::Plain).unwrap();
    assert!(back.path().join("mine/work").exists() && !back.path().join("build").exists());
}

#[test]
fn what_would_be_lost_keeps_the_folder() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), "too-big", vec![1u8; 5000]);
    let mut request = archive_request();
    request.limits.file_bytes = 1000;
    let Err(ArchiveError::WouldLose(lost)) = f.spaces().archive(&f.hub, &space, &request) else {
        panic!("lost")
    };
    assert!(lost.iter().any(|n| n.path == "too-big".into() && n.kind == NoteKind::TooLarge));
    assert!(space.path().join("too-big").exists());
    request.allow_loss = true;
    f.spaces().archive(&f.hub, &space, &request).unwrap();
    assert!(!space.path().exists());
}

#[test]
fn a_folder_that_divisi_did_not_make_is_not_removed() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    fs::rename(space.path(), f.path("real")).unwrap();
    fs::create_dir(space.path()).unwrap();
    write(&space.path(), "theirs", "x");
    let refused = f.spaces().archive(&f.hub, &space, &archive_request());
    assert!(matches!(refused, Err(ArchiveError::NotOurs(_))));
    assert!(space.path().join("theirs").exists());
    fs::remove_dir_all(space.path()).unwrap();
    symlink(f.path("real"), space.path()).unwrap();
    let refused = f.spaces().archive(&f.hub, &space, &archive_request());
    assert!(matches!(refused, Err(ArchiveError::NotOurs(_))));
    assert!(f.path("real/src/main.rs").exists());
    fs::remove_file(space.path()).unwrap();
    let refused = f.spaces().archive(&f.hub, &space, &archive_request());
    assert!(matches!(refused, Err(ArchiveError::Gone(_))));
}

#[test]
fn removal_does_not_follow_links_out() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&f.path("outside"), "kept", "x");
    symlink(f.path("outside"), space.path().join("out")).unwrap();
    symlink(f.path("outside/kept"), space.path().join(".git/objects/kept")).unwrap();
    f.spaces().archive(&f.hub, &space, &archive_request()).unwrap();
    assert!(f.path("outside/kept").exists());
}

#[test]
fn restoring_never_writes_over_anything() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    assert!(matches!(f.spaces().restore(&f.hub, "t1.1", Kind::Plain), Err(ArchiveError::NoArchive(_))));
    f.spaces().archive(&f.hub, &space, &archive_request()).unwrap();
    fs::create_dir(space.path()).unwrap();
    write(&space.path(), "theirs", "x");
    let refused = f.spaces().restore(&f.hub, "t1.1", Kind::Plain);
    assert!(matches!(refused, Err(ArchiveError::Workspace(WorkspaceError::Exists(_)))));
    assert_eq!(fs::read_dir(space.path()).unwrap().count(), 1);
    assert!(matches!(
        f.spaces().restore(&f.hub, "t9.9", Kind::Plain),
        Err(ArchiveError::Workspace(WorkspaceError::Unknown(_)))
    ));
}

#[test]
fn a_folder_deleted_by_hand_comes_back_from_its_last_snapshot() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), "work/new", "precious");
    fs::remove_file(space.path().join("README.md")).unwrap();
    fs::set_permissions(space.path().join("src/lib.rs"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("work/new", space.path().join("link")).unwrap();
    let snapshot = f.snapshot(&space);
    fs::remove_dir_all(space.path()).unwrap();
    let (_, last) = f.hub.snapshots("t1.1").unwrap().pop().unwrap();
    let back = f.spaces().recreate(&f.hub, "t1.1", &last, Kind::Plain).unwrap();
    let status = f.git_in(&back.path(), ["status", "--porcelain", "--branch", "-uall"]);
    assert_eq!(status, "## divisi/t1.1\n D README.md\n M src/lib.rs\n?? link\n?? work/new");
    let again = f.snapshot(&back);
    assert_eq!(f.hub.tree_of(&again.commit).unwrap(), f.hub.tree_of(&snapshot.commit).unwrap());
}

#[test]
fn a_snapshot_from_before_a_move_undoes_nothing_that_landed() {
    let f = Fixture::new();
    let mut space = f.workspace("t1.1");
    let old = f.base();
    write(&space.path(), "own", "x\n");
    let snapshot = f.snapshot(&space);
    f.write("README.md", "# Landed meanwhile\n");
    f.commit("meanwhile");
    let target = f.base();
    f.hub.take_base(&f.project(), &target).unwrap();
    space.move_base(&f.hub, &target, "t1.1", &divisi()).unwrap();
    fs::remove_dir_all(space.path()).unwrap();
    let back = f.spaces().recreate(&f.hub, "t1.1", &snapshot.commit, Kind::Plain).unwrap();
    assert_eq!(back.base(), &old, "its change is one to the base that it was made on");
    let again = f.snapshot(&back);
    let changed = f.git_in(f.hub.dir(), ["diff", "--name-only", old.as_str(), again.commit.as_str()]);
    assert_eq!(changed, "own");
}

#[test]
fn one_file_can_be_put_back() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), "src/lib.rs", "good\n");
    let snapshot = f.snapshot(&space);
    write(&space.path(), "src/lib.rs", "bad\n");
    write(&space.path(), "extra", "x");
    fs::write(f.path("victim"), "safe").unwrap();
    for (path, gone) in [("src/lib.rs", false), ("extra", true)] {
        space.restore_file(&f.hub, &snapshot.commit, &path.into()).unwrap();
        assert_eq!(!space.path().join(path).exists(), gone);
    }
    assert_eq!(fs::read_to_string(space.path().join("src/lib.rs")).unwrap(), "good\n");
    // A folder swapped for a link does not lead the write out.
    fs::remove_dir_all(space.path().join("src")).unwrap();
    fs::create_dir(f.path("outside")).unwrap();
    symlink(f.path("outside"), space.path().join("src")).unwrap();
    assert!(space.restore_file(&f.hub, &snapshot.commit, &"src/lib.rs".into()).is_err());
    assert_eq!(fs::read_dir(f.path("outside")).unwrap().count(), 0);
    for bad in ["../victim", ".git/config", "", "a//b"] {
        assert!(space.restore_file(&f.hub, &snapshot.commit, &bad.into()).is_err(), "{bad}");
    }
    assert_eq!(fs::read_to_string(f.path("victim")).unwrap(), "safe");
}

#[test]
fn another_machine_brings_back_what_this_one_has_kept() {
    let f = Fixture::new();
    let (space, other) = (full(&f), f.workspace("t2.1"));
    write(&other.path(), "new.txt", "kept by a snapshot");
    let snapshot = f.snapshot(&other);
    f.spaces().archive(&f.hub, &space, &archive_request()).unwrap();
    let refs = f.hub.refs_to_carry().unwrap();
    assert!(refs.refs.iter().any(|(name, id)| *name == snapshot.ref_name && *id == snapshot.commit));
    assert_eq!(refs.roots.len(), 1);
    let pack = f.path("hub.pack");
    f.hub.write_pack(&refs, &mut fs::File::create(&pack).unwrap()).unwrap();

    let hub = divisi_workspace::Hub::open(&f.git, &f.path("there/hub.git")).unwrap();
    hub.read_pack(&refs, &pack).unwrap();
    assert_eq!(hub.refs_to_carry().unwrap(), refs);
    let unknown = divisi_workspace::CommitId::parse(&"a".repeat(40)).unwrap();
    assert_eq!(hub.missing([&unknown, &snapshot.commit].into_iter()).unwrap(), [unknown]);
    let root = f.path("there/workspaces");
    for name in ["t1.1", "t2.1"] {
        let record = divisi_workspace::Workspaces::recorded(f.spaces().root(), name).unwrap().unwrap();
        divisi_workspace::Workspaces::adopt(&root, &record).unwrap();
    }
    // What is not there any more cannot be read by mistake.
    fs::rename(f.hub.dir(), f.path("gone.git")).unwrap();
    let spaces = divisi_workspace::Workspaces::open_anywhere(&root, &f.project()).unwrap();
    let back = spaces.restore(&hub, "t1.1", Kind::Plain).unwrap();
    assert_eq!(fs::read_to_string(back.path().join(".env")).unwrap(), "SECRET=1");
    assert!(f.git_in(&back.path(), ["log", "--format=%s"]).starts_with("the agent's own"));
    assert_eq!(spaces.get("t1.1").unwrap().record().archived, None, "from now on the folder holds more");
    let back = spaces.recreate(&hub, "t2.1", &snapshot.commit, Kind::Plain).unwrap();
    assert_eq!(fs::read_to_string(back.path().join("new.txt")).unwrap(), "kept by a snapshot");
    assert!(f.git_in(&back.path(), ["status", "--short"]).contains("new.txt"));
}

#[test]
fn half_a_pack_or_a_ref_of_another_kind_is_refused() {
    let f = Fixture::new();
    f.base();
    let refs = f.hub.refs_to_carry().unwrap();
    let mut pack = Vec::new();
    f.hub.write_pack(&refs, &mut pack).unwrap();
    let file = f.path("hub.pack");
    let hub = |name: &str| divisi_workspace::Hub::open(&f.git, &f.path(name)).unwrap();
    fs::write(&file, &pack[..pack.len() / 2]).unwrap();
    assert!(hub("a.git").read_pack(&refs, &file).is_err());
    fs::write(&file, &pack).unwrap();
    for name in ["refs/heads/main", "HEAD", "refs/divisi/../heads/x", "refs/divisi/a b"] {
        let mut wrong = refs.clone();
        wrong.refs[0].0 = name.to_owned();
        assert!(hub("b.git").read_pack(&wrong, &file).is_err(), "{name}");
    }
    // A ref to what the pack does not hold.
    let mut more = refs.clone();
    let id = divisi_workspace::CommitId::parse(&"b".repeat(40)).unwrap();
    more.refs.push(("refs/divisi/snapshots/t1.1/1".to_owned(), id));
    assert!(hub("c.git").read_pack(&more, &file).is_err());
    hub("d.git").read_pack(&refs, &file).unwrap();
}

#[test]
fn a_record_that_leads_elsewhere_is_not_taken_in() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    let refused = |change: &dyn Fn(&mut divisi_workspace::Record)| {
        let mut record = space.record().clone();
        change(&mut record);
        divisi_workspace::Workspaces::adopt(&f.path("there"), &record).is_err()
    };
    assert!(refused(&|record| record.name = "../x".to_owned()));
    assert!(refused(&|record| record.branch = Some("../../config".to_owned())));
    assert!(refused(&|record| record.base_branch = Some("/etc/x".to_owned())));
}
