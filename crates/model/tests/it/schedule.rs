//! Who runs next, as a table.

use divisi_model::event::Workspace;
use divisi_model::holds::Holds;
use divisi_model::schedule::{first_port, port_of_restored, schedule};
use divisi_model::{AttemptId, Command, Event, TaskState};
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
    // Nor when it was chosen a moment before the archive was full.
    board.tell(Event::AttemptLeased { attempt: 1, worker: "local".into(), slot: 0 }).unwrap_err();
    let (path, kind, first_port) = (workspace().path, None, None);
    board.tell(Event::WorkspaceRestored { attempt: 1, path, kind, first_port }).unwrap();
    assert_eq!(chosen(&board), 1);
}

/// Two tasks in turn: the first is archived and its slot goes to the second, which is archived or not when the first
/// comes back.
struct Two {
    first: Board,
    second: Board,
}

impl Two {
    fn new() -> Self {
        let mut two =
            Self { first: Board::new(spec(&[], &[], 1)), second: Board::another(spec(&[], &[], 1)) };
        two.start(|two| &mut two.first, 0);
        two
    }

    fn slots(&self) -> Vec<u16> {
        let tasks = [self.first.state(), self.second.state()].into_iter();
        schedule(tasks, 8, &Holds::default(), Timestamp::UNIX_EPOCH)
            .into_iter()
            .map(|(_, slot)| slot)
            .collect()
    }

    fn start(&mut self, which: fn(&mut Self) -> &mut Board, slot: u16) {
        let board = which(self);
        board.tell(Event::AttemptLeased { attempt: 1, worker: "local".into(), slot }).unwrap();
        let workspace = Workspace { first_port: first_port(slot), ..workspace() };
        board.tell(Event::WorkspaceReady { attempt: 1, workspace }).unwrap();
    }

    fn put_away(&mut self) {
        self.first.ask(Command::Stop { attempt: 1 }).unwrap();
        self.first.ask(Command::Archive).unwrap();
    }

    fn archived(&mut self) {
        let (commit, reference) = (oid(1), "refs/divisi/a".to_owned());
        let archived = Event::WorkspaceArchived { attempt: 1, commit, reference, outside: None };
        self.first.tell(archived).unwrap();
    }

    fn port_of_first(&self) -> Option<u16> {
        let id = AttemptId { task: self.first.state().id, number: 1 };
        port_of_restored([self.first.state(), self.second.state()].into_iter(), id)
    }
}

#[test]
fn a_slot_is_free_when_its_workspace_is_away_and_not_before() {
    let mut two = Two::new();
    assert_eq!(two.slots(), [1]);
    two.put_away();
    assert_eq!(two.slots(), [1], "its folder is still there, and it may be restored before that has gone");
    two.archived();
    assert_eq!(two.slots(), [0]);
}

#[test]
fn a_workspace_that_comes_back_has_its_ports_unless_they_are_anothers() {
    let mut two = Two::new();
    two.put_away();
    two.archived();
    two.first.ask(Command::Restore).unwrap();
    assert_eq!(two.port_of_first(), Some(first_port(0)));
    two.start(|two| &mut two.second, 0);
    assert_eq!(two.port_of_first(), Some(first_port(1)));

    let (path, kind, port) = ("/w".into(), None, Some(first_port(1)));
    let restored = Event::WorkspaceRestored { attempt: 1, path, kind, first_port: port };
    two.first.tell(restored).unwrap();
    let workspace = two.first.state().attempts[0].workspace.clone().unwrap();
    assert_eq!(workspace.first_port, first_port(1));
    assert_eq!(workspace.setup_log, None, "its setup wrote the old ports, so it runs again");
    two.first.ask(Command::Resume { attempt: 1 }).unwrap();
    assert_eq!(two.slots(), [1]);
}

#[test]
fn of_two_workspaces_with_the_same_ports_in_an_old_log_one_gets_others() {
    let mut two = Two::new();
    two.start(|two| &mut two.second, 0);
    two.first.ask(Command::Stop { attempt: 1 }).unwrap();
    two.first.ask(Command::Resume { attempt: 1 }).unwrap();
    assert_eq!(two.slots(), [1]);
}
