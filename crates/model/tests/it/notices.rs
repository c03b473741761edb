//! What is worth telling, and for how long.

use divisi_model::event::{Landing, LandingFailure};
use divisi_model::inbox::{Answer, Ask, AskOption, Effect};
use divisi_model::notice::{Notice, NoticeKind, Occasion, notice};
use divisi_model::review::Verdict;
use divisi_model::{Command, Event};

use crate::board::{Board, oid, spec};

/// The notice for the last event that may be worth one.
fn last(board: &Board) -> Option<Notice> {
    let occasion = board.log.iter().rev().find_map(|envelope| Occasion::of(&envelope.event))?;
    notice(board.state(), occasion)
}

#[test]
fn what_an_agent_asks_is_told_until_it_is_answered_and_never_in_its_words() {
    let mut board = Board::new(spec(&[], &[], 2));
    board.start_turn();
    let ask = Ask::Permission {
        session: 1,
        request: "r".into(),
        title: "rm -rf /".into(),
        tool: "execute".into(),
        detail: "secret".into(),
        options: vec![AskOption { id: "yes".into(), name: "Yes".into(), effect: Effect::AllowOnce }],
    };
    board.ask(Command::Ask { attempt: 1, ask: Box::new(ask), allowed: false }).unwrap();
    let told = last(&board).unwrap();
    assert_eq!((told.id.as_str(), told.handle.as_str(), told.kind), ("t7#1", "t7", NoticeKind::Permission));
    assert_eq!((told.title.as_str(), told.path.as_str()), ("Fix the parser", "/tasks/t7.1"));
    assert!(!format!("{told:?}").contains("secret") && !format!("{told:?}").contains("rm -rf"));
    let item = board.state().items[0].id;
    board.ask(Command::Answer { item, answer: Answer::Approved { always: false } }).unwrap();
    assert_eq!(last(&board), None);
}

#[test]
fn a_review_leads_to_its_screen_and_is_over_with_the_verdict() {
    let mut board = Board::in_review();
    let told = last(&board).unwrap();
    assert_eq!((told.kind, told.path.as_str()), (NoticeKind::Review, "/review/t7"));
    approve(&mut board);
    assert_eq!(last(&board), None);
}

#[test]
fn a_landing_is_told_by_how_it_ended_while_that_is_so() {
    let mut board = Board::in_review();
    approve(&mut board);
    board.ask(Command::Land { attempt: 1 }).unwrap();
    let why = LandingFailure::Other { text: "the target is gone".into() };
    board.tell(Event::LandingFailed { attempt: 1, why }).unwrap();
    let failed = last(&board).unwrap();
    assert_eq!((failed.kind, failed.handle.as_str()), (NoticeKind::Failed, "t7"));
    assert_eq!(failed.id, format!("t7 failed {}", board.state().attempts[0].since));
    board.ask(Command::Land { attempt: 1 }).unwrap();
    assert_eq!(last(&board), None, "it is tried again");
    let landing = Landing {
        target: "main".into(),
        before: oid(0),
        after: oid(9),
        result: oid(1),
        checkout_updated: true,
    };
    board.tell(Event::Landed { attempt: 1, landing }).unwrap();
    assert_eq!(last(&board).unwrap().kind, NoticeKind::Landed);
    board.ask(Command::Archive).unwrap();
    assert_eq!(last(&board), None, "what is put away waits for nobody");
}

fn approve(board: &mut Board) {
    let (verdict, commit) = (Verdict::Approved, Some(oid(1)));
    board
        .ask(Command::Review { attempt: 1, commit, verdict, comments: vec![], note: String::new() })
        .unwrap();
}
