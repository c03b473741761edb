//! One turn over ACP: from the prompt to its answer.

use std::sync::Arc;

use agent_client_protocol_schema::v1::{Error, PromptResponse, StopReason, Usage};
use serde_json::{Value, json};

use crate::script::{Crash, Fault, FaultKind, Turn};

use super::answer::Client;
use super::audience::Audience;
use super::cancel::{Cancel, lock};
use super::images::SeenImage;
use super::options::{Mode, Options};
use super::pace::Pace;
use super::perform::{Ending, Performer};
use super::session::Session;
use super::wire::{Wire, value};

/// Performs a turn and gives the answer to its prompt. Does not come back from a script that crashes.
pub fn run(
    wire: &Wire,
    session: &Session,
    options: &Options,
    forms: bool,
    (turn, images): (&Turn, &[SeenImage]),
    cancel: &Arc<Cancel>,
) -> Result<Value, Error> {
    let (number, asks, always) = {
        let state = lock(&session.state);
        (state.prompts, state.mode == Mode::Ask, state.always.clone())
    };
    let client = Client { wire, session, turn: number, forms, used: std::cell::Cell::new(None) };
    let mut performer = Performer {
        audience: &client,
        workspace: &session.workspace,
        cancel,
        images,
        pace: Pace::new(options.pace, options.seed.wrapping_add(u64::from(number))),
        asks,
        reject_ends_turn: options.reject_ends_turn,
        always,
        turn: number,
        count: 0,
        slow: None,
    };
    let ending = performer.perform(&turn.steps);
    lock(&session.state).always = performer.always;
    let reason = match ending {
        Ending::Stop(reason) => reason,
        Ending::Crash(crash) => die(crash),
        Ending::Failed(fault) if options.errors_as_end_turn => {
            client.message(u32::MAX, &fault.message);
            StopReason::EndTurn
        }
        Ending::Failed(fault) => return Err(failure(&fault)),
    };
    let usage = client.used.get().map(|tokens| {
        let input = tokens.input + tokens.cached_read + tokens.cached_write;
        Usage::new(input + tokens.output, tokens.input, tokens.output)
            .cached_read_tokens(tokens.cached_read)
            .cached_write_tokens(tokens.cached_write)
            .thought_tokens(tokens.thought)
    });
    Ok(value(&PromptResponse::new(reason).usage(usage)))
}

/// How a provider's failure looks on the wire: agents pass it on as an error of the prompt.
fn failure(fault: &Fault) -> Error {
    let (code, status) = match fault.kind {
        FaultKind::Unauthorized => (-32000, 401),
        FaultKind::UsageLimit | FaultKind::RateLimit => (-32603, 429),
        FaultKind::Overloaded => (-32603, 529),
        FaultKind::Internal => (-32603, 500),
    };
    let mut data = json!({"status": status});
    if let Some(wait) = fault.retry_after {
        data["retryAfterSeconds"] = json!(wait.as_secs_f64());
    }
    Error::new(code, fault.message.clone()).data(data)
}

/// Ends the process as a script wants it.
pub fn die(crash: Crash) -> ! {
    match crash {
        Crash::Code(code) => std::process::exit(i32::from(code)),
        Crash::Signal(number) => {
            if let Some(signal) = rustix::process::Signal::from_named_raw(number) {
                // If the signal cannot be sent, or is survived, the process still ends.
                let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
            }
            std::process::abort()
        }
    }
}
