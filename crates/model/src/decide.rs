//! The rules: a state and a command in, events out. No I/O, no clock, no chance; fresh ids are passed in.

mod comments;
mod import;
mod people;
mod queue;
mod report;
mod rollback;
mod stage;

use uuid::Uuid;

use crate::command::Command;
use crate::event::{Delivery, Event, Origin, Prompt};
use crate::ids::ItemId;
use crate::image::Image;
use crate::inbox::Ask;
use crate::limits;
use crate::refusal::Refusal;
use crate::state::{AttemptState, Phase, TaskState};

/// Decides a command. The events are appended all or none; none means that nothing needs to change.
pub fn decide(
    state: Option<&TaskState>,
    command: Command,
    new_id: &mut dyn FnMut() -> Uuid,
) -> Result<Vec<Event>, Refusal> {
    let Some(state) = state else {
        return match command {
            Command::Add { spec, stage } => stage::add(spec, stage),
            _ => Err(Refusal::not_found("there is no such task", "divisi ls lists the tasks")),
        };
    };
    let mut ids = Ids(new_id);
    match command {
        Command::Add { .. } => Err(Refusal::wrong_state("the task exists already", "")),
        Command::Edit { spec } => stage::edit(state, spec),
        Command::Start { spec } => stage::start(state, spec),
        Command::Move { since } => stage::move_to(state, since),
        Command::Send { attempt, text, images, delivery } => {
            people::send(state, attempt, text, images, delivery)
        }
        Command::TakeBack { attempt, prompt } => queue::take_back(state, attempt, prompt),
        Command::RollBack { attempt, to, paths } => rollback::roll_back(state, attempt, to, paths),
        Command::Cancel { attempt } => people::cancel(state, attempt),
        Command::Answer { item, answer } => people::answer(state, item, answer),
        Command::Review { attempt, commit, verdict, comments, note } => {
            people::review(state, attempt, commit, verdict, comments, note, &mut ids)
        }
        Command::Comment { attempt, comment } => comments::write(state, attempt, comment),
        Command::EditComment { attempt, comment, text } => comments::edit(state, attempt, comment, text),
        Command::DeleteComment { attempt, comment } => comments::delete(state, attempt, comment),
        Command::ResolveComment { attempt, comment } => comments::resolve(state, attempt, comment),
        Command::ReopenComment { attempt, comment, text } => comments::reopen(state, attempt, comment, text),
        Command::MarkViewed { attempt, files, viewed } => comments::view(state, attempt, files, viewed),
        Command::Land { attempt } => people::land(state, attempt),
        Command::Undo { attempt } => people::undo(state, attempt),
        Command::Stop { attempt } => people::stop(state, attempt),
        Command::Resume { attempt } => people::resume(state, attempt),
        Command::SetBudget { attempt, budget } => people::set_budget(state, attempt, budget),
        Command::Archive => people::archive(state),
        Command::Restore => people::restore(state),
        Command::SendBack { attempt, text, origin } => send_back(state, attempt, text, origin, &mut ids),
        Command::Ask { attempt, ask, allowed } => report::asked(state, attempt, *ask, allowed, &mut ids),
        Command::Import { why, kept } => Ok(import::import(state, &why, &kept)),
        Command::Report(event) => report::report(state, event, &mut ids),
    }
}

/// Fresh ids, given in from outside.
struct Ids<'a>(&'a mut dyn FnMut() -> Uuid);

impl Ids<'_> {
    fn open(&mut self, attempt: u16, ask: Ask) -> Event {
        Event::ItemOpened { item: ItemId((self.0)()), attempt, ask }
    }
}

/// Divisi sends an attempt back, a bounded number of times; then a person is asked.
fn send_back(
    state: &TaskState,
    number: u16,
    text: String,
    origin: Origin,
    ids: &mut Ids<'_>,
) -> Result<Vec<Event>, Refusal> {
    let attempt = require_attempt(state, number)?;
    if !matches!(attempt.phase, Phase::Checking | Phase::Approved | Phase::Landing) {
        return Err(wrong(state, attempt, "sent back"));
    }
    let mut events = vec![queue(attempt, text, origin, Delivery::Queue)];
    if attempt.rounds >= state.spec.settings.rounds {
        let why = crate::event::Blocked::OutOfRounds { rounds: attempt.rounds };
        events.extend(block(state, number, why, ids));
    }
    Ok(events)
}

