//! The loop of a live session.

use std::sync::Arc;
use std::time::Duration;

use divisi_agent::acp::Stage;
use divisi_agent::{Action, Conversation};
use divisi_model::event::Event;
use divisi_model::transcript::{Entry, EntryBody};
use divisi_model::{AttemptId, AttemptState};
use divisi_workspace::launch::{Followed, State};
use tokio::time::Instant;

use super::end::{OVER, is_over};
use super::{asks, open, turns};
use crate::context::{Context, blocking};
use crate::run;
use crate::stage::StepError;
use crate::worker::{Launch, Output};

/// How long an agent may take to end a turn that was cancelled, before its process is ended.
const CANCEL_GRACE: Duration = Duration::from_secs(20);
/// How often silence is looked at.
const LOOK_AT_SILENCE: Duration = Duration::from_secs(5);
/// How often an agent that is still starting is looked at.
const LOOK_AT_START: Duration = Duration::from_millis(500);

/// One live session.
pub(super) struct Driver {
    pub(super) context: Arc<Context>,
    pub(super) id: AttemptId,
    /// Its number in the attempt.
    pub(super) number: u32,
    pub(super) launch: Arc<dyn Launch>,
    pub(super) conversation: Conversation,
    /// The offset of the next byte for the agent.
    pub(super) written: u64,
    /// Entries not stored yet.
    entries: Vec<Entry>,
    /// The prompts of the running turn, as the transcript has them.
    pub(super) given: Vec<String>,
    /// The first prompt must carry a hand-off.
    pub(super) hand_off: bool,
    cancelled_at: Option<Instant>,
    pub(super) idle_since: Option<Instant>,
    /// Since when the agent has been starting, by a clock that nobody sets.
    starting: Instant,
    /// When anything was last heard or sent, by the same: the measure of silence.
    pub(super) active: Instant,
    /// Something was heard since this driver began.
    pub(super) heard: bool,
    done: Option<String>,
}

/// Drives the open session of an attempt, or opens one, until it is closed or the engine shuts down.
pub(crate) async fn drive(context: Arc<Context>, id: AttemptId) -> Result<(), StepError> {
    let Some(opened) = open::open(&context, id).await? else { return Ok(()) };
    let mut driver = Driver {
        context,
        id,
        number: opened.number,
        launch: opened.launch,
        conversation: opened.conversation,
        written: opened.written,
        entries: Vec::new(),
        given: Vec::new(),
        hand_off: opened.hand_off,
        cancelled_at: None,
        idle_since: None,
        starting: Instant::now(),
        active: Instant::now(),
        heard: false,
        done: None,
    };
    let mut follower = driver.launch.follow(0).map_err(|error| StepError::of(&error))?;
    driver.replay(&mut follower).await?;
    driver.run(follower).await
}

impl Driver {
    /// Feeds what the agent wrote before, then sends what was never sent.
    async fn replay(&mut self, follower: &mut Box<dyn Output>) -> Result<(), StepError> {
        let until = self.launch.status().journal_len;
        while follower.offset() < until {
            match follower.next().await.map_err(|error| StepError::of(&error))? {
                Followed::Bytes { offset, bytes } => {
                    let actions = self.conversation.feed_out(&bytes, offset, self.context.now());
                    self.act(actions).await?;
                }
                Followed::Ended(_) => break,
            }
        }
        let mut actions = self.conversation.live(self.context.now());
        if !matches!(self.launch.status().state, State::Ended(_)) {
            actions.extend(self.conversation.start(self.context.now()));
            self.starting = Instant::now();
        }
        self.act(actions).await
    }

    async fn run(&mut self, mut follower: Box<dyn Output>) -> Result<(), StepError> {
        let mut changes = self.context.authority.changes();
        loop {
            changes.mark_seen();
            self.reconcile().await?;
            if let Some(why) = self.done.take() {
                return self.end(follower, why).await;
            }
            tokio::select! {
                biased;
                () = self.context.stop.cancelled() => return self.leave(follower).await,
                followed = follower.next() => match followed.map_err(|error| StepError::of(&error))? {
                    Followed::Bytes { offset, bytes } => {
                        (self.active, self.heard) = (Instant::now(), true);
                        let actions = self.conversation.feed_out(&bytes, offset, self.context.now());
                        self.act(actions).await?;
                    }
                    Followed::Ended(exit) => {
                        let why = format!("the agent's process {}", run::describe(&exit));
                        return self.over(&exit, why).await;
                    }
                },
                () = changes.changed() => {}
                () = tokio::time::sleep(self.pause()) => {}
            }
        }
    }

