//! `divisi log`

use clap::Args;
use divisi_api::Client;
use divisi_api::types::{Attention, TranscriptEntryView, TurnView, UsageView};
use divisi_model::transcript::EntryBody;
use serde::Serialize;

use super::{attempt_of, client};
use crate::errors::Done;
use crate::render::transcript::Teller;
use crate::ui::Ui;

/// Show the transcript of an attempt: prompts, messages, plans, tools, permissions, and what each turn used
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

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    entry: &'a TranscriptEntryView,
    /// What the turn used, where this is its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<&'a UsageView>,
}

/// Writes entries in the form that is wanted.
struct Log<'a> {
    ui: &'a Ui,
    teller: Teller,
    turns: Vec<TurnView>,
    /// Ends of turns that were written before it was known what they used.
    ended: Vec<TranscriptEntryView>,
}

pub(crate) async fn run(args: &LogArgs, ui: &Ui) -> Done {
    let client = client().await?;
    let mut log = Log { ui, teller: Teller::default(), turns: Vec::new(), ended: Vec::new() };
    if args.follow {
        return follow(&client, &args.handle, &mut log).await;
    }
    let mut entries = client.transcript(&args.handle, 0).await?;
    entries.sort_by_key(|entry| (entry.session, entry.entry.seq));
    if entries.iter().any(is_end) {
        let task = client.task(&args.handle).await?;
        log.learn(&attempt_of(&task, &args.handle)?.turns)?;
    }
    for entry in &entries {
        log.tell(entry)?;
    }
    log.end()?;
    if entries.is_empty() {
        ui.say("Nothing was said yet.");
    }
    Ok(())
}

async fn follow(client: &Client, handle: &str, log: &mut Log<'_>) -> Done {
    let last = client.health().await?.last_seq;
    let mut events = client.follow_events(last);
    let mut entries = client.follow_transcript(handle, 0);
    let task = client.task(handle).await?;
    log.learn(&attempt_of(&task, handle)?.turns)?;
    let mut over = attempt_of(&task, handle)?.status.attention == Attention::Done;
    while !over {
        tokio::select! {
            entry = entries.next() => log.tell(&entry?)?,
            event = events.next() => {
                if event?.task.as_deref() == Some(task.handle.as_str()) {
                    let task = client.task(handle).await?;
                    let attempt = attempt_of(&task, handle)?;
                    over = attempt.status.attention == Attention::Done;
                    log.learn(&attempt.turns)?;
                }
            }
        }
    }
    for entry in client.transcript(handle, entries.last()).await? {
        log.tell(&entry)?;
    }
    log.end()
}

impl Log<'_> {
    fn tell(&mut self, entry: &TranscriptEntryView) -> Done {
        if !self.ui.json {
            return self.ui.data(&self.teller.tell(entry));
        }
        let usage = self.usage(entry);
        if is_end(entry) && usage.is_none() {
            self.ended.push(entry.clone());
        }
        self.ui.json_line(&Line { entry, usage: self.usage(entry) })
    }

    /// Takes in what turns used. An end that was written without it comes again.
    fn learn(&mut self, turns: &[TurnView]) -> Done {
        self.turns = turns.to_vec();
        let text = self.teller.learn(turns);
        if !self.ui.json {
            return if text.is_empty() { Ok(()) } else { self.ui.data(&text) };
        }
        let ended = std::mem::take(&mut self.ended);
        let (known, left) = ended.into_iter().partition(|entry| self.usage(entry).is_some());
        self.ended = left;
        let known: Vec<TranscriptEntryView> = known;
        known.iter().try_for_each(|entry| self.ui.json_line(&Line { entry, usage: self.usage(entry) }))
    }

    fn usage(&self, entry: &TranscriptEntryView) -> Option<&UsageView> {
        let ended = |turn: &&TurnView| turn.number == entry.entry.turn && turn.ended.is_some();
        self.turns.iter().find(ended).filter(|_| is_end(entry)).map(|turn| &turn.usage)
    }

    fn end(&mut self) -> Done {
        if self.ui.json { Ok(()) } else { self.ui.data(&self.teller.end()) }
    }
}

fn is_end(entry: &TranscriptEntryView) -> bool {
    matches!(entry.entry.body, EntryBody::TurnEnded { .. })
}
