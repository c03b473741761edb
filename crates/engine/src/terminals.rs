//! What a person sees of an attempt at a terminal: a shell of their own in its workspace, and the bytes that its agent
//! wrote.

use std::io;
use std::sync::Arc;

use divisi_model::{AttemptId, AttemptState, Refusal};
use divisi_workspace::{Presence, Terminal, TerminalSize};
use jiff::Timestamp;

use crate::authority::internal;
use crate::context::{Context, blocking};
use crate::worker::{Attempt, Local, Output};
use crate::workspaces;

/// Shell of a person who has named none.
const SHELL: &str = "/bin/sh";

/// What the agent of a session wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// The session's number in its attempt, from 1.
    pub session: u32,
    /// When it was opened.
    pub opened: Timestamp,
    /// Whether more may come.
    pub open: bool,
    /// How many bytes there are; nothing where they are gone.
    pub bytes: Option<u64>,
}

/// Opens a shell for the person in the workspace of an attempt.
pub(crate) async fn open(
    context: &Arc<Context>,
    id: AttemptId,
    size: TerminalSize,
) -> Result<Terminal, Refusal> {
    let of = context.attempt(id).map_err(|error| internal(error.0))?;
    let handle = of.name();
    let Some(made) = &state(&of)?.workspace else {
        let hint = format!("divisi show {handle} says what it waits for");
        return Err(Refusal::wrong_state(format!("{handle} has no workspace yet"), hint));
    };
    if of.task.archived || state(&of)?.archived_as.is_some() {
        let hint = format!("divisi restore {} brings it back", of.task.spec.number);
        return Err(Refusal::wrong_state(format!("{handle} is archived, and its workspace with it"), hint));
    }
    let mut environment = workspaces::environment(context, id, made).map_err(|error| internal(error.0))?;
    // It is the person's own shell, with their settings; an agent gets another home.
    if let Some(home) = context.options.person.home.to_str() {
        environment.push(("HOME".to_owned(), home.to_owned()));
    }
    environment.push(("COLORTERM".to_owned(), "truecolor".to_owned()));
    context.worker.terminal(of, environment, size).await
}

/// Starts the person's shell on this machine.
pub(crate) async fn start(
    local: &Local,
    of: Attempt,
    environment: Vec<(String, String)>,
    size: TerminalSize,
) -> Result<Terminal, Refusal> {
    let local = local.clone();
    let started = blocking(move || {
        let handle = of.name();
        let (_, space) = workspaces::open(&local, &of).map_err(|error| internal(error.0))?;
        if space.presence() != Presence::Present {
            let hint = "divisi doctor looks for the cause";
            return Err(Refusal::wrong_state(format!("the workspace of {handle} is gone"), hint));
        }
        let named = environment.iter().find(|(name, value)| name == "SHELL" && !value.is_empty());
        let shell = named.map_or(SHELL, |(_, shell)| shell).to_owned();
        let opened = space.terminal(shell.as_ref(), environment, size);
        opened.map_err(|error| match error.kind() {
            io::ErrorKind::ResourceBusy => {
                let message = format!("the workspace of {handle} is in use");
                Refusal::wrong_state(message, "try again in a moment")
            }
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
                let message = format!("the shell {shell} cannot be started: {error}");
                Refusal::wrong_state(message, "name another in SHELL where the daemon is started")
            }
            _ => internal(format!("a terminal cannot be opened: {error}")),
        })
    });
    started.await.map_err(|error| internal(error.0))?
}

/// The journals of an attempt's sessions in their order.
pub(crate) async fn journals(context: &Arc<Context>, id: AttemptId) -> Result<Vec<Journal>, Refusal> {
    let of = context.attempt(id).map_err(|error| internal(error.0))?;
    let mut found = Vec::new();
    for session in &state(&of)?.sessions {
        let bytes = context.worker.log_bytes(context.path(&session.launch)).await;
        found.push(Journal {
            session: session.number,
            opened: session.opened,
            open: session.closed.is_none(),
            bytes: bytes.map_err(|error| internal(error.0))?,
        });
    }
    Ok(found)
}

/// Follows what the agent of a session wrote, from a byte of it on.
pub(crate) async fn follow(
    context: &Arc<Context>,
    id: AttemptId,
    session: u32,
    from: u64,
) -> Result<Box<dyn Output>, Refusal> {
    let of = context.attempt(id).map_err(|error| internal(error.0))?;
    let Some(found) = state(&of)?.sessions.iter().find(|known| known.number == session) else {
        return Err(Refusal::not_found(format!("{} has no session {session}", of.name()), ""));
    };
    let launch = context.worker.attach(context.path(&found.launch)).await;
    let Some(launch) = launch.map_err(|error| internal(error.0))? else {
        let message = format!("nothing is kept of what session {session} of {} wrote", of.name());
        return Err(Refusal::not_found(message, "the transcript has what was understood of it"));
    };
    launch.follow(from).map_err(|error| internal(format!("the journal cannot be read: {error}")))
}

fn state(of: &Attempt) -> Result<&AttemptState, Refusal> {
    of.state().map_err(|error| internal(error.0))
}
