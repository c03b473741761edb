//! `divisi attach`

mod input;

use clap::Args;
use divisi_api::types::{
    AskView, AttemptView, Attention, EventView, ItemView, TaskView, TranscriptEntryView,
};
use divisi_api::{Client, Follow};
use divisi_model::transcript::EntryBody;

use super::{attempt_of, client};
use crate::errors::Done;
use crate::render::transcript::Teller;
use crate::render::{clean, diff, status, style};
use crate::ui::Ui;
use input::{Asked, Line};

/// Speak with an agent live: what it says and does comes as it happens, and what you type goes to it
///
/// A line is sent after the running turn. A permission is answered in place by y, n or a (always); a question by your
/// words. Ctrl-C cancels the running turn, Ctrl-D detaches and leaves the agent at work.
#[derive(Debug, Args)]
#[command(after_help = "While attached:\n  \
    words                 send them; after the running turn\n  \
    y, n [why], a         answer a permission: yes, no, always\n  \
    /steer words          into the running turn\n  \
    /interrupt words      now: the turn is cancelled first\n  \
    /cancel               end the turn (as Ctrl-C)\n  \
    /diff                 what changed so far\n  \
    /status               where things are\n  \
    /detach               leave (as Ctrl-D)\n\n\
    Examples:\n  \
    divisi attach t12\n  \
    divisi attach t12 --all    with the whole transcript before")]
pub(crate) struct AttachArgs {
    /// The task or attempt
    #[arg(value_name = "TASK")]
    handle: String,
    /// Show the whole transcript first, not only its last turn
    #[arg(long)]
    all: bool,
}

/// A live conversation.
struct Conversation<'a> {
    ui: &'a Ui,
    client: Client,
    handle: String,
    task: TaskView,
    teller: Teller,
    told: String,
    asked: Vec<String>,
}

pub(crate) async fn run(args: &AttachArgs, ui: &Ui) -> Done {
    let client = client().await?;
    let last = client.health().await?.last_seq;
    let mut events = client.follow_events(last);
    let task = client.task(&args.handle).await?;
    let handle = attempt_of(&task, &args.handle)?.handle.clone();
    let mut conversation = Conversation {
        ui,
        client,
        handle,
        task,
        teller: Teller::default(),
        told: String::new(),
        asked: Vec::new(),
    };
    let after = conversation.begin(args.all).await?;
    let entries = conversation.client.follow_transcript(&conversation.handle, after);
    conversation.go_on(&mut events, entries).await?;
    ui.data(&conversation.teller.end())?;
    ui.say(format!("detached; divisi attach {} comes back", conversation.handle));
    Ok(())
}