/// Blocks an attempt and tells a person why and what would help; what ends by itself asks nothing of anybody.
fn block(state: &TaskState, number: u16, why: crate::event::Blocked, ids: &mut Ids<'_>) -> Vec<Event> {
    let ends_by_itself = why.ends_at().is_some();
    let hint = crate::view::hint_for(&why, state, number);
    let ask = Ask::Stall { why: why.to_string(), hint };
    let mut events = vec![Event::AttemptBlocked { attempt: number, why }];
    if !ends_by_itself {
        events.push(ids.open(number, ask));
    }
    events
}

/// What an agent is told after its turn was interrupted. The words of that turn stand in it again, since nobody can
/// know how much of them the agent still has.
const GO_ON: &str = "You were interrupted in the middle of your last turn. Look at the workspace, then go on from where \
                     you stopped. What was asked:\n\n";

/// The prompt of the last turn once more, unless something waits for the agent anyway.
fn again(attempt: &AttemptState, origin: Origin) -> Option<Event> {
    if !attempt.queue.is_empty() {
        return None;
    }
    let asked =
        attempt.turns.last().map(|turn| turn.prompts.iter().map(|p| p.text.as_str()).collect::<Vec<_>>());
    let asked = asked.unwrap_or_default().join("\n\n");
    let words = asked.strip_prefix(GO_ON).unwrap_or(&asked);
    let mut again = queue(attempt, format!("{GO_ON}{words}"), origin, Delivery::Queue);
    if let Event::PromptQueued { prompt, .. } = &mut again {
        let asked = attempt.turns.last().into_iter().flat_map(|turn| &turn.prompts);
        prompt.images = asked.flat_map(|prompt| &prompt.images).take(limits::IMAGES).cloned().collect();
    }
    Some(again)
}

fn queue(attempt: &AttemptState, text: String, origin: Origin, delivery: Delivery) -> Event {
    let prompt = Prompt { id: attempt.prompts + 1, text, images: Vec::new(), origin, delivery };
    Event::PromptQueued { attempt: attempt.number, prompt }
}

fn require_attempt(state: &TaskState, number: u16) -> Result<&AttemptState, Refusal> {
    state.attempt(number).ok_or_else(|| {
        let task = state.spec.number;
        if state.staged() {
            return stage::not_started(state);
        }
        let last = state.attempts.len();
        Refusal::not_found(
            format!("{task} has no attempt {number}"),
            format!("its attempts are {task}.1 to {task}.{last}"),
        )
    })
}

fn wrong(state: &TaskState, attempt: &AttemptState, what: &str) -> Refusal {
    let handle = state.handle(attempt.number);
    let status = crate::view::status(state, attempt);
    Refusal::wrong_state(format!("{handle} cannot be {what}: it is {}", status.state), status.next)
}

fn check_images(images: &[Image]) -> Result<(), Refusal> {
    if images.len() > limits::IMAGES {
        let most = limits::IMAGES;
        return Err(Refusal::limit(
            format!("a prompt has at most {most} images"),
            "send the others with the next message",
        ));
    }
    match images.iter().find(|image| image.bytes > limits::IMAGE_BYTES as u64) {
        Some(image) => Err(too_large(&image.name)),
        None => Ok(()),
    }
}

/// Why an image is not taken.
pub fn too_large(name: &str) -> Refusal {
    let most = limits::IMAGE_BYTES / 1024 / 1024;
    Refusal::limit(format!("{name:?} is larger than {most} MiB"), "make it smaller, or cut out what matters")
}

fn check_length(text: &str) -> Result<(), Refusal> {
    if text.len() <= limits::PROMPT_BYTES {
        return Ok(());
    }
    let most = limits::PROMPT_BYTES / 1024;
    Err(Refusal::limit(
        format!("a prompt has at most {most} KiB"),
        "put the text in a file of the repository and name it",
    ))
}
