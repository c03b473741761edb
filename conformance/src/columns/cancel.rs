//! Cancelling.

use divisi_agent::ModeName;
use divisi_model::event::TurnOutcome;
use divisi_rehearsal::server::Outcome;

use super::permission::COMMAND;
use super::scripted;
use crate::cell::Cell;
use crate::desk::{Desk, PLAIN};
use crate::talk::{TURN_MAX, Talk, Wish};

/// What Divisi does when an agent does not end its cancelled turn.
pub const PROCESS_ENDED: &str =
    "Divisi ends its process after 20 s and resumes the session with the next prompt";

/// A cancel that arrives when the turn is over does no harm.
pub async fn idle(desk: &Desk<'_>) -> Result<Cell, String> {
    let mut talk = Talk::open(desk, Wish { mode: ModeName::Auto, ..Wish::default() }).await?;
    if !talk.is_acp() {
        return Ok(Cell::none("its process ends with its turn"));
    }
    let first =
        talk.turn(&scripted("Say it.", "say One.\nwhen prompt contains \"Go on.\"\nsay Two.")).await?;
    talk.cancel_idle().await?;
    let second = talk.turn("Go on.").await?;
    let said = talk.said();
    talk.end().await?;
    let outcomes = (&first.outcome, &second.outcome);
    Ok(match outcomes == (&TurnOutcome::Completed, &TurnOutcome::Completed) && said.contains("Two.") {
        true => Cell::pass(),
        false => Cell::fails(format!("the turns ended as {outcomes:?}, and it said {said:?}")),
    })
}

/// A turn is cancelled in the middle of the model's words; the model hears of it, and the next turn goes on.
pub async fn stream(desk: &Desk<'_>) -> Result<Cell, String> {
    let mut talk = Talk::open(desk, Wish { mode: ModeName::Auto, ..Wish::default() }).await?;
    if desk.agent.name == PLAIN {
        talk.prompt("please-wait").await?;
        let took = talk.cancel().await?;
        let left = talk.end().await?;
        return Ok(match took.is_some() && left.is_empty() {
            true => Cell::noted("its processes are ended"),
            false => Cell::fails(format!("ended after {took:?}, and these live on: {left:?}")),
        });
    }
    let words = "I think about it for a very long time. ".repeat(20);
    talk.prompt(&scripted(
        "Think.",
        &format!("slow 300ms\nsay {words}\nwhen prompt contains \"Go on.\"\nsay The next turn."),
    ))
    .await?;
    let heard = talk.listen(TURN_MAX, |talk| talk.words > 0 || streaming(desk)).await;
    if !heard {
        return Err("nothing of the model's words arrived".to_owned());
    }
    let took = talk.cancel().await?;
    let aborted = desk.asked_main().iter().any(|one| one.outcome == Outcome::AbortedByClient);
    if !talk.is_acp() {
        let left = talk.end().await?;
        return Ok(match took.is_some() && left.is_empty() {
            true => Cell::noted("its process is ended"),
            false => Cell::fails(format!("ended after {took:?}, and these live on: {left:?}")),
        });
    }
    let Some(took) = took else {
        talk.end().await?;
        return Ok(Cell::cannot("it does not end its turn", PROCESS_ENDED));
    };
    let outcome = talk.ended.last().map(|ended| ended.outcome.clone());
    let next = talk.turn("Go on.").await;
    talk.end().await?;
    if outcome != Some(TurnOutcome::Cancelled) {
        return Err(format!("the turn ended as {outcome:?}"));
    }
    next.map_err(|why| format!("after the cancel {why}"))?;
    Ok(match (aborted, took.as_secs() < 2) {
        (true, true) => Cell::pass(),
        (true, false) => Cell::noted(format!("after {} s", took.as_secs())),
        (false, _) => Cell::noted("its request to the model runs on"),
    })
}

fn streaming(desk: &Desk<'_>) -> bool {
    // Agents that do not stream their words show nothing before the end.
    desk.asked_main().iter().any(|one| one.outcome == Outcome::Running && !one.stream)
}

/// A turn is cancelled while it waits for a permission.
pub async fn asking(desk: &Desk<'_>) -> Result<Cell, String> {
    let mut talk = Talk::open(desk, Wish::default()).await?;
    if !talk.is_acp() {
        return Ok(Cell::none("it never asks"));
    }
    talk.prompt(&scripted(
        "Do it.",
        &format!("{COMMAND}\nsay Done.\nwhen prompt contains \"Go on.\"\nsay The next turn."),
    ))
    .await?;
    if talk.until_asked().await.is_err() {
        talk.end().await?;
        return Ok(Cell::none("it never asks"));
    }
    let took = talk.cancel().await?;
    if took.is_none() {
        talk.end().await?;
        return Ok(Cell::cannot("it does not end its turn", PROCESS_ENDED));
    }
    let outcome = talk.ended.last().map(|ended| ended.outcome.clone());
    let next = talk.turn("Go on.").await;
    talk.end().await?;
    if let Some(text) = desk.read("made.txt") {
        return Err(format!("it acted although nobody allowed it: {text:?}"));
    }
    if outcome != Some(TurnOutcome::Cancelled) || !talk.asks.is_empty() {
        return Err(format!("the turn ended as {outcome:?}, with {} questions open", talk.asks.len()));
    }
    next.map_err(|why| format!("after the cancel {why}"))?;
    Ok(Cell::pass())
}
