//! Answers on their way: pieces of text, server-sent events, and what goes wrong between two of them.

use std::time::Duration;

use serde_json::Value;

use super::reply::Reply;

/// Largest piece of a text that nobody slows down.
const PIECE_BYTES: usize = 16 * 1024;
/// A short text comes in pieces of so many words, so that clients have something to put together.
const PIECE_WORDS: usize = 8;

/// Part of a streamed answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The bytes, complete events.
    pub bytes: String,
    /// How long it is in coming.
    pub wait: Option<Duration>,
}

/// Collects the events of an answer.
#[derive(Debug, Default)]
pub struct Frames {
    frames: Vec<Frame>,
}

impl Frames {
    /// An event with a name, as Anthropic and OpenAI responses have them; the name stands in `type` too.
    pub fn named(&mut self, data: &Value) {
        self.push(format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or_default()), None);
    }

    /// The same, for a piece of text.
    pub fn named_piece(&mut self, data: &Value, wait: Option<Duration>) {
        self.named(data);
        self.wait(wait);
    }

    /// An event without a name.
    pub fn plain(&mut self, data: &Value) {
        self.push(format!("data: {data}\n\n"), None);
    }

    /// The same, for a piece of text.
    pub fn plain_piece(&mut self, data: &Value, wait: Option<Duration>) {
        self.plain(data);
        self.wait(wait);
    }

    /// What ends a stream of chat completions.
    pub fn done(&mut self) {
        self.push("data: [DONE]\n\n".to_owned(), None);
    }

    pub fn finish(self) -> Vec<Frame> {
        self.frames
    }

    fn push(&mut self, bytes: String, wait: Option<Duration>) {
        self.frames.push(Frame { bytes, wait });
    }

    fn wait(&mut self, wait: Option<Duration>) {
        if let Some(last) = self.frames.last_mut() {
            last.wait = wait;
        }
    }
}

/// A reply's text in the pieces in which it is sent.
pub fn pieces(reply: &Reply) -> Vec<&str> {
    let text = reply.text.as_str();
    if reply.slow.is_some() {
        return text.split_inclusive(char::is_whitespace).collect();
    }
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut words = 0;
    for (at, letter) in text.char_indices() {
        words += usize::from(letter.is_whitespace());
        let full = if text.len() > PIECE_BYTES { at - start >= PIECE_BYTES } else { words == PIECE_WORDS };
        if full {
            let end = at + letter.len_utf8();
            pieces.push(&text[start..end]);
            (start, words) = (end, 0);
        }
    }
    if start < text.len() {
        pieces.push(&text[start..]);
    }
    pieces
}

/// A stream's item: bytes, or the error that makes the server drop the connection.
pub type Piece = Result<String, Cut>;

/// The connection is cut on purpose.
#[derive(Debug, thiserror::Error)]
#[error("The script cuts the connection here.")]
pub struct Cut;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_add_up_to_the_text() {
        for (text, slow) in [
            ("", None),
            ("one", None),
            (&"wörter und mehr ".repeat(5000), None),
            ("a b\nc", Some(Duration::ZERO)),
        ] {
            let reply = Reply { text: text.to_owned(), slow, ..Reply::default() };
            let pieces = pieces(&reply);
            assert_eq!(pieces.concat(), text);
            assert!(pieces.iter().all(|piece| piece.len() <= PIECE_BYTES + 8));
        }
    }
}
