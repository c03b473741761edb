//! Opening a session, or finding the open one again: the launch, and the conversation as its journals tell it.

use std::path::Path;
use std::sync::Arc;

use divisi_agent::acp::{self, Open, PromptPart};
use divisi_agent::{Conversation, ConversationSetup, Counted, Definition, Drive, ExecTurn, exec};
use divisi_model::event::{Blocked, Delivery, Event, Origin, Prompt, SessionStart};
use divisi_model::{AttemptId, AttemptState, Phase, TaskState};

use super::plan::{self, Cannot};
use super::share;
use crate::context::{Context, blocking};
use crate::images;
use crate::stage::StepError;
use crate::worker::Launch;

/// The setup of the conversation, kept beside the launch: a replay needs the same.
const SETUP: &str = "setup.json";
/// How many entries of the transcript are looked at for a hand-off.
const HAND_OFF_ENTRIES: usize = 400;

/// A session ready to be driven.
pub(super) struct Opened {
    pub(super) number: u32,
    pub(super) launch: Arc<dyn Launch>,
    pub(super) conversation: Conversation,
    pub(super) written: u64,
    pub(super) hand_off: bool,
}

/// Finds the attempt's open session or opens one. `None` when there is nothing to drive, or when the agent cannot be
/// started, which a person is told then.
pub(super) async fn open(context: &Arc<Context>, id: AttemptId) -> Result<Option<Opened>, StepError> {
    let Some(task) = with_open_session(context, id).await? else { return Ok(None) };
    let Some(attempt) = task.attempt(id.number) else { return Ok(None) };
    let Some(session) = attempt.open_session() else { return Ok(None) };
    let dir = context.path(&session.launch);
    let setup = match launched(context, id, &task, attempt, &dir).await {
        Ok(Some(setup)) => setup,
        Ok(None) => return Ok(None),
        Err(Cannot::Step(error)) => return Err(error),
        Err(Cannot::Start(text)) => {
            let (attempt, session) = (id.number, session.number);
            context
                .report(id, Event::AttemptBlocked { attempt, why: Blocked::Agent { text: text.clone() } })
                .await?;
            context
                .report(id, Event::SessionClosed { attempt, session, why: text, forgotten: false })
                .await?;
            return Ok(None);
        }
    };
    let Some(launch) = context.worker.attach(dir).await? else {
        return Err(StepError("the launch of the session is gone".to_owned()));
    };
    let said = launch.load_stdin().map_err(|error| StepError::of(&error))?;
    let hand_off =
        session.number > 1 && matches!(&setup, ConversationSetup::Acp(acp::Setup { open: Open::New, .. }));
    let conversation = Conversation::replaying(setup, &said, session.opened);
    let written = said.len() as u64;
    Ok(Some(Opened { number: session.number, launch, conversation, written, hand_off }))
}

/// The task with an open session; its launch folder is in the log before anything is in the folder.
async fn with_open_session(
    context: &Arc<Context>,
    id: AttemptId,
) -> Result<Option<Arc<TaskState>>, StepError> {
    let task = context.task(id)?;
    let Some(attempt) = task.attempt(id.number) else { return Ok(None) };
    if attempt.open_session().is_some() {
        return Ok(Some(task));
    }
    if attempt.phase != Phase::Working {
        return Ok(None);
    }
    let number = u32::try_from(attempt.sessions.len()).unwrap_or(u32::MAX) + 1;
    let launch = format!("sessions/{}.{}/{number}", task.spec.number, id.number);
    let how = if number == 1 { SessionStart::New } else { SessionStart::Resumed };
    // If one is required and there is none, the start will say so.
    let sandbox = context.worker.sandbox().await.ok();
    let opened = Event::SessionOpened { attempt: id.number, session: number, launch, how, sandbox };
    Ok(if context.try_report(id, opened).await? { Some(context.task(id)?) } else { None })
}

/// Starts the launch unless that was done before. The setup is written first: without it nothing could be replayed.
async fn launched(
    context: &Arc<Context>,
    id: AttemptId,
    task: &TaskState,
    attempt: &AttemptState,
    dir: &Path,
) -> Result<Option<ConversationSetup>, Cannot> {
    if let Some(setup) = load(context, dir).await? {
        match context.worker.attach(dir.to_owned()).await? {
            Some(_) => return Ok(Some(setup)),
            None => tracing::debug!(attempt = %id, "the launch was prepared but not started"),
        }
    }
    if let Some(open) = attempt.open_session()
        && attempt.phase != Phase::Working
    {
        // Opened before a crash or a failure, for work that has to wait now.
        let why = "its agent was never started".to_owned();
        context
            .report(
                id,
                Event::SessionClosed { attempt: id.number, session: open.number, why, forgotten: false },
            )
            .await?;
        return Ok(None);
    }
    let definition = plan::definition(context, task, attempt)?;
    let (setup, turn) = match definition.drive {
        Drive::Acp => (None, None),
        Drive::Exec => match exec_setup(context, id, &definition, attempt).await? {
            Some((setup, turn)) => (Some(ConversationSetup::Exec(setup)), Some(turn)),
            None => return Ok(None),
        },
    };
    let own = plan::launch_context(context, id, task, attempt, turn)?;
    let plan = plan::plan(context, &definition, &own).await?;
    let setup = setup.unwrap_or_else(|| ConversationSetup::Acp(acp_setup(&definition, attempt, &plan)));
    save(context, dir, &setup)
        .await
        .map_err(|error| Cannot::Start(format!("its launch folder cannot be made: {error}")))?;
    let Some(workspace) = &attempt.workspace else { return Ok(None) };
    let spec = match share::join(context, id, task, attempt, &definition, &own, dir).await? {
        Some(spec) => spec,
        None => plan::furnish(context, plan, task, workspace.path.as_ref(), dir).await?,
    };
    plan::start(context, spec, dir).await?;
    Ok(Some(setup))
}

