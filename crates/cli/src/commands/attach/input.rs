//! What a person types while attached.

use std::io::BufRead;

use divisi_api::types::{AnswerRequest, AskView, Delivery, ItemView, SendRequest};
use tokio::sync::mpsc;

use crate::render::{clean, style};

/// Lines typed ahead that wait; more make the terminal wait.
const LINES_MAX: usize = 64;

/// What can be typed.
pub(super) const HELP: &str = "\
words                 send them; after the running turn
y, n [why], a         answer a permission: yes, no, always
/steer words          into the running turn
/interrupt words      now: the turn is cancelled first
/cancel               end the turn (as Ctrl-C)
/diff                 what changed so far
/status               where things are
/detach               leave (as Ctrl-D)";

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Nothing,
    Send(SendRequest),
    Answer { item: String, answer: AnswerRequest },
    Cancel,
    Diff,
    Status,
    Help,
    Detach,
    Unknown(String),
}

/// What waits for an answer.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The item's handle.
    pub(super) item: String,
    /// Words are the answer, not yes or no.
    pub(super) wants_words: bool,
    /// Ids and names of what can be chosen.
    pub(super) options: Vec<(String, String)>,
}

impl Line {
    /// Reads a line; where something waits for an answer, a line may be that.
    pub(super) fn read(line: &str, asked: Option<Asked>) -> Self {
        let line = line.trim();
        if line.is_empty() {
            return Self::Nothing;
        }
        if let Some(command) = line.strip_prefix('/') {
            return Self::command(command);
        }
        let Some(asked) = asked else { return Self::words(line, Delivery::Queue) };
        let answer = if asked.wants_words { Some(answer_in_words(line, &asked)) } else { yes_or_no(line) };
        match answer {
            Some(answer) => Self::Answer { item: asked.item, answer },
            None => Self::words(line, Delivery::Queue),
        }
    }

    fn command(command: &str) -> Self {
        let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        match (word, rest.trim()) {
            ("steer", "") | ("interrupt", "") => Self::Unknown(format!("{word} without words")),
            ("steer", words) => Self::words(words, Delivery::Steer),
            ("interrupt", words) => Self::words(words, Delivery::Interrupt),
            ("cancel", _) => Self::Cancel,
            ("diff", _) => Self::Diff,
            ("status", _) => Self::Status,
            ("help", _) => Self::Help,
            ("detach" | "quit" | "exit", _) => Self::Detach,
            (other, _) => Self::Unknown(clean::line(other)),
        }
    }

    fn words(text: &str, delivery: Delivery) -> Self {
        Self::Send(SendRequest { text: text.to_owned(), images: Vec::new(), delivery })
    }
}

/// The lines of standard input as they are typed; closed at its end.
pub(super) fn lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(LINES_MAX);
    // A read of standard input cannot be given up, so it has a thread of its own that ends with the process.
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// An item as it is asked in place.
pub(super) fn question(item: &ItemView) -> String {
    let mut text = String::new();
    match &item.ask {
        AskView::Permission { title, detail, .. } => {
            text.push_str(&format!("{} {}\n", style::warn("may it?"), clean::line(title)));
            for line in clean::text(detail.trim_end()).lines() {
                text.push_str(&format!("    {}\n", style::faint(line)));
            }
            text.push_str("  y yes · n no · a always");
        }
        AskView::Criterion { criterion, text: words } => {
            let words = clean::line(words);
            text.push_str(&format!(
                "{} criterion {criterion}: {words}\n  y yes · n no",
                style::warn("does it hold?")
            ));
        }
        AskView::Question { text: words, options } => {
            text.push_str(&format!("{} {}", style::warn("it asks:"), clean::text(words)));
            for (n, option) in options.iter().enumerate() {
                text.push_str(&format!("\n  {} {}", n + 1, clean::line(&option.name)));
            }
        }
        AskView::Review { .. } | AskView::Stall { .. } => text.push_str(&clean::line(&item.ask.line())),
    }
    text
}

fn yes_or_no(line: &str) -> Option<AnswerRequest> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let alone = rest.is_empty();
    match word.to_ascii_lowercase().as_str() {
        "y" | "yes" if alone => Some(AnswerRequest::Approved { always: false }),
        "a" | "always" if alone => Some(AnswerRequest::Approved { always: true }),
        "n" | "no" => Some(AnswerRequest::Denied { reason: rest.trim().to_owned() }),
        _ => None,
    }
}

/// The number, id or name of an option, or else words.
fn answer_in_words(line: &str, asked: &Asked) -> AnswerRequest {
    let by_number = line.parse::<usize>().ok().and_then(|n| asked.options.get(n.checked_sub(1)?));
    let by_name = || asked.options.iter().find(|(id, name)| id == line || name.eq_ignore_ascii_case(line));
    match by_number.or_else(by_name) {
        Some((id, _)) => AnswerRequest::Chosen { option: id.clone() },
        None => AnswerRequest::Text { text: line.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permission() -> Option<Asked> {
        Some(Asked { item: "t1#1".into(), wants_words: false, options: vec![] })
    }

    fn question() -> Option<Asked> {
        let options = vec![("o1".to_owned(), "Blue".to_owned()), ("o2".to_owned(), "Red".to_owned())];
        Some(Asked { item: "t1#2".into(), wants_words: true, options })
    }

    fn answered(line: &str, asked: Option<Asked>) -> Option<AnswerRequest> {
        match Line::read(line, asked) {
            Line::Answer { answer, .. } => Some(answer),
            _ => None,
        }
    }

    #[test]
    fn words_are_sent_and_commands_are_done() {
        let sent =
            |text: &str, delivery| Line::Send(SendRequest { text: text.into(), images: vec![], delivery });
        assert_eq!(Line::read(" go on ", None), sent("go on", Delivery::Queue));
        assert_eq!(Line::read("/steer left", None), sent("left", Delivery::Steer));
        assert_eq!(Line::read("/interrupt no", permission()), sent("no", Delivery::Interrupt));
        assert_eq!(Line::read("/cancel", None), Line::Cancel);
        assert_eq!(Line::read("/steer", None), Line::Unknown("steer without words".into()));
        assert_eq!(Line::read("  ", permission()), Line::Nothing);
    }

    #[test]
    fn yes_and_no_answer_only_where_something_is_asked() {
        assert_eq!(answered("y", None), None);
        assert_eq!(answered("Y", permission()), Some(AnswerRequest::Approved { always: false }));
        assert_eq!(answered("a", permission()), Some(AnswerRequest::Approved { always: true }));
        assert_eq!(
            answered("no not that", permission()),
            Some(AnswerRequest::Denied { reason: "not that".into() })
        );
        assert_eq!(answered("yes please do it differently", permission()), None, "that is a message");
    }

    #[test]
    fn a_question_is_answered_by_number_name_or_words() {
        let chosen = |id: &str| Some(AnswerRequest::Chosen { option: id.into() });
        assert_eq!(answered("2", question()), chosen("o2"));
        assert_eq!(answered("blue", question()), chosen("o1"));
        assert_eq!(answered("3", question()), Some(AnswerRequest::Text { text: "3".into() }));
        assert_eq!(answered("green", question()), Some(AnswerRequest::Text { text: "green".into() }));
    }
}
