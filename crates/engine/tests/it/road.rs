//! From a prompt to a landed change.

use std::path::PathBuf;

use divisi_model::event::{Delivery, Origin};
use divisi_model::inbox::Answer;
use divisi_model::review::Verdict;
use divisi_model::task::TaskSettings;
use divisi_model::{Command, TaskState};
use divisi_testkit::TestEnv;

use crate::fleet::{Fleet, gate};

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_check_sends_back_and_the_second_try_lands() {
    let env = TestEnv::new();
    let settings =
        TaskSettings { gates: vec![gate("four", "grep -q four list.txt")], ..TaskSettings::default() };
    let fleet = Fleet::new(&env, settings).await;
    let script = r#"append list.txt "five\n"
say Done.
when prompt contains "Checks were run"
append list.txt "four\n"
say Mended."#;
    let task = fleet.task("Add four to the list", script, &[]).await;
    let task = fleet.until_status(&task, "in review").await;
    let attempt = &task.attempts[0];
    assert_eq!(attempt.turns.len(), 2);
    assert_eq!(attempt.turns[1].prompts[0].origin, Origin::Check);
    assert!(attempt.turns.iter().all(|turn| turn.snapshot.is_some()));
    let outcomes: Vec<_> = attempt.evidence.iter().map(|e| e.passed()).collect();
    assert_eq!(outcomes, [false, true]);

    approve_and_land(&fleet, &task).await;
    assert_eq!(fleet.repo.read_at("main", "list.txt").unwrap(), "one\ntwo\nthree\nfive\nfour");
    assert_eq!(fleet.repo.status(), "");

    let before = fleet.repo.head();
    fleet.ask(&task, Command::Undo { attempt: 1 }).await;
    fleet.until_status(&task, "ready to land").await;
    assert_ne!(fleet.repo.head(), before);
    assert_eq!(fleet.repo.read("list.txt"), "one\ntwo\nthree\n");
}

fn approval() -> Command {
    Command::Review {
        attempt: 1,
        commit: None,
        verdict: Verdict::Approved,
        comments: vec![],
        note: String::new(),
    }
}

async fn approve_and_land(fleet: &Fleet<'_>, task: &TaskState) {
    fleet.ask(task, approval()).await;
    fleet.ask(task, Command::Land { attempt: 1 }).await;
    fleet.until_status(task, "landed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_the_middle_of_a_turn_loses_and_doubles_nothing() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, TaskSettings::default()).await;
    let script = r#"say Before.
ask execute "Wait for a person"
  allowed
    append list.txt "four\n"
say After."#;
    let task = fleet.task("Ask first", script, &["grep -q four list.txt"]).await;
    fleet.until_status(&task, "waiting for permission").await;
    let fleet = fleet.restart().await;
    let task = fleet.until_status(&task, "waiting for permission").await;
    let items: Vec<_> = task.items.iter().map(|item| item.ask.kind()).collect();
    assert_eq!(items, ["permission"], "a request heard again is the same item");
    let answer = Command::Answer { item: task.items[0].id, answer: Answer::Approved { always: false } };
    fleet.ask(&task, answer).await;
    let task = fleet.until_status(&task, "in review").await;
    assert_eq!((task.attempts[0].turns.len(), task.attempts[0].sessions.len()), (1, 1));
    let said = fleet.said(&task).await;
    assert_eq!(said, ["Before.", "After."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_turn_keeps_its_session_and_resumes() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, TaskSettings::default()).await;
    let script =
        "append list.txt \"half\\n\"\nsay Half.\nhang\nturn\nappend list.txt \"whole\\n\"\nsay Whole.";
    let task = fleet.task("Hang once", script, &[]).await;
    fleet.until(&task, "half done", |_, attempt| attempt.running_turn().is_some()).await;
    fleet.until_said(&task, "Half.").await;
    fleet.ask(&task, Command::Cancel { attempt: 1 }).await;
    let task = fleet.until_status(&task, "waiting for instruction").await;
    assert!(task.attempts[0].turns[0].snapshot.is_some());
    fleet.ask(&task, Command::Resume { attempt: 1 }).await;
    let task = fleet.until_status(&task, "in review").await;
    assert_eq!(task.attempts[0].sessions.len(), 1);
    assert_eq!(task.attempts[0].result.as_ref().map(|result| result.added), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_attempt_resumes_its_session_in_a_new_process() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, TaskSettings::default()).await;
    let script =
        "append list.txt \"half\\n\"\nsay Half.\nhang\nturn\nappend list.txt \"whole\\n\"\nsay Whole.";
    let task = fleet.task("Hang once", script, &[]).await;
    fleet.until_said(&task, "Half.").await;
    fleet.ask(&task, Command::Stop { attempt: 1 }).await;
    let task = fleet.until(&task, "closed", |_, attempt| attempt.open_session().is_none()).await;
    assert_eq!(divisi_model::view::task_status(&task).unwrap().state, "stopped");
    fleet.ask(&task, Command::Resume { attempt: 1 }).await;
    let task = fleet.until_status(&task, "in review").await;
    let sessions = &task.attempts[0].sessions;
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions[0].agent_session, sessions[1].agent_session, "the agent took its session up again");
}

#[tokio::test(flavor = "multi_thread")]
async fn review_comments_become_the_next_turn() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, TaskSettings::default()).await;
    let script = r#"append list.txt "four\n"