/// The agent's own id of the newest earlier session.
fn earlier(attempt: &AttemptState) -> Option<String> {
    attempt.sessions.iter().rev().skip(1).find_map(|session| session.agent_session.clone())
}

/// What the turns of the newest earlier session used, under whatever numbers it was taken up before.
fn counted(attempt: &AttemptState) -> Counted {
    let Some(agent_session) = earlier(attempt) else { return Counted::default() };
    let same = |number: u32| {
        let session = attempt.sessions.iter().find(|session| session.number == number);
        session.is_some_and(|session| session.agent_session.as_deref() == Some(agent_session.as_str()))
    };
    Counted::of(attempt.turns.iter().filter(|turn| same(turn.session)).map(|turn| &turn.usage))
}

fn zone() -> Option<String> {
    jiff::tz::TimeZone::system().iana_name().map(str::to_owned)
}

fn acp_setup(
    definition: &Definition,
    attempt: &AttemptState,
    plan: &divisi_agent::AgentLaunch,
) -> acp::Setup {
    let open = match earlier(attempt) {
        Some(earlier) if definition.can_resume() => Open::Resume(earlier),
        _ => Open::New,
    };
    acp::Setup {
        cwd: attempt.workspace.as_ref().map(|workspace| workspace.path.clone().into()).unwrap_or_default(),
        open,
        mcp_servers: Vec::new(),
        mode: plan.mode_id.clone(),
        authenticate: plan.authenticate.clone(),
        elicitation: definition.acp.questions,
        start_seconds: definition.acp.start_seconds,
        quirks: definition.quirks.clone(),
        zone: zone(),
        counted: counted(attempt),
        first_seq: 1,
        turn: u32::try_from(attempt.turns.len()).unwrap_or(u32::MAX),
    }
}

/// The next turn of a command that is started anew for each; it begins here, since the prompt is part of the launch.
async fn exec_setup(
    context: &Arc<Context>,
    id: AttemptId,
    definition: &Definition,
    attempt: &AttemptState,
) -> Result<Option<(exec::Setup, ExecTurn)>, Cannot> {
    let Some(session) = attempt.open_session() else { return Ok(None) };
    if attempt.running_turn().is_none() && !super::turns::begin(context, id, session.number).await? {
        return Ok(None);
    }
    let task = context.task(id)?;
    let Some(running) = task.attempt(id.number).and_then(AttemptState::running_turn) else { return Ok(None) };
    let earlier = earlier(attempt);
    let resume = earlier.is_some() && definition.can_resume();
    let mut room = images::room(false);
    let mut prompts = images::parts(context, id, &running.prompts, &mut room).await?;
    if session.number > 1 && !resume {
        prompts.splice(0..0, hand_off(context, id, &task, &mut room).await?);
    }
    let named = definition.exec.names_session.then(|| context.authority.clock().id().to_string());
    let session_name = if resume { earlier } else { named };
    let prompt = prompts.iter().map(PromptPart::read).collect::<Vec<_>>().join("\n\n");
    let turn = ExecTurn { prompt, session: session_name.clone(), resume };
    let setup = exec::Setup {
        output: definition.exec.output,
        turn: running.number,
        prompts,
        session: session_name,
        resume,
        quirks: definition.quirks.clone(),
        zone: zone(),
        counted: counted(attempt),
        first_seq: 1,
    };
    Ok(Some((setup, turn)))
}

async fn load(context: &Context, dir: &Path) -> Result<Option<ConversationSetup>, StepError> {
    let bytes = context.worker.load(dir.join(SETUP)).await?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

async fn save(context: &Context, dir: &Path, setup: &ConversationSetup) -> Result<(), StepError> {
    let bytes = serde_json::to_vec(setup).map_err(|error| StepError::of(&error))?;
    context.worker.save(dir.join(SETUP), bytes).await
}

/// What an agent that does not remember is told of what happened so far, with the images that it was given then.
pub(super) async fn hand_off(
    context: &Context,
    id: AttemptId,
    task: &TaskState,
    room: &mut u64,
) -> Result<Vec<PromptPart>, StepError> {
    let store = context.authority.store().clone();
    let entries = blocking(move || store.entries_latest(id, HAND_OFF_ENTRIES)).await?;
    let entries = entries.map_err(|error| StepError::of(&error))?;
    let entries: Vec<_> = entries.into_iter().map(|stored| stored.entry).collect();
    let packet = divisi_agent::handoff::HandOff { task: &task.spec.prompt, entries: &entries };
    let text = divisi_agent::handoff::packet(&packet);
    let images = task.attempt(id.number).map(images::before).unwrap_or_default();
    let prompt = Prompt { id: 0, text, images, origin: Origin::Task, delivery: Delivery::Queue };
    images::parts(context, id, &[prompt], room).await
}
