//! Turns: which prompts go to the agent when, and what follows when it is idle again.

use divisi_agent::acp::{PromptPart, Stage};
use divisi_agent::{Failure, FailureKind};
use divisi_model::event::{Blocked, Delivery, Event, Origin, Prompt, TurnOutcome, Usage};
use divisi_model::holds;
use divisi_model::{AttemptId, AttemptState, Command, Phase, TaskState};

use super::drive::Driver;
use super::share;
use crate::context::Context;
use crate::images;
use crate::stage::StepError;

/// What is said of a turn whose workspace was deleted while it ran.
const GONE: &str =
    "the workspace's folder was deleted while the agent worked; it is there again, without this turn";

/// Begins the next turn when the agent is idle and prompts wait; or gives the agent a turn that the log knows but the
/// agent never got, because the daemon was ended in between.
pub(super) async fn next(
    driver: &mut Driver,
    task: &TaskState,
    attempt: &AttemptState,
) -> Result<(), StepError> {
    if attempt.phase != Phase::Working {
        return Ok(());
    }
    match driver.conversation.stage() {
        Stage::Idle => {}
        Stage::Turn => return steer(driver, attempt).await,
        _ => return Ok(()),
    }
    if let Some(running) = attempt.running_turn() {
        if running.session == driver.number {
            return give(driver, task, running.number, &running.prompts).await;
        }
        return Ok(());
    }
    if !begin(&driver.context, driver.id, driver.number).await? {
        return Ok(());
    }
    let task = driver.context.task(driver.id)?;
    let running = task.attempt(driver.id.number).and_then(AttemptState::running_turn).cloned();
    match running {
        Some(running) => give(driver, &task, running.number, &running.prompts).await,
        None => Ok(()),
    }
}

/// Gives the agent words in the middle of its turn, where it can take them; otherwise they stay first in the queue.
async fn steer(driver: &mut Driver, attempt: &AttemptState) -> Result<(), StepError> {
    let refused = driver.conversation.take_refused();
    for part in refused {
        let images = part.images.into_iter().map(|image| image.given.image).collect();
        let (attempt, text, delivery) = (driver.id.number, part.text, Delivery::Queue);
        driver.context.submit(driver.id, Command::Send { attempt, text, images, delivery }).await?;
    }
    let Some(turn) = attempt.running_turn().filter(|turn| !turn.cancel_requested) else { return Ok(()) };
    for prompt in attempt.queue.iter().filter(|prompt| prompt.delivery == Delivery::Steer) {
        // Words that reached the agent just before a restart stand in the transcript, but not yet in the log.
        if !driver.given.contains(&prompt.text) {
            let mut room = images::room(driver.conversation.takes_images());
            let prompt = std::slice::from_ref(prompt);
            let parts = images::parts(&driver.context, driver.id, prompt, &mut room).await?;
            match driver.conversation.steer(&parts, driver.context.now()) {
                Ok(actions) => driver.act(actions).await?,
                Err(_) => return Ok(()),
            }
        }
        let (attempt, turn, prompt) = (driver.id.number, turn.number, prompt.id);
        driver.report(Event::PromptGiven { attempt, turn, prompt }).await?;
    }
    Ok(())
}

/// Begins a turn with all prompts that wait, in the log. False when none do, or something else came first.
pub(super) async fn begin(context: &Context, id: AttemptId, session: u32) -> Result<bool, StepError> {
    let task = context.task(id)?;
    let Some(attempt) = task.attempt(id.number) else { return Ok(false) };
    if attempt.queue.is_empty() {
        return Ok(false);
    }
    let turn = u32::try_from(attempt.turns.len()).unwrap_or(u32::MAX) + 1;
    let prompts = attempt.queue.iter().map(|prompt| prompt.id).collect();
    context.try_report(id, Event::TurnStarted { attempt: id.number, turn, session, prompts }).await
}

async fn give(driver: &mut Driver, task: &TaskState, turn: u32, prompts: &[Prompt]) -> Result<(), StepError> {
    let mut room = images::room(driver.conversation.takes_images());
    let mut parts = images::parts(&driver.context, driver.id, prompts, &mut room).await?;
    if let Some(told) = rolled_back(task, driver.id.number, turn) {
        parts.insert(0, told);
    }
    if driver.hand_off {
        parts.splice(0..0, super::open::hand_off(&driver.context, driver.id, task, &mut room).await?);
    }
    match driver.conversation.prompt(turn, &parts, driver.context.now()) {
        Ok(actions) => {
            driver.hand_off = false;
            driver.act(actions).await
        }
        Err(error) => Err(StepError::of(&error)),
    }
}

/// What an agent is told of files that a person rolled back since its last turn; of its memory of them nothing holds.
fn rolled_back(task: &TaskState, attempt: u16, turn: u32) -> Option<PromptPart> {
    let attempt = task.attempt(attempt)?;
    let since: Vec<_> = attempt.rollbacks_since_turn(turn.checked_sub(1).filter(|last| *last > 0)?).collect();
    if since.is_empty() {
        return None;
    }
    let whole = since.iter().any(|rollback| rollback.paths.is_empty());
    let mut paths: Vec<_> = since.iter().flat_map(|rollback| &rollback.paths).map(String::as_str).collect();
    paths.sort_unstable();
    paths.dedup();
    let what = if whole { "the files of the workspace".to_owned() } else { paths.join(", ") };
    let text = format!(
        "Since your last turn a person has brought {what} back to an earlier state. Look at them again before you go on."
    );
    Some(PromptPart::words(Origin::Person, text))
}

