//! What happens to a task, told step by step.

use divisi_model::event::{Delivery, LandingFailure, Origin, TurnOutcome};
use divisi_model::image::{Image, MediaType};
use divisi_model::inbox::{Answer, Ask, AskOption, Effect};
use divisi_model::review::Verdict;
use divisi_model::{Command, Event, Phase};

use crate::board::{Board, oid, spec};

#[test]
fn from_a_prompt_to_a_landed_change() {
    let mut board = Board::new(spec(&["tests"], &[], 1));
    assert_eq!(board.status(), "queued");
    board.start_turn();
    assert_eq!(board.status(), "working");
    assert_eq!(board.end_turn(TurnOutcome::Completed), ["turn_ended"]);
    assert_eq!(board.status(), "checking");
    board.result(1, 2);
    board.check(1, "tests", true);
    let kinds = board.tell(Event::ChecksEnded { attempt: 1, commit: oid(1), passed: true }).unwrap();
    assert_eq!(kinds, ["checks_ended", "item_opened"]);
    assert_eq!(board.status(), "in review");
    review(&mut board, Verdict::Approved, "").unwrap();
    assert_eq!(board.status(), "ready to land");
    board.ask(Command::Land { attempt: 1 }).unwrap();
    let landing = divisi_model::event::Landing {
        target: "main".into(),
        before: oid(0),
        after: oid(9),
        result: oid(1),
        checkout_updated: true,
    };
    board.tell(Event::Landed { attempt: 1, landing }).unwrap();
    assert_eq!(board.status(), "landed");
    assert_eq!(board.state().open_items().count(), 0);
    board.ask(Command::Undo { attempt: 1 }).unwrap();
    board.tell(Event::LandingUndone { attempt: 1, from: oid(9), to: oid(0) }).unwrap();
    assert_eq!(board.status(), "ready to land");
}

#[test]
fn failing_checks_send_back_a_bounded_number_of_times() {
    let mut board = Board::new(spec(&["tests"], &[], 1));
    for round in 1..=3u32 {
        board.start_turn();
        board.end_turn(TurnOutcome::Completed);
        board.result(round, 1);
        board.check(round, "tests", false);
        board.tell(Event::ChecksEnded { attempt: 1, commit: oid(round), passed: false }).unwrap();
        let back = Command::SendBack { attempt: 1, text: "tests failed".into(), origin: Origin::Check };
        let kinds = board.ask(back).unwrap();
        match round {
            3 => assert_eq!(kinds, ["prompt_queued", "attempt_blocked", "item_opened"]),
            _ => assert_eq!(kinds, ["prompt_queued"]),
        }
    }
    assert_eq!(board.status(), "checks keep failing");
    board.ask(Command::Resume { attempt: 1 }).unwrap();
    assert_eq!(board.status(), "queued");
    assert_eq!(board.state().attempts[0].queue.len(), 1, "the failed log is still the next prompt");
    assert_eq!(board.state().open_items().count(), 0);
}

#[test]
fn passed_cannot_be_claimed_without_evidence() {
    let mut board = Board::new(spec(&["tests"], &[], 1));
    board.start_turn();
    board.end_turn(TurnOutcome::Completed);
    board.result(1, 1);
    let claim = Event::ChecksEnded { attempt: 1, commit: oid(1), passed: true };
    assert!(board.tell(claim).is_err());
    assert_eq!(board.status(), "checking");
}

#[test]
fn evidence_of_an_earlier_tree_is_stale() {
    let mut board = Board::in_review();
    review(&mut board, Verdict::ChangesRequested, "rename it").unwrap();
    assert_eq!(board.status(), "queued");
    board.start_turn();
    board.end_turn(TurnOutcome::Completed);
    board.result(2, 1);
    let attempt = &board.state().attempts[0];
    assert!(attempt.evidence_for("tests", &oid(1002)).is_none());
    assert!(!attempt.proven(&board.state().spec));
    let claim = Event::ChecksEnded { attempt: 1, commit: oid(2), passed: true };
    assert!(board.tell(claim).is_err());
}

