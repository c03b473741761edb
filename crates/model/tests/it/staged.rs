//! Tasks that are only on the board, and the order of those that wait.

use divisi_model::event::Delivery;
use divisi_model::holds::Holds;
use divisi_model::schedule::{Place, schedule, since_for};
use divisi_model::task::TaskSpec;
use divisi_model::view::{Attention, task_status};
use divisi_model::{Command, Phase, RefusalKind, TaskState};
use jiff::Timestamp;

use crate::board::{Board, oid, spec};

fn boxed(change: impl FnOnce(&mut TaskSpec)) -> Box<TaskSpec> {
    let mut wanted = spec(&["tests"], &[], 2);
    change(&mut wanted);
    Box::new(wanted)
}

#[test]
fn a_staged_task_waits_for_a_person_and_can_be_changed_until_it_starts() {
    let mut board = Board::staged(spec(&[], &[], 1));
    let status = task_status(board.state()).unwrap();
    assert_eq!((status.attention, status.state.as_str()), (Attention::Backlog, "staged"));
    assert_eq!(status.next, "divisi start t7");
    let slots = schedule([board.state()].into_iter(), 8, &Holds::default(), Timestamp::UNIX_EPOCH);
    assert_eq!(slots, []);

    let send = Command::Send { attempt: 1, text: "now".into(), images: vec![], delivery: Delivery::Queue };
    for command in [send, Command::Land { attempt: 1 }, Command::Stop { attempt: 1 }] {
        let refusal = board.ask(command).unwrap_err();
        assert_eq!((refusal.kind, refusal.hint.as_str()), (RefusalKind::WrongState, "divisi start t7"));
    }
    let other = boxed(|spec| {
        spec.title = "Mend the parser".into();
        spec.number = divisi_model::TaskNumber(9);
    });
    assert_eq!(board.ask(Command::Edit { spec: other }).unwrap(), ["task_edited"]);
    assert_eq!(board.state().spec.title, "Mend the parser");
    assert_eq!(board.state().spec.number.to_string(), "t7", "a task keeps its number");
    let same = Box::new(board.state().spec.clone());
    assert_eq!(board.ask(Command::Edit { spec: same }).unwrap(), [] as [&str; 0]);
    let empty = boxed(|spec| spec.prompt = "  ".into());
    assert_eq!(board.ask(Command::Edit { spec: empty }).unwrap_err().kind, RefusalKind::BadInput);

    let newer = boxed(|spec| spec.base.commit = oid(8));
    let started = board.ask(Command::Start { spec: newer.clone() }).unwrap();
    let each = ["attempt_added", "prompt_queued"];
    assert_eq!(started, [&["task_edited"][..], &each, &each].concat());
    assert_eq!(board.state().attempts[1].base, oid(8), "it starts from where its base is then");
    assert!(board.state().attempts.iter().all(|attempt| attempt.phase == Phase::Queued));
    assert_eq!(board.ask(Command::Start { spec: newer.clone() }).unwrap(), [] as [&str; 0]);
    assert_eq!(board.ask(Command::Edit { spec: newer }).unwrap_err().kind, RefusalKind::WrongState);
}

#[test]
fn a_staged_task_can_be_put_away_and_taken_out_again() {
    let mut board = Board::staged(spec(&[], &[], 1));
    board.ask(Command::Archive).unwrap();
    let status = task_status(board.state()).unwrap();
    assert_eq!((status.attention, status.state.as_str()), (Attention::Done, "archived"));
    let wanted = Box::new(board.state().spec.clone());
    assert_eq!(board.ask(Command::Start { spec: wanted }).unwrap_err().kind, RefusalKind::WrongState);
    board.ask(Command::Restore).unwrap();
    assert_eq!(board.status(), "staged");
}

#[test]
fn spans_say_what_an_attempt_did_and_waited_for() {
    let board = Board::in_review();
    let spans = divisi_model::spans::spans(board.state().id, &board.log);
    let told: Vec<_> = spans.iter().map(|span| (span.activity, span.to.is_some())).collect();
    use divisi_model::spans::Activity::{Checking, Person, Slot, Working};
    assert_eq!(told, [(Slot, true), (Working, true), (Checking, true), (Person, false)]);
    assert!(spans.windows(2).all(|pair| pair[0].to == Some(pair[1].from)), "one follows the other");
}

/// Three tasks that wait, in their order.
struct Line {
    boards: [Board; 3],
}

impl Line {
    fn new() -> Self {
        let one = || spec(&[], &[], 1);
        let boards = [Board::new(one()), Board::another(one()), Board::staged(one())];
        let mut line = Self { boards };
        for (board, second) in line.boards.iter_mut().zip([10, 20, 30]) {
            board.ask(Command::Move { since: Timestamp::from_second(second).unwrap() }).unwrap();
        }
        line
    }

    fn tasks(&self) -> impl Iterator<Item = &TaskState> {
        self.boards.iter().map(Board::state)
    }

    fn put(&mut self, which: usize, place: impl FnOnce(&Self) -> Place) {
        let (id, place) = (self.boards[which].state().id, place(self));
        let now = Timestamp::from_second(100).unwrap();
        let since = since_for(self.tasks(), id, place, now).unwrap();
        self.boards[which].ask(Command::Move { since }).unwrap();
    }

    fn order(&self) -> Vec<usize> {
        let mut order = vec![0, 1, 2];
        order.sort_by_key(|which| self.boards[*which].state().waits_since());
        order
    }
}

#[test]
fn a_task_is_put_first_last_or_before_another() {
    let mut line = Line::new();
    assert_eq!(line.order(), [0, 1, 2]);
    line.put(2, |_| Place::First);
    assert_eq!(line.order(), [2, 0, 1]);
    line.put(2, |_| Place::Last);
    assert_eq!(line.order(), [0, 1, 2]);
    line.put(0, |_| Place::Last);
    assert_eq!(line.order(), [1, 2, 0]);
    line.put(0, |line| Place::Before(line.boards[2].state().id));
    assert_eq!(line.order(), [1, 0, 2]);
    // Between two there is room for as many as anybody moves.
    for round in 0..20 {
        let which = round % 2;
        line.put(which, |line| Place::Before(line.boards[2].state().id));
        assert_eq!(line.order()[1], which);
        assert_eq!(line.order()[2], 2);
    }
    let chosen = schedule(line.tasks(), 1, &Holds::default(), Timestamp::UNIX_EPOCH);
    assert_eq!(chosen[0].0.task, line.boards[line.order()[0]].state().id, "the first in line gets the slot");
}

#[test]
fn what_does_not_wait_has_no_place_in_the_line() {
    let mut line = Line::new();
    line.boards[1].ask(Command::Stop { attempt: 1 }).unwrap();
    let (moved, stopped) = (line.boards[0].state().id, line.boards[1].state().id);
    let now = Timestamp::from_second(100).unwrap();
    assert_eq!(since_for(line.tasks(), moved, Place::Before(stopped), now), None);
    assert_eq!(
        since_for(line.tasks(), moved, Place::Before(moved), now),
        None,
        "nor does a task before itself"
    );
}
