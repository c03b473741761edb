//! Who runs next, as a table.

use divisi_model::holds::Holds;
use divisi_model::schedule::schedule;
use divisi_model::{Command, Event, TaskState};
use jiff::Timestamp;

use crate::board::{Board, oid, spec, workspace};

#[test]
fn free_slots_go_to_those_who_wait_longest() {
    let three = Board::new(spec(&[], &[], 3)).state().clone();
    let chosen = |parallel| {
        let chosen = schedule([&three].into_iter(), parallel, &Holds::default(), Timestamp::UNIX_EPOCH);
        chosen.into_iter().map(|(id, slot)| (id.number, slot)).collect::<Vec<_>>()
    };
    assert_eq!(chosen(0), []);
    assert_eq!(chosen(2), [(1, 0), (2, 1)]);
    assert_eq!(chosen(8), [(1, 0), (2, 1), (3, 2)]);
}

#[test]
fn a_slot_stays_with_its_workspace() {
    let mut board = Board::new(spec(&[], &[], 2));
    board.tell(Event::AttemptLeased { attempt: 1, worker: "local".into(), slot: 0 }).unwrap();
    board.tell(Event::WorkspaceReady { attempt: 1, workspace: workspace() }).unwrap();
    let state: &TaskState = board.state();
    let chosen = schedule([state].into_iter(), 8, &Holds::default(), Timestamp::UNIX_EPOCH);
    assert_eq!(chosen.len(), 1);
    assert_eq!((chosen[0].0.number, chosen[0].1), (2, 1), "slot 0 has a workspace");
}

#[test]
fn an_attempt_waits_for_its_workspace_to_come_back() {
    let mut board = Board::new(spec(&[], &[], 1));
    board.tell(Event::AttemptLeased { attempt: 1, worker: "local".into(), slot: 0 }).unwrap();
    board.tell(Event::WorkspaceReady { attempt: 1, workspace: workspace() }).unwrap();
    for command in [Command::Stop { attempt: 1 }, Command::Archive] {
        board.ask(command).unwrap();
    }
    board
        .tell(Event::WorkspaceArchived {
            attempt: 1,
            commit: oid(1),
            reference: "refs/divisi/a".into(),
            outside: None,
        })
        .unwrap();
    for command in [Command::Restore, Command::Resume { attempt: 1 }] {
        board.ask(command).unwrap();
    }
    let chosen = |board: &Board| {
        schedule([board.state()].into_iter(), 8, &Holds::default(), Timestamp::UNIX_EPOCH).len()
    };
    assert_eq!(chosen(&board), 0);
    board.tell(Event::WorkspaceRestored { attempt: 1, path: workspace().path, kind: None }).unwrap();
    assert_eq!(chosen(&board), 1);
}