say One.
when prompt contains "list.txt:4"
append list.txt "five\n"
say Two."#;
    let task = fleet.task("Add four", script, &[]).await;
    let task = fleet.until_status(&task, "in review").await;
    let first = task.attempts[0].result.clone().unwrap();
    fleet.request_changes(&task, &["list.txt:4: five is missing"]).await;
    let newer = |_: &TaskState, attempt: &divisi_model::AttemptState| {
        attempt.phase == divisi_model::Phase::InReview && attempt.turns.len() == 2
    };
    let task = fleet.until(&task, "reviewed again", newer).await;
    let second = task.attempts[0].result.clone().unwrap();
    assert_ne!(first.commit, second.commit);
    assert_eq!(fleet.repo.head(), task.spec.base.commit.0, "nothing landed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_setup_blocks_before_the_agent_starts() {
    let env = TestEnv::new();
    let settings = TaskSettings { setup: Some("echo no luck; exit 3".into()), ..TaskSettings::default() };
    let fleet = Fleet::new(&env, settings).await;
    let task = fleet.task("Anything", "say hi", &[]).await;
    let task = fleet.until_status(&task, "workspace failed").await;
    assert!(task.attempts[0].sessions.is_empty());
    let item = task.open_items().next().unwrap();
    let divisi_model::inbox::Ask::Stall { why, .. } = &item.ask else { panic!("{item:?}") };
    assert_eq!(why, "the setup script ended with exit code 3:\nno luck");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crashing_agent_is_told_of_and_resumed_with_what_was_asked() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, TaskSettings::default()).await;
    let script = r#"append list.txt "half\n"
