//! Words that wait for an agent, and taking them back.

use super::require_attempt;
use crate::event::{Event, Origin};
use crate::refusal::Refusal;
use crate::state::{Phase, TaskState};

/// What a person sent is taken back until an agent gets it. What Divisi sent is not theirs to take.
pub(super) fn take_back(state: &TaskState, number: u16, prompt: u32) -> Result<Vec<Event>, Refusal> {
    let attempt = require_attempt(state, number)?;
    let handle = state.handle(number);
    let Some(queued) = attempt.queue.iter().find(|queued| queued.id == prompt) else {
        let given = attempt.turns.iter().any(|turn| turn.prompts.iter().any(|given| given.id == prompt));
        return Err(match given {
            true => Refusal::wrong_state(
                format!("{} has that message already", attempt.agent),
                format!("divisi send {handle} --interrupt \"…\" says something else instead"),
            ),
            false => Refusal::not_found(
                format!("no message {prompt} waits for {handle}"),
                format!("divisi show {handle} lists what waits"),
            ),
        });
    };
    if queued.origin != Origin::Person {
        return Err(Refusal::wrong_state(
            "only what a person sent can be taken back".to_owned(),
            format!("divisi stop {handle} ends the attempt"),
        ));
    }
    // An agent that is started for these words alone would have nothing to do.
    let is_on_its_way = matches!(attempt.phase, Phase::Preparing | Phase::Working)
        && attempt.running_turn().is_none()
        && attempt.queue.len() == 1;
    if is_on_its_way {
        return Err(Refusal::wrong_state(
            "the agent is about to get it".to_owned(),
            format!("divisi cancel {handle} ends the turn, divisi stop {handle} the attempt"),
        ));
    }
    Ok(vec![Event::PromptTakenBack { attempt: number, prompt }])
}
