//! Review: a verdict, and comments as people type them.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a person decides on a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may land.
    Approved,
    /// It goes back with the comments as the next turn.
    ChangesRequested,
    /// It may not land after all: an approval is taken back, and the result waits for a verdict again.
    Withdrawn,
}

/// A comment as it is typed. Verdicts of logs before comments were objects hold theirs like this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// The file, relative to the project; none for a comment on the whole.
    #[serde(default)]
    pub file: Option<String>,
    /// The line in the result, from 1.
    #[serde(default)]
    pub line: Option<u32>,
    /// The last line, where it is about several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u32>,
    /// The words.
    pub text: String,
}

/// The comment has no words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the comment is empty")]
pub struct EmptyComment;

impl FromStr for Comment {
    type Err = EmptyComment;

    /// Reads `src/lib.rs:12: please rename`, `src/lib.rs:12-14: too long`, `src/lib.rs: why?`, or words alone.
    fn from_str(text: &str) -> Result<Self, EmptyComment> {
        let text = text.trim();
        if text.is_empty() {
            return Err(EmptyComment);
        }
        let whole = || Self { file: None, line: None, last: None, text: text.to_owned() };
        let Some((head, words)) = text.split_once(": ").or_else(|| text.split_once(":\n")) else {
            return Ok(whole());
        };
        if words.trim().is_empty() {
            return Err(EmptyComment);
        }
        let (file, lines) = match head.rsplit_once(':').map(|(file, lines)| (file, read_lines(lines))) {
            Some((file, Some(lines))) => (file, Some(lines)),
            _ => (head, None),
        };
        let (line, last) = lines.map_or((None, None), |(line, last)| (Some(line), last));
        let looks_like_file =
            !file.is_empty() && !file.contains(' ') && (line.is_some() || file.contains(['.', '/']));
        if !looks_like_file {
            return Ok(whole());
        }
        Ok(Self { file: Some(file.to_owned()), line, last, text: words.trim().to_owned() })
    }
}

/// `12` or `12-14`.
fn read_lines(text: &str) -> Option<(u32, Option<u32>)> {
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (first.parse().ok()?, Some(last.parse().ok()?)),
        None => (text.parse().ok()?, None),
    };
    (first > 0 && last.is_none_or(|last| last >= first)).then_some((first, last))
}

impl std::fmt::Display for Comment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) if self.last.is_some_and(|last| last > line) => {
                write!(f, "{file}:{line}-{}: {}", self.last.unwrap_or(line), self.text)
            }
            (Some(file), Some(line)) => write!(f, "{file}:{line}: {}", self.text),
            (Some(file), None) => write!(f, "{file}: {}", self.text),
            _ => f.write_str(&self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_name_a_line_a_file_or_the_whole() {
        let read = |text: &str| {
            let c: Comment = text.parse().unwrap();
            (c.file, c.line, c.text)
        };
        assert_eq!(read("src/lib.rs:12: rename"), (Some("src/lib.rs".into()), Some(12), "rename".into()));
        assert_eq!(read("src/lib.rs: too long"), (Some("src/lib.rs".into()), None, "too long".into()));
        assert_eq!(read("Makefile:3: tabs"), (Some("Makefile".into()), Some(3), "tabs".into()));
        assert_eq!(read("Please note: no"), (None, None, "Please note: no".into()));
        let range: Comment = "src/lib.rs:12-14: rename".parse().unwrap();
        assert_eq!(
            (range.line, range.last, range.to_string()),
            (Some(12), Some(14), "src/lib.rs:12-14: rename".into())
        );
        assert_eq!(read("src/lib.rs:14-12: rename").1, None, "lines go down");
        assert_eq!(read("fine"), (None, None, "fine".into()));
        assert_eq!("a.rs:1: ".parse::<Comment>().ok().and_then(|c| c.file), None);
        assert!(" ".parse::<Comment>().is_err());
    }
}
