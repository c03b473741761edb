//! The columns of the matrix. Each is one question, put to a fresh agent, and answered from what was seen.

mod cancel;
mod faults;
mod permission;
mod session;
mod tools;
mod work;

use std::future::Future;
use std::pin::Pin;

use crate::cell::Cell;
use crate::desk::{Desk, PLAIN};

/// What a column gives: its cell, or why the question could not even be put.
type Answer<'a> = Pin<Box<dyn Future<Output = Result<Cell, String>> + 'a>>;

/// One question.
pub struct Column {
    /// Its key in the results and on the command line.
    pub key: &'static str,
    /// Its head in the table.
    pub title: &'static str,
    /// Whether `cargo xtask test` asks it too; what the tests of the whole road show already is not asked again.
    pub quick: bool,
    /// Whether it is about the model behind the agent, so that it does not arise for a plain command.
    pub of_model: bool,
    run: for<'a> fn(&'a Desk<'a>) -> Answer<'a>,
}

/// All of them, in the order of the table.
pub const COLUMNS: &[Column] = &[
    column("edit", "first turn edits a file", false, false, |desk| Box::pin(work::edit(desk))),
    column("allow", "permission allowed", false, true, |desk| Box::pin(permission::allow(desk))),
    column("reject", "permission rejected", true, true, |desk| Box::pin(permission::reject(desk))),
    column("follow-up", "follow-up turn", false, false, |desk| Box::pin(session::follow_up(desk))),
    column("cancel-idle", "cancel when idle", false, true, |desk| Box::pin(cancel::idle(desk))),
    column("cancel-stream", "cancel in mid-stream", false, false, |desk| Box::pin(cancel::stream(desk))),
    column("cancel-asking", "cancel while asking", false, true, |desk| Box::pin(cancel::asking(desk))),
    column("resume", "resume in a new process", true, true, |desk| Box::pin(session::resume(desk))),
    column("401", "model answers 401", true, true, |desk| Box::pin(faults::unauthorized(desk))),
    column("429", "429, retry after 2 s", false, true, |desk| Box::pin(faults::rate(desk))),
    column("429-long", "429, retry after 20 min", false, true, |desk| Box::pin(faults::limit(desk))),
    column("500", "500 once", false, true, |desk| Box::pin(faults::internal(desk))),
    column("cut", "stream cut once", false, true, |desk| Box::pin(faults::cut(desk))),
    column("silence", "endless silence", false, true, |desk| Box::pin(faults::silence(desk))),
    column("loop", "tool loop", false, true, |desk| Box::pin(tools::endless(desk))),
    column("usage", "tokens counted", true, true, |desk| Box::pin(tools::usage(desk))),
    column("mcp", "MCP server offered", false, true, |desk| Box::pin(tools::mcp(desk))),
    column("tree", "all processes gone", false, false, |desk| Box::pin(session::tree(desk))),
    column(PHONE, "nothing phoned home", true, false, |_| Box::pin(async { Err(String::new()) })),
];

/// The column that is answered by the whole row: what was tried to be reached while it ran.
pub const PHONE: &str = "phone";

const fn column(
    key: &'static str,
    title: &'static str,
    quick: bool,
    of_model: bool,
    run: for<'a> fn(&'a Desk<'a>) -> Answer<'a>,
) -> Column {
    Column { key, title, quick, of_model, run }
}

impl Column {
    /// Puts the question.
    pub async fn ask(&self, desk: &Desk<'_>) -> Cell {
        if self.of_model && desk.agent.name == PLAIN {
            return Cell::none("it has no model and asks nobody");
        }
        let answer = (self.run)(desk).await;
        desk.clear().await;
        answer.unwrap_or_else(Cell::fails)
    }
}

/// A prompt with its script.
fn scripted(words: &str, script: &str) -> String {
    format!("{words}\n\n```rehearsal\n{script}\n```\n")
}