#[test]
fn a_criterion_for_a_person_holds_back_approval() {
    let mut board = Board::new(spec(&[], &["reads well"], 1));
    board.start_turn();
    board.end_turn(TurnOutcome::Completed);
    board.result(1, 1);
    board.tell(Event::ChecksEnded { attempt: 1, commit: oid(1), passed: true }).unwrap();
    assert_eq!(board.status(), "waiting for judgement");
    let refusal = review(&mut board, Verdict::Approved, "").unwrap_err();
    assert_eq!(refusal.message, "nobody has judged criterion 1 of t7 yet: reads well");
    let item = board.state().open_items().find(|i| i.ask.kind() == "criterion").unwrap().id;
    board.ask(Command::Answer { item, answer: Answer::Approved { always: false } }).unwrap();
    review(&mut board, Verdict::Approved, "").unwrap();
    assert_eq!(board.status(), "ready to land");
}

#[test]
fn a_permission_heard_twice_is_one_item() {
    let mut board = Board::new(spec(&[], &[], 1));
    board.start_turn();
    let ask = Ask::Permission {
        session: 1,
        request: "3".into(),
        title: "Run cargo test".into(),
        tool: "execute".into(),
        detail: String::new(),
        options: vec![AskOption { id: "y".into(), name: "Yes".into(), effect: Effect::AllowOnce }],
    };
    let open = Event::ItemOpened { item: divisi_model::ItemId(uuid::Uuid::from_u128(5)), attempt: 1, ask };
    assert_eq!(board.tell(open.clone()).unwrap(), ["item_opened"]);
    assert_eq!(board.status(), "waiting for permission");
    assert_eq!(board.tell(open.clone()).unwrap(), [""; 0]);
    let item = board.state().items[0].id;
    board.ask(Command::Answer { item, answer: Answer::Approved { always: false } }).unwrap();
    assert_eq!(board.tell(open).unwrap(), [""; 0], "an answered request does not come back after a restart");
    assert_eq!(board.status(), "working");
}

#[test]
fn what_a_rule_allows_never_waits_for_a_person() {
    let mut board = Board::new(spec(&[], &[], 1));
    board.start_turn();
    let ask = |request: &str, effect| {
        let options = vec![AskOption { id: "y".into(), name: "Yes".into(), effect }];
        let (title, tool, detail) = ("Edit".into(), "edit".into(), String::new());
        Box::new(Ask::Permission { session: 1, request: request.into(), title, tool, detail, options })
    };
    let once = ask("1", Effect::AllowOnce);
    let allowed = Command::Ask { attempt: 1, ask: once, allowed: true };
    assert_eq!(board.ask(allowed.clone()).unwrap(), ["item_opened", "item_answered"]);
    assert_eq!(board.ask(allowed).unwrap(), [""; 0], "nor does it come back after a restart");
    let open = Command::Ask { attempt: 1, ask: ask("2", Effect::AllowOnce), allowed: false };
    assert_eq!(board.ask(open).unwrap(), ["item_opened"]);
    let again = Command::Ask { attempt: 1, ask: ask("2", Effect::AllowOnce), allowed: true };
    assert_eq!(board.ask(again).unwrap(), ["item_answered"], "one that is open already is answered");
    let no_yes = Command::Ask { attempt: 1, ask: ask("3", Effect::DenyOnce), allowed: true };
    assert_eq!(board.ask(no_yes).unwrap(), ["item_opened"], "a yes that is not offered cannot be given");
}

#[test]
fn a_task_that_is_restored_while_its_workspace_goes_is_known_to_be_without_it() {
    let mut board = Board::in_review();
    board.ask(Command::Archive).unwrap();
    board.ask(Command::Restore).unwrap();
    let archived = Event::WorkspaceArchived {
        attempt: 1,
        commit: oid(7),
        reference: "refs/x".into(),
        outside: Some("/outside".into()),
    };
    assert_eq!(board.tell(archived).unwrap(), ["workspace_archived"], "it happened, whatever is wanted now");
    assert!(board.state().attempts[0].archived_as.is_some(), "so that it is brought back");
    let (path, kind, first_port) = ("/w".into(), Some("overlay".into()), None);
    let restored = Event::WorkspaceRestored { attempt: 1, path, kind, first_port };
    assert_eq!(board.tell(restored).unwrap(), ["workspace_restored"]);
    assert!(board.state().attempts[0].archived_as.is_none());
}

