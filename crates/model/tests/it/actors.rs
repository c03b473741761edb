//! Who did what: a person at the machine, or with a paired device.

use divisi_model::inbox::Answer;
use divisi_model::review::Verdict;
use divisi_model::{Actor, Command};

use crate::board::{Board, spec};

fn phone() -> Actor {
    Actor::Person { name: "Ada".into(), device: Some("phone".into()) }
}

#[test]
fn an_actor_of_a_log_before_devices_is_a_person_at_the_machine() {
    let old = r#"{"who":"person","name":"Ada"}"#;
    assert_eq!(serde_json::from_str::<Actor>(old).unwrap(), Actor::person("Ada"));
    assert_eq!(serde_json::to_string(&Actor::person("Ada")).unwrap(), old);
    let with = serde_json::to_string(&phone()).unwrap();
    assert_eq!(serde_json::from_str::<Actor>(&with).unwrap(), phone());
    assert_eq!(
        (Actor::person("Ada").to_string(), phone().to_string()),
        ("Ada".into(), "Ada on phone".into())
    );
}

#[test]
fn verdicts_and_landings_say_who_and_with_which_device() {
    let mut board = Board::in_review();
    let (verdict, comments, note) = (Verdict::Approved, vec![], String::new());
    board.ask_as(phone(), Command::Review { attempt: 1, commit: None, verdict, comments, note }).unwrap();
    board.ask_as(Actor::person("Ada"), Command::Land { attempt: 1 }).unwrap();
    let attempt = &board.state().attempts[0];
    assert_eq!(attempt.reviews[0].by, "Ada on phone");
    assert_eq!(attempt.landing_by.as_deref(), Some("Ada"));
}

#[test]
fn an_answer_says_which_person_gave_it_and_a_rule_is_none() {
    let mut board = Board::new(spec(&[], &["reads well", "is short"], 1));
    board.start_turn();
    board.end_turn(divisi_model::event::TurnOutcome::Completed);
    board.result(1, 1);
    let claim = divisi_model::Event::ChecksEnded { attempt: 1, commit: crate::board::oid(1), passed: true };
    board.tell(claim).unwrap();
    let items: Vec<_> =
        board.state().items.iter().filter(|i| i.ask.kind() == "criterion").map(|i| i.id).collect();
    for (item, actor) in items.iter().zip([phone(), Actor::Divisi]) {
        let answer = Answer::Approved { always: false };
        board.ask_as(actor, Command::Answer { item: *item, answer }).unwrap();
    }
    let by = |at: usize| board.state().items.iter().find(|i| i.id == items[at]).unwrap().by.clone();
    assert_eq!((by(0).as_deref(), by(1)), (Some("Ada on phone"), None));
}
