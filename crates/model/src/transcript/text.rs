//! Text of bounded size.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Text of bounded size that knows how much was left out. Cuts fall between characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Text {
    /// The words, with a marker where some were cut.
    pub text: String,
    /// Bytes that were left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub cut_bytes: u64,
}

impl Text {
    /// Keeps the first quarter and the last three quarters of what is longer than `limit`: errors stand at the end.
    pub fn clip(text: &str, limit: usize) -> Self {
        if text.len() <= limit {
            return Self { text: text.to_owned(), cut_bytes: 0 };
        }
        let head = text.get(..floor(text, limit / 4)).unwrap_or_default();
        let tail = text.get(ceil(text, text.len() - (limit - limit / 4))..).unwrap_or_default();
        let cut = text.len() - head.len() - tail.len();
        Self { text: format!("{head}\n… {cut} bytes left out …\n{tail}"), cut_bytes: cut as u64 }
    }

    /// Appends a piece as long as the whole stays under `limit`, and counts what does not fit.
    /// Gives back what was appended.
    pub fn push<'a>(&mut self, piece: &'a str, limit: usize) -> &'a str {
        let room = if self.cut_bytes > 0 { 0 } else { limit.saturating_sub(self.text.len()) };
        let kept = piece.get(..floor(piece, room)).unwrap_or_default();
        self.text.push_str(kept);
        if kept.len() < piece.len() {
            if self.cut_bytes == 0 {
                self.text.push_str("\n… the rest is in the journal …");
            }
            self.cut_bytes += (piece.len() - kept.len()) as u64;
        }
        kept
    }

    /// Whether there are no words at all.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), cut_bytes: 0 }
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}

fn ceil(text: &str, at: usize) -> usize {
    (at..=text.len()).find(|&i| text.is_char_boundary(i)).unwrap_or(text.len())
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clipped_text_keeps_both_ends_and_counts_what_it_lost() {
        let whole = "ä".repeat(100) + "end";
        let text = Text::clip(&whole, 40);
        assert!(text.text.starts_with("äääää\n… ") && text.text.ends_with("end"), "{text}");
        let kept = text.text.chars().filter(|c| *c == 'ä').count() * 2 + 3;
        assert_eq!(kept as u64 + text.cut_bytes, whole.len() as u64);
        assert_eq!(Text::clip("short", 5), Text::from("short"));
    }

    #[test]
    fn pushing_stops_at_the_limit_and_never_inside_a_character() {
        let mut text = Text::default();
        assert_eq!(text.push("abc", 6), "abc");
        assert_eq!(text.push("dää", 6), "dä");
        assert_eq!(text.push("x", 6), "");
        assert!(text.text.starts_with("abcdä\n…"));
        assert_eq!(text.cut_bytes, 3);
    }
}
