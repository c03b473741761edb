//! What a task may touch and what its attempts may use.

use divisi_model::budget::Budget;
use divisi_model::event::{AttemptResult, Blocked, Origin, TurnOutcome, Usage};
use divisi_model::{Command, Event, Phase, RefusalKind};

use crate::board::{Board, result, spec, workspace};

fn with_budget(budget: Budget) -> Board {
    let mut wanted = spec(&["tests"], &[], 1);
    wanted.budget = Some(budget);
    Board::new(wanted)
}

fn turn_ended(board: &mut Board, outcome: TurnOutcome, output: u64) -> Vec<&'static str> {
    let turn = board.state().attempts[0].turns.len() as u32;
    let usage = Usage { output, ..Usage::default() };
    board.tell(Event::TurnEnded { attempt: 1, turn, outcome, usage }).unwrap()
}

#[test]
fn a_running_turn_is_cancelled_when_the_budget_is_used_up_and_goes_on_with_more() {
    let mut board = with_budget(Budget::Tokens(1000));
    board.start_turn();
    let why = Blocked::Budget { budget: Budget::Tokens(1000), unknown: false };
    let events = board.tell(Event::AttemptBlocked { attempt: 1, why }).unwrap();
    assert_eq!(events, ["turn_cancel_requested", "attempt_blocked", "item_opened"]);
    assert_eq!(board.status(), "needs you: budget");
    turn_ended(&mut board, TurnOutcome::Cancelled, 1100);
    assert_eq!(board.status(), "needs you: budget");
    assert_eq!(board.state().open_items().count(), 1, "it stays in the inbox when the turn has ended");

    let refusal = board.ask(Command::Resume { attempt: 1 }).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::WrongState);
    assert_eq!(refusal.message, "its budget of 1k tokens is used up");
    let budget = Some(Budget::Tokens(2000));
    assert_eq!(board.ask(Command::SetBudget { attempt: 1, budget }).unwrap(), ["budget_set"]);
    assert_eq!(board.ask(Command::SetBudget { attempt: 1, budget }).unwrap(), [] as [&str; 0]);
    board.ask(Command::Resume { attempt: 1 }).unwrap();
    assert_eq!(board.state().attempts[0].phase, Phase::Queued);
    assert_eq!(board.state().open_items().count(), 0);
}

#[test]
fn work_that_is_done_is_checked_and_another_turn_is_not_begun() {
    let mut board = with_budget(Budget::Tokens(1000));
    board.start_turn();
    assert_eq!(turn_ended(&mut board, TurnOutcome::Completed, 5000), ["turn_ended"]);
    assert_eq!(board.status(), "checking", "checks cost nothing");
    let back = Command::SendBack { attempt: 1, text: "mend it".into(), origin: Origin::Check };
    board.ask(back).unwrap();
    let leased = board.tell(Event::AttemptLeased { attempt: 1, worker: "local".into(), slot: 0 }).unwrap();
    assert_eq!(leased, ["attempt_blocked", "item_opened"]);
    assert_eq!(board.status(), "needs you: budget");
    assert_eq!(board.state().attempts[0].queue.len(), 1, "what it was told is kept");
}

#[test]
fn no_turn_begins_on_a_budget_that_was_lowered_meanwhile() {
    let mut board = with_budget(Budget::Tokens(1000));
    board.start_turn();
    turn_ended(&mut board, TurnOutcome::Completed, 500);
    let back = Command::SendBack { attempt: 1, text: "mend it".into(), origin: Origin::Check };
    board.ask(back).unwrap();
    board.tell(Event::AttemptLeased { attempt: 1, worker: "local".into(), slot: 0 }).unwrap();
    board.tell(Event::WorkspaceReady { attempt: 1, workspace: workspace() }).unwrap();
    board.ask(Command::SetBudget { attempt: 1, budget: Some(Budget::Tokens(400)) }).unwrap();
    let started = Event::TurnStarted { attempt: 1, turn: 2, session: 1, prompts: vec![2] };
    assert_eq!(board.tell(started).unwrap(), ["attempt_blocked", "item_opened"]);
    assert_eq!(board.status(), "needs you: budget");
    assert_eq!(board.state().attempts[0].queue.len(), 1, "what it was told is kept");
}

#[test]
fn a_budget_in_money_is_not_held_against_what_nobody_can_price() {
    let mut board = with_budget(Budget::CostMicros(2_500_000));
    board.start_turn();
    turn_ended(&mut board, TurnOutcome::Cancelled, 10);
    let Phase::Blocked { why } = &board.state().attempts[0].phase else { panic!("it goes on unseen") };
    assert_eq!(*why, Blocked::Budget { budget: Budget::CostMicros(2_500_000), unknown: true });
    board.ask(Command::SetBudget { attempt: 1, budget: None }).unwrap();
    board.ask(Command::Resume { attempt: 1 }).unwrap();
}

#[test]
fn the_first_prompt_names_the_scope_and_a_result_outside_of_it_is_sent_back_once() {
    let mut wanted = spec(&[], &[], 1);
    wanted.scope = vec!["src/".into(), "*.md".into()];
    let mut board = Board::new(wanted);
    assert!(board.state().attempts[0].queue[0].text.contains("\n- `src/`\n- `*.md`\n"));
    board.start_turn();
    turn_ended(&mut board, TurnOutcome::Completed, 1);
    let outside = AttemptResult { outside_scope: vec!["build.rs".into()], ..result(1, 1) };
    board.tell(Event::ResultMade { attempt: 1, result: outside, comments: Default::default() }).unwrap();
    assert!(!board.state().attempts[0].told_of_scope());
    let back = Command::SendBack { attempt: 1, text: "keep to it".into(), origin: Origin::Scope };
    assert_eq!(board.ask(back).unwrap(), ["prompt_queued"]);
    assert!(board.state().attempts[0].told_of_scope());
    board.start_turn();
    assert!(board.state().attempts[0].told_of_scope(), "nor is it forgotten in the next turn");
}

#[test]
fn an_empty_pattern_is_no_scope() {
    let mut wanted = spec(&[], &[], 1);
    wanted.scope = vec![" ".into()];
    let add = Command::Add { spec: Box::new(wanted), stage: true };
    assert_eq!(
        divisi_model::decide(None, add, &mut || unreachable!()).unwrap_err().kind,
        RefusalKind::BadInput
    );
}
