//! Landings that die between their steps. (Here and not beside the other tests, because only from inside can a
//! landing be stopped.)

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::steps::{Move, Step};
use crate::{CommitId, Git, Hub, Identity, Project, Signature};

struct Place {
    dir: tempfile::TempDir,
    hub: Hub,
    project: Project,
    step: Move,
}

fn git(dir: &Path, args: &[&str]) -> String {
    let out = Command::new("git")
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .envs([("HOME", "/nonexistent"), ("GIT_CONFIG_NOSYSTEM", "1")])
        .envs([
            ("GIT_AUTHOR_NAME", "U"),
            ("GIT_AUTHOR_EMAIL", "u@x"),
            ("GIT_COMMITTER_NAME", "U"),
            ("GIT_COMMITTER_EMAIL", "u@x"),
        ])
        .current_dir(dir)
        .args(args)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repo = dir.path().join("repo");
        fs::create_dir(&repo).unwrap();
        git(&repo, &["init", "-q", "-b", "main"]);
        for (name, text) in [("changed", "old\n"), ("removed", "old\n"), ("same", "same\n")] {
            fs::write(repo.join(name), text).unwrap();
        }
        git(&repo, &["add", "-A"]);
        git(&repo, &["commit", "-q", "-m", "old"]);
        let from = CommitId::parse(&git(&repo, &["rev-parse", "HEAD"])).unwrap();
        git(&repo, &["checkout", "-q", "-b", "new"]);
        fs::write(repo.join("changed"), "new\n").unwrap();
        fs::create_dir(repo.join("folder")).unwrap();
        fs::write(repo.join("folder/added"), "new\n").unwrap();
        git(&repo, &["rm", "-q", "removed"]);
        git(&repo, &["add", "-A"]);
        git(&repo, &["commit", "-q", "-m", "new"]);
        let to = CommitId::parse(&git(&repo, &["rev-parse", "HEAD"])).unwrap();
        git(&repo, &["checkout", "-q", "main"]);
        let program = Git::find(OsStr::new("/usr/local/bin:/usr/bin:/bin")).unwrap();
        let project = Project::open(&program, &repo).unwrap();
        let hub = Hub::open(&program, &dir.path().join("hub.git")).unwrap();
        hub.take_base(&project, &to).unwrap();
        let step = Move {
            branch: "main".into(),
            full_name: "refs/heads/main".into(),
            from: Some(from),
            to: Some(to),
        };
        Self { dir, hub, project, step }
    }

    fn repo(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    fn die_at(&self, at: Step) {
        let by = Signature::new(Identity::new("D", "d@x"), 1);
        self.hub.move_branch(&self.project, &self.step, &by, "land", &mut |step| step != at).unwrap();
    }

    fn assert_at(&self, commit: Option<&CommitId>) {
        assert_eq!(Some(git(&self.repo(), &["rev-parse", "HEAD"])), commit.map(ToString::to_string));
        assert_eq!(git(&self.repo(), &["status", "--porcelain"]), "");
        assert!(!self.repo().join(".git/index.lock").exists());
        assert!(self.hub.recover_landings(&self.project).unwrap().is_empty(), "nothing is left to do");
    }
}

#[test]
fn dying_before_the_branch_moved_changes_nothing() {
    let place = Place::new();
    place.die_at(Step::Prepared);
    assert!(place.repo().join(".git/index.lock").exists());
    assert_eq!(place.hub.recover_landings(&place.project).unwrap(), ["main"]);
    place.assert_at(place.step.from.as_ref());
}

#[test]
fn dying_after_the_branch_moved_is_finished() {
    for at in [Step::BranchMoved, Step::FilesMoved] {
        let place = Place::new();
        place.die_at(at);
        assert_eq!(place.hub.recover_landings(&place.project).unwrap(), ["main"]);
        place.assert_at(place.step.to.as_ref());
        assert_eq!(fs::read_to_string(place.repo().join("changed")).unwrap(), "new\n");
        assert!(place.repo().join("folder/added").exists() && !place.repo().join("removed").exists());
    }
}

#[test]
fn what_can_be_neither_done_nor_put_back_is_finished_later() {
    let place = Place::new();
    let (objects, away) = (place.repo().join(".git/objects"), place.repo().join(".git/away"));
    let by = Signature::new(Identity::new("D", "d@x"), 1);
    let mut take_away = |step| {
        if step == Step::BranchMoved {
            fs::rename(&objects, &away).unwrap();
        }
        true
    };
    let moved = place.hub.move_branch(&place.project, &place.step, &by, "land", &mut take_away);
    assert!(matches!(moved, Err(super::LandError::Git { .. } | super::LandError::Project(_))), "{moved:?}");
    fs::rename(&away, &objects).unwrap();
    assert_eq!(place.hub.recover_landings(&place.project).unwrap(), ["main"]);
    place.assert_at(place.step.to.as_ref());
}

#[test]
fn dying_among_the_files_is_finished() {
    let place = Place::new();
    place.die_at(Step::BranchMoved);
    fs::remove_file(place.repo().join("removed")).unwrap();
    fs::create_dir(place.repo().join("folder")).unwrap();
    fs::write(place.repo().join("folder/added"), "new\n").unwrap();
    place.hub.recover_landings(&place.project).unwrap();
    place.assert_at(place.step.to.as_ref());
}

#[test]
fn dying_at_the_very_end_leaves_nothing_to_do() {
    let place = Place::new();
    place.die_at(Step::Done);
    place.assert_at(place.step.to.as_ref());
}

#[test]
fn what_was_edited_after_the_death_is_left_as_it_is() {
    let place = Place::new();
    place.die_at(Step::BranchMoved);
    fs::write(place.repo().join("changed"), "edited by hand\n").unwrap();
    fs::write(place.repo().join("removed"), "edited by hand\n").unwrap();
    place.hub.recover_landings(&place.project).unwrap();
    assert_eq!(fs::read_to_string(place.repo().join("changed")).unwrap(), "edited by hand\n");
    assert_eq!(fs::read_to_string(place.repo().join("removed")).unwrap(), "edited by hand\n");
    assert_eq!(git(&place.repo(), &["status", "--porcelain"]), "M changed\n?? removed");
    assert!(place.repo().join("folder/added").exists());
}

#[test]
fn a_lock_that_is_not_ours_stays() {
    let place = Place::new();
    place.die_at(Step::Prepared);
    let lock = place.repo().join(".git/index.lock");
    // A new file while the old one still exists cannot get its inode.
    let other = place.repo().join(".git/other");
    fs::write(&other, "somebody else's").unwrap();
    fs::rename(&other, &lock).unwrap();
    place.hub.recover_landings(&place.project).unwrap();
    assert_eq!(fs::read_to_string(&lock).unwrap(), "somebody else's");
}

#[test]
fn who_switches_to_the_branch_in_between_keeps_a_clean_checkout() {
    let place = Place::new();
    git(&place.repo(), &["checkout", "-q", "new"]);
    let by = Signature::new(Identity::new("D", "d@x"), 1);
    let repo = place.repo();
    let mut switch = |step| {
        if step == Step::Prepared {
            git(&repo, &["checkout", "-q", "main"]);
        }
        true
    };
    let moved = place.hub.move_branch(&place.project, &place.step, &by, "land", &mut switch);
    assert!(matches!(moved, Err(super::LandError::Busy { .. })), "{moved:?}");
    place.assert_at(place.step.from.as_ref());
}