crash 7
turn
append list.txt "whole\n"
say Whole."#;
    let task = fleet.task("Crash once", script, &[]).await;
    let task = fleet.until_status(&task, "agent failed").await;
    let status = divisi_model::view::task_status(&task).unwrap();
    assert!(status.reason.starts_with("the agent's process ended with exit code 7"), "{}", status.reason);
    fleet.ask(&task, Command::Resume { attempt: 1 }).await;
    let task = fleet.until_status(&task, "in review").await;
    assert!(task.attempts[0].turns[1].prompts[0].text.contains("Crash once"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_goes_back_with_both_sides_and_lands_when_resolved() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, TaskSettings::default()).await;
    let first = fleet.task("First", "write list.txt \"one\\n2\\nthree\\n\"\nsay A.", &[]).await;
    let second = r#"write list.txt "one\nzwei\nthree\n"
say B.
when prompt contains "conflicts"
run grep -q '<<<<<<<' list.txt && cp list.txt seen.txt
write list.txt "one\n2 zwei\nthree\n"
say C."#;
    let settings = Some(divisi_model::task::Permissions::All);
    let second = fleet.task_with("Second", second, &["grep -q zwei list.txt"], settings).await;
    for task in [&first, &second] {
        fleet.until_status(task, "in review").await;
    }
    approve_and_land(&fleet, &first).await;
    fleet.ask(&second, approval()).await;
    fleet.ask(&second, Command::Land { attempt: 1 }).await;
    let resolved = |_: &TaskState, attempt: &divisi_model::AttemptState| {
        attempt.turns.len() == 2 && attempt.phase == divisi_model::Phase::InReview
    };
    let task = fleet.until(&second, "resolved", resolved).await;
    assert_eq!(task.attempts[0].turns[1].prompts[0].origin, Origin::Conflict);
    approve_and_land(&fleet, &second).await;
    assert_eq!(fleet.repo.read("list.txt"), "one\n2 zwei\nthree\n");
    assert!(fleet.repo.read("seen.txt").contains("<<<<<<<"), "the agent saw both sides");

    // What landed last is taken back first.
    let before = fleet.repo.head();
    fleet.ask(&first, Command::Undo { attempt: 1 }).await;
    let refused = |_: &TaskState, attempt: &divisi_model::AttemptState| attempt.undo_failure.is_some();
    fleet.until(&first, "refused", refused).await;
    assert_eq!(fleet.repo.head(), before);
    for task in [&second, &first] {
        fleet.ask(task, Command::Undo { attempt: 1 }).await;
        fleet.until_status(task, "ready to land").await;
    }
    assert_eq!(fleet.repo.head(), first.spec.base.commit.0);
    assert_eq!(fleet.repo.status(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn archive_and_restore_bring_back_what_was_never_committed() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, TaskSettings::default()).await;
    let task = fleet.task("Add four", "append list.txt \"four\\n\"\nsay Done.", &[]).await;
    let task = fleet.until_status(&task, "in review").await;
    let workspace = std::path::PathBuf::from(&task.attempts[0].workspace.as_ref().unwrap().path);
    fleet.inside(&task, "echo mine > untracked.txt");
    fleet.ask(&task, Command::Archive).await;
    fleet.until(&task, "archived", |_, attempt| attempt.archived_as.is_some()).await;
    assert!(!workspace.exists());
    fleet.ask(&task, Command::Restore).await;
    fleet.until(&task, "restored", |_, attempt| attempt.archived_as.is_none()).await;
    fleet.inside(
        &task,
        "test \"$(cat untracked.txt list.txt)\" = \"$(printf 'mine\none\ntwo\nthree\nfour')\"",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_was_put_away_or_brought_back_before_a_crash_is_so() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, TaskSettings::default()).await.with_checkouts().await;
    let task = fleet.task("Add four", "append list.txt \"four\\n\"\nsay Done.", &[]).await;
    let task = fleet.until_status(&task, "in review").await;
    fleet.ask(&task, Command::Stop { attempt: 1 }).await;
    let task = fleet.until(&task, "closed", |_, attempt| attempt.open_session().is_none()).await;
    let snapshot = task.attempts[0].turns[0].snapshot.clone().unwrap().0;
    let workspace = PathBuf::from(&task.attempts[0].workspace.as_ref().unwrap().path);
    std::fs::write(workspace.join("untracked.txt"), "mine\n").unwrap();

    // What the stage does, and then dies.
    let fleet = fleet.restart_after(|fleet| fleet.archive(&task)).await;
    assert!(!workspace.exists());
    fleet.ask(&task, Command::Archive).await;
    let archived = fleet.until(&task, "archived", |_, attempt| attempt.archived_as.is_some()).await;
    let (commit, _) = archived.attempts[0].archived_as.clone().unwrap();
    assert_ne!(commit, snapshot, "the archive holds more than the snapshot after the last turn");

    let fleet = fleet.restart_after(|fleet| fleet.restore(&task)).await;
    fleet.ask(&task, Command::Restore).await;
    fleet.until(&task, "restored", |_, attempt| attempt.archived_as.is_none()).await;
    assert_eq!(std::fs::read_to_string(workspace.join("untracked.txt")).unwrap(), "mine\n");

    // Restored before the archive could be told: it comes from there, not from the snapshot.
    let fleet = fleet.restart_after(|fleet| fleet.archive(&task)).await;
    fleet.ask(&task, Command::Resume { attempt: 1 }).await;
    fleet.until(&task, "at work again", |_, attempt| attempt.turns.len() == 2).await;
    assert_eq!(std::fs::read_to_string(workspace.join("untracked.txt")).unwrap(), "mine\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_persons_own_changes_are_in_the_way_and_stay() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, TaskSettings::default()).await;
    let task = fleet.task("Add four", "append list.txt \"four\\n\"\nsay Done.", &[]).await;
    fleet.until_status(&task, "in review").await;
    fleet.repo.file("list.txt", "mine\n");
    fleet.ask(&task, approval()).await;
    fleet.ask(&task, Command::Land { attempt: 1 }).await;
    let task = fleet.until_status(&task, "landing failed").await;
    let status = divisi_model::view::task_status(&task).unwrap();
    assert!(status.reason.contains("list.txt"), "{}", status.reason);
    assert_eq!(fleet.repo.read("list.txt"), "mine\n");
    fleet.repo.git(["checkout", "list.txt"]);
    fleet.ask(&task, Command::Land { attempt: 1 }).await;
    fleet.until_status(&task, "landed").await;
    assert_eq!(fleet.repo.read("list.txt"), "one\ntwo\nthree\nfour\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_command_is_an_agent() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, TaskSettings::default()).await;
    // The script is the command: each turn runs it anew with the prompt as its last argument.
    let task = fleet.task_by("tool", "Add four", &["grep -q four list.txt"]).await;
    let task = fleet.until_status(&task, "in review").await;
    let attempt = &task.attempts[0];
    assert_eq!((attempt.turns.len(), attempt.sessions.len()), (1, 1));
    assert!(attempt.sessions[0].closed.is_some(), "a command is gone after its turn");
    assert_eq!(fleet.said(&task).await, ["I add four, as told: Add four"]);
    fleet.request_changes(&task, &["list.txt: and five"]).await;
    let again = |_: &TaskState, attempt: &divisi_model::AttemptState| {
        attempt.turns.len() == 2 && attempt.phase == divisi_model::Phase::InReview
    };
    let task = fleet.until(&task, "run again", again).await;
    assert_eq!(task.attempts[0].sessions.len(), 2);
    let said = fleet.said(&task).await;
    assert!(said[1].contains("You take over work"), "one that cannot resume gets a hand-off: {}", said[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn markers_left_behind_go_back_to_the_agent() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, TaskSettings::default()).await;
    let first = fleet.task("First", "write list.txt \"one\\n2\\nthree\\n\"\nsay A.", &[]).await;
    let second = r#"write list.txt "one\nzwei\nthree\n"
say B.
when prompt contains "conflicts"
append list.txt "four\n"
say C.
when prompt contains "still conflict markers"
write list.txt "one\n2 zwei\nthree\nfour\n"
say D."#;
    let second = fleet.task("Second", second, &[]).await;
    for task in [&first, &second] {
        fleet.until_status(task, "in review").await;
    }
    approve_and_land(&fleet, &first).await;
    fleet.ask(&second, approval()).await;
    fleet.ask(&second, Command::Land { attempt: 1 }).await;
    let resolved = |_: &TaskState, attempt: &divisi_model::AttemptState| {
        attempt.turns.len() == 3 && attempt.phase == divisi_model::Phase::InReview
    };
    fleet.until(&second, "resolved", resolved).await;
    approve_and_land(&fleet, &second).await;
    assert_eq!(fleet.repo.read("list.txt"), "one\n2 zwei\nthree\nfour\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_for_an_agent_that_cannot_be_steered_come_first_after_its_turn() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, TaskSettings::default()).await;
    let script = r#"say One.
ask execute "Wait"
  allowed
    append list.txt "four\n"
turn
say Two."#;
    let task = fleet.task("Steered", script, &[]).await;
    fleet.until_status(&task, "waiting for permission").await;
    let send =
        |text: &str, delivery| Command::Send { attempt: 1, text: text.into(), images: vec![], delivery };
    fleet.ask(&task, send("later", Delivery::Queue)).await;
    let task = fleet.ask(&task, send("now", Delivery::Steer)).await;
    let answer = Command::Answer { item: task.items[0].id, answer: Answer::Approved { always: false } };
    fleet.ask(&task, answer).await;
    let task = fleet.until_status(&task, "in review").await;
    let given: Vec<_> = task.attempts[0].turns[1].prompts.iter().map(|p| p.text.as_str()).collect();
    assert_eq!(given, ["now", "later"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_ends_a_check_and_what_it_started() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, TaskSettings::default()).await;
    let slow = "touch begun; sleep 1000";
    let task = fleet.task("Add four", "append list.txt \"four\\n\"\nsay Done.", &[slow]).await;
    let begun = || {
        let trees = std::fs::read_dir(env.join("data/check-trees")).into_iter().flatten().flatten();
        trees.map(|tree| tree.path().join("begun")).any(|begun| begun.exists())
    };
    fleet.until_status(&task, "checking").await;
    divisi_testkit::wait_until("the check to begin", begun);
    let lives = || env.processes().iter().any(|process| process.command_line.contains("sleep 1000"));
    assert!(lives());
    fleet.ask(&task, Command::Stop { attempt: 1 }).await;
    divisi_testkit::wait_until("the check to end", || !lives());
}
