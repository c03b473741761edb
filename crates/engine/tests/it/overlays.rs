//! The road in workspaces of either kind.

use std::path::Path;

use divisi_model::Command;
use divisi_model::task::TaskSettings;
use divisi_testkit::TestEnv;
use divisi_workspace::sandbox::{Rung, level};

use crate::fleet::{Fleet, gate};

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_done_sent_back_archived_and_restored_as_what_it_was() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, settings()).await;
    let expected = if level(&env.join("data")).rung == Rung::Full { "overlay" } else { "checkout" };
    there_and_back(&fleet, expected, expected).await;
    // What was an overlay comes back as a checkout where the person wants checkouts now, and says so.
    let fleet = fleet.with_checkouts().await;
    let task = fleet.engine.tasks().into_iter().next().unwrap();
    archive_and_restore(&fleet, &task, "checkout").await;
    there_and_back(&fleet, "checkout", "checkout").await;
}

fn settings() -> TaskSettings {
    let gates = vec![gate("four", "grep -q four list.txt")];
    TaskSettings { gates, setup: Some("echo ready > .ready".into()), ..TaskSettings::default() }
}

async fn there_and_back(fleet: &Fleet<'_>, made: &str, back: &str) {
    let script = r#"append list.txt "five\n"
say Done.
when prompt contains "Checks were run"
append list.txt "four\n"
say Mended."#;
    let task = fleet.task("Add four to the list", script, &[]).await;
    let task = fleet.until_status(&task, "in review").await;
    let workspace = task.attempts[0].workspace.as_ref().unwrap();
    assert_eq!((workspace.kind.as_str(), task.attempts[0].turns.len()), (made, 2));
    // The agent is idle and lives; a person joins it.
    fleet.inside(&task, "test -f .ready && grep -q four list.txt && echo mine > untracked.txt");
    archive_and_restore(fleet, &task, back).await;
}

async fn archive_and_restore(fleet: &Fleet<'_>, task: &divisi_model::TaskState, back: &str) {
    fleet.ask(task, Command::Archive).await;
    let task = fleet.until(task, "archived", |_, attempt| attempt.archived_as.is_some()).await;
    assert!(!Path::new(&task.attempts[0].workspace.as_ref().unwrap().path).exists());
    fleet.ask(&task, Command::Restore).await;
    let task = fleet.until(&task, "restored", |_, attempt| attempt.archived_as.is_none()).await;
    assert_eq!(task.attempts[0].workspace.as_ref().unwrap().kind, back);
    fleet.inside(&task, "grep -q mine untracked.txt && grep -q four list.txt && git status --porcelain");
}
