//! What goes wrong at the model, and what the person is told of it.

use std::time::Duration;

use divisi_agent::ModeName;
use divisi_model::event::TurnOutcome;
use divisi_rehearsal::server::Outcome;

use super::cancel::PROCESS_ENDED;
use super::scripted;
use crate::cell::Cell;
use crate::desk::Desk;
use crate::style;
use crate::talk::{Ended, TURN_MAX, Talk, Wish, one_line};

/// How long an agent may try on its own before its silence is Divisi's matter.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long an agent is watched to see whether it ends a silence by itself.
const SILENCE: Duration = Duration::from_secs(8);
/// What Divisi does about an agent that tries for ever.
const STALLED: &str = "after `stall_minutes` of silence the person is told, and may cancel or wait";

/// The key is wrong.
pub async fn unauthorized(desk: &Desk<'_>) -> Result<Cell, String> {
    let (talk, ended) = fault(desk, "error unauthorized \"Incorrect API key provided.\"").await?;
    Ok(match ended.map(|ended| ended.outcome) {
        Some(TurnOutcome::NeedsLogin { .. }) => Cell::noted("needs you: credentials"),
        Some(other) => Cell::fails(format!("it ended as {}", words(&other))),
        None => tries_on(desk, talk).await?,
    })
}

/// The model is busy for two seconds.
pub async fn rate(desk: &Desk<'_>) -> Result<Cell, String> {
    let (talk, ended) = fault(desk, "error rate-limit \"Slow down.\" retry after 2s").await?;
    recovered(desk, talk, ended).await
}

/// The allowance is used up for twenty minutes.
pub async fn limit(desk: &Desk<'_>) -> Result<Cell, String> {
    let step =
        "error usage-limit \"You have reached your usage limit. Try again in 20 minutes.\" retry after 1200s";
    let (talk, ended) = fault(desk, step).await?;
    Ok(match ended.map(|ended| ended.outcome) {
        Some(TurnOutcome::UsageLimit { until: Some(_), .. }) => {
            Cell::noted("waits for the limit, with its end")
        }
        Some(TurnOutcome::UsageLimit { until: None, .. }) => {
            Cell::noted("waits for the limit; the agent does not tell when it ends")
        }
        Some(other) => Cell::fails(format!("it ended as {}", words(&other))),
        None => tries_on(desk, talk).await?,
    })
}

/// The model fails once.
pub async fn internal(desk: &Desk<'_>) -> Result<Cell, String> {
    let (talk, ended) = fault(desk, "error internal \"Something broke.\"").await?;
    recovered(desk, talk, ended).await
}

/// The model's answer breaks off once.
pub async fn cut(desk: &Desk<'_>) -> Result<Cell, String> {
    let (talk, ended) = fault(desk, "cut").await?;
    recovered(desk, talk, ended).await
}

/// The model begins to answer and never goes on.
pub async fn silence(desk: &Desk<'_>) -> Result<Cell, String> {
    let mut talk = Talk::open(desk, Wish { mode: ModeName::Auto, ..Wish::default() }).await?;
    talk.prompt(&scripted("Think.", "hang\nwhen prompt contains \"Go on.\"\nsay The next turn.")).await?;
    let hangs = || desk.asked_main().iter().any(|one| one.outcome == Outcome::Running);
    talk.listen(TURN_MAX, |talk| hangs() || !talk.ended.is_empty()).await;
    if talk.listen(SILENCE, |talk| !talk.ended.is_empty()).await {
        let outcome = talk.ended[0].outcome.clone();
        talk.end().await?;
        return Ok(Cell::noted(format!("it gives up by itself: {}", words(&outcome))));
    }
    let took = talk.cancel().await?;
    if !talk.is_acp() {
        let left = talk.end().await?;
        return Ok(match took.is_some() && left.is_empty() {
            true => Cell::noted("it waits for ever; a cancel ends its process"),
            false => Cell::fails(format!("ended after {took:?}, and these live on: {left:?}")),
        });
    }
    if took.is_none() {
        talk.end().await?;
        return Ok(Cell::cannot("it waits for ever and hears no cancel meanwhile", PROCESS_ENDED));
    }
    let next = talk.turn("Go on.").await;
    talk.end().await?;
    next.map_err(|why| format!("after the cancel {why}"))?;
    Ok(Cell::noted("it waits for ever; a cancel ends the turn"))
}

