//! Permissions: the agent asks before it acts, and an answer is heeded.

use divisi_agent::Reply;
use divisi_model::event::TurnOutcome;

use super::scripted;
use crate::cell::Cell;
use crate::desk::Desk;
use crate::talk::{TURN_MAX, Talk, Wish};

/// What Divisi does about an agent that asks nobody.
const NOBODY_ASKED: &str = "`divisi agents` says so; its change is reviewed like every other before it lands";

/// What is made when it is allowed.
const MADE: &str = "made.txt";
/// A command that, where the agent has a sandbox of its own, wants to leave it.
pub const COMMAND: &str = "ask execute \"May I?\"\n  allowed\n    run echo made > made.txt";

/// It asks before it writes a file and before it runs a command, and does both when it may.
pub async fn allow(desk: &Desk<'_>) -> Result<Cell, String> {
    let edits = asked_for(desk, "write made.txt \"made\\n\"").await?;
    let Some(edits) = edits else { return Ok(Cell::cannot("it never asks", NOBODY_ASKED)) };
    let commands = asked_for(desk, COMMAND).await?.unwrap_or(false);
    Ok(match (edits, commands) {
        (true, true) => Cell::pass(),
        (true, false) => Cell::cannot("it asks before edits and not before commands", NOBODY_ASKED),
        (false, true) => Cell::cannot("it asks before commands and not before edits", NOBODY_ASKED),
        (false, false) => Cell::cannot("it asked before neither an edit nor a command", NOBODY_ASKED),
    })
}

/// Whether it asked before this step; none if it is an agent that cannot ask.
async fn asked_for(desk: &Desk<'_>, step: &str) -> Result<Option<bool>, String> {
    let mut talk = Talk::open(desk, Wish::default()).await?;
    if !talk.is_acp() {
        return Ok(None);
    }
    // The question before this one may have made it.
    drop(std::fs::remove_file(desk.workspace().join(MADE)));
    talk.prompt(&scripted("Do it.", &format!("{step}\nsay All is done."))).await?;
    let asked = talk.until_asked().await.is_ok();
    if asked && desk.read(MADE).is_some() {
        return Err("it acted before it was allowed to".to_owned());
    }
    while !talk.asks.is_empty() {
        talk.answer(&Reply::Allow { always: false }).await?;
        talk.listen(TURN_MAX, |talk| !talk.asks.is_empty() || !talk.ended.is_empty()).await;
    }
    let ended = talk.end_of_turn(TURN_MAX).await?;
    talk.end().await?;
    match ended.outcome == TurnOutcome::Completed && desk.read(MADE).is_some() {
        true => Ok(Some(asked)),
        false => {
            Err(format!("the turn ended as {:?}, and the file holds {:?}", ended.outcome, desk.read(MADE)))
        }
    }
}

/// A refusal is heeded, and the next turn goes on.
pub async fn reject(desk: &Desk<'_>) -> Result<Cell, String> {
    let mut talk = Talk::open(desk, Wish::default()).await?;
    if !talk.is_acp() {
        return Ok(Cell::cannot("it never asks", NOBODY_ASKED));
    }
    // Every agent that asks at all asks before this command.
    talk.prompt(&scripted(
        "Do it.",
        &format!("{COMMAND}\nsay I went on.\nwhen prompt contains \"Go on.\"\nsay Another turn."),
    ))
    .await?;
    if talk.until_asked().await.is_err() {
        talk.end().await?;
        return Ok(Cell::cannot("it never asks", NOBODY_ASKED));
    }
    while !talk.asks.is_empty() {
        talk.answer(&Reply::Deny { always: false }).await?;
        talk.listen(TURN_MAX, |talk| !talk.asks.is_empty() || !talk.ended.is_empty()).await;
    }
    let ended = talk.end_of_turn(TURN_MAX).await?;
    let went_on = desk.asked_main().len() > 1;
    let next = talk.turn("Go on.").await;
    talk.end().await?;
    if let Some(text) = desk.read("made.txt") {
        return Err(format!("it acted although it was not allowed to: {text:?}"));
    }
    next.map_err(|why| format!("after the refusal {why}"))?;
    let wanted = if went_on { TurnOutcome::Completed } else { TurnOutcome::Denied };
    let seen = if went_on { "the model is told and goes on" } else { "its turn ends over it" };
    let cell = match ended.outcome == wanted {
        true => Cell::noted(seen),
        false => Cell::fails(format!("{seen}, and the turn ended as {:?}", ended.outcome)),
    };
    Ok(cell.compared("reject_ends_turn", desk.definition.quirks.reject_ends_turn, !went_on))
}
