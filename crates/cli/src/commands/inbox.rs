//! `divisi inbox`

use clap::Args;
use jiff::Timestamp;

use super::client;
use crate::errors::Done;
use crate::render::task;
use crate::ui::Ui;

/// List what waits for you: permissions, questions, judgements, reviews and stalls
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi inbox\n  \
    divisi approve t12#3                 an item by its handle\n  \
    divisi approve t12                   or by its task, where only one item of it waits\n  \
    divisi answer t12#4 \"use the new API\"")]
pub(crate) struct InboxArgs {}

pub(crate) async fn run(_args: &InboxArgs, ui: &Ui) -> Done {
    let inbox = client().await?.inbox().await?;
    let now = Timestamp::now();
    ui.show(
        &inbox,
        || inbox.items.iter().map(|item| format!("{}\n", item.handle)).collect(),
        || {
            let mut text = String::new();
            for item in &inbox.items {
                task::show_item(&mut text, item, now);
            }
            text
        },
    )?;
    if inbox.items.is_empty() && !ui.json {
        ui.say("Nothing waits for you.");
    }
    Ok(())
}
