//! What can be asked of a task, by people and by the stages that do its work.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::budget::Budget;
use crate::comment::NewComment;
use crate::event::{Delivery, Event, Origin};
use crate::ids::{ItemId, Oid};
use crate::image::Image;
use crate::inbox::{Answer, Ask};
use crate::review::Verdict;
use crate::task::TaskSpec;

/// One request to the authority, decided by [`crate::decide`].
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Give out a task.
    Add {
        /// What is wanted.
        spec: Box<TaskSpec>,
        /// It is only put on the board: a person starts it later.
        stage: bool,
    },
    /// Change a staged task.
    Edit {
        /// What is wanted now.
        spec: Box<TaskSpec>,
    },
    /// Start a staged task.
    Start {
        /// What is wanted, with base and settings as they are now.
        spec: Box<TaskSpec>,
    },
    /// Give the task another place among those that wait.
    Move {
        /// As if it had waited since then.
        since: Timestamp,
    },
    /// Words for the agent.
    Send {
        /// The attempt.
        attempt: u16,
        /// The words.
        text: String,
        /// The images that belong to them.
        images: Vec<Image>,
        /// When they reach the agent.
        delivery: Delivery,
    },
    /// Take words back that no agent has got yet.
    TakeBack {
        /// The attempt.
        attempt: u16,
        /// The prompt's number.
        prompt: u32,
    },
    /// Bring files back as a snapshot has them.
    RollBack {
        /// The attempt.
        attempt: u16,
        /// The snapshot, or the attempt's base.
        to: Oid,
        /// Files and folders; all, where there are none.
        paths: Vec<String>,
    },
    /// End the running turn; the session stays.
    Cancel {
        /// The attempt.
        attempt: u16,
    },
    /// Answer an inbox item.
    Answer {
        /// The item.
        item: ItemId,
        /// The answer.
        answer: Answer,
    },
    /// Give a verdict on the result.
    Review {
        /// The attempt.
        attempt: u16,
        /// The commit that was looked at; refused when there is a newer one. None: the newest.
        commit: Option<Oid>,
        /// The verdict.
        verdict: Verdict,
        /// Comments that are sent with it, besides those that wait as drafts.
        comments: Vec<NewComment>,
        /// Words on the whole.
        note: String,
    },
    /// Write a comment; it stays a draft until a verdict sends it.
    Comment {
        /// The attempt.
        attempt: u16,
        /// The comment.
        comment: NewComment,
    },
    /// Change the words of a draft.
    EditComment {
        /// The attempt.
        attempt: u16,
        /// The comment.
        comment: u32,
        /// The words.
        text: String,
    },
    /// Throw a draft away.
    DeleteComment {
        /// The attempt.
        attempt: u16,
        /// The comment.
        comment: u32,
    },
    /// Settle a comment that was sent.
    ResolveComment {
        /// The attempt.
        attempt: u16,
        /// The comment.
        comment: u32,
    },
    /// Take a comment up again: it goes to the agent once more with the next request for changes.
    ReopenComment {
        /// The attempt.
        attempt: u16,
        /// The comment.
        comment: u32,
        /// What is said to it; may be empty.
        text: String,
    },
    /// Mark files as viewed, or take the marks away.
    MarkViewed {
        /// The attempt.
        attempt: u16,
        /// The files, each with the content that was seen.
        files: BTreeMap<String, String>,
        /// Whether they were viewed.
        viewed: bool,
    },
    /// Land the result.
    Land {
        /// The attempt.
        attempt: u16,
    },
    /// Take the landing back.
    Undo {
        /// The attempt.
        attempt: u16,
    },
    /// Stop the attempt and end all it started.
    Stop {
        /// The attempt.
        attempt: u16,
    },
    /// Go on after a stop or a stall.
    Resume {
        /// The attempt.
        attempt: u16,
    },
    /// Give the attempt another budget.
    SetBudget {
        /// The attempt.
        attempt: u16,
        /// How much it may use in all; none: no limit.
        budget: Option<Budget>,
    },
    /// Put the task away.
    Archive,
    /// Take it out again.
    Restore,
    /// Send the attempt back with a prompt of Divisi's own.
    SendBack {
        /// The attempt.
        attempt: u16,
        /// The words.
        text: String,
        /// Why.
        origin: Origin,
    },
    /// An agent asks something of a person.
    Ask {
        /// The attempt.
        attempt: u16,
        /// What is asked.
        ask: Box<Ask>,
        /// A rule gives the permission: it is answered in the same breath, so that nobody sees it waiting.
        allowed: bool,
    },
    /// The log was brought to another machine: what ran stayed there.
    Import {
        /// Why the attempts that were at work have stopped, in a sentence without a full stop.
        why: String,
        /// Where the workspace of each attempt is kept, whose folder stayed there: commit and hidden ref.
        kept: BTreeMap<u16, (Oid, String)>,
    },
    /// A stage tells what it did or saw.
    Report(Event),
}
