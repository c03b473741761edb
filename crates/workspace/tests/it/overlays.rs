//! Overlay workspaces: the same as plain ones to everybody, and cheap.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use divisi_workspace::sandbox::Holder;
use divisi_workspace::{
    ArchiveLimits, ArchiveRequest, FileStatus, History, Kind, NewWorkspace, Note, NoteKind, Presence,
    Workspace, Workspaces,
};

use crate::support::{Fixture, bytes, divisi, write};

pub fn overlay(f: &Fixture, name: &str) -> Workspace {
    let mut new = NewWorkspace::new(name, f.base()).on_branch(format!("divisi/{name}"));
    new.kind = Kind::Overlay;
    f.spaces().create(&f.hub, &new).unwrap()
}

/// Works in it as an agent would, with the kernel's own overlay.
fn within<T>(space: &Workspace, work: impl FnOnce(&Path) -> T) -> T {
    let holder = Holder::mount(&space.overlay().unwrap()).unwrap();
    work(&holder.view())
}

/// Runs git in it, as its agent would.
fn git_in(f: &Fixture, space: &Workspace, args: &[&str]) -> String {
    let out = f.path("out");
    let mut all = vec!["-i".to_owned(), "PATH=/usr/local/bin:/usr/bin:/bin".to_owned()];
    all.push(format!("HOME={}", f.path("home").display()));
    all.push(format!("OUT={}", out.display()));
    for (name, value) in [("NAME", "User"), ("EMAIL", "user@example.com")] {
        all.extend(["AUTHOR", "COMMITTER"].map(|who| format!("GIT_{who}_{name}={value}")));
    }
    all.extend(["sh", "-c", "exec git \"$@\" > \"$OUT\"", "sh"].map(str::to_owned));
    all.extend(args.iter().map(|arg| (*arg).to_owned()));
    let args: Vec<_> = all.into_iter().map(Into::into).collect();
    assert!(space.run_inside("env".as_ref(), &args).unwrap().success());
    String::from_utf8_lossy(&fs::read(out).unwrap()).trim_end().to_owned()
}

fn status(f: &Fixture, space: &Workspace) -> String {
    git_in(f, space, &["status", "--porcelain"])
}

