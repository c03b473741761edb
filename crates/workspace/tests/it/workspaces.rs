//! Making workspaces.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use divisi_workspace::{
    Hub, HubError, IncludeLimits, Kind, NewWorkspace, Presence, Project, Skipped, WorkspaceError, Workspaces,
};

use crate::support::{Fixture, bytes, write};

#[test]
fn a_workspace_is_an_ordinary_repository_on_its_own_branch() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    let dir = space.path();
    assert!(dir.join(".git").is_dir());
    assert_eq!(f.git_in(&dir, ["status", "--porcelain=v2", "--branch"]).lines().count(), 2, "clean at once");
    assert_eq!(f.git_in(&dir, ["rev-parse", "--abbrev-ref", "HEAD"]), "divisi/t1.1");
    assert_eq!(f.git_in(&dir, ["rev-parse", "HEAD"]), f.head().as_str());
    assert_eq!(f.git_in(&dir, ["config", "user.name"]), "User");
    assert_ne!(fs::metadata(dir.join("run.sh")).unwrap().permissions().mode() & 0o111, 0);
    write(&dir, "new.txt", "x");
    f.git_in(&dir, ["add", "."]);
    f.git_in(&dir, ["commit", "-q", "-m", "an agent's commit"]);
    assert!(!f.repo().join(".git/refs/heads/divisi").exists(), "the user's repository has nothing of it");
    assert_eq!(f.spaces().names().unwrap(), ["t1.1"]);
    assert_eq!(f.spaces().get("t1.1").unwrap().record(), space.record());
}

#[test]
fn the_base_branch_is_known_inside() {
    let f = Fixture::new();
    let mut new = NewWorkspace::new("t1.1", f.base()).on_branch("divisi/t1");
    new.base_branch = Some("main".into());
    let space = f.spaces().create(&f.hub, &new).unwrap();
    assert_eq!(f.git_in(&space.path(), ["diff", "main", "--stat"]), "");
}

#[test]
fn fifty_at_once() {
    let f = Fixture::new();
    let (base, spaces) = (f.base(), f.spaces());
    let made: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..50)
            .map(|n| {
                let (base, spaces, hub) = (base.clone(), &spaces, &f.hub);
                scope.spawn(move || {
                    let new = NewWorkspace::new(format!("t{n}.1"), base).on_branch(format!("divisi/t{n}"));
                    spaces.create(hub, &new)
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap().unwrap()).collect()
    });
    assert_eq!(spaces.names().unwrap().len(), 50);
    for space in &made {
        assert_eq!(space.presence(), Presence::Present);
        assert!(space.path().join("src/main.rs").is_file());
    }
}

#[test]
fn many_threads_may_open_a_new_hub_and_take_the_same_base() {
    let f = Fixture::new();
    let (dir, head) = (f.path("data/other.git"), f.head());
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| Hub::open(&f.git, &dir).unwrap().take_base(&f.project(), &head).unwrap());
        }
    });
    assert!(Hub::open(&f.git, &dir).unwrap().has_commit(&head).unwrap());
    assert_eq!(fs::read_dir(f.path("data")).unwrap().count(), 2, "nothing half-made is left");
}

#[test]
fn places_and_names_that_would_do_harm_are_refused() {
    let f = Fixture::new();
    let project = f.project();
    let inside = f.repo().join("spaces");
    assert!(matches!(Workspaces::open(&inside, &project), Err(WorkspaceError::InsideProject { .. })));
    assert!(!inside.exists());
    let temporary = tempfile::tempdir_in("/tmp").unwrap();
    assert!(matches!(Workspaces::open(temporary.path(), &project), Err(WorkspaceError::TemporaryPlace(_))));
    for name in ["", ".x", "-x", "a/b", "..", "a b", "a\n"] {
        let new = NewWorkspace::new(name, f.base());
        assert!(matches!(f.spaces().create(&f.hub, &new), Err(WorkspaceError::BadName(_))), "{name:?}");
    }
    let new = NewWorkspace::new("x", f.base()).on_branch("../../escape");
    assert!(matches!(f.spaces().create(&f.hub, &new), Err(WorkspaceError::BadBranch(_))));
}

