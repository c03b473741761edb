//! Agents that write more than they may.

use divisi_model::inbox::{Answer, Ask};
use divisi_model::task::TaskSettings;
use divisi_model::{Command, view};
use divisi_testkit::TestEnv;

use crate::fleet::Fleet;

/// The cap is a gigabyte; this test lets the shim take less, as nothing of the product does.
const CAP: u64 = 300_000;

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fills_its_journal_is_ended_and_told_of_and_goes_on_in_a_new_one() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env, TaskSettings::default()).await;
    let script = r#"append list.txt "four\n"
ask execute "Wait for a person"
  allowed
    flood 20 MB
turn
say Enough."#;
    let task = fleet.task("Flood once", script, &[]).await;
    let task = fleet.until_status(&task, "waiting for permission").await;
    fleet.cap_journal(&task, CAP).await;
    let item = task.open_items().next().unwrap().id;
    let answer = Command::Answer { item, answer: Answer::Approved { always: false } };
    fleet.ask(&task, answer).await;
    let task = fleet.until_status(&task, "agent failed").await;
    let status = view::task_status(&task).unwrap();
    assert_eq!(status.reason, "the agent's process was ended because it wrote too much");
    assert_eq!(status.next, "divisi log t1, then divisi resume t1");
    let told = task.open_items().map(|item| &item.ask).collect::<Vec<_>>();
    assert!(matches!(&told[..], [Ask::Stall { why, .. }] if *why == status.reason), "{told:?}");
    let journal = env.join("data").join(&task.attempts[0].sessions[0].launch).join("out.journal");
    let kept = std::fs::metadata(&journal).unwrap().len();
    assert!((CAP..CAP + (1 << 20)).contains(&kept), "{kept} bytes");

    fleet.ask(&task, Command::Resume { attempt: 1 }).await;
    let task = fleet.until_status(&task, "in review").await;
    assert_eq!(task.attempts[0].sessions.len(), 2);
    assert_eq!(
        task.attempts[0].result.as_ref().map(|result| result.added),
        Some(1),
        "what it wrote is there"
    );
}
