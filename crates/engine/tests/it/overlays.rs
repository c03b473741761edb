//! The road in overlay workspaces.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use divisi_model::Command;
use divisi_model::task::TaskSettings;
use divisi_testkit::TestEnv;
use divisi_workspace::sandbox::{Rung, level};
use divisi_workspace::{Git, Workspace, Workspaces};

use crate::fleet::{Fleet, gate};

fn workspace(path: &Path) -> Workspace {
    let git = Git::find(OsStr::new("/usr/local/bin:/usr/bin:/bin")).unwrap();
    Workspaces::of_folder(&git, path.parent().unwrap(), path).unwrap().unwrap()
}

/// Runs a command in it as a person would with `divisi open`.
fn sh(path: &Path, script: &str) {
    let ended = workspace(path).run_inside(OsStr::new("sh"), &["-c".into(), script.into()]).unwrap();
    assert!(ended.success(), "{script}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_done_sent_back_archived_and_restored() {
    let env = TestEnv::new();
    let gates = vec![gate("four", "grep -q four list.txt")];
    let settings =
        TaskSettings { gates, setup: Some("echo ready > .ready".into()), ..TaskSettings::default() };
    let fleet = Fleet::new(&env, settings).await.with_overlays().await;
    let script = r#"append list.txt "five\n"
say Done.
when prompt contains "Checks were run"
append list.txt "four\n"
say Mended."#;
    let task = fleet.task("Add four to the list", script, &[]).await;
    let task = fleet.until_status(&task, "in review").await;
    let made = task.attempts[0].workspace.as_ref().unwrap();
    let expected = if level(&env.join("data")).rung == Rung::Full { "overlay" } else { "checkout" };
    assert_eq!((made.kind.as_str(), task.attempts[0].turns.len()), (expected, 2));

    // The agent is idle and lives; a person joins it.
    let path = PathBuf::from(&made.path);
    sh(&path, "test -f .ready && grep -q four list.txt && echo mine > untracked.txt");
    fleet.ask(&task, Command::Archive).await;
    fleet.until(&task, "archived", |_, attempt| attempt.archived_as.is_some()).await;
    assert!(!path.exists());
    fleet.ask(&task, Command::Restore).await;
    let task = fleet.until(&task, "restored", |_, attempt| attempt.archived_as.is_none()).await;
    assert_eq!(task.attempts[0].workspace.as_ref().unwrap().kind, expected);
    sh(&path, "grep -q mine untracked.txt && grep -q four list.txt && git status --porcelain");
}
