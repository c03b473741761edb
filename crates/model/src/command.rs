//! What can be asked of a task, by people and by the stages that do its work.

use std::collections::BTreeMap;

use crate::event::{Delivery, Event, Origin};
use crate::ids::{ItemId, Oid};
use crate::inbox::{Answer, Ask};
use crate::review::{Comment, Verdict};
use crate::task::TaskSpec;

/// One request to the authority, decided by [`crate::decide`].
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Give out a task.
    Add {
        /// What is wanted.
        spec: Box<TaskSpec>,
    },
    /// Words for the agent.
    Send {
        /// The attempt.
        attempt: u16,
        /// The words.
        text: String,
        /// When they reach the agent.
        delivery: Delivery,
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
        /// Comments.
        comments: Vec<Comment>,
        /// Words on the whole.
        note: String,
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
