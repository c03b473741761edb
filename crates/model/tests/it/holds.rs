//! Usage limits: what waits, until when, and who may go on.

use divisi_model::event::{Origin, TurnOutcome};
use divisi_model::holds::{Holds, try_again};
use divisi_model::schedule::schedule;
use divisi_model::view::{self, Attention};
use divisi_model::{AttemptId, Command, Event, Phase, TaskState};
use jiff::{SignedDuration, Timestamp};

use crate::board::{Board, spec};

/// An hour after the board's clock, which counts seconds from 1970.
fn five() -> Timestamp {
    Timestamp::from_second(3600).unwrap()
}

fn limit(until: Option<Timestamp>) -> TurnOutcome {
    TurnOutcome::UsageLimit { text: "You've hit your limit".into(), until, guessed: false }
}

fn now(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Does what the schedule stage does at this time, but gives no slots.
fn look(board: &mut Board, at: Timestamp) -> Vec<&'static str> {
    let state: TaskState = board.state().clone();
    let holds = Holds::of([&state].into_iter());
    let mut told = Vec::new();
    for id in holds.over([&state].into_iter(), at) {
        told.extend(board.tell(Event::LimitOver { attempt: id.number }).unwrap());
    }
    for (id, held) in holds.told([&state].into_iter(), at) {
        let event = Event::AttemptHeld { attempt: id.number, until: held.until, why: held.why.clone() };
        told.extend(board.tell(event).unwrap());
    }
    told
}

fn slots(board: &Board, at: Timestamp) -> Vec<u16> {
    let state = board.state();
    let holds = Holds::of([state].into_iter());
    schedule([state].into_iter(), 8, &holds, at).into_iter().map(|(id, _)| id.number).collect()
}

#[test]
fn a_limit_wakes_by_itself_and_asks_nobody() {
    let mut board = Board::new(spec(&[], &[], 1));
    board.start_turn();
    assert_eq!(board.end_turn(limit(Some(five()))), ["turn_ended", "attempt_blocked"]);
    let status = view::task_status(board.state()).unwrap();
    assert_eq!((status.state.as_str(), status.until), ("waiting for a limit", Some(five())));
    assert_eq!(status.attention, Attention::Backlog);
    assert_eq!(status.next, "divisi resume t7 goes on now");
    let early = five().checked_sub(SignedDuration::from_secs(1)).unwrap();
    assert_eq!(look(&mut board, early), [""; 0]);

    let state = board.state().clone();
    let next = Holds::of([&state].into_iter()).next([&state].into_iter(), early).unwrap();
    let late = five().checked_add(SignedDuration::from_secs(60)).unwrap();
    assert!(next >= five() && next < late, "{next}");
    assert_eq!(look(&mut board, next), ["limit_over", "prompt_queued"]);
    let attempt = &board.state().attempts[0];
    assert_eq!(attempt.phase, Phase::Queued);
    assert_eq!(attempt.queue[0].origin, Origin::Limit);
    assert!(attempt.queue[0].text.ends_with("Fix the parser"), "the prompt is not lost");
    assert_eq!(attempt.rounds, 0);
    assert_eq!(look(&mut board, next), [""; 0], "once is enough");
}

#[test]
fn others_of_the_agent_wait_for_the_same_limit_unless_a_person_says_go() {
    let mut board = Board::new(spec(&[], &[], 3));
    board.start_turn();
    assert_eq!(slots(&board, now(30)), [2, 3]);
    board.end_turn(limit(Some(five())));
    assert_eq!(slots(&board, now(30)), [0u16; 0], "they do not run into it one by one");
    assert_eq!(look(&mut board, now(30)), ["attempt_held"; 2]);
    assert_eq!(look(&mut board, now(31)), [""; 0], "said once");
    let status = view::status(board.state(), &board.state().attempts[1]);
    assert_eq!((status.state.as_str(), status.until), ("waiting for a limit", Some(five())));
    assert_eq!(status.reason, "rehearsal ran into a limit: You've hit your limit");

    assert_eq!(board.ask(Command::Resume { attempt: 2 }).unwrap(), ["attempt_resumed"]);
    assert_eq!(slots(&board, now(32)), [2], "a person said so");
    assert_eq!(view::status(board.state(), &board.state().attempts[1]).state, "queued");

    // Its turn ends well, so the limit is over, whatever was said.
    second_works(&mut board);
    assert_eq!(look(&mut board, now(40)), ["limit_over", "prompt_queued", "limit_over"]);
    assert_eq!(slots(&board, now(40)), [3, 1]);
}