/// A turn of which the first answer goes wrong and the second writes a file.
async fn fault<'a>(desk: &'a Desk<'a>, step: &str) -> Result<(Talk<'a>, Option<Ended>), String> {
    let mut talk = Talk::open(desk, Wish { mode: ModeName::Auto, ..Wish::default() }).await?;
    let script = style::script(desk, &format!("{step}\nwrite made.txt \"made\\n\"\nsay All is done."));
    talk.prompt(&scripted("Make made.txt.", &script)).await?;
    // What counts is how long it tries, not how long a busy machine takes to start it.
    talk.listen(TURN_MAX, |talk| !talk.ended.is_empty() || !desk.asked_main().is_empty()).await;
    let over = talk.listen(PATIENCE, |talk| !talk.ended.is_empty()).await;
    let ended = talk.ended.last().cloned();
    if over || ended.is_some() {
        talk.end().await?;
    }
    Ok((talk, ended))
}

/// After a passing fault the turn goes on, or the person is told of an error.
async fn recovered(desk: &Desk<'_>, talk: Talk<'_>, ended: Option<Ended>) -> Result<Cell, String> {
    let made = desk.read("made.txt").is_some();
    Ok(match ended.map(|ended| ended.outcome) {
        Some(TurnOutcome::Completed) if made => Cell::noted("it tries again and goes on"),
        Some(TurnOutcome::Completed) => {
            Cell::fails(format!("it said it was done: {}", one_line(&talk.said())))
        }
        Some(outcome @ (TurnOutcome::AgentError { .. } | TurnOutcome::UsageLimit { .. })) if !made => {
            Cell::cannot(format!("it does not try again: {}", words(&outcome)), told(&outcome))
        }
        Some(other) => Cell::fails(format!("it ended as {}", words(&other))),
        None => tries_on(desk, talk).await?,
    })
}

/// It neither goes on nor gives up; a cancel must end that.
async fn tries_on(desk: &Desk<'_>, mut talk: Talk<'_>) -> Result<Cell, String> {
    let tries = desk.asked_main().len();
    let took = talk.cancel().await?;
    talk.end().await?;
    let seen = format!("after {} s it was still trying, {tries} times so far", PATIENCE.as_secs());
    Ok(match took {
        Some(_) => Cell::cannot(seen, STALLED),
        None => {
            Cell::cannot(format!("{seen}, and it hears no cancel"), format!("{STALLED}; {PROCESS_ENDED}"))
        }
    })
}

fn told(outcome: &TurnOutcome) -> &'static str {
    match outcome {
        TurnOutcome::UsageLimit { .. } => "the task waits for the limit and goes on after it",
        _ => "the person is told the error and may send the next prompt",
    }
}

/// An outcome in words, without times and ports that differ from run to run.
fn words(outcome: &TurnOutcome) -> String {
    let text = match outcome {
        TurnOutcome::NeedsLogin { text, .. } => format!("needs a login ({})", one_line(text)),
        TurnOutcome::UsageLimit { text, .. } => format!("a usage limit ({})", one_line(text)),
        TurnOutcome::AgentError { text } => format!("an error ({})", one_line(text)),
        TurnOutcome::CutShort { text } => format!("cut short ({})", one_line(text)),
        TurnOutcome::ProcessEnded { text } => format!("its process gone ({})", one_line(text)),
        TurnOutcome::Completed => "done".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    };
    crate::words::timeless(&text)
}
