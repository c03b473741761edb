//! Giving out tasks and asking things of them.

use divisi_api::ClientError;
use divisi_api::types::{
    AnswerRequest, Attention, CriterionRequest, Delivery, MoveRequest, NewTask, ProblemKind, ReviewRequest,
    SendRequest, Verdict,
};
use divisi_testkit::TestEnv;

use crate::server::Running;

#[track_caller]
fn kind<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> ProblemKind {
    answer.unwrap_err().problem().expect("the daemon refused").kind
}

#[tokio::test]
async fn a_task_is_shown_as_it_was_given() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let mut new = server.new_task("# Mend the list\n\nThe second line is wrong.");
    new.checks = vec!["make test".into()];
    new.criteria = vec![CriterionRequest { text: "it reads well".into(), command: None }];
    new.attempts = 2;
    let task = server.client.add_task(&new, "k").await.unwrap();
    assert_eq!(
        (task.handle.as_str(), task.title.as_str(), task.target.as_str()),
        ("t1", "Mend the list", "main")
    );
    assert_eq!(task.base, server.repo.head());
    let handles: Vec<_> = task.attempts.iter().map(|attempt| attempt.handle.as_str()).collect();
    assert_eq!(handles, ["t1.1", "t1.2"]);
    assert_eq!(task.attempts[1].branch, "divisi/t1-mend-the-list-2");
    let criteria: Vec<_> = task.criteria.iter().map(|c| (c.text.as_str(), c.command.as_deref())).collect();
    assert_eq!(criteria, [("it reads well", None), ("make test", Some("make test"))]);
    let listed = server.client.tasks().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].root, server.repo.path().display().to_string());
    assert_ne!(listed[0].status.attention, Attention::Done);
    server.end().await;
}

#[tokio::test]
async fn a_task_is_staged_changed_moved_and_started() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let client = &server.client;
    let mut new =
        NewTask { stage: true, checks: vec!["make test".into()], ..server.new_task("Mend the list") };
    // One that is not ready yet may be by then.
    new.agents = vec!["absent".into()];
    let task = client.add_task(&new, "k").await.unwrap();
    assert!(task.staged && task.attempts.is_empty());
    assert_eq!((task.status.attention, task.status.next.as_str()), (Attention::Backlog, "divisi start t1"));
    assert_eq!(kind(client.start("t1").await), ProblemKind::NotReady);
    assert_eq!(kind(client.stop("t1").await), ProblemKind::WrongState);
    assert_eq!(kind(client.diff("t1.1", Default::default(), 0).await), ProblemKind::WrongState);

    new.agents = vec!["rehearsal".into()];
    new.attempts = 2;
    new.title = Some("The list".into());
    let task = client.edit_task("t1", &new).await.unwrap();
    assert_eq!((task.title.as_str(), task.agents.len()), ("The list", 2));

    client.add_task(&NewTask { stage: true, ..server.new_task("second") }, "l").await.unwrap();
    let first = MoveRequest { first: true, before: None };
    client.move_task("t2", &first).await.unwrap();
    let listed = client.tasks().await.unwrap();
    assert!(listed[1].waits_since < listed[0].waits_since);
    let before = MoveRequest { first: false, before: Some("t2".into()) };
    client.move_task("t1", &before).await.unwrap();
    let listed = client.tasks().await.unwrap();
    assert!(listed[0].waits_since < listed[1].waits_since);

    server.repo.file("more.txt", "more\n").commit("newer");
    let task = client.start("t1").await.unwrap();
    assert_eq!((task.staged, task.attempts.len()), (false, 2));
    assert_eq!(task.base, server.repo.head(), "it starts from where the branch is now");
    assert_eq!(kind(client.edit_task("t1", &new).await), ProblemKind::WrongState);
    client.archive("t2").await.unwrap();
    assert_eq!(kind(client.start("t2").await), ProblemKind::WrongState);
    server.end().await;
}

#[tokio::test]
async fn files_are_found_by_a_few_letters_in_known_projects_only() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let client = &server.client;
    server.repo.file("src/parser.rs", "x").file("docs/parser.md", "x").commit("more");
    let root = server.repo.path().display().to_string();
    assert_eq!(kind(client.files(&root, "pars").await), ProblemKind::NotFound);
    client.add_project(&divisi_api::types::NewProject { root: root.clone() }).await.unwrap();
    assert_eq!(client.files(&root, "pars").await.unwrap(), ["src/parser.rs", "docs/parser.md"]);
    assert_eq!(client.files(&root, "").await.unwrap().len(), 3);
    server.end().await;
}

