//! Comments of a review: each stands at a place, is a draft until a verdict sends it, and is followed through the results
//! that come after it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::Oid;

/// Which file of a comparison a line is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The one that the change started from.
    Before,
    /// The one that the change leads to.
    After,
}

/// Some lines of a file, both ends included, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
}

/// Where a comment stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The commit whose file it is.
    pub commit: Oid,
    /// The file, relative to the project; quoted where it is not plain text.
    pub file: String,
    /// Which side of the comparison that file is.
    pub side: Side,
    /// The lines; none: the whole file.
    #[serde(default)]
    pub lines: Option<Lines>,
    /// What the lines say, cut where it is long.
    #[serde(default)]
    pub quote: String,
}

/// A comment that is about to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewComment {
    /// Where it stands; none: on the whole.
    #[serde(default)]
    pub place: Option<Place>,
    /// The words.
    pub text: String,
}

/// Where a comment stands in a newer result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentMove {
    /// Its number.
    pub comment: u32,
    /// Its place now; none: what it stood at is gone.
    #[serde(default)]
    pub place: Option<Place>,
    /// Whether the newer result changed something at its place.
    #[serde(default)]
    pub touched: bool,
}

/// A comment with all that became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentState {
    /// Its number in the attempt, from 1.
    pub number: u32,
    /// Where it was written; none: on the whole.
    pub place: Option<Place>,
    /// Where it stands in the newest result, as far as it was followed.
    pub now: Option<Place>,
    /// Whether what it stood at is gone.
    #[serde(default)]
    pub gone: bool,
    /// The words.
    pub text: String,
    /// Who wrote it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// When a verdict sent it last.
    #[serde(default)]
    pub sent: Option<Timestamp>,
    /// The prompt that it was sent in.
    #[serde(default)]
    pub prompt: Option<u32>,
    /// The first result after it was sent that changed something at its place.
    #[serde(default)]
    pub answered: Option<Oid>,
    /// When it was resolved, and by whom.
    #[serde(default)]
    pub resolved: Option<(Timestamp, String)>,
    /// It was taken up again, and goes to the agent once more with the next request for changes.
    #[serde(default)]
    pub reopened: bool,
    /// What was said when it was taken up again, oldest first.
    #[serde(default)]
    pub more: Vec<String>,
}

/// What has become of a comment, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommentStage {
    /// Nobody has been told.
    Draft,
    /// A verdict sent it, and nothing has answered it yet.
    Sent,
    /// A result changed something at its place.
    Answered,
    /// What it stood at is gone.
    Outdated,
    /// It is settled.
    Resolved,
    /// It was taken up again.
    Reopened,
}

impl CommentState {
    /// One that was just written.
    pub fn written(number: u32, new: &NewComment, by: String, at: Timestamp) -> Self {
        Self {
            number,
            place: new.place.clone(),
            now: new.place.clone(),
            gone: false,
            text: new.text.clone(),
            by,
            at,
            sent: None,
            prompt: None,
            answered: None,
            resolved: None,
            reopened: false,
            more: Vec::new(),
        }
    }

    /// What has become of it.
    pub fn stage(&self) -> CommentStage {
        if self.resolved.is_some() {
            CommentStage::Resolved
        } else if self.reopened {
            CommentStage::Reopened
        } else if self.sent.is_none() {
            CommentStage::Draft
        } else if self.answered.is_some() {
            CommentStage::Answered
        } else if self.gone {
            CommentStage::Outdated
        } else {
            CommentStage::Sent
        }
    }

    /// Whether the next request for changes sends it.
    pub fn pending(&self) -> bool {
        matches!(self.stage(), CommentStage::Draft | CommentStage::Reopened)
    }

    /// `src/lib.rs:12`, `src/lib.rs:12-14` or `src/lib.rs`, where it stands now or was written.
    pub fn location(&self) -> Option<String> {
        self.now.as_ref().or(self.place.as_ref()).map(ToString::to_string)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        match self.lines {
            Some(Lines { first, last }) if first == last => write!(f, ":{first}"),
            Some(Lines { first, last }) => write!(f, ":{first}-{last}"),
            None => Ok(()),
        }
    }
}

/// The turn that a review becomes: every comment with the lines that it is about.
pub fn prompt_of(comments: &[CommentState], note: &str) -> String {
    let mut prompt = String::from("A reviewer looked at your change and asks for the following.\n");
    if !note.trim().is_empty() {
        prompt.push_str(&format!("\n{}\n", note.trim()));
    }
    for comment in comments {
        let words = std::iter::once(&comment.text).chain(&comment.more).map(|text| indented(text));
        let words = words.collect::<Vec<_>>().join("\n\n  ");
        match comment.location() {
            Some(location) => prompt.push_str(&format!("\n- {location}: {words}\n")),
            None => prompt.push_str(&format!("\n- {words}\n")),
        }
        let Some(place) = comment.now.as_ref().or(comment.place.as_ref()) else { continue };
        if comment.gone {
            prompt.push_str("  What this stood at is no longer there.\n");
        } else if place.side == Side::Before {
            prompt.push_str("  These are lines as they were before your change.\n");
        }
        if !place.quote.is_empty() {
            let fence = fence_for(&place.quote);
            prompt.push_str(&format!("\n  {fence}\n  {}\n  {fence}\n", indented(&place.quote)));
        }
    }
    prompt.push_str(
        "\nChange the files in the workspace accordingly. Lines are those of your present files, unless it says otherwise.\n",
    );
    prompt
}

/// Text as the rest of a list item.
fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n  ")
}

/// A code fence longer than any run of backticks in the text.
pub fn fence_for(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comment(place: Option<Place>) -> CommentState {
        let new = NewComment { place, text: "rename\nit".into() };
        CommentState::written(1, &new, "eva".into(), Timestamp::UNIX_EPOCH)
    }

    fn place() -> Place {
        let lines = Some(Lines { first: 3, last: 4 });
        let (commit, quote) = (Oid("a".repeat(40)), "let a = 1;\nlet b = ```;".into());
        Place { commit, file: "src/a.rs".into(), side: Side::After, lines, quote }
    }

    #[test]
    fn the_turn_quotes_the_lines() {
        let text = prompt_of(&[comment(Some(place())), comment(None)], "Nearly.");
        let quoted = "- src/a.rs:3-4: rename\n  it\n\n  ````\n  let a = 1;\n  let b = ```;\n  ````\n\n- rename\n  it\n";
        let before = "A reviewer looked at your change and asks for the following.\n\nNearly.\n\n";
        assert!(text.starts_with(&format!("{before}{quoted}")), "{text}");
    }

    #[test]
    fn a_line_that_went_and_one_of_before_are_told_as_such() {
        let mut gone = comment(Some(place()));
        gone.gone = true;
        gone.more = vec!["still".into()];
        let text = prompt_of(&[gone], "");
        assert!(
            text.contains("rename\n  it\n\n  still\n  What this stood at is no longer there.\n"),
            "{text}"
        );
        let before = comment(Some(Place { side: Side::Before, ..place() }));
        assert!(prompt_of(&[before], "").contains("as they were before your change"));
    }
}