#[test]
fn an_interrupt_cancels_the_turn_and_goes_first() {
    let mut board = Board::new(spec(&[], &[], 1));
    board.start_turn();
    let send =
        |text: &str, delivery| Command::Send { attempt: 1, text: text.into(), images: vec![], delivery };
    assert_eq!(board.ask(send("later", Delivery::Queue)).unwrap(), ["prompt_queued"]);
    let kinds = board.ask(send("now", Delivery::Interrupt)).unwrap();
    assert_eq!(kinds, ["prompt_queued", "turn_cancel_requested"]);
    board.end_turn(TurnOutcome::Cancelled);
    let queue: Vec<_> = board.state().attempts[0].queue.iter().map(|p| p.text.as_str()).collect();
    assert_eq!(queue, ["now", "later"]);
    assert_eq!(board.state().attempts[0].phase, Phase::Working);
}

#[test]
fn words_are_taken_back_until_the_agent_gets_them() {
    let mut board = Board::in_review();
    let send =
        || Command::Send { attempt: 1, text: "later".into(), images: vec![], delivery: Delivery::Queue };
    let take_back = |prompt| Command::TakeBack { attempt: 1, prompt };
    board.ask(send()).unwrap();
    assert_eq!(board.status(), "queued");
    assert_eq!(board.ask(take_back(9)).unwrap_err().message, "no message 9 waits for t7");
    assert_eq!(board.ask(take_back(1)).unwrap_err().message, "rehearsal has that message already");
    board.ask(take_back(2)).unwrap();
    assert_eq!(board.status(), "checking", "what it had handed back is shown again");
    board.tell(Event::ChecksEnded { attempt: 1, commit: oid(1), passed: true }).unwrap();
    assert_eq!(board.status(), "in review");

    board.ask(send()).unwrap();
    board.start_turn();
    board.ask(send()).unwrap();
    board.ask(take_back(4)).unwrap();
    assert!(board.state().attempts[0].queue.is_empty());
    board.end_turn(TurnOutcome::Cancelled);
    board.ask(send()).unwrap();
    board.tell(Event::AttemptLeased { attempt: 1, worker: "local".into(), slot: 0 }).unwrap();
    assert_eq!(board.ask(take_back(5)).unwrap_err().message, "the agent is about to get it");
}

#[test]
fn a_question_that_is_open_is_not_asked_again_when_words_were_taken_back() {
    let mut board = Board::new(spec(&["tests"], &["It is nice"], 1));
    board.start_turn();
    board.end_turn(TurnOutcome::Completed);
    board.result(1, 1);
    board.check(1, "tests", true);
    let ended = || Event::ChecksEnded { attempt: 1, commit: oid(1), passed: true };
    assert_eq!(board.tell(ended()).unwrap(), ["checks_ended", "item_opened", "item_opened"]);
    let (text, delivery) = ("wait".to_owned(), Delivery::Queue);
    board.ask(Command::Send { attempt: 1, text, images: vec![], delivery }).unwrap();
    board.ask(Command::TakeBack { attempt: 1, prompt: 2 }).unwrap();
    assert_eq!(
        board.tell(ended()).unwrap(),
        ["checks_ended", "item_opened"],
        "only the review is asked for anew"
    );
    assert_eq!(board.state().open_items().count(), 2);
}

#[test]
fn only_what_a_person_sent_is_taken_back() {
    let mut board = Board::new(spec(&[], &[], 1));
    let refused = board.ask(Command::TakeBack { attempt: 1, prompt: 1 }).unwrap_err();
    assert_eq!(refused.message, "only what a person sent can be taken back");
}