impl Conversation<'_> {
    /// Shows where things are. Gives the revision from which the transcript is followed.
    async fn begin(&mut self, all: bool) -> Done<u64> {
        let title = clean::line(&self.task.title);
        let agent = clean::line(&self.attempt()?.agent);
        self.ui.say(format!(
            "{}  {}  by {}",
            style::name(&self.handle),
            style::strong(title),
            style::strong(agent)
        ));
        self.ui.say(style::faint("Ctrl-C cancels the turn, Ctrl-D detaches, /help lists the rest"));
        let mut entries = self.client.transcript(&self.handle, 0).await?;
        let after = entries.iter().map(|entry| entry.rev).max().unwrap_or(0);
        entries.sort_by_key(|entry| (entry.session, entry.entry.seq));
        let last_prompt = |entry: &TranscriptEntryView| matches!(entry.entry.body, EntryBody::Prompt { .. });
        let from = if all { 0 } else { entries.iter().rposition(last_prompt).unwrap_or(0) };
        for entry in entries.iter().skip(from) {
            self.ui.data(&self.teller.tell(entry))?;
        }
        self.tell_state()?;
        Ok(after)
    }

    async fn go_on(
        &mut self,
        events: &mut Follow<EventView>,
        mut entries: Follow<TranscriptEntryView>,
    ) -> Done {
        let mut lines = input::lines();
        loop {
            tokio::select! {
                entry = entries.next() => self.ui.data(&self.teller.tell(&entry?))?,
                event = events.next() => {
                    if event?.task.as_deref() == Some(self.task.handle.as_str()) {
                        self.task = self.client.task(&self.handle).await?;
                        self.tell_state()?;
                    }
                }
                line = lines.recv() => match line {
                    Some(line) => if !self.take(Line::read(&line, self.open_item())).await? { return Ok(()) },
                    None => return Ok(()),
                },
                _ = tokio::signal::ctrl_c() => {
                    if self.is_working()? {
                        self.take(Line::Cancel).await?;
                    } else {
                        self.ui.say("no turn runs; Ctrl-D detaches");
                    }
                }
            }
        }
    }

    /// Does what a line asks for. Gives `false` when the person leaves. What the daemon refuses is told and the
    /// conversation goes on.
    async fn take(&mut self, line: Line) -> Done<bool> {
        let done = match line {
            Line::Nothing => return Ok(true),
            Line::Detach => return Ok(false),
            Line::Help => {
                self.ui.say(input::HELP);
                return Ok(true);
            }
            Line::Status => {
                self.told.clear();
                self.asked.clear();
                self.tell_state()?;
                return Ok(true);
            }
            Line::Diff => {
                let scope = divisi_api::types::DiffScope::Live;
                match self.client.diff(&self.handle, scope, 0).await {
                    Ok(view) => self.ui.data(&diff::unified(&view))?,
                    Err(error) => self.ui.error(&error.into()),
                }
                return Ok(true);
            }
            Line::Unknown(word) => {
                self.ui.say(format!("/{word} is nothing that can be asked here; /help lists what is"));
                return Ok(true);
            }
            Line::Cancel => self.client.cancel(&self.handle).await,
            Line::Answer { item, answer } => self.client.answer(&item, &answer).await,
            Line::Send(request) => self.client.send_words(&self.handle, &request).await,
        };
        match done {
            Ok(task) => {
                self.task = task;
                self.tell_state()?;
            }
            Err(error) if error.problem().is_some() => self.ui.error(&error.into()),
            Err(error) => return Err(error.into()),
        }
        Ok(true)
    }

    /// Tells a new state once, and what is asked of the person.
    fn tell_state(&mut self) -> Done {
        let attempt = self.attempt()?;
        let line = format!(
            "{}  {}",
            status::status(&attempt.status),
            style::faint(clean::line(&attempt.status.reason))
        );
        let next = match attempt.status.attention {
            Attention::InReview | Attention::ReadyToLand | Attention::Done => {
                Some(attempt.status.next.clone())
            }
            _ => None,
        };
        if line != self.told {
            let end = self.teller.end();
            self.ui.data(&end)?;
            self.ui.say(&line);
            if let Some(next) = next.filter(|next| !next.is_empty()) {
                self.ui.say(format!("  {} {next}", style::faint("next:")));
            }
            self.told = line;
        }
        let open: Vec<_> = self.open_items().cloned().collect();
        for item in open {
            if !self.asked.contains(&item.handle) {
                self.ui.say(input::question(&item));
                self.asked.push(item.handle);
            }
        }
        Ok(())
    }

    fn attempt(&self) -> Done<&AttemptView> {
        attempt_of(&self.task, &self.handle)
    }

    fn is_working(&self) -> Done<bool> {
        Ok(self.attempt()?.turns.last().is_some_and(|turn| turn.ended.is_none()))
    }

    /// What of this attempt waits for an answer, oldest first.
    fn open_items(&self) -> impl Iterator<Item = &ItemView> {
        let ours = |item: &&ItemView| {
            item.answered.is_none() && item.attempt == self.handle && item.ask.answerable()
        };
        self.task.items.iter().filter(ours)
    }

    fn open_item(&self) -> Option<Asked> {
        let item = self.open_items().next()?;
        let wants_words = matches!(item.ask, AskView::Question { .. });
        let options =
            item.ask.options().iter().map(|option| (option.id.clone(), option.name.clone())).collect();
        Some(Asked { item: item.handle.clone(), wants_words, options })
    }
}
