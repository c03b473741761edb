//! The comments of a review as a list: where each stands, what it says, and what became of it.

use std::fmt::Write;

use divisi_api::types::{CommentStage, CommentView, PlaceView, Side};
use jiff::Timestamp;

use super::{clean, style, time};

/// Most lines that are shown of what a comment stands at.
const QUOTE_LINES: usize = 3;
/// Most lines of its words.
const WORDS_LINES: usize = 20;

/// All comments of an attempt, by number. Of one that is settled only the first line.
pub(crate) fn list(out: &mut String, comments: &[CommentView], now: Timestamp) {
    if comments.is_empty() {
        return;
    }
    let _ = writeln!(out, "  comments");
    for comment in comments {
        let place = comment.now.as_ref().or(comment.place.as_ref());
        let at = place.map_or_else(|| "on the whole".to_owned(), location);
        let (by, age) = (clean::line(&comment.by), time::age(comment.at, now));
        let (number, stage) = (comment.number, stage(comment));
        let _ = writeln!(out, "    {number}  {stage}  {}  ({by}, {age})", style::name(at));
        if comment.stage == CommentStage::Resolved {
            let first = comment.text.lines().next().unwrap_or_default();
            let _ = writeln!(out, "       {}", style::faint(clean::line(first)));
            continue;
        }
        // As it was when it was written: where it stands now may say the answer.
        if let Some(place) = &comment.place {
            lines(out, &place.quote, QUOTE_LINES, |line| style::faint(format!("| {line}")));
        }
        for words in std::iter::once(&comment.text).chain(&comment.more) {
            lines(out, words, WORDS_LINES, str::to_owned);
        }
    }
}

fn stage(comment: &CommentView) -> String {
    let short = |commit: &String| commit.get(..10).unwrap_or(commit).to_owned();
    match comment.stage {
        CommentStage::Draft => style::warn("draft"),
        CommentStage::Sent => style::strong("sent"),
        CommentStage::Answered => {
            let by =
                comment.answered.as_ref().map_or_else(String::new, |commit| format!(" by {}", short(commit)));
            style::good(format!("answered{by}"))
        }
        CommentStage::Outdated => style::warn("outdated"),
        CommentStage::Resolved => {
            let by = comment.resolved_by.as_ref();
            style::faint(format!(
                "resolved{}",
                by.map_or_else(String::new, |by| format!(" by {}", clean::line(by)))
            ))
        }
        CommentStage::Reopened => style::warn("taken up again"),
    }
}

/// `src/lib.rs:12`, `src/lib.rs:12-14` or `src/lib.rs`, as `divisi review --request` takes it.
fn location(place: &PlaceView) -> String {
    let lines = match (place.first, place.last) {
        (Some(first), Some(last)) if last != first => format!(":{first}-{last}"),
        (Some(first), _) => format!(":{first}"),
        (None, _) => String::new(),
    };
    let side = if place.side == Side::Before { " before the change" } else { "" };
    format!("{}{lines}{side}", clean::line(&place.file))
}

fn lines(out: &mut String, text: &str, most: usize, paint: impl Fn(&str) -> String) {
    let text = clean::text(text.trim_end());
    for line in text.lines().take(most) {
        let _ = writeln!(out, "       {}", paint(line));
    }
    let rest = text.lines().count().saturating_sub(most);
    if rest > 0 {
        let _ = writeln!(out, "       {}", style::faint(format!("… {} more", super::count(rest, "line"))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comment(number: u32, stage: CommentStage, text: &str) -> CommentView {
        let place = PlaceView {
            commit: "a".repeat(40),
            file: "src/a.rs".to_owned(),
            side: Side::After,
            first: Some(3),
            last: Some(4),
            quote: "let a = 1;\nlet b = 2;".to_owned(),
        };
        CommentView {
            number,
            stage,
            pending: false,
            place: Some(place),
            now: None,
            gone: false,
            text: text.to_owned(),
            more: vec![],
            by: "Ada".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            sent: None,
            answered: None,
            turn: None,
            resolved: None,
            resolved_by: None,
        }
    }

    #[test]
    fn each_says_where_it_stands_and_what_became_of_it() {
        let mut all = vec![
            comment(1, CommentStage::Draft, "rename\nit"),
            comment(2, CommentStage::Answered, "louder"),
            comment(3, CommentStage::Outdated, "why?"),
            comment(4, CommentStage::Resolved, "settled\nlong ago"),
            comment(5, CommentStage::Reopened, "once"),
            comment(6, CommentStage::Sent, "all of it \x1b[2J"),
        ];
        all[1].answered = Some("0123456789abcdef".to_owned());
        let before = all[1].place.as_mut().unwrap();
        (before.side, before.last, before.quote) = (Side::Before, Some(3), "1\n2\n3\n4\n5\n".to_owned());
        all[3].resolved_by = Some("Ada on phone".to_owned());
        all[4].more = vec!["and again".to_owned()];
        all[5].place = None;
        let mut out = String::new();
        list(&mut out, &all, Timestamp::UNIX_EPOCH);
        insta::assert_snapshot!(anstream::adapter::strip_str(&out), @"
      comments
        1  draft  src/a.rs:3-4  (Ada, 0s)
           | let a = 1;
           | let b = 2;
           rename
           it
        2  answered by 0123456789  src/a.rs:3 before the change  (Ada, 0s)
           | 1
           | 2
           | 3
           … 2 lines more
           louder
        3  outdated  src/a.rs:3-4  (Ada, 0s)
           | let a = 1;
           | let b = 2;
           why?
        4  resolved by Ada on phone  src/a.rs:3-4  (Ada, 0s)
           settled
        5  taken up again  src/a.rs:3-4  (Ada, 0s)
           | let a = 1;
           | let b = 2;
           once
           and again
        6  sent  on the whole  (Ada, 0s)
           all of it ␛[2J
    ");
    }

    #[test]
    fn where_there_is_none_nothing_is_said() {
        let mut out = String::new();
        list(&mut out, &[], Timestamp::UNIX_EPOCH);
        assert_eq!(out, "");
    }
}