/// Changes of every sort.
fn mischief(dir: &Path) {
    write(dir, "src/main.rs", "fn main() {}\n");
    write(dir, "new/deep/file", "new\n");
    write(dir, "build/ignored", "no\n");
    write(dir, "notes.log", "no\n");
    fs::remove_file(dir.join("README.md")).unwrap();
    fs::remove_dir_all(dir.join("gone")).unwrap();
    fs::remove_dir_all(dir.join("again")).unwrap();
    write(dir, "again/only", "this\n");
    fs::remove_dir_all(dir.join("folder")).unwrap();
    write(dir, "folder", "a file now\n");
    fs::remove_file(dir.join("file")).unwrap();
    write(dir, "file/inside", "a folder now\n");
    fs::rename(dir.join("many/1"), dir.join("many/moved")).unwrap();
    fs::set_permissions(dir.join("many/2"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("/etc/passwd", dir.join("many/link")).unwrap();
    write(dir, bytes(b"odd\n\xff name"), "bytes\n");
    write(dir, "README.MD", "another case\n");
    write(dir, ".gitignore", "*.log\n/build/\n.env\n/hidden\n");
    write(dir, "hidden", "by the attempt\n");
    write(dir, "nested/.git/config", "[core]\n\tfsmonitor = touch /tmp/x\n");
    write(dir, "nested/file", "x");
    rustix::fs::mkfifoat(rustix::fs::CWD, dir.join("fifo"), rustix::fs::Mode::RUSR).unwrap();
    fs::create_dir(dir.join("empty")).unwrap();
}

pub fn rich() -> Fixture {
    let f = Fixture::new();
    for name in ["gone/a", "gone/b/c", "again/x", "again/y", "folder/a", "file", "deep/er/est"] {
        f.write(name, format!("{name}\n"));
    }
    for n in 0..40 {
        f.write(format!("many/{n}"), format!("{n}\n"));
    }
    f.write(bytes(b"was\xff odd"), "x\n");
    symlink("README.md", f.repo().join("a-link")).unwrap();
    f.commit("rich");
    f
}

#[test]
fn an_overlay_is_an_ordinary_repository_to_whoever_works_in_it() {
    let f = rich();
    let space = overlay(&f, "t1.1");
    let git = |args: &[&str]| git_in(&f, &space, args);
    assert_eq!(git(&["status", "--porcelain"]), "");
    assert_eq!(git(&["rev-parse", "--abbrev-ref", "HEAD"]), "divisi/t1.1");
    assert_eq!(git(&["fsck", "--no-dangling"]), "");
    within(&space, |dir| write(dir, "README.md", "changed\n"));
    git(&["commit", "-qam", "an agent's commit"]);
    assert_eq!(
        (git(&["status", "--porcelain"]), git(&["rev-list", "--count", "HEAD"])),
        ("".into(), "3".into())
    );
    assert_eq!(space.presence(), Presence::Present);
    let inside: Vec<_> = fs::read_dir(space.path()).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(inside, ["README.txt"], "from outside a note is all there is");
}

#[test]
fn what_git_compares_is_the_same_in_the_overlay_as_in_the_template() {
    let f = rich();
    let space = overlay(&f, "t1.1");
    let template = space.overlay().unwrap().lower.remove(0);
    let look = |path: std::path::PathBuf| {
        let found = fs::symlink_metadata(path).unwrap();
        let times = (found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec());
        (times, found.ino(), found.uid(), found.gid(), found.size(), found.mode())
    };
    within(&space, |dir| {
        for name in ["many/7", "a-link", "run.sh", "deep/er/est"] {
            assert_eq!(look(dir.join(name)), look(template.join(name)), "{name}");
        }
        let index = fs::metadata(dir.join(".git/index")).unwrap().mtime();
        assert!(index > look(dir.join("many/7")).0.0, "no file is as young as the index");
        // Of the same size and at once: seen all the same.
        write(dir, "many/7", "8\n");
    });
    assert_eq!(status(&f, &space).trim(), "M many/7");
}

#[test]
fn overlay_and_plain_give_the_same_snapshot_and_the_same_changed_files() {
    let f = rich();
    let (plain, layered) = (f.workspace("t1.1"), overlay(&f, "t2.1"));
    assert!(layered.changed(&f.hub).unwrap().is_empty() && plain.changed(&f.hub).unwrap().is_empty());
    assert!(f.snapshot(&layered).unchanged);
    mischief(&plain.path());
    within(&layered, mischief);
    let (one, other) = (f.snapshot(&plain), f.snapshot(&layered));
    assert_eq!(f.tree(&one.commit), f.tree(&other.commit));
    assert_eq!(f.tree(&one.visible), f.tree(&other.visible));
    assert_eq!((one.files, one.notes), (other.files, other.notes));
    assert!(other.files_read < one.files, "the layers below are not read");
    assert_eq!(plain.changed(&f.hub).unwrap(), layered.changed(&f.hub).unwrap());
    let changed = layered.changed(&f.hub).unwrap();
    let status = |name: &str| changed.iter().find(|c| c.path == name.into()).map(|c| c.status);
    assert_eq!(status("README.md"), Some(FileStatus::Deleted));
    assert_eq!(status("new/deep/file"), Some(FileStatus::Added));
    assert_eq!((status("many/2"), status("hidden")), (Some(FileStatus::Modified), None));
}

#[test]
fn an_archived_overlay_comes_back_whole_as_what_is_asked_for() {
    let f = rich();
    let (spaces, space) = (f.spaces(), overlay(&f, "t1.1"));
    within(&space, |dir| {
        mischief(dir);
        fs::set_permissions(dir.join("many/4"), fs::Permissions::from_mode(0o640)).unwrap();
        fs::set_permissions(dir.join("deep"), fs::Permissions::from_mode(0o750)).unwrap();
    });
    git_in(&f, &space, &["commit", "-qam", "an agent's commit"]);
    let (before, changed) = (f.snapshot(&space), status(&f, &space));
    let archive = ArchiveRequest { by: divisi(), limits: ArchiveLimits::default(), allow_loss: false };
    let mut space = space;
    for kind in [Kind::Overlay, Kind::Plain, Kind::Overlay, Kind::Overlay] {
        let looks = all_below(&space);
        spaces.archive(&f.hub, &space, &archive).unwrap();
        assert!(!space.path().exists() && !spaces.root().join(".overlays/t1.1").exists());
        assert_eq!(spaces.get("t1.1").unwrap().presence(), Presence::Missing);
        space = spaces.restore(&f.hub, "t1.1", kind).unwrap();
        assert_eq!((space.presence(), space.record().kind), (Presence::Present, kind));
        assert_eq!(space.overlay().is_some(), kind == Kind::Overlay);
        assert_eq!(all_below(&space), looks);
        let again = f.snapshot(&space);
        assert_eq!(f.tree(&again.commit), f.tree(&before.commit));
        assert_eq!(status(&f, &space), changed);
    }
    let upper = space.overlay().unwrap().upper;
    assert!(
        !upper.join("many/7").exists() && !upper.join("src/lib.rs").exists(),
        "the base's are not copied"
    );
    assert_eq!(status(&f, &overlay(&f, "t2.1")), "", "nor changed");
}

/// Everything in a workspace but what git keeps of times: mode, size and text of each, with all that is ignored.
fn all_below(space: &Workspace) -> String {
    let script = "find . -path ./.git/index -prune -o ! -type p -printf '%P %m %y %l\\n' | LC_ALL=C sort > \"$OUT\"; \
                  find . -type f ! -path ./.git/index -print0 | LC_ALL=C sort -z | xargs -0 sha256sum >> \"$OUT\"";
    let out = space.path().parent().unwrap().with_extension("out");
    let args = [format!("OUT={}", out.display()), "sh".into(), "-c".into(), script.into()];
    let args: Vec<_> = args.into_iter().map(Into::into).collect();
    assert!(space.run_inside("env".as_ref(), &args).unwrap().success());
    String::from_utf8_lossy(&fs::read(out).unwrap()).into_owned()
}

#[test]
fn an_overlay_that_was_deleted_by_hand_is_made_anew_from_a_snapshot() {
    let f = rich();
    let (spaces, space) = (f.spaces(), overlay(&f, "t1.1"));
    within(&space, mischief);
    let taken = f.snapshot(&space);
    fs::remove_dir_all(spaces.root().join(".overlays/t1.1")).unwrap();
    let back = spaces.recreate(&f.hub, "t1.1", &taken.commit, Kind::Overlay).unwrap();
    assert_eq!((back.presence(), back.record().kind), (Presence::Present, Kind::Overlay));
    assert_eq!(f.tree(&f.snapshot(&back).commit), f.tree(&taken.commit));
    assert!(status(&f, &back).contains(" D README.md"));
    assert_eq!(git_in(&f, &back, &["rev-parse", "HEAD"]), f.head().to_string());
    assert!(!back.overlay().unwrap().upper.join("many/7").exists());
}

#[test]
fn fifty_at_once_share_one_template() {
    let f = rich();
    let (base, spaces) = (f.base(), f.spaces());
    std::thread::scope(|scope| {
        for n in 0..50 {
            let (base, spaces, hub) = (base.clone(), &spaces, &f.hub);
            scope.spawn(move || {
                let mut new = NewWorkspace::new(format!("t{n}.1"), base).on_branch(format!("divisi/t{n}"));
                new.kind = Kind::Overlay;
                spaces.create(hub, &new).unwrap()
            });
        }
    });
    assert_eq!(spaces.names().unwrap().len(), 50);
    assert_eq!(templates(&f), [base.to_string()]);
    for n in [0, 7, 49] {
        assert_eq!(status(&f, &spaces.get(&format!("t{n}.1")).unwrap()), "");
    }
}

fn templates(f: &Fixture) -> Vec<String> {
    let entries = fs::read_dir(f.spaces().root().join(".templates")).unwrap().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> = names.filter(|name| name != "locks").collect();
    names.sort();
    names
}

#[test]
fn the_next_base_is_a_thin_layer_and_shows_exactly_its_files() {
    let f = rich();
    let first = overlay(&f, "t1.1");
    mischief_in_the_repository(&f);
    let commit = f.commit("the next base");
    let second = overlay(&f, "t2.1");
    let layers = &second.record().overlay.as_ref().unwrap().layers;
    assert_eq!(layers, &[commit.clone(), first.base().clone()]);
    let thin = f.spaces().root().join(".templates").join(commit.as_str()).join("tree");
    assert!(!thin.join("many/5").exists() && thin.join("src/main.rs").is_file());
    assert_eq!(status(&f, &second), "");
    assert_eq!(git_in(&f, &second, &["ls-files", "-z"]), f.git(["ls-files", "-z"]));
    within(&second, |dir| {
        assert!(!dir.join("gone").exists() && dir.join("folder").is_file() && dir.join("file").is_dir());
    });
    assert!(f.snapshot(&second).unchanged && second.changed(&f.hub).unwrap().is_empty());
    assert_eq!(status(&f, &first), "");

    let both = (overlay(&f, "t3.1"), f.workspace("t4.1"));
    let work = |dir: &Path| {
        write(dir, "src/lib.rs", "other\n");
        fs::remove_dir_all(dir.join("file")).unwrap();
        write(dir, "gone/back", "again\n");
    };
    within(&both.0, work);
    work(&both.1.path());
    let (one, other) = (f.snapshot(&both.0), f.snapshot(&both.1));
    assert_eq!(f.tree(&one.commit), f.tree(&other.commit));
}

fn mischief_in_the_repository(f: &Fixture) {
    let dir = f.repo();
    write(&dir, "src/main.rs", "fn main() { next() }\n");
    fs::remove_dir_all(dir.join("gone")).unwrap();
    fs::remove_dir_all(dir.join("folder")).unwrap();
    write(&dir, "folder", "a file now\n");
    fs::remove_file(dir.join("file")).unwrap();
    write(&dir, "file/inside", "a folder now\n");
    fs::remove_file(dir.join("again/x")).unwrap();
}

#[test]
fn templates_go_when_nobody_stands_on_them() {
    let f = rich();
    let spaces = f.spaces();
    let mut made = Vec::new();
    for n in 0..6 {
        // So different each time that none is a thin layer.
        for k in 0..60 {
            f.write(format!("many/{k}"), format!("{n} {k}\n"));
        }
        f.commit("another");
        made.push(overlay(&f, &format!("t{n}.1")));
    }
    assert_eq!(templates(&f).len(), 6);
    spaces.tidy().unwrap();
    assert_eq!(templates(&f).len(), 6, "all are in use");
    for space in &made[..5] {
        spaces.discard(space).unwrap();
    }
    spaces.tidy().unwrap();
    let left = templates(&f);
    assert_eq!(left.len(), 4, "the one in use and three for the next tasks");
    assert!(left.contains(&made[5].base().to_string()));
    assert_eq!(status(&f, &made[5]), "");
}

#[test]
fn a_template_that_was_left_half_made_is_made_anew() {
    let f = rich();
    let half = f.spaces().root().join(".templates").join(format!(".making-{}", f.head()));
    write(&half, "tree/README.md", "hal");
    let stale = f.spaces().root().join(".templates").join(f.head().as_str());
    write(&stale, "tree/README.md", "");
    let space = overlay(&f, "t1.1");
    assert_eq!(status(&f, &space), "");
    assert!(!half.exists());
}

#[test]
fn after_a_restart_of_the_machine_only_what_is_on_disk_is_believed() {
    let f = rich();
    let (spaces, mut space) = (f.spaces(), overlay(&f, "t1.1"));
    assert!(!space.is_distrusted());
    let template = spaces.root().join(".templates").join(space.base().as_str());
    let earlier = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        fs::write(path, text.replace(boot.trim(), "earlier")).unwrap();
    };
    wait_until(|| template.join("synced").exists());
    fs::remove_file(template.join("synced")).unwrap();
    earlier(&template.join("made.json"));
    fs::write(template.join("tree/README.md"), "").unwrap();
    earlier(&spaces.root().join(".records/t1.1.json"));
    space = spaces.get("t1.1").unwrap();
    assert!(space.is_distrusted());
    assert!(spaces.ready(&f.hub, &mut space).unwrap(), "it is said once");
    assert!(!spaces.ready(&f.hub, &mut spaces.get("t1.1").unwrap()).unwrap());
    assert_eq!(status(&f, &space), "", "the template was made anew");

    // Nothing was lost: it is as its base, then as its last snapshot has it.
    let doubted = |notes: &[Note]| notes.iter().any(|note| note.kind == NoteKind::Doubted);
    assert!(!space.is_doubted(&f.hub).unwrap());
    within(&space, |dir| write(dir, "work", "whole"));
    f.snapshot(&space);
    let restart = || {
        earlier(&spaces.root().join(".records/t1.1.json"));
        spaces.get("t1.1").unwrap()
    };
    assert!(!doubted(&f.snapshot(&restart()).notes));
    let mut space = restart();
    spaces.ready(&f.hub, &mut space).unwrap();
    assert!(!doubted(&f.snapshot(&space).notes));
    // A file of which only the name came to disk.
    within(&space, |dir| write(dir, "work", ""));
    space = restart();
    assert!(doubted(&f.snapshot(&space).notes), "also before anything was started in it");
    space = spaces.get("t1.1").unwrap();
    spaces.ready(&f.hub, &mut space).unwrap();
    assert!(doubted(&f.snapshot(&space).notes) && doubted(&f.snapshot(&spaces.get("t1.1").unwrap()).notes));
}

fn wait_until(condition: impl Fn() -> bool) {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !condition() {
        assert!(std::time::Instant::now() < until);
        std::thread::yield_now();
    }
}

#[test]
fn whoever_deletes_the_visible_folder_loses_nothing() {
    let f = rich();
    let space = overlay(&f, "t1.1");
    within(&space, |dir| write(dir, "work", "precious"));
    fs::remove_dir_all(space.path()).unwrap();
    assert_eq!(space.presence(), Presence::Present);
    assert_eq!(f.show(&f.snapshot(&space).commit, "work"), "precious");
    let mut space = f.spaces().get("t1.1").unwrap();
    assert!(!f.spaces().ready(&f.hub, &mut space).unwrap());
    assert!(space.path().is_dir());
    assert_eq!(f.spaces().get("t1.1").unwrap().record(), space.record());
    let root = f.spaces().root().to_owned();
    fs::remove_dir_all(space.path()).unwrap();
    let parts = Workspaces::for_launch(&f.git, &root, &space.path()).unwrap().unwrap();
    assert_eq!((parts.overlay, parts.held), (space.overlay(), vec![space.path().join(".git")]));
    assert!(space.path().is_dir());
    assert_eq!(Workspaces::for_launch(&f.git, &root, &root.join("t9.1")).unwrap(), None);
    // Whoever made it again died before it was in its place.
    fs::rename(space.path(), root.join(".making-t1.1")).unwrap();
    assert!(!f.spaces().ready(&f.hub, &mut f.spaces().get("t1.1").unwrap()).unwrap());
    assert!(space.path().is_dir() && !root.join(".making-t1.1").exists());
    space = f.spaces().get("t1.1").unwrap();
    fs::remove_dir_all(space.path()).unwrap();
    fs::write(space.path(), "another's").unwrap();
    assert!(f.spaces().ready(&f.hub, &mut space).is_err());
    fs::remove_file(space.path()).unwrap();
    f.spaces().discard(&space).unwrap();
    assert_eq!(f.spaces().names().unwrap(), [""; 0]);
}

#[test]
fn what_somebody_wrote_from_outside_is_moved_aside_and_said() {
    let f = rich();
    let (spaces, root) = (f.spaces(), f.spaces().root().to_owned());
    let archive = ArchiveRequest { by: divisi(), limits: ArchiveLimits::default(), allow_loss: false };
    let intrude = |space: &Workspace, text: &str| {
        // Root need not ask.
        fs::set_permissions(space.path(), fs::Permissions::from_mode(0o700)).unwrap();
        write(&space.path(), "precious", text);
        fs::set_permissions(space.path(), fs::Permissions::from_mode(0o500)).unwrap();
    };
    let space = overlay(&f, "t1.1");
    intrude(&space, "first");
    assert!(f.snapshot(&space).unchanged, "it is no part of the attempt");
    let aside = spaces.archive(&f.hub, &space, &archive).unwrap().outside.unwrap();
    assert_eq!(aside, root.join(".outside/t1.1"));
    assert_eq!(fs::read_to_string(aside.join("precious")).unwrap(), "first");

    // The notice itself may have been written over, and each thing has a place of its own.
    let again = overlay(&f, "t2.1");
    fs::write(again.path().join("README.txt"), "mine now").unwrap();
    let aside = spaces.archive(&f.hub, &again, &archive).unwrap().outside.unwrap();
    assert_eq!(fs::read_to_string(aside.join("README.txt")).unwrap(), "mine now");
    let mut once_more = NewWorkspace::new("t3.1", f.base());
    once_more.kind = Kind::Overlay;
    for text in ["second", "third"] {
        let space = spaces.create(&f.hub, &once_more).unwrap();
        intrude(&space, text);
        spaces.discard(&space).unwrap();
    }
    assert_eq!(fs::read_to_string(root.join(".outside/t3.1/precious")).unwrap(), "second");
    assert_eq!(fs::read_to_string(root.join(".outside/t3.1-2/precious")).unwrap(), "third");

    let clean = overlay(&f, "t4.1");
    assert_eq!(spaces.archive(&f.hub, &clean, &archive).unwrap().outside, None);
}

#[test]
fn a_move_onto_another_base_goes_through_the_mount() {
    let f = rich();
    let (mut plain, mut layered) = (f.workspace("t1.1"), overlay(&f, "t2.1"));
    let work = |dir: &Path| {
        write(dir, "many/3", "mine\n");
        write(dir, "README.md", "# Mine\n");
        write(dir, "folder/kept.log", "ignored and precious\n");
    };
    work(&plain.path());
    within(&layered, work);
    mischief_in_the_repository(&f);
    f.write("README.md", "# Theirs\n");
    f.commit("theirs");
    let target = f.base();
    let one = plain.move_base(&f.hub, &target, "t1.1", &divisi()).unwrap();
    let other = layered.move_base(&f.hub, &target, "t2.1", &divisi()).unwrap();
    assert_eq!((one.conflicts, one.updated, one.git_dir), (other.conflicts, other.updated, other.git_dir));
    assert_eq!(one.kept.len(), other.kept.len());
    let kept = fs::read_dir(layered.kept_dir()).unwrap().flatten().next().unwrap().path();
    assert_eq!(fs::read_to_string(kept.join("kept.log")).unwrap(), "ignored and precious\n");
    let (a, b) = (f.snapshot(&plain), f.snapshot(&layered));
    assert_eq!(f.tree(&a.commit), f.tree(&b.commit));
    assert_eq!(plain.changed(&f.hub).unwrap(), layered.changed(&f.hub).unwrap());
    assert_eq!(status(&f, &layered), f.git_in(&plain.path(), ["status", "--porcelain"]));
}

#[test]
fn one_file_is_put_back_and_others_are_brought_in() {
    let f = rich();
    f.write(".worktreeinclude", ".env\n");
    f.write(".env", "SECRET=1\n");
    let mut space = overlay(&f, "t1.1");
    let report = space.include_from(&f.project(), divisi_workspace::IncludeLimits::default()).unwrap();
    assert_eq!(report.copied.len(), 1);
    let before = f.snapshot(&space);
    assert!(before.unchanged, "{before:?}");
    within(&space, |dir| {
        assert_eq!(fs::read_to_string(dir.join(".env")).unwrap(), "SECRET=1\n");
        write(dir, "many/1", "spoiled");
        fs::remove_dir_all(dir.join("deep")).unwrap();
    });
    for path in ["many/1", "deep/er/est"] {
        space.restore_file(&f.hub, &before.commit, &path.into()).unwrap();
    }
    assert!(space.changed(&f.hub).unwrap().is_empty());
}

#[test]
fn an_agents_commits_are_taken_from_an_overlay() {
    let f = rich();
    let space = overlay(&f, "t1.1");
    within(&space, |dir| write(dir, "src/lib.rs", "mine\n"));
    git_in(&f, &space, &["commit", "-qam", "an agent's commit"]);
    let taken = f.snapshot(&space);
    let asked = crate::results::result_request("t1.1");
    let result = space.record_result(&f.hub, &taken, &asked).unwrap().unwrap();
    assert_eq!(result.history, divisi_workspace::History::Kept { commits: 1 });
    assert_eq!(f.show(&result.commit, "src/lib.rs"), "mine");
}

const USER: &str =
    "export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@x GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@x; ";

#[test]
fn what_an_agent_committed_by_force_is_part_of_its_change() {
    let f = rich();
    f.write(".worktreeinclude", ".env\n");
    f.write(".env", "SECRET=1\n");
    let (mut plain, mut layered) = (f.workspace("t1.1"), overlay(&f, "t2.1"));
    let mut trees = Vec::new();
    for space in [&mut plain, &mut layered] {
        space.include_from(&f.project(), divisi_workspace::IncludeLimits::default()).unwrap();
        let script = "mkdir build mine && echo made > build/made && echo not > build/not && echo log > a.log \
                      && echo more > b.log && echo '/mine/' >> .gitignore && echo kept > mine/kept && echo x > mine/x \
                      && git add .gitignore && git add -f build/made a.log .env mine/kept && git commit -qm forced";
        let space: &Workspace = space;
        let ended = space.run_inside("sh".as_ref(), &["-c".into(), format!("{USER}{script}").into()]);
        assert!(ended.unwrap().success());
        let taken = f.snapshot(space);
        let asked = crate::results::result_request(space.name());
        let result = space.record_result(&f.hub, &taken, &asked).unwrap().unwrap();
        // Its history would publish the person's secret.
        assert!(matches!(&result.history, History::Refused { why } if why.contains(".env")), "{result:?}");
        let hub = f.hub.dir();
        let names = f.git_in(hub, ["diff", "--name-only", space.base().as_str(), result.commit.as_str()]);
        assert_eq!(names.lines().collect::<Vec<_>>(), [".gitignore", "a.log", "build/made", "mine/kept"]);
        assert_eq!(f.show(&taken.commit, "mine/x"), "x", "hidden by the attempt, and kept in the snapshot");
        let committed = taken.notes.iter().filter(|note| note.kind == NoteKind::Committed);
        assert_eq!(committed.map(|note| note.path.to_string()).collect::<Vec<_>>(), ["a.log", "build"]);
        trees.push(f.tree(&taken.visible));
    }
    assert_eq!(trees[0], trees[1]);
}

#[test]
fn an_untouched_workspace_takes_next_to_no_room() {
    let f = Fixture::new();
    for n in 0..200 {
        f.write(format!("many/{n}"), "x".repeat(20_000));
    }
    f.commit("large");
    let space = overlay(&f, "t1.1");
    let mut bytes = 0;
    let mut folders = vec![f.spaces().root().join(".overlays/t1.1/upper"), space.path()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let found = fs::symlink_metadata(entry.path()).unwrap();
            bytes += found.len();
            if found.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    // Folders count with their 4 KiB each; the files of the base alone are four million bytes.
    assert!(bytes < 100_000, "{bytes}");
    assert!(f.spaces().root().join(".overlays").as_os_str().as_bytes().len() < 4096);
    let own = f.spaces().root().join(".overlays/t1.1/upper/.git/index");
    assert!(!own.exists() && status(&f, &space).is_empty(), "its index is the template's");
    within(&space, |dir| write(dir, "many/7", "changed\n"));
    git_in(&f, &space, &["add", "-A"]);
    assert!(own.exists() && status(&f, &overlay(&f, "t2.1")).is_empty());
}