/// The second attempt has a turn that ends well.
fn second_works(board: &mut Board) {
    let tell = |board: &mut Board, event| drop(board.tell(event).unwrap());
    tell(board, Event::AttemptLeased { attempt: 2, worker: "local".into(), slot: 1 });
    tell(board, Event::WorkspaceReady { attempt: 2, workspace: crate::board::workspace() });
    let (how, launch) = (divisi_model::event::SessionStart::New, "s2".into());
    tell(board, Event::SessionOpened { attempt: 2, session: 1, launch, how, sandbox: None });
    tell(board, Event::TurnStarted { attempt: 2, turn: 1, session: 1, prompts: vec![1] });
    let usage = divisi_model::event::Usage::default();
    tell(board, Event::TurnEnded { attempt: 2, turn: 1, outcome: TurnOutcome::Completed, usage });
}

#[test]
fn a_turn_before_a_limit_does_not_end_it_whatever_the_clock_said_then() {
    let mut board = Board::new(spec(&[], &[], 3));
    board.clock_set = 24 * 3600;
    second_works(&mut board);
    board.clock_set = 0;
    board.start_turn();
    board.end_turn(limit(Some(five())));
    assert_eq!(look(&mut board, now(30)), ["attempt_held"]);
    assert_eq!(slots(&board, now(31)), [0u16; 0]);
}

#[test]
fn a_limit_that_was_told_by_a_clock_which_was_set_back_is_tried_anew() {
    let mut board = Board::new(spec(&[], &[], 2));
    board.start_turn();
    board.end_turn(limit(Some(five())));
    assert_eq!(look(&mut board, now(30)), ["attempt_held"]);
    assert_eq!(look(&mut board, now(-20)), [""; 0], "a clock that is put right is the same clock");
    assert_eq!(slots(&board, now(-20)), [0u16; 0]);
    let yesterday = now(30).checked_sub(SignedDuration::from_hours(24)).unwrap();
    assert_eq!(look(&mut board, yesterday), ["limit_over", "prompt_queued", "limit_over"]);
    assert_eq!(slots(&board, yesterday), [2, 1]);
}

#[test]
fn those_who_waited_go_on_one_after_the_other() {
    let mut board = Board::new(spec(&[], &[], 12));
    board.start_turn();
    board.end_turn(limit(Some(five())));
    let state = board.state();
    let holds = Holds::of([state].into_iter());
    let ends: std::collections::BTreeSet<_> = (1..=12)
        .map(|number| {
            let id = AttemptId { task: state.id, number };
            let attempt = state.attempt(number).unwrap();
            (0..)
                .map(|ms| five().checked_add(SignedDuration::from_millis(ms * 100)).unwrap())
                .find(|at| holds.on(id, attempt, *at).is_none())
                .unwrap()
        })
        .collect();
    assert!(ends.len() > 6, "{ends:?}");
}

#[test]
fn a_limit_without_an_end_is_tried_again_less_and_less_often_and_then_a_person_is_asked() {
    let mut board = Board::new(spec(&[], &[], 1));
    let mut pauses = Vec::new();
    loop {
        board.start_turn();
        let until = try_again(&board.state().attempts[0], now(0));
        pauses.push(until.map(|until| until.as_second() / 60));
        let outcome = TurnOutcome::UsageLimit { text: "429".into(), until, guessed: true };
        let kinds = board.end_turn(outcome);
        if until.is_none() {
            assert_eq!(kinds, ["turn_ended", "attempt_blocked", "item_opened"]);
            break;
        }
        board.tell(Event::LimitOver { attempt: 1 }).unwrap();
    }
    assert_eq!(pauses[..8], [1, 2, 4, 8, 16, 32, 60, 60].map(Some));
    assert_eq!(pauses.len(), 13);
    let status = view::task_status(board.state()).unwrap();
    assert_eq!((status.attention, status.until), (Attention::NeedsYou, None));
}

#[test]
fn a_missing_login_names_the_command_and_the_turn_goes_on_after_it() {
    let mut board = Board::new(spec(&[], &[], 1));
    board.start_turn();
    let (text, command) = ("401".to_owned(), Some("codex login".to_owned()));
    assert_eq!(
        board.end_turn(TurnOutcome::NeedsLogin { text, command }),
        ["turn_ended", "attempt_blocked", "item_opened"]
    );
    let status = view::task_status(board.state()).unwrap();
    assert_eq!(status.state, "needs you: credentials");
    assert_eq!(status.next, "codex login, then divisi resume t7");
    board
        .tell(Event::SessionClosed {
            attempt: 1,
            session: 1,
            why: "the agent needs a login".into(),
            forgotten: false,
        })
        .unwrap();
    assert_eq!(board.state().open_items().count(), 1, "it still waits for a person");
    assert_eq!(board.ask(Command::Resume { attempt: 1 }).unwrap(), ["attempt_resumed", "prompt_queued"]);
    assert_eq!(board.state().open_items().count(), 0);
    assert!(board.state().attempts[0].queue[0].text.ends_with("Fix the parser"));
}