#[test]
fn a_name_in_use_is_refused_and_left_as_it_is() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    write(&space.path(), "work.txt", "precious");
    let new = NewWorkspace::new("t1.1", f.base());
    assert!(matches!(f.spaces().create(&f.hub, &new), Err(WorkspaceError::Exists(_))));
    fs::create_dir(f.spaces().root().join("foreign")).unwrap();
    let new = NewWorkspace::new("foreign", f.base());
    assert!(matches!(f.spaces().create(&f.hub, &new), Err(WorkspaceError::Exists(_))));
    assert_eq!(f.spaces().names().unwrap(), ["t1.1"]);
    assert!(space.path().join("work.txt").exists());
}

/// The making is cut off after each of its steps, whose traces are laid out here as a crash leaves them.
#[test]
fn a_making_that_was_cut_off_anywhere_begins_again() {
    let f = Fixture::new();
    let root = f.spaces().root().to_owned();
    for kind in [Kind::Plain, Kind::Overlay] {
        for (number, step) in ["made beside", "written down", "put in place"].into_iter().enumerate() {
            let name = format!("{kind:?}-{number}");
            let new = NewWorkspace { kind, ..NewWorkspace::new(name.as_str(), f.base()) };
            let made = f.spaces().create(&f.hub, &new).unwrap();
            let record = root.join(format!(".records/{name}.json"));
            if let Some(own) = made.overlay().and_then(|o| o.upper.parent().map(Path::to_owned)) {
                fs::remove_dir_all(own).unwrap();
            }
            match step {
                "made beside" => fs::remove_file(&record).unwrap(),
                _ => {
                    let text = fs::read_to_string(&record).unwrap();
                    let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
                    json["complete"] = false.into();
                    json["overlay"] = serde_json::Value::Null;
                    fs::write(&record, json.to_string()).unwrap();
                }
            }
            if step != "put in place" {
                fs::rename(made.path(), root.join(format!(".making-{name}"))).unwrap();
            }
            let again = f.spaces().create(&f.hub, &new).unwrap_or_else(|e| panic!("{kind:?}, {step}: {e}"));
            assert_eq!(again.presence(), Presence::Present);
            assert!(again.record().complete);
            assert!(!root.join(format!(".making-{name}")).exists());
        }
    }
}

#[test]
fn a_workspace_that_was_replaced_or_deleted_by_hand_is_known_for_it() {
    let f = Fixture::new();
    let space = f.workspace("t1.1");
    fs::rename(space.path(), f.path("moved")).unwrap();
    assert_eq!(space.presence(), Presence::Missing);
    fs::create_dir(space.path()).unwrap();
    write(&space.path(), "theirs", "");
    assert_eq!(space.presence(), Presence::Replaced);
    assert!(matches!(f.spaces().discard(&space), Err(WorkspaceError::NotOurs(_))));
    assert!(space.path().join("theirs").exists());
    fs::remove_dir_all(space.path()).unwrap();
    symlink(f.path("moved"), space.path()).unwrap();
    assert_eq!(space.presence(), Presence::Replaced);
}

#[test]
fn a_base_that_the_hub_does_not_have_leaves_nothing_behind() {
    let f = Fixture::new();
    let new = NewWorkspace::new("t1.1", f.head());
    assert!(f.spaces().create(&f.hub, &new).is_err());
    assert!(!f.spaces().root().join("t1.1").exists());
    assert_eq!(f.spaces().names().unwrap(), [""; 0]);
}

#[test]
fn files_arrive_byte_for_byte_whatever_attributes_say() {
    let f = Fixture::new();
    f.write(".gitattributes", "*.txt text eol=crlf\n*.id ident\n*.f filter=shout\n");
    f.write("a.txt", "one\r\ntwo\r\n");
    f.write("b.id", "$Id$\n");
    f.write("c.f", "quiet\n");
    f.commit("attributes");
    let space = f.workspace("t1.1");
    let read = |name: &str| fs::read(space.path().join(name)).unwrap();
    assert_eq!(read("a.txt"), b"one\ntwo\n");
    assert_eq!(read("b.id"), b"$Id$\n");
    assert_eq!(read("c.f"), b"quiet\n");
    assert!(f.snapshot(&space).unchanged);
    assert_eq!(f.git_in(&space.path(), ["status", "--porcelain"]), "");
}

