//! The rules: a state and a command in, events out. No I/O, no clock, no chance; fresh ids are passed in.

mod import;
mod people;
mod report;

use uuid::Uuid;

use crate::command::Command;
use crate::event::{Delivery, Event, Origin, Prompt};
use crate::ids::ItemId;
use crate::inbox::Ask;
use crate::limits;
use crate::refusal::Refusal;
use crate::state::{AttemptState, Phase, TaskState};
use crate::task::TaskSpec;

/// Decides a command. The events are appended all or none; none means that nothing needs to change.
pub fn decide(
    state: Option<&TaskState>,
    command: Command,
    new_id: &mut dyn FnMut() -> Uuid,
) -> Result<Vec<Event>, Refusal> {
    let Some(state) = state else {
        return match command {
            Command::Add { spec } => add(spec),
            _ => Err(Refusal::not_found("there is no such task", "divisi ls lists the tasks")),
        };
    };
    let mut ids = Ids(new_id);
    match command {
        Command::Add { .. } => Err(Refusal::wrong_state("the task exists already", "")),
        Command::Send { attempt, text, delivery } => people::send(state, attempt, text, delivery),
        Command::Cancel { attempt } => people::cancel(state, attempt),
        Command::Answer { item, answer } => people::answer(state, item, answer),
        Command::Review { attempt, commit, verdict, comments, note } => {
            people::review(state, attempt, commit, verdict, comments, note)
        }
        Command::Land { attempt } => people::land(state, attempt),
        Command::Undo { attempt } => people::undo(state, attempt),
        Command::Stop { attempt } => people::stop(state, attempt),
        Command::Resume { attempt } => people::resume(state, attempt),
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

fn add(spec: Box<TaskSpec>) -> Result<Vec<Event>, Refusal> {
    if spec.prompt.trim().is_empty() {
        return Err(Refusal::bad_input(
            "the prompt is empty",
            "say what is wanted: divisi run \"fix the parser\"",
        ));
    }
    check_length(&spec.prompt)?;
    if spec.agents.is_empty() {
        return Err(Refusal::bad_input(
            "no agent was chosen",
            "divisi agents lists the agents that are ready",
        ));
    }
    if spec.agents.len() > usize::from(limits::ATTEMPTS) {
        let most = limits::ATTEMPTS;
        return Err(Refusal::limit(format!("a task has at most {most} attempts"), "give out a second task"));
    }
    if spec.checks().len() > limits::CHECKS {
        let most = limits::CHECKS;
        return Err(Refusal::limit(
            format!("a task has at most {most} checks"),
            "join some of them in a script",
        ));
    }
    let mut events = vec![Event::TaskAdded { spec: spec.clone() }];
    for (number, agent) in (1u16..).zip(&spec.agents) {
        events.push(Event::AttemptAdded {
            attempt: number,
            agent: agent.clone(),
            branch: spec.branch(number),
        });
        let prompt =
            Prompt { id: 1, text: first_prompt(&spec), origin: Origin::Task, delivery: Delivery::Queue };
        events.push(Event::PromptQueued { attempt: number, prompt });
    }
    Ok(events)
}

/// The first prompt: the task, and what will be checked.
fn first_prompt(spec: &TaskSpec) -> String {
    let mut text = spec.prompt.clone();
    let checks = spec.checks();
    let persons = spec.criteria.iter().filter(|c| c.by == crate::task::CheckedBy::Person);
    let persons: Vec<_> = persons.map(|c| format!("\n- {}", c.text)).collect();
    if checks.is_empty() && persons.is_empty() {
        return text;
    }
    text.push_str(
        "\n\nThe result is accepted when all of this holds; it is verified independently of you:\n",
    );
    for check in &checks {
        let words = check.criterion.and_then(|i| spec.criteria.get(i)).map(|c| c.text.as_str());
        match words.filter(|words| *words != check.command) {
            Some(words) => text.push_str(&format!("\n- {words} (`{}` exits 0)", check.command)),
            None => text.push_str(&format!("\n- `{}` exits 0", check.command)),
        }
    }
    text.extend(persons);
    text.push('\n');
    text
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
    Some(queue(attempt, format!("{GO_ON}{words}"), origin, Delivery::Queue))
}

fn queue(attempt: &AttemptState, text: String, origin: Origin, delivery: Delivery) -> Event {
    let prompt = Prompt { id: attempt.prompts + 1, text, origin, delivery };
    Event::PromptQueued { attempt: attempt.number, prompt }
}

fn require_attempt(state: &TaskState, number: u16) -> Result<&AttemptState, Refusal> {
    state.attempt(number).ok_or_else(|| {
        let task = state.spec.number;
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
