//! Review: comments anchored to lines, and a verdict.

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
}

/// One comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// The file, relative to the project; none for a comment on the whole.
    #[serde(default)]
    pub file: Option<String>,
    /// The line in the result, from 1.
    #[serde(default)]
    pub line: Option<u32>,
    /// The words.
    pub text: String,
}

/// The comment has no words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the comment is empty")]
pub struct EmptyComment;

impl FromStr for Comment {
    type Err = EmptyComment;

    /// Reads `src/lib.rs:12: please rename`, `src/lib.rs: too long`, or words alone.
    fn from_str(text: &str) -> Result<Self, EmptyComment> {
        let text = text.trim();
        if text.is_empty() {
            return Err(EmptyComment);
        }
        let whole = || Self { file: None, line: None, text: text.to_owned() };
        let Some((head, words)) = text.split_once(": ").or_else(|| text.split_once(":\n")) else {
            return Ok(whole());
        };
        if words.trim().is_empty() {
            return Err(EmptyComment);
        }
        let (file, line) = match head.rsplit_once(':').map(|(file, line)| (file, line.parse())) {
            Some((file, Ok(line))) if line > 0 => (file, Some(line)),
            _ => (head, None),
        };
        let looks_like_file =
            !file.is_empty() && !file.contains(' ') && (line.is_some() || file.contains(['.', '/']));
        if !looks_like_file {
            return Ok(whole());
        }
        Ok(Self { file: Some(file.to_owned()), line, text: words.trim().to_owned() })
    }
}

impl std::fmt::Display for Comment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line}: {}", self.text),
            (Some(file), None) => write!(f, "{file}: {}", self.text),
            _ => f.write_str(&self.text),
        }
    }
}

/// The turn that a review becomes.
pub fn prompt_of(comments: &[Comment], note: &str) -> String {
    let mut prompt = String::from("A reviewer looked at your change and asks for the following.\n");
    if !note.trim().is_empty() {
        prompt.push_str(&format!("\n{}\n", note.trim()));
    }
    for comment in comments {
        prompt.push_str(&format!("\n- {comment}"));
    }
    prompt.push_str(
        "\n\nChange the files in the workspace accordingly. Lines are those of your present files.\n",
    );
    prompt
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
        assert_eq!(read("fine"), (None, None, "fine".into()));
        assert_eq!("a.rs:1: ".parse::<Comment>().ok().and_then(|c| c.file), None);
        assert!(" ".parse::<Comment>().is_err());
    }
}
