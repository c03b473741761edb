//! What becomes of comments, from the draft to the commit that answers them, and of the marks on viewed files.

use std::collections::BTreeMap;

use divisi_model::comment::{CommentMove, CommentStage, Lines, NewComment, Place, Side};
use divisi_model::event::TurnOutcome;
use divisi_model::review::Verdict;
use divisi_model::{Command, Event, RefusalKind};

use crate::board::{Board, oid, result};

fn place(commit: u32, first: u32, last: u32) -> Place {
    let (lines, quote) = (Some(Lines { first, last }), "let a = 1;".to_owned());
    Place { commit: oid(commit), file: "src/a.rs".into(), side: Side::After, lines, quote }
}

fn write(board: &mut Board, text: &str) -> Result<Vec<&'static str>, divisi_model::Refusal> {
    let comment = NewComment { place: Some(place(1, 3, 3)), text: text.into() };
    board.ask(Command::Comment { attempt: 1, comment })
}

fn verdict(board: &mut Board, verdict: Verdict) -> Result<Vec<&'static str>, divisi_model::Refusal> {
    let (comments, note) = (vec![], String::new());
    board.ask(Command::Review { attempt: 1, commit: None, verdict, comments, note })
}

fn next_result(board: &mut Board, n: u32, comments: Vec<CommentMove>) {
    board.start_turn();
    board.end_turn(TurnOutcome::Completed);
    board.tell(Event::ResultMade { attempt: 1, result: result(n, 1), comments }).unwrap();
}

fn stages(board: &Board) -> Vec<(u32, CommentStage)> {
    board.state().attempts[0].comments.iter().map(|c| (c.number, c.stage())).collect()
}

#[test]
fn drafts_are_edited_thrown_away_and_sent_as_one_turn() {
    let mut board = Board::in_review();
    assert_eq!(write(&mut board, "rename it").unwrap(), ["comment_written"]);
    write(&mut board, "and test it").unwrap();
    write(&mut board, "never mind").unwrap();
    let edit = |text: &str| Command::EditComment { attempt: 1, comment: 1, text: text.into() };
    assert_eq!(board.ask(edit("rename it to b")).unwrap(), ["comment_edited"]);
    assert_eq!(board.ask(edit("rename it to b")).unwrap(), [""; 0]);
    board.ask(Command::DeleteComment { attempt: 1, comment: 3 }).unwrap();
    assert_eq!(stages(&board), [(1, CommentStage::Draft), (2, CommentStage::Draft)]);

    assert_eq!(verdict(&mut board, Verdict::ChangesRequested).unwrap(), ["reviewed", "prompt_queued"]);
    assert_eq!(stages(&board), [(1, CommentStage::Sent), (2, CommentStage::Sent)]);
    let attempt = &board.state().attempts[0];
    let prompt = &attempt.queue[0];
    assert!(
        prompt.text.contains("- src/a.rs:3: rename it to b\n\n  ```\n  let a = 1;\n  ```\n"),
        "{}",
        prompt.text
    );
    assert!(prompt.text.contains("and test it") && !prompt.text.contains("never mind"));
    assert_eq!((attempt.comments[0].prompt, &attempt.reviews[0].sent), (Some(prompt.id), &vec![1, 2]));
    write(&mut board, "a new one").unwrap();
    assert_eq!(board.state().attempts[0].comments[2].number, 4, "a number is never used again");
    let refusal = board.ask(edit("too late")).unwrap_err();
    assert_eq!(
        (refusal.kind, &*refusal.message),
        (RefusalKind::WrongState, "comment 1 cannot be changed: it was sent")
    );
}

#[test]
fn the_first_result_that_touches_the_place_answers() {
    let mut board = Board::in_review();
    for text in ["one", "two", "three"] {
        write(&mut board, text).unwrap();
    }
    verdict(&mut board, Verdict::ChangesRequested).unwrap();
    let step = |comment, place, touched| CommentMove { comment, place, touched };
    next_result(
        &mut board,
        2,
        vec![step(1, Some(place(2, 5, 6)), true), step(2, None, false), step(3, Some(place(2, 9, 9)), false)],
    );
    let expected = [(1, CommentStage::Answered), (2, CommentStage::Outdated), (3, CommentStage::Sent)];
    assert_eq!(stages(&board), expected);
    let attempt = &board.state().attempts[0];
    assert_eq!(attempt.comments[0].answered, Some(oid(2)));
    assert_eq!(attempt.comments[0].location().as_deref(), Some("src/a.rs:5-6"));
    assert_eq!(attempt.results.iter().map(|r| r.commit.clone()).collect::<Vec<_>>(), [oid(1), oid(2)]);
    verdict(&mut board, Verdict::ChangesRequested).unwrap_err();
    next_result_again(&mut board);
    assert_eq!(board.state().attempts[0].comments[0].answered, Some(oid(2)), "the first stays the answer");
}

