//! Work itself.

use divisi_agent::ModeName;
use divisi_model::event::TurnOutcome;
use divisi_model::transcript::EntryBody;

use super::scripted;
use crate::cell::Cell;
use crate::desk::{Desk, PLAIN};
use crate::style;
use crate::talk::{Talk, Wish, one_line};

/// The first turn of a session edits one file and makes another, and the transcript shows both.
pub async fn edit(desk: &Desk<'_>) -> Result<Cell, String> {
    let mut talk = Talk::open(desk, Wish { mode: ModeName::Auto, ..Wish::default() }).await?;
    if desk.agent.name == PLAIN {
        let ended = talk.turn("Write this down.").await?;
        let told = desk.read("told.txt").unwrap_or_default();
        talk.end().await?;
        return Ok(match ended.outcome == TurnOutcome::Completed && told.contains("Write this down.") {
            true => Cell::pass(),
            false => Cell::fails(format!("{:?}, and it wrote {}", ended.outcome, one_line(&told))),
        });
    }
    let script = style::script(
        desk,
        "read start.txt\nedit start.txt replace \"one\" with \"two\"\nwrite made.txt \"made\\n\"\nsay All is done.",
    );
    let ended = talk.turn(&scripted("Edit the file start.txt and make made.txt.", &script)).await?;
    let (said, shown) = (talk.said(), talk.entries().iter().any(|entry| is_tool(&entry.body)));
    talk.end().await?;
    if ended.outcome != TurnOutcome::Completed {
        return Err(format!("the turn ended as {:?}", ended.outcome));
    }
    let (start, made) = (desk.read("start.txt"), desk.read("made.txt"));
    if (start.as_deref().map(str::trim_end), made.as_deref().map(str::trim_end))
        != (Some("two"), Some("made"))
    {
        return Err(format!("the files hold {start:?} and {made:?}; it said: {}", one_line(&said)));
    }
    if !style::is_silent(desk) && !said.contains("All is done.") {
        return Err(format!("its last words did not arrive, only: {}", one_line(&said)));
    }
    Ok(match shown || !talk.is_acp() {
        true => Cell::pass(),
        false => Cell::fails("it told of no tool call"),
    })
}

fn is_tool(body: &EntryBody) -> bool {
    matches!(body, EntryBody::ToolCall(_))
}
