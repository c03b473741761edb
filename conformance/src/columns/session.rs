//! Sessions: one goes on, in the same process and in a new one, and leaves nothing behind.

use divisi_agent::ModeName;
use divisi_model::event::{SessionStart, TurnOutcome};

use super::scripted;
use crate::cell::Cell;
use crate::desk::{Desk, PLAIN};
use crate::style;
use crate::talk::{Talk, Wish, one_line};

/// What Divisi does when an agent has forgotten.
const HAND_OFF: &str = "a new session begins with a hand-off of what happened so far";

/// A second prompt in the same session, of which the agent knows the first.
pub async fn follow_up(desk: &Desk<'_>) -> Result<Cell, String> {
    let mut talk = Talk::open(desk, Wish { mode: ModeName::Auto, ..Wish::default() }).await?;
    if desk.agent.name == PLAIN {
        talk.turn("First.").await?;
        let ended = talk.turn("Second.").await?;
        let told = desk.read("told.txt").unwrap_or_default();
        talk.end().await?;
        return Ok(match ended.outcome == TurnOutcome::Completed && told.matches("First.").count() >= 2 {
            true => Cell::cannot(
                "each turn is a process that remembers nothing",
                "each turn begins with a hand-off",
            ),
            false => Cell::fails(format!("{:?}, told: {}", ended.outcome, one_line(&told))),
        });
    }
    let script = "write one.txt \"one\\n\"\nsay One.\nwhen prompt contains \"the second\"\nwrite two.txt \"two\\n\"\nsay Two.";
    talk.turn(&scripted("Make the first file.", &style::script(desk, script))).await?;
    let before = desk.asked_main().len();
    let ended = talk.turn("Make the second file.").await?;
    let resumed = talk.opened.is_some();
    talk.end().await?;
    let knew = desk.asked_main().get(before).map_or(0, |one| one.prompts);
    if ended.outcome != TurnOutcome::Completed || desk.read("two.txt").is_none() {
        return Err(format!(
            "the second turn ended as {:?}, knew {knew} prompts and said {}",
            ended.outcome,
            one_line(&talk.said())
        ));
    }
    Ok(match (talk.is_acp(), knew >= 2, resumed) {
        (true, true, _) => Cell::pass(),
        (true, false, _) => Cell::fails("the model was not told of the first turn"),
        (false, true, true) => Cell::noted("a new process takes up the session"),
        (false, ..) => {
            Cell::cannot("each turn is a process that remembers nothing", "each turn begins with a hand-off")
        }
    })
}

/// The process is ended and the session taken up in another.
pub async fn resume(desk: &Desk<'_>) -> Result<Cell, String> {
    let wish = Wish { mode: ModeName::Auto, ..Wish::default() };
    let mut talk = Talk::open(desk, wish.clone()).await?;
    if !talk.is_acp() {
        return Ok(Cell::none("each turn is a process of its own"));
    }
    let quirk = desk.definition.quirks.load_once;
    talk.turn(&scripted(
        "Say something.",
        "say The first turn.\nturn\nsay The second turn.\nturn\nsay The third turn.",
    ))
    .await?;
    let (id, _) = talk.opened.clone().ok_or("the session has no id")?;
    talk.end().await?;
    // Twice, because some agents take up a session once and then forget it.
    for (time, words) in [("once", "The second turn."), ("twice", "The third turn.")] {
        let mut again = Talk::open(desk, Wish { resume: Some(id.clone()), ..wish.clone() }).await?;
        let how = again.opened.as_ref().map(|(_, how)| *how);
        if how != Some(SessionStart::Resumed) {
            again.end().await?;
            let seen = if time == "once" {
                "it has forgotten the session"
            } else {
                "it takes up a session only once"
            };
            return Ok(Cell::cannot(seen, HAND_OFF).compared("load_once", quirk, true));
        }
        let before = desk.asked_main().len();
        again.turn("Go on.").await?;
        let said = again.said();
        again.end().await?;
        let knew = desk.asked_main().get(before).map_or(0, |one| one.prompts);
        if knew < 2 || !said.contains(words) {
            let seen =
                format!("taken up {time}, its model knew of {knew} prompts, and it said {}", one_line(&said));
            return Ok(Cell::fails(seen).compared("load_once", quirk, true));
        }
    }
    Ok(Cell::pass().compared("load_once", quirk, false))
}

/// Everything that the agent started is gone after it was ended, also what it put into the background.
pub async fn tree(desk: &Desk<'_>) -> Result<Cell, String> {
    let mut talk = Talk::open(desk, Wish { mode: ModeName::Auto, ..Wish::default() }).await?;
    if desk.agent.name == PLAIN {
        talk.prompt("please-wait").await?;
        talk.listen(crate::talk::TURN_MAX, |_| desk.processes().len() >= 2).await;
    } else {
        let script = style::script(desk, "stray sleep 600\nsay It runs in the background.");
        talk.turn(&scripted("Start it.", &script)).await?;
    }
    let before = desk.processes();
    let strays = before.iter().filter(|line| line.ends_with("sleep 600")).count();
    let eof = if talk.is_acp() { Some(talk.goes_at_eof().await) } else { None };
    let left = talk.end().await?;
    if !left.is_empty() {
        return Err(format!("these live on: {}", left.join("; ")));
    }
    let seen = match strays {
        0 => "it let no process live in the background",
        _ => "",
    };
    let cell = Cell::noted(seen);
    Ok(match eof {
        Some(goes) => cell.compared("eof_does_not_exit", desk.definition.quirks.eof_does_not_exit, !goes),
        None => cell,
    })
}