    /// Compares what is with what should be, and takes the next steps.
    async fn reconcile(&mut self) -> Result<(), StepError> {
        let task = self.context.task(self.id)?;
        let Some(attempt) = task.attempt(self.id.number) else { return Ok(()) };
        if attempt.open_session().is_none_or(|open| open.number != self.number) {
            self.done = Some("the session was closed".to_owned());
            return Ok(());
        }
        if is_over(&task, attempt) {
            self.done = Some(OVER.to_owned());
            return Ok(());
        }
        let overdue = self.conversation.look_at_start(self.starting.elapsed(), self.context.now());
        self.act(overdue).await?;
        asks::answer(self, &task).await?;
        turns::hold_budget(self, &task, attempt).await?;
        self.cancel_if_asked(attempt).await?;
        turns::next(self, &task, attempt).await?;
        self.look_at_silence(&task, attempt).await
    }

    fn pause(&self) -> Duration {
        if self.conversation.stage() == Stage::Opening { LOOK_AT_START } else { LOOK_AT_SILENCE }
    }

    async fn cancel_if_asked(&mut self, attempt: &AttemptState) -> Result<(), StepError> {
        let asked = attempt.running_turn().is_some_and(|turn| turn.cancel_requested);
        if !asked || self.conversation.stage() != Stage::Turn {
            self.cancelled_at = None;
            return Ok(());
        }
        match self.cancelled_at {
            None => {
                self.cancelled_at = Some(Instant::now());
                let actions = self.conversation.cancel(self.context.now());
                self.act(actions).await
            }
            Some(at) if at.elapsed() > CANCEL_GRACE => {
                self.done = Some("the agent did not end its cancelled turn".to_owned());
                Ok(())
            }
            Some(_) => Ok(()),
        }
    }

    /// Does what the conversation wants done, in its order.
    pub(super) async fn act(&mut self, actions: Vec<Action>) -> Result<(), StepError> {
        for action in actions {
            match action {
                Action::Send(bytes) => {
                    self.active = Instant::now();
                    let written = self.launch.write(self.written, &bytes).await;
                    match written {
                        Ok(next) => self.written = next,
                        // The process is gone; the follower tells so in a moment.
                        Err(divisi_workspace::launch::RequestError::Ended) => {}
                        Err(error) => return Err(StepError::of(&error)),
                    }
                }
                Action::CloseStdin => drop(self.launch.close_stdin(self.written).await),
                Action::Entry(entry) => {
                    match &entry.body {
                        EntryBody::Prompt { text, .. } => self.given.push(text.to_string()),
                        EntryBody::TurnEnded { .. } => self.given.clear(),
                        _ => {}
                    }
                    self.entries.push(entry);
                }
                Action::Text { .. } | Action::Ready => {}
                Action::SessionOpened { id, how } => {
                    self.hand_off |= how == divisi_model::event::SessionStart::HandOff;
                    self.report(Event::SessionNamed {
                        attempt: self.id.number,
                        session: self.number,
                        agent_session: id,
                    })
                    .await?;
                }
                Action::Asked(asked) => asks::asked(self, asked).await?,
                Action::AskOver { request } => asks::over(self, &request).await?,
                Action::TurnEnded { turn, outcome, usage } => {
                    self.store_entries().await?;
                    turns::ended(self, turn, outcome, usage).await?;
                }
                Action::Failed(failure) => {
                    turns::failed(self, &failure).await?;
                    self.done = Some(failure.text);
                }
                Action::Closed => self.done = Some("the session was closed".to_owned()),
            }
        }
        self.store_entries().await
    }

    /// Ends the session as soon as what is being done is done.
    pub(super) fn close(&mut self, why: &str) {
        self.done.get_or_insert_with(|| why.to_owned());
    }

    pub(super) async fn store_entries(&mut self) -> Result<(), StepError> {
        if self.entries.is_empty() {
            return Ok(());
        }
        let entries = std::mem::take(&mut self.entries);
        let (store, id, number) = (self.context.authority.store().clone(), self.id, self.number);
        let stored = blocking(move || store.put_entries(id, number, &entries)).await?;
        stored.map(drop).map_err(|error| StepError::of(&error))
    }

    /// Says what happened. What no longer fits the state of the task is not an error: something else came first.
    pub(super) async fn report(&self, event: Event) -> Result<bool, StepError> {
        match self.context.authority.report(self.id, event).await {
            Ok(_) => Ok(true),
            Err(refusal) if refusal.kind == divisi_model::RefusalKind::WrongState => Ok(false),
            Err(refusal) => Err(refusal.into()),
        }
    }
}