#[test]
fn a_rollback_makes_another_result_and_is_refused_in_a_turn() {
    let mut board = Board::new(spec(&["tests"], &[], 1));
    let roll_back = |to| Command::RollBack { attempt: 1, to, paths: vec![] };
    board.start_turn();
    let refused = board.ask(roll_back(oid(0))).unwrap_err();
    assert_eq!(refused.message, "t7 is in turn 1, and its agent writes the files");
    let commit = oid(7);
    board
        .tell(Event::SnapshotTaken { attempt: 1, turn: 1, commit, reference: "r".into(), notes: vec![] })
        .unwrap();
    board.end_turn(TurnOutcome::Cancelled);
    assert!(board.ask(roll_back(oid(5))).unwrap_err().message.contains("has no snapshot"));

    assert_eq!(board.ask(roll_back(oid(7))).unwrap(), ["rollback_requested"]);
    assert_eq!(board.status(), "rolling back");
    assert!(board.ask(Command::Stop { attempt: 1 }).is_err(), "it would be left half done");
    assert!(board.ask(Command::Archive).is_err());
    let why = "the disk is full".to_owned();
    board.tell(Event::RollbackFailed { attempt: 1, why }).unwrap();
    assert_eq!(board.status(), "waiting for instruction");

    let done =
        |files| Event::RolledBack { attempt: 1, before: oid(8), reference: "r".into(), files, kept: vec![] };
    board.ask(roll_back(oid(7))).unwrap();
    board.tell(done(0)).unwrap();
    assert_eq!(board.status(), "waiting for instruction", "nothing differed");
    board.ask(roll_back(oid(8))).unwrap();
    board.tell(done(2)).unwrap();
    assert_eq!(board.status(), "checking");
    assert!(board.state().attempts[0].result.is_none());
    assert_eq!(board.state().attempts[0].rollbacks_since_turn(1).count(), 1);
    assert_eq!(board.state().attempts[0].rollbacks_since_turn(0).count(), 0);
}

#[test]
fn a_turn_without_a_change_waits_for_a_person() {
    let mut board = Board::new(spec(&["tests"], &[], 1));
    board.start_turn();
    board.end_turn(TurnOutcome::Completed);
    board.result(1, 0);
    assert_eq!(board.status(), "waiting for instruction");
}

#[test]
fn a_failed_landing_explains_itself_and_keeps_the_approval() {
    let mut board = Board::in_review();
    review(&mut board, Verdict::Approved, "").unwrap();
    board.ask(Command::Land { attempt: 1 }).unwrap();
    let why = LandingFailure::CheckoutDirty { paths: vec!["a.txt".into()] };
    board.tell(Event::LandingFailed { attempt: 1, why }).unwrap();
    assert_eq!(board.status(), "landing failed");
    board.ask(Command::Land { attempt: 1 }).unwrap();
    assert_eq!(board.status(), "landing");
}

#[test]
fn an_approval_is_taken_back_and_the_result_waits_for_a_verdict_again() {
    let mut board = Board::in_review();
    let refusal = review(&mut board, Verdict::Withdrawn, "").unwrap_err();
    assert_eq!(refusal.message, "t7 has no approval to take back: it is in review");
    review(&mut board, Verdict::Approved, "").unwrap();
    assert_eq!(board.state().open_items().count(), 0);
    assert_eq!(review(&mut board, Verdict::Withdrawn, "").unwrap(), ["reviewed", "item_opened"]);
    assert_eq!(board.status(), "in review");
    assert!(board.ask(Command::Land { attempt: 1 }).is_err(), "it may not land");
    let waits: Vec<_> = board.state().open_items().map(|item| item.ask.kind()).collect();
    assert_eq!(waits, ["review"]);

    review(&mut board, Verdict::Approved, "").unwrap();
    board.ask(Command::Land { attempt: 1 }).unwrap();
    assert!(review(&mut board, Verdict::Withdrawn, "").is_err(), "it is landing");
    let why = LandingFailure::CheckoutDirty { paths: vec!["a.txt".into()] };
    board.tell(Event::LandingFailed { attempt: 1, why }).unwrap();
    review(&mut board, Verdict::Withdrawn, "").unwrap();
    assert_eq!(board.status(), "in review", "a landing that failed is over with the approval");
}

