//! Comments of a review, and the marks on viewed files.

use divisi_model::comment::{CommentState, Lines, NewComment, Place};
use divisi_model::state::AttemptState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::words::{CommentStage, Side};

/// A comment with all that became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct CommentView {
    /// Its number in the attempt, from 1.
    pub number: u32,
    /// What has become of it.
    pub stage: CommentStage,
    /// Whether the next request for changes sends it.
    pub pending: bool,
    /// Where it was written; none: on the whole.
    pub place: Option<PlaceView>,
    /// Where it stands in the newest result, as far as it was followed.
    pub now: Option<PlaceView>,
    /// Whether what it stood at is gone.
    pub gone: bool,
    /// The words.
    pub text: String,
    /// What was said when it was taken up again, oldest first.
    pub more: Vec<String>,
    /// Who wrote it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// When a verdict sent it last.
    pub sent: Option<Timestamp>,
    /// The commit that answered it: the first result after it was sent that changed something at its place.
    pub answered: Option<String>,
    /// The turn that it was given to the agent in, once that turn is over.
    pub turn: Option<u32>,
    /// When it was resolved.
    pub resolved: Option<Timestamp>,
    /// By whom.
    pub resolved_by: Option<String>,
}

/// Where a comment stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct PlaceView {
    /// The commit whose file it is.
    pub commit: String,
    /// The file, relative to the project; quoted where it is not plain text.
    pub file: String,
    /// Which side of the comparison that file is.
    pub side: Side,
    /// The first line, from 1; none: the whole file.
    #[serde(default)]
    pub first: Option<u32>,
    /// The last line.
    #[serde(default)]
    pub last: Option<u32>,
    /// What the lines say, cut where it is long.
    #[serde(default)]
    pub quote: String,
}

/// A comment to write. It is a draft until a request for changes sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct CommentRequest {
    /// Where it stands; none: on the whole.
    #[serde(default)]
    pub place: Option<PlaceRequest>,
    /// The words.
    pub text: String,
}

/// Where a comment is to stand. What the lines say is read by the daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct PlaceRequest {
    /// The commit whose file it is: the `from` or `to` of the comparison that was looked at.
    pub commit: String,
    /// The file, as the comparison names it.
    pub file: String,
    /// Which side of the comparison that file is.
    pub side: Side,
    /// The first line, from 1; none: the whole file.
    #[serde(default)]
    pub first: Option<u32>,
    /// The last line; none: only the first.
    #[serde(default)]
    pub last: Option<u32>,
}

/// Words for a comment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct WordsRequest {
    /// The words.
    #[serde(default)]
    pub text: String,
}

/// Files that were viewed, or are so no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ViewedRequest {
    /// The files.
    pub files: Vec<ViewedFile>,
    /// Whether they were viewed.
    pub viewed: bool,
}

/// A file, and what was seen of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ViewedFile {
    /// Its path, as the comparison names it.
    pub path: String,
    /// Its `seen`, as the comparison gives it: the mark holds for this content alone.
    pub seen: String,
}

impl CommentView {
    /// All comments of an attempt, by number.
    pub fn all(attempt: &AttemptState) -> Vec<Self> {
        attempt.comments.iter().map(|comment| Self::of(attempt, comment)).collect()
    }

    fn of(attempt: &AttemptState, comment: &CommentState) -> Self {
        let given = |number: u32| {
            let over = |turn: &&divisi_model::state::TurnState| turn.ended.is_some();
            let mut turns = attempt.turns.iter().filter(over);
            turns.find(|turn| turn.prompts.iter().any(|prompt| prompt.id == number)).map(|turn| turn.number)
        };
        let (resolved, resolved_by) = comment.resolved.clone().unzip();
        Self {
            number: comment.number,
            stage: comment.stage().into(),
            pending: comment.pending(),
            place: comment.place.as_ref().map(PlaceView::from),
            now: comment.now.as_ref().map(PlaceView::from),
            gone: comment.gone,
            text: comment.text.clone(),
            more: comment.more.clone(),
            by: comment.by.clone(),
            at: comment.at,
            sent: comment.sent,
            answered: comment.answered.as_ref().map(ToString::to_string),
            turn: comment.prompt.and_then(given),
            resolved,
            resolved_by,
        }
    }
}

impl From<&Place> for PlaceView {
    fn from(place: &Place) -> Self {
        Self {
            commit: place.commit.to_string(),
            file: place.file.clone(),
            side: place.side.into(),
            first: place.lines.map(|lines| lines.first),
            last: place.lines.map(|lines| lines.last),
            quote: place.quote.clone(),
        }
    }
}

impl From<CommentRequest> for NewComment {
    fn from(asked: CommentRequest) -> Self {
        let place = asked.place.map(|place| Place {
            commit: divisi_model::Oid(place.commit),
            file: place.file,
            side: place.side.into(),
            lines: place.first.map(|first| Lines { first, last: place.last.unwrap_or(first) }),
            quote: String::new(),
        });
        Self { place, text: asked.text }
    }
}
