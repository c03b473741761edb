//! What is wanted, until the first attempt is there: add, stage, change, start, and its place among those that wait.

use jiff::Timestamp;

use super::{check_images, check_length, people};
use crate::event::{Delivery, Event, Origin, Prompt};
use crate::limits;
use crate::refusal::Refusal;
use crate::state::TaskState;
use crate::task::{CheckedBy, TaskSpec};

pub(super) fn add(spec: Box<TaskSpec>, stage: bool) -> Result<Vec<Event>, Refusal> {
    check(&spec)?;
    let attempts = if stage { Vec::new() } else { attempts(&spec) };
    Ok([vec![Event::TaskAdded { spec }], attempts].concat())
}

pub(super) fn edit(state: &TaskState, spec: Box<TaskSpec>) -> Result<Vec<Event>, Refusal> {
    people::not_archived(state)?;
    if !state.staged() {
        let task = state.spec.number;
        return Err(Refusal::wrong_state(
            format!("{task} has started, so what is wanted stays as it is"),
            format!("divisi send {task} \"…\" tells its agent something new"),
        ));
    }
    check(&spec)?;
    let same = *spec == state.spec;
    Ok(if same { vec![] } else { vec![Event::TaskEdited { spec: of(state, spec) }] })
}

pub(super) fn start(state: &TaskState, spec: Box<TaskSpec>) -> Result<Vec<Event>, Refusal> {
    people::not_archived(state)?;
    if !state.staged() {
        return Ok(vec![]);
    }
    let mut events = edit(state, spec.clone())?;
    events.extend(attempts(&of(state, spec)));
    Ok(events)
}

pub(super) fn move_to(state: &TaskState, since: Timestamp) -> Result<Vec<Event>, Refusal> {
    people::not_archived(state)?;
    Ok(if state.moved_to == Some(since) { vec![] } else { vec![Event::TaskMoved { since }] })
}

/// What a command is told that is for an attempt, of a task that has none yet.
pub(super) fn not_started(state: &TaskState) -> Refusal {
    let task = state.spec.number;
    Refusal::wrong_state(format!("{task} is staged: it has not started"), format!("divisi start {task}"))
}

/// A task keeps its number and its project, whatever becomes of the rest.
fn of(state: &TaskState, spec: Box<TaskSpec>) -> Box<TaskSpec> {
    Box::new(TaskSpec { number: state.spec.number, project: state.spec.project, ..*spec })
}

fn check(spec: &TaskSpec) -> Result<(), Refusal> {
    if spec.prompt.trim().is_empty() {
        return Err(Refusal::bad_input(
            "the prompt is empty",
            "say what is wanted: divisi run \"fix the parser\"",
        ));
    }
    check_length(&spec.prompt)?;
    check_images(&spec.images)?;
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
    if spec.scope.len() > limits::SCOPE {
        let most = limits::SCOPE;
        return Err(Refusal::limit(format!("a scope has at most {most} patterns"), "name their folders"));
    }
    if spec.scope.iter().any(|pattern| pattern.trim().is_empty() || pattern.contains('\n')) {
        return Err(Refusal::bad_input("a pattern of the scope is empty", "--scope \"src/**\""));
    }
    Ok(())
}

fn attempts(spec: &TaskSpec) -> Vec<Event> {
    let mut events = Vec::new();
    for (number, agent) in (1u16..).zip(&spec.agents) {
        events.push(Event::AttemptAdded {
            attempt: number,
            agent: agent.clone(),
            branch: spec.branch(number),
        });
        let (text, images) = (first_prompt(spec), spec.images.clone());
        let prompt = Prompt { id: 1, text, images, origin: Origin::Task, delivery: Delivery::Queue };
        events.push(Event::PromptQueued { attempt: number, prompt });
    }
    events
}

/// The first prompt: the task, and what will be checked.
fn first_prompt(spec: &TaskSpec) -> String {
    let mut text = spec.prompt.clone();
    if !spec.scope.is_empty() {
        let scope: Vec<_> = spec.scope.iter().map(|pattern| format!("\n- `{pattern}`")).collect();
        text.push_str(&format!(
            "\n\nChange only files that these patterns name, as `.gitignore` reads them:\n{}\n",
            scope.concat()
        ));
    }
    let checks = spec.checks();
    let persons = spec.criteria.iter().filter(|c| c.by == CheckedBy::Person);
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
