//! A review from its first draft to the commit that answers it, with real git below.

use divisi_engine::{DiffOptions, DiffScope, Point};
use divisi_model::comment::{CommentStage, Lines, NewComment, Place, Side};
use divisi_model::task::TaskSettings;
use divisi_model::{AttemptId, AttemptState, Oid, Phase, TaskState};
use divisi_testkit::TestEnv;
use divisi_workspace::{BlobId, DiffPath};

use crate::fleet::{Fleet, person};

const SCRIPT: &str = r#"append list.txt "four\n"
write notes.txt "a note\n"
say One.
when prompt contains "spell it out"
write list.txt "zero\none\ntwo\nthree\n4\n"
say Two."#;

fn at(commit: &Oid, file: &str, side: Side, line: u32) -> Option<Place> {
    let lines = Some(Lines { first: line, last: line });
    Some(Place { commit: commit.clone(), file: file.into(), side, lines, quote: String::new() })
}

async fn write(fleet: &Fleet<'_>, id: AttemptId, place: Option<Place>, text: &str) {
    let comment = NewComment { place, text: text.to_owned() };
    fleet.engine.comment(person(), id, comment).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn comments_are_sent_followed_and_answered() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, TaskSettings::default()).await;
    let task = fleet.task("Add four", SCRIPT, &[]).await;
    let task = fleet.until_status(&task, "in review").await;
    let id = AttemptId { task: task.id, number: 1 };
    let first = task.attempts[0].result.clone().unwrap();
    write(&fleet, id, at(&first.commit, "list.txt", Side::After, 4), "spell it out").await;
    write(&fleet, id, at(&first.commit, "notes.txt", Side::After, 1), "why?").await;
    write(&fleet, id, at(&first.base, "list.txt", Side::Before, 2), "keep this").await;
    let task = fleet.request_changes(&task, &["list.txt:2: and this"]).await;
    let attempt = &task.attempts[0];
    let prompt =
        &attempt.queue.last().or(attempt.turns.last().and_then(|turn| turn.prompts.last())).unwrap().text;
    assert!(prompt.contains("- list.txt:4: spell it out\n\n  ```\n  four\n  ```"), "{prompt}");
    assert!(prompt.contains("- list.txt:2: and this\n\n  ```\n  two\n  ```"), "{prompt}");

    let again =
        |_: &TaskState, attempt: &AttemptState| attempt.phase == Phase::InReview && attempt.turns.len() == 2;
    let task = fleet.until(&task, "in review again", again).await;
    let attempt = &task.attempts[0];
    let second = attempt.result.clone().unwrap();
    let became: Vec<_> =
        attempt.comments.iter().map(|c| (c.stage(), c.location().unwrap_or_default())).collect();
    assert_eq!(
        became,
        [
            (CommentStage::Answered, "list.txt:5".to_owned()),
            (CommentStage::Sent, "notes.txt:1".to_owned()),
            (CommentStage::Sent, "list.txt:2".to_owned()),
            (CommentStage::Sent, "list.txt:3".to_owned()),
        ]
    );
    assert_eq!(attempt.comments[0].answered.as_ref(), Some(&second.commit));
    assert_eq!(attempt.comments[0].now.as_ref().unwrap().quote, "4");

    let names = |listed: &divisi_engine::Listed| -> Vec<String> {
        listed.diff.files.iter().map(|file| file.path.to_string()).collect()
    };
    let engine = &fleet.engine;
    let listed = engine.diff_files(id, DiffScope::Review, DiffOptions::default()).await.unwrap();
    assert_eq!(names(&listed), ["list.txt"], "since the last verdict");
    assert_eq!((&listed.from, &listed.to), (&first.commit, &second.commit));
    let between = DiffScope::Between(Point::Base, Point::Result(1));
    let listed = engine.diff_files(id, between, DiffOptions::default()).await.unwrap();
    assert_eq!(names(&listed), ["list.txt", "notes.txt"]);
    let between = DiffScope::Between(Point::Snapshot(1), Point::Snapshot(2));
    assert_eq!(names(&engine.diff_files(id, between, DiffOptions::default()).await.unwrap()), ["list.txt"]);
    let whole = engine.diff(id, DiffScope::Result).await.unwrap();
    let paths = vec![DiffPath { path: "notes.txt".into(), old_path: None }];
    let commits = (whole.from.clone(), whole.to.clone());
    let some = engine.diff_some(id, commits, paths.clone(), DiffOptions::default()).await.unwrap();
    assert_eq!(some, whole.diff.files[1..]);
    let nowhere = (Oid("1".repeat(40)), whole.to.clone());
    assert!(engine.diff_some(id, nowhere, paths, DiffOptions::default()).await.is_err());
    let blob = BlobId::parse(some[0].new_id.as_deref().unwrap()).unwrap();
    assert_eq!(engine.file(id, blob).await.unwrap(), b"a note\n");
    assert!(engine.file(id, BlobId::parse(&"1".repeat(40)).unwrap()).await.is_err());
    let commits = engine.commits(id).await.unwrap();
    assert_eq!((commits.len(), commits[0].subject.as_str()), (1, "Add four"));
}