#[test]
fn refusals_say_what_to_do_instead() {
    let mut board = Board::new(spec(&[], &[], 1));
    let refusal = board.ask(Command::Land { attempt: 1 }).unwrap_err();
    assert_eq!(refusal.message, "t7 cannot be landed: it is queued");
    assert_eq!(refusal.hint, "divisi stop t7");
    let refusal = board.ask(Command::Stop { attempt: 4 }).unwrap_err();
    assert_eq!(refusal.message, "t7 has no attempt 4");
}

fn review(
    board: &mut Board,
    verdict: Verdict,
    note: &str,
) -> Result<Vec<&'static str>, divisi_model::Refusal> {
    let note = note.to_owned();
    board.ask(Command::Review { attempt: 1, commit: None, verdict, comments: vec![], note })
}

#[test]
fn images_go_with_their_words_also_when_these_are_said_again() {
    let image = |name: &str, bytes| Image {
        hash: "0a".repeat(32).parse().unwrap(),
        media_type: MediaType::Png,
        bytes,
        name: name.into(),
    };
    let mut spec = spec(&[], &[], 1);
    spec.images = vec![image("shot.png", 70)];
    let mut board = Board::new(spec);
    let send = |images| Command::Send { attempt: 1, text: "so".into(), images, delivery: Delivery::Queue };
    let many = vec![image("a.png", 1); divisi_model::limits::IMAGES + 1];
    assert_eq!(board.ask(send(many)).unwrap_err().message, "a prompt has at most 8 images");
    let large = vec![image("large.png", 1 << 30)];
    assert_eq!(board.ask(send(large)).unwrap_err().message, "\"large.png\" is larger than 4 MiB");
    assert_eq!(board.state().attempts[0].queue[0].images, [image("shot.png", 70)]);
    board.start_turn();
    board.ask(Command::Stop { attempt: 1 }).unwrap();
    board.end_turn(TurnOutcome::Cancelled);
    board.ask(Command::Resume { attempt: 1 }).unwrap();
    let again = &board.state().attempts[0].queue[0];
    assert!(again.text.starts_with("You were interrupted"), "{}", again.text);
    assert_eq!(again.images, [image("shot.png", 70)]);
}

#[test]
fn an_agent_that_gives_no_sign_of_life_is_asked_again_or_was_heard_after_all() {
    let mut board = Board::new(spec(&[], &[], 1));
    board.start_turn();
    assert!(board.ask(Command::Resume { attempt: 1 }).is_err(), "nothing stands still");
    let why = divisi_model::event::Blocked::Stalled { minutes: 15 };
    let hint = divisi_model::view::hint_for(&why, board.state(), 1);
    let ask = Ask::Stall { why: why.to_string(), hint };
    let open = |board: &mut Board, number: u128| {
        let item = divisi_model::ItemId(uuid::Uuid::from_u128(number));
        board.tell(Event::ItemOpened { item, attempt: 1, ask: ask.clone() }).unwrap();
        item
    };
    let item = open(&mut board, 1);
    let status = divisi_model::view::task_status(board.state()).unwrap();
    assert_eq!(
        (status.state.as_str(), status.reason.as_str()),
        ("stalled", "no sign of life for 15 minutes")
    );
    assert_eq!(status.next, "divisi log t7, then divisi resume t7");

    let heard = Answer::Withdrawn { why: "the agent goes on".into() };
    assert_eq!(board.ask(Command::Answer { item, answer: heard }).unwrap(), ["item_answered"]);
    assert_eq!(board.status(), "working");

    let item = open(&mut board, 2);
    let mended = Answer::Text { text: "go on".into() };
    assert!(board.ask(Command::Answer { item, answer: mended }).is_err(), "it is not answered but mended");
    let resumed = board.ask(Command::Resume { attempt: 1 }).unwrap();
    assert_eq!(resumed, ["prompt_queued", "turn_cancel_requested"]);
    assert_eq!(board.status(), "working");
    let again = &board.state().attempts[0].queue[0];
    assert!(again.text.ends_with("Fix the parser") && again.text.starts_with("You were interrupted"));
    board.end_turn(TurnOutcome::Cancelled);
    assert_eq!(board.state().attempts[0].phase, Phase::Working, "its next turn begins");
}