#[tokio::test]
async fn a_fleet_that_did_nothing_is_shown_with_its_machine() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let client = &server.client;
    let landings = client.landings().await.unwrap();
    assert!(landings.queue.is_empty() && landings.ready.is_empty() && landings.landed.is_empty());
    client.add_task(&server.new_task("x"), "1").await.unwrap();
    let fleet = client.fleet().await.unwrap();
    assert_eq!((fleet.attempts.len(), fleet.attempts[0].handle.as_str()), (1, "t1"));
    assert!(!fleet.attempts[0].spans.is_empty());
    assert!(fleet.machine.cores > 0 && fleet.machine.disk_free.is_some());
    server.end().await;
}

#[tokio::test]
async fn the_same_key_gives_the_same_task_and_another_key_another_one() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let new = server.new_task("once");
    let first = server.client.add_task(&new, "a").await.unwrap();
    let again = server.client.add_task(&new, "a").await.unwrap();
    let other = server.client.add_task(&new, "b").await.unwrap();
    assert_eq!((first.handle.as_str(), again.handle.as_str(), other.handle.as_str()), ("t1", "t1", "t2"));
    assert_eq!(kind(server.client.add_task(&server.new_task("else"), "a").await), ProblemKind::WrongState);
    server.end().await;
}

#[tokio::test]
async fn the_same_request_twice_at_once_makes_one_task() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let new = server.new_task("once");
    let (a, b) = tokio::join!(server.client.add_task(&new, "a"), server.client.add_task(&new, "a"));
    assert_eq!(a.unwrap().id, b.unwrap().id);
    assert_eq!(server.client.tasks().await.unwrap().len(), 1);
    server.end().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_kind() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let client = &server.client;
    assert_eq!(kind(client.task("t9").await), ProblemKind::NotFound);
    assert_eq!(kind(client.task("nonsense").await), ProblemKind::BadInput);
    assert_eq!(kind(client.add_task(&server.new_task("  "), "1").await), ProblemKind::BadInput);
    let mut absent = server.new_task("x");
    absent.agents = vec!["absent".into()];
    assert_eq!(kind(client.add_task(&absent, "2").await), ProblemKind::NotReady);
    absent.agents = vec!["nobody".into()];
    assert_eq!(kind(client.add_task(&absent, "3").await), ProblemKind::NotFound);
    let mut relative = server.new_task("x");
    relative.root = "project".into();
    assert_eq!(kind(client.add_task(&relative, "4").await), ProblemKind::BadInput);

    client.add_task(&server.new_task("x"), "5").await.unwrap();
    let two = divisi_api::types::NewTask { attempts: 2, ..server.new_task("x") };
    client.add_task(&two, "6").await.unwrap();
    assert_eq!(kind(client.task("t1.7").await), ProblemKind::NotFound);
    assert_eq!(kind(client.diff("t2", Default::default(), 0).await), ProblemKind::BadInput, "which attempt?");
    assert_eq!(kind(client.land(&["t1".into()]).await), ProblemKind::WrongState);
    assert_eq!(kind(client.undo("t1").await), ProblemKind::WrongState);
    let verdict =
        ReviewRequest { commit: None, verdict: Verdict::Approved, comments: vec![], note: String::new() };
    assert_eq!(kind(client.review("t1", &verdict).await), ProblemKind::WrongState);
    let yes = AnswerRequest::Approved { always: false };
    // Items of the task itself may exist by now: its agent is at work, or has failed.
    for item in ["t9", "t1#7", "t9#1", "00000000-0000-0000-0000-000000000000"] {
        assert_eq!(kind(client.answer(item, &yes).await), ProblemKind::NotFound, "{item}");
    }
    assert_eq!(kind(client.check_log("t1", 0).await), ProblemKind::NotFound);
    server.end().await;
}

#[tokio::test]
async fn nothing_lands_when_one_of_several_cannot() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    server.client.add_task(&server.new_task("x"), "1").await.unwrap();
    let before = server.client.task("t1").await.unwrap();
    assert_eq!(kind(server.client.land(&["t1".into(), "t9".into()]).await), ProblemKind::WrongState);
    assert_eq!(kind(server.client.land(&[]).await), ProblemKind::BadInput);
    assert_eq!(server.client.task("t1").await.unwrap().attempts[0].landing, before.attempts[0].landing);
    server.end().await;
}

#[tokio::test]
async fn words_wait_for_the_agent_and_a_stopped_task_goes_away_and_comes_back() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let client = &server.client;
    client.add_task(&server.new_task("x"), "1").await.unwrap();
    let request = SendRequest { text: "and the docs".into(), images: vec![], delivery: Delivery::Steer };
    let task = client.send_words("t1", &request).await.unwrap();
    assert!(task.attempts[0].queue.iter().any(|prompt| prompt.text == "and the docs"));
    assert_eq!(client.stop("t1").await.unwrap().status.state, "stopped");
    assert!(client.archive("t1").await.unwrap().archived);
    assert!(!client.restore("t1").await.unwrap().archived);
    server.end().await;
}