fn next_result_again(board: &mut Board) {
    board.check(2, "tests", true);
    board.tell(Event::ChecksEnded { attempt: 1, commit: oid(2), passed: true }).unwrap();
    write(board, "once more").unwrap();
    verdict(board, Verdict::ChangesRequested).unwrap();
    let again = CommentMove { comment: 1, place: Some(place(3, 5, 5)), touched: true };
    next_result(board, 3, vec![again]);
}

#[test]
fn a_comment_that_is_taken_up_again_goes_with_the_next_request() {
    let mut board = Board::in_review();
    write(&mut board, "rename it").unwrap();
    let reopen = |text: &str| Command::ReopenComment { attempt: 1, comment: 1, text: text.into() };
    assert_eq!(
        board.ask(reopen("")).unwrap_err().message,
        "comment 1 cannot be taken up again: it is a draft"
    );
    verdict(&mut board, Verdict::ChangesRequested).unwrap();
    next_result(&mut board, 2, vec![CommentMove { comment: 1, place: Some(place(2, 3, 3)), touched: true }]);
    board.ask(Command::ResolveComment { attempt: 1, comment: 1 }).unwrap();
    assert_eq!(stages(&board), [(1, CommentStage::Resolved)]);
    assert_eq!(board.ask(Command::ResolveComment { attempt: 1, comment: 1 }).unwrap(), [""; 0]);
    board.check(2, "tests", true);
    board.tell(Event::ChecksEnded { attempt: 1, commit: oid(2), passed: true }).unwrap();
    board.ask(reopen("not everywhere yet")).unwrap();
    assert_eq!(stages(&board), [(1, CommentStage::Reopened)]);
    verdict(&mut board, Verdict::ChangesRequested).unwrap();
    let attempt = &board.state().attempts[0];
    assert!(attempt.queue[0].text.contains("rename it\n\n  not everywhere yet"), "{}", attempt.queue[0].text);
    assert_eq!((attempt.comments[0].stage(), &attempt.comments[0].answered), (CommentStage::Sent, &None));
}

#[test]
fn approval_keeps_drafts_as_they_are() {
    let mut board = Board::in_review();
    write(&mut board, "one day").unwrap();
    assert_eq!(verdict(&mut board, Verdict::Approved).unwrap(), ["reviewed"]);
    assert_eq!(stages(&board), [(1, CommentStage::Draft)]);
}

#[test]
fn comments_without_words_or_lines_are_refused() {
    let mut board = Board::in_review();
    assert_eq!(write(&mut board, "  ").unwrap_err().message, "the comment is empty");
    for (first, last) in [(0, 1), (4, 3)] {
        let comment = NewComment { place: Some(place(1, first, last)), text: "x".into() };
        let refusal = board.ask(Command::Comment { attempt: 1, comment }).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::BadInput);
    }
    let missing = board.ask(Command::DeleteComment { attempt: 1, comment: 9 }).unwrap_err();
    assert_eq!((missing.kind, &*missing.message), (RefusalKind::NotFound, "t7 has no comment 9"));
}

#[test]
fn a_mark_holds_for_the_content_that_was_seen() {
    let mut board = Board::in_review();
    let view = |seen: &str, viewed| Command::MarkViewed {
        attempt: 1,
        files: BTreeMap::from([("a.rs".to_owned(), seen.to_owned())]),
        viewed,
    };
    assert_eq!(board.ask(view("one", true)).unwrap(), ["files_viewed"]);
    assert_eq!(board.ask(view("one", true)).unwrap(), [""; 0]);
    let has = |board: &Board, seen: &str| board.state().attempts[0].has_viewed("a.rs", seen);
    assert!(has(&board, "one") && !has(&board, "two"));
    for seen in ["two", "three", "four", "five"] {
        board.ask(view(seen, true)).unwrap();
    }
    assert!(
        has(&board, "five") && has(&board, "two") && !has(&board, "one"),
        "the last few contents are known"
    );
    board.ask(view("five", false)).unwrap();
    assert!(!has(&board, "five") && !has(&board, "two"));
    assert_eq!(board.ask(view("five", false)).unwrap(), [""; 0]);
}
