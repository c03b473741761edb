//! What an import on another machine makes of a task: nothing goes on that nobody asked for, and everything can.

use std::collections::BTreeMap;

use divisi_model::event::{TurnOutcome, Workspace};
use divisi_model::inbox::Ask;
use divisi_model::view::task_status;
use divisi_model::{Command, Event, Phase};

use crate::board::{Board, oid, spec};

const WHY: &str = "it was at work when it was exported";

fn import(board: &mut Board) -> Vec<&'static str> {
    let kept = BTreeMap::from([(1, (oid(5), "refs/divisi/snapshots/t7.1/3".to_owned()))]);
    board.ask(Command::Import { why: WHY.to_owned(), kept }).unwrap()
}

fn reason(board: &Board) -> String {
    task_status(board.state()).unwrap().reason
}

#[test]
fn one_at_work_is_stopped_with_its_reason_and_can_go_on() {
    let mut board = Board::new(spec(&["tests"], &[], 1));
    board.start_turn();
    let (attempt, session, agent_session) = (1, 1, "remembered".to_owned());
    board.tell(Event::SessionNamed { attempt, session, agent_session }).unwrap();
    let ask = Ask::Question { session: 1, request: "7".into(), text: "which?".into(), options: vec![] };
    board.ask(Command::Ask { attempt, ask: Box::new(ask), allowed: false }).unwrap();

    let kinds = import(&mut board);
    assert_eq!(kinds, ["turn_ended", "session_closed", "attempt_stopped", "workspace_archived"]);
    assert_eq!((board.status(), reason(&board)), ("stopped".to_owned(), WHY.to_owned()));
    let attempt = &board.state().attempts[0];
    assert_eq!(attempt.sessions[0].agent_session, None, "the agent has forgotten it");
    assert!(attempt.open_session().is_none() && attempt.running_turn().is_none());
    assert_eq!(attempt.archived_as.as_ref().unwrap().0, oid(5));
    assert_eq!(board.state().open_items().count(), 0);
    assert!(import(&mut board).is_empty(), "nothing is left to do");

    board.ask(Command::Resume { attempt: 1 }).unwrap();
    assert_eq!(board.status(), "queued");
    assert_eq!(board.state().attempts[0].queue.len(), 1, "what was asked is asked again");
}

#[test]
fn what_waits_for_a_person_still_does() {
    let mut board = Board::in_review();
    import(&mut board);
    assert_eq!(board.status(), "in review");
    assert_eq!(board.state().open_items().count(), 1);
    let attempt = &board.state().attempts[0];
    assert!(attempt.open_session().is_none(), "its idle agent is not there any more");
}

#[test]
fn a_landing_that_was_being_taken_back_has_landed() {
    let mut board = Board::in_review();
    let landing = divisi_model::event::Landing {
        target: "main".into(),
        before: oid(0),
        after: oid(9),
        result: oid(1),
        checkout_updated: true,
    };
    let commit = Some(oid(1));
    let verdict = divisi_model::review::Verdict::Approved;
    board
        .ask(Command::Review { attempt: 1, commit, verdict, comments: vec![], note: String::new() })
        .unwrap();
    board.ask(Command::Land { attempt: 1 }).unwrap();
    board.tell(Event::Landed { attempt: 1, landing }).unwrap();
    board.ask(Command::Undo { attempt: 1 }).unwrap();
    import(&mut board);
    assert_eq!(board.state().attempts[0].phase, Phase::Landed);
    assert!(reason(&board).contains(WHY), "{}", reason(&board));
}

#[test]
fn one_that_waited_for_a_limit_does_not_go_on_by_itself() {
    let mut board = Board::new(spec(&[], &[], 1));
    board.start_turn();
    let until = Some("2026-11-21T14:05:00Z".parse().unwrap());
    board.end_turn(TurnOutcome::UsageLimit { text: "enough".into(), until, guessed: false });
    import(&mut board);
    assert_eq!(board.status(), "stopped");
}

#[test]
fn a_workspace_that_was_never_made_is_not_kept() {
    let mut board = Board::new(spec(&[], &[], 1));
    assert_eq!(import(&mut board), ["attempt_stopped"]);
    let kept: Option<&Workspace> = board.state().attempts[0].workspace.as_ref();
    assert_eq!(kept, None);
}