/// The agent is idle again: first the snapshot, then everything else.
pub(super) async fn ended(
    driver: &mut Driver,
    turn: u32,
    outcome: TurnOutcome,
    usage: Usage,
) -> Result<(), StepError> {
    let task = driver.context.task(driver.id)?;
    let running = task.attempt(driver.id.number).and_then(AttemptState::running_turn);
    if running.is_none_or(|running| running.number != turn) {
        return Ok(());
    }
    let gone = driver.context.worker.bring_back(driver.context.attempt(driver.id)?).await?.is_some();
    snapshot(driver, turn).await?;
    let outcome = if gone { TurnOutcome::AgentError { text: GONE.to_owned() } } else { outcome };
    let outcome = completed(driver, &task, outcome);
    let usage = priced(driver, &task, usage);
    if gone {
        // The agent still stands in the folder that was deleted.
        driver.close(GONE);
    }
    // An agent keeps the login that it was started with: the next turn is for a new process.
    if matches!(outcome, TurnOutcome::NeedsLogin { .. }) {
        driver.close("the agent needs a login");
        if let Some(attempt) = task.attempt(driver.id.number) {
            share::outdate(&driver.context, attempt).await?;
        }
    }
    driver.report(Event::TurnEnded { attempt: driver.id.number, turn, outcome, usage }).await.map(drop)
}

/// Adds to an outcome what only the engine knows: the command that logs in, and when to try again where the agent does
/// not say when its limit ends.
fn completed(driver: &Driver, task: &TaskState, outcome: TurnOutcome) -> TurnOutcome {
    match outcome {
        TurnOutcome::NeedsLogin { text, command: None } => {
            TurnOutcome::NeedsLogin { text, command: login_command(driver, task) }
        }
        TurnOutcome::UsageLimit { text, until: None, .. } => {
            let attempt = task.attempt(driver.id.number);
            let until = attempt.and_then(|attempt| holds::try_again(attempt, driver.context.now()));
            TurnOutcome::UsageLimit { text, until, guessed: true }
        }
        outcome => outcome,
    }
}

/// Asks a person as soon as the running turn has used up what the attempt may use; its turn is cancelled with that.
pub(super) async fn hold_budget(
    driver: &Driver,
    task: &TaskState,
    attempt: &AttemptState,
) -> Result<(), StepError> {
    let in_turn = attempt.phase == Phase::Working && driver.conversation.stage() == Stage::Turn;
    if attempt.budget.is_none() || !in_turn || attempt.running_turn().is_none() {
        return Ok(());
    }
    let mut used = attempt.usage;
    used.add(&priced(driver, task, driver.conversation.used()));
    match attempt.over_budget(&used) {
        // What is not known yet may be said at the end of the turn.
        None | Some(Blocked::Budget { unknown: true, .. }) => Ok(()),
        Some(why) => driver.report(Event::AttemptBlocked { attempt: driver.id.number, why }).await.map(drop),
    }
}

/// The usage with its cost, where the agent reports none and the definition has a price for the model.
fn priced(driver: &Driver, task: &TaskState, usage: Usage) -> Usage {
    let definition = task
        .attempt(driver.id.number)
        .and_then(|attempt| super::plan::definition(&driver.context, task, attempt).ok());
    definition.map_or(usage, |definition| definition.priced(usage, driver.conversation.model()))
}

fn login_command(driver: &Driver, task: &TaskState) -> Option<String> {
    let attempt = task.attempt(driver.id.number)?;
    let found = super::plan::definition(&driver.context, task, attempt).ok()?;
    Some(found.log_in.clone().unwrap_or_else(|| found.login_hint())).filter(|command| !command.is_empty())
}

/// The session cannot go on: a person must know why.
pub(super) async fn failed(driver: &mut Driver, failure: &Failure) -> Result<(), StepError> {
    let text = failure.text.clone();
    let task = driver.context.task(driver.id)?;
    let Some(attempt) = task.attempt(driver.id.number) else { return Ok(()) };
    if let Some(running) = attempt.running_turn() {
        let outcome = match failure.kind {
            FailureKind::NeedsLogin => TurnOutcome::NeedsLogin { text, command: None },
            FailureKind::ProcessEnded => TurnOutcome::ProcessEnded { text },
            FailureKind::Protocol | FailureKind::Session => TurnOutcome::AgentError { text },
        };
        return ended(driver, running.number, outcome, Usage::default()).await;
    }
    if attempt.phase != Phase::Working {
        return Ok(());
    }
    if failure.kind == FailureKind::NeedsLogin {
        share::outdate(&driver.context, attempt).await?;
    }
    let why = match failure.kind {
        FailureKind::NeedsLogin => Blocked::Login { text, command: login_command(driver, &task) },
        _ => Blocked::Agent { text },
    };
    driver.report(Event::AttemptBlocked { attempt: driver.id.number, why }).await.map(drop)
}

/// A turn that the agent never got, or of which nothing was heard, ends with its session.
pub(super) async fn abandon(driver: &mut Driver, why: &str) -> Result<(), StepError> {
    let task = driver.context.task(driver.id)?;
    let running = task.attempt(driver.id.number).and_then(AttemptState::running_turn);
    let Some(running) = running.filter(|running| running.session == driver.number) else { return Ok(()) };
    let outcome =
        match running.cancel_requested || task.attempt(driver.id.number).is_some_and(AttemptState::ended) {
            true => TurnOutcome::Cancelled,
            false => TurnOutcome::ProcessEnded { text: why.to_owned() },
        };
    ended(driver, running.number, outcome, Usage::default()).await
}

async fn snapshot(driver: &Driver, turn: u32) -> Result<(), StepError> {
    let taken = driver.context.worker.snapshot(driver.context.attempt(driver.id)?, turn).await?;
    driver
        .report(Event::SnapshotTaken {
            attempt: driver.id.number,
            turn,
            commit: taken.commit,
            reference: taken.reference,
            notes: taken.notes,
        })
        .await
        .map(drop)
}