#[test]
fn ignored_files_are_copied_as_worktreeinclude_says() {
    let f = Fixture::new();
    f.write(".worktreeinclude", ".env\nconfig/*.log\n*.notes\nbig.log\nlink.log\n");
    f.commit("include");
    f.write(".env", "SECRET=1\n");
    f.write("config/a.log", "a");
    f.write("other/b.log", "b");
    f.write("my.notes", "untracked, but not ignored: unfinished work");
    f.write("big.log", vec![0; 2000]);
    fs::set_permissions(f.repo().join(".env"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(f.path("outside"), "host secret").unwrap();
    symlink(f.path("outside"), f.repo().join("link.log")).unwrap();
    let mut space = f.workspace("t1.1");
    let report = space.include_from(&f.project(), IncludeLimits { files: 10, bytes: 1000 }).unwrap();
    let copied: Vec<_> = report.copied.iter().map(|c| c.path.to_string()).collect();
    assert_eq!(copied, [".env", "config/a.log"]);
    assert_eq!(fs::metadata(space.path().join(".env")).unwrap().permissions().mode() & 0o777, 0o600);
    let skipped: Vec<_> = report.skipped.iter().map(|s| (s.path.to_string(), s.why)).collect();
    assert!(skipped.contains(&("big.log".into(), Skipped::OverTheLimit)));
    assert!(skipped.contains(&("link.log".into(), Skipped::NotARegularFile)));
    // A second call, after a crash for example, changes nothing and forgets nothing.
    let again = space.include_from(&f.project(), IncludeLimits { files: 10, bytes: 1000 }).unwrap();
    assert_eq!((again.copied.len(), again.skipped), (0, report.skipped.clone()));
    assert_eq!(space.record().included.len(), 2);
    for name in ["link.log", "other/b.log", "my.notes", "big.log"] {
        assert!(!space.path().join(name).exists(), "{name}");
    }
    // Not even an attempt that stops ignoring it takes the user's secret into its work.
    fs::write(space.path().join(".gitignore"), "").unwrap();
    let snapshot = f.snapshot(&space);
    assert!(!f.tree(&snapshot.commit).iter().any(|line| line.ends_with(".env")));
}

#[test]
fn all_shapes_of_user_repository_give_a_base() {
    let f = Fixture::new();
    let head = f.head();
    // A linked worktree as the project's root, with a name that needs care.
    let linked = f.path(bytes(b"linked\n w\xff"));
    f.git([
        "worktree".as_ref(),
        "add".as_ref(),
        "-q".as_ref(),
        "-b".as_ref(),
        "side".as_ref(),
        linked.as_os_str(),
    ]);
    let project = Project::open(&f.git, &linked.join("src")).unwrap();
    assert_eq!(project.top(), Some(linked.as_path()));
    assert_eq!(project.common_dir(), f.repo().join(".git"));
    assert_eq!(project.head().unwrap().branch(), Some("side"));
    f.hub.take_base(&project, &head).unwrap();
    assert_eq!(project.checkouts().unwrap().len(), 2);

    // Bare.
    f.git_in(&f.path(""), ["clone", "-q", "--bare", "repo", "bare.git"]);
    let bare = Project::open(&f.git, &f.path("bare.git")).unwrap();
    assert_eq!(bare.top(), None);
    Hub::open(&f.git, &f.path("data/h2.git")).unwrap().take_base(&bare, &head).unwrap();

    // Shallow, and detached.
    f.write("second", "");
    let second = f.commit("second");
    f.git_in(&f.path(""), ["clone", "-q", "--depth=1", &format!("file://{}", f.repo().display()), "shallow"]);
    f.git_in(&f.path("shallow"), ["checkout", "-q", "--detach"]);
    let shallow = Project::open(&f.git, &f.path("shallow")).unwrap();
    assert!(shallow.is_shallow());
    assert_eq!(shallow.head().unwrap().branch(), None);
    let hub = Hub::open(&f.git, &f.path("data/h3.git")).unwrap();
    hub.take_base(&shallow, &second).unwrap();
    let spaces = Workspaces::open_anywhere(&f.path("data/w3"), &shallow).unwrap();
    let space = spaces.create(&hub, &NewWorkspace::new("t1.1", second).on_branch("x")).unwrap();
    assert_eq!(f.git_in(&space.path(), ["log", "--oneline"]).lines().count(), 1);
}

#[test]
fn a_base_outlives_the_users_gc() {
    let f = Fixture::new();
    f.git(["checkout", "-q", "-b", "gone"]);
    f.write("only-here", "x");
    let base = {
        f.commit("soon unreachable");
        f.base()
    };
    f.git(["checkout", "-q", "main"]);
    f.git(["branch", "-q", "-D", "gone"]);
    f.git(["reflog", "expire", "--expire=now", "--all"]);
    f.git(["gc", "-q", "--prune=now"]);
    let space = f.spaces().create(&f.hub, &NewWorkspace::new("t1.1", base)).unwrap();
    assert!(space.path().join("only-here").exists());
}

#[test]
fn an_unborn_repository_has_an_empty_base() {
    let f = Fixture::empty();
    let head = f.project().head().unwrap();
    assert_eq!((head.branch(), head.commit()), (Some("main"), None));
    let base = f.hub.take_empty_base(&crate::support::divisi()).unwrap();
    assert_eq!(base, f.hub.take_empty_base(&crate::support::divisi()).unwrap());
    let space = f.spaces().create(&f.hub, &NewWorkspace::new("t1.1", base).on_branch("x")).unwrap();
    write(&space.path(), "first", "1");
    assert_eq!(f.tree(&f.snapshot(&space).visible), ["100644 first"]);
}

#[test]
fn sha256_repositories_are_refused_with_a_sentence() {
    let f = Fixture::empty();
    f.git_in(&f.path(""), ["init", "-q", "--object-format=sha256", "long"]);
    let error = Project::open(&f.git, &f.path("long")).unwrap_err();
    assert!(error.to_string().contains("only sha1 repositories are supported"), "{error}");
}

#[test]
fn the_persons_own_excludes_can_be_handed_on() {
    let f = Fixture::new();
    f.write(".git/info/exclude", "notes-to-self\n");
    let mut new = NewWorkspace::new("t1.1", f.base()).on_branch("x");
    new.ignore_also = f.project().own_excludes();
    let space = f.spaces().create(&f.hub, &new).unwrap();
    write(&space.path(), "notes-to-self", "x");
    assert_eq!(f.git_in(&space.path(), ["status", "--porcelain"]), "");
    assert!(f.snapshot(&space).unchanged);
}

#[test]
fn tags_in_the_history_are_known_inside_and_no_others() {
    let f = Fixture::new();
    f.git(["tag", "-a", "v1.0", "-m", "one"]);
    f.git(["tag", "light"]);
    f.write("more", "x");
    f.commit("more");
    f.git(["checkout", "-q", "-b", "side", "HEAD~1"]);
    f.commit("elsewhere");
    f.git(["tag", "-a", "other", "-m", "other"]);
    f.git(["checkout", "-q", "main"]);
    let space = f.workspace("t1.1");
    let dir = space.path();
    assert!(f.git_in(&dir, ["describe"]).starts_with("v1.0-1-g"));
    assert_eq!(f.git_in(&dir, ["tag"]), "light\nv1.0");
    assert_eq!(f.git_in(&dir, ["fsck", "--no-dangling"]), "");
}

#[test]
fn a_partial_clone_is_refused_with_its_cure_and_without_the_network() {
    let f = Fixture::new();
    f.write("README.md", "# Second\n");
    let head = f.commit("second");
    f.git(["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", f.repo().display());
    f.git_in(&f.path(""), ["clone", "-q", "--filter=blob:none", &url, "partial"]);
    let partial = Project::open(&f.git, &f.path("partial")).unwrap();
    let hub = Hub::open(&f.git, &f.path("data/h2.git")).unwrap();
    let refused = hub.take_base(&partial, &head);
    assert!(matches!(refused, Err(HubError::PartialClone(_))), "{refused:?}");
    assert!(hub.ref_commit(&format!("refs/divisi/base/{head}")).unwrap().is_none());
    // The cure that the sentence names.
    f.git_in(&f.path("partial"), ["fetch", "-q", "--refetch", "--no-filter"]);
    hub.take_base(&partial, &head).unwrap();
}
