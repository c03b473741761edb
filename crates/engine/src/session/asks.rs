//! What an agent asks, and how the answers reach it.

use divisi_agent::{Asked, CommandError, Reply};
use divisi_model::event::Event;
use divisi_model::inbox::{Answer, Ask, InboxItem};
use divisi_model::policy;
use divisi_model::{Actor, Command, ItemId, TaskState};

use super::drive::Driver;
use crate::stage::StepError;

/// The agent asks: it becomes an inbox item, which a rule may answer at once. Both stand in the log.
pub(super) async fn asked(driver: &mut Driver, asked: Asked) -> Result<(), StepError> {
    let (session, request) = (driver.number, asked.request.clone());
    let ask = match &asked.tool {
        Some(tool) => Ask::Permission {
            session,
            request,
            title: asked.title.clone(),
            tool: format!("{:?}", tool.kind).to_lowercase(),
            detail: detail(tool),
            options: asked.options.clone(),
        },
        None => Ask::Question { session, request, text: asked.title.clone(), options: asked.options.clone() },
    };
    let task = driver.context.task(driver.id)?;
    let allowed = asked.tool.as_ref().and_then(|tool| {
        let workspace = &task.attempt(driver.id.number)?.workspace.as_ref()?.path;
        policy::allowed_by(task.spec.settings.permissions, tool, workspace.as_ref())
    });
    if let Some(rule) = allowed {
        tracing::debug!(attempt = %driver.id, rule, "a permission was given by a rule");
    }
    let (attempt, ask, allowed) = (driver.id.number, Box::new(ask), allowed.is_some());
    submit(driver, Command::Ask { attempt, ask, allowed }).await
}

/// Opens an inbox item for this attempt, unless the same is open already.
pub(super) async fn open(driver: &Driver, ask: Ask) -> Result<(), StepError> {
    let item = ItemId(driver.context.authority.clock().id());
    driver.report(Event::ItemOpened { item, attempt: driver.id.number, ask }).await.map(drop)
}

/// The agent no longer waits for an answer.
pub(super) async fn over(driver: &Driver, request: &str) -> Result<(), StepError> {
    let task = driver.context.task(driver.id)?;
    let Some(item) = task.open_items().find(|item| names(item, driver, request)) else { return Ok(()) };
    withdraw(driver, item.id, "the agent no longer asks").await
}

/// Nobody needs to answer an item any more.
pub(super) async fn withdraw(driver: &Driver, item: ItemId, why: &str) -> Result<(), StepError> {
    let answer = Answer::Withdrawn { why: why.to_owned() };
    submit(driver, Command::Answer { item, answer }).await
}

/// Gives the agent the answers that stand in the log and that it has not got yet.
pub(super) async fn answer(driver: &mut Driver, task: &TaskState) -> Result<(), StepError> {
    let open: Vec<String> = driver.conversation.open_requests().into_iter().map(str::to_owned).collect();
    for request in open {
        let item = task.items.iter().find(|item| names(item, driver, &request));
        let Some(given) = item.and_then(|item| item.answer.as_ref()) else { continue };
        let (reply, now) = (reply(given), driver.context.now());
        let actions = match driver.conversation.answer(&request, &reply, now) {
            Err(CommandError::NoSuchOption { .. }) => {
                driver.conversation.answer(&request, &Reply::Withdraw, now)
            }
            done => done,
        };
        match actions {
            Ok(actions) => driver.act(actions).await?,
            Err(error) => tracing::debug!(attempt = %driver.id, %error, "an answer came too late"),
        }
    }
    Ok(())
}

fn names(item: &InboxItem, driver: &Driver, name: &str) -> bool {
    item.attempt == driver.id.number
        && match &item.ask {
            Ask::Permission { session, request, .. } | Ask::Question { session, request, .. } => {
                *session == driver.number && request == name
            }
            _ => false,
        }
}

fn reply(answer: &Answer) -> Reply {
    match answer {
        Answer::Approved { always } => Reply::Allow { always: *always },
        Answer::Denied { .. } => Reply::Deny { always: false },
        Answer::Chosen { option } => Reply::Option(option.clone()),
        Answer::Text { text } => Reply::Words(text.clone()),
        Answer::Withdrawn { .. } => Reply::Withdraw,
    }
}

async fn submit(driver: &Driver, command: Command) -> Result<(), StepError> {
    match driver.context.authority.submit(Actor::Divisi, driver.id.task, command).await {
        Ok(_) => Ok(()),
        // A person was faster.
        Err(refusal) if refusal.kind != divisi_model::RefusalKind::Internal => Ok(()),
        Err(refusal) => Err(refusal.into()),
    }
}

/// What a person needs to see before saying yes: the command or input, and the files.
fn detail(tool: &divisi_model::transcript::ToolCall) -> String {
    let mut detail = tool.input.as_ref().map(ToString::to_string).unwrap_or_default();
    for location in &tool.locations {
        detail.push_str(&format!("\n{}", location.path));
    }
    detail.trim().to_owned()
}
