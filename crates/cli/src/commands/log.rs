//! `divisi log`

use clap::Args;
use divisi_api::Client;
use divisi_api::types::{Attention, TranscriptEntryView};

use super::{attempt_of, client};
use crate::errors::Done;
use crate::render::transcript::Teller;
use crate::ui::Ui;

/// Show the transcript of an attempt: prompts, messages, plans, tools, permissions
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi log t12              what was said and done so far\n  \
    divisi log -f t12           and what comes, until it has landed or is stopped\n  \
    divisi log t12 --json | jq  one entry per line; with -f an entry that goes on comes again")]
pub(crate) struct LogArgs {
    /// The task or attempt
    #[arg(value_name = "TASK")]
    handle: String,
    /// Go on as it grows
    #[arg(long, short)]
    follow: bool,
}

pub(crate) async fn run(args: &LogArgs, ui: &Ui) -> Done {
    let client = client().await?;
    if args.follow {
        return follow(&client, &args.handle, ui).await;
    }
    let mut entries = client.transcript(&args.handle, 0).await?;
    entries.sort_by_key(|entry| (entry.session, entry.entry.seq));
    let mut teller = Teller::default();
    for entry in &entries {
        tell(&mut teller, entry, ui)?;
    }
    end(&mut teller, ui)?;
    if entries.is_empty() {
        ui.say("Nothing was said yet.");
    }
    Ok(())
}

async fn follow(client: &Client, handle: &str, ui: &Ui) -> Done {
    let last = client.health().await?.last_seq;
    let mut events = client.follow_events(last);
    let mut entries = client.follow_transcript(handle, 0);
    let mut teller = Teller::default();
    let task = client.task(handle).await?;
    let mut over = attempt_of(&task, handle)?.status.attention == Attention::Done;
    while !over {
        tokio::select! {
            entry = entries.next() => tell(&mut teller, &entry?, ui)?,
            event = events.next() => {
                if event?.task.as_deref() == Some(task.handle.as_str()) {
                    let task = client.task(handle).await?;
                    over = attempt_of(&task, handle)?.status.attention == Attention::Done;
                }
            }
        }
    }
    for entry in client.transcript(handle, entries.last()).await? {
        tell(&mut teller, &entry, ui)?;
    }
    end(&mut teller, ui)
}

fn tell(teller: &mut Teller, entry: &TranscriptEntryView, ui: &Ui) -> Done {
    if ui.json { ui.json_line(entry) } else { ui.data(&teller.tell(entry)) }
}

fn end(teller: &mut Teller, ui: &Ui) -> Done {
    if ui.json { Ok(()) } else { ui.data(&teller.end()) }
}
