//! Between the protocol's types and ours.

use std::path::Path;

use agent_client_protocol_schema::ProtocolVersion;
use agent_client_protocol_schema::v1 as acp;
use divisi_model::image::Given;
use divisi_model::inbox::{AskOption, Effect};
use divisi_model::transcript::{PlanStep, StepStatus, Text, limits};
use serde::Serialize;
use serde_json::{Value, json};

use super::setup::{McpServer, PartImage, PromptPart};

/// The parameters of `initialize`. Neither files nor terminals are offered: agents work on the workspace themselves.
pub(super) fn initialize(elicitation: bool) -> Value {
    let mut capabilities = acp::ClientCapabilities::new()
        .fs(acp::FileSystemCapabilities::new().read_text_file(false).write_text_file(false))
        .terminal(false);
    if elicitation {
        capabilities = capabilities
            .elicitation(acp::ElicitationCapabilities::new().form(acp::ElicitationFormCapabilities::new()));
    }
    let request = acp::InitializeRequest::new(ProtocolVersion::V1)
        .client_capabilities(capabilities)
        .client_info(acp::Implementation::new("divisi", env!("CARGO_PKG_VERSION")));
    let mut value = to_value(&request);
    // Older agents want both flags spelled out, newer ones take missing for false.
    value["clientCapabilities"]["fs"] = json!({"readTextFile": false, "writeTextFile": false});
    value["clientCapabilities"]["terminal"] = json!(false);
    // Terminal logins are a thing for people, and a young part of the protocol.
    if let Some(capabilities) = value["clientCapabilities"].as_object_mut() {
        capabilities.remove("auth");
    }
    value
}

pub(super) fn new_session(cwd: &Path, servers: &[McpServer]) -> Value {
    to_value(&acp::NewSessionRequest::new(cwd).mcp_servers(mcp(servers)))
}

pub(super) fn load_session(id: &str, cwd: &Path, servers: &[McpServer]) -> Value {
    to_value(&acp::LoadSessionRequest::new(id.to_owned(), cwd).mcp_servers(mcp(servers)))
}

pub(super) fn resume_session(id: &str, cwd: &Path, servers: &[McpServer]) -> Value {
    let mut value = to_value(&acp::ResumeSessionRequest::new(id.to_owned(), cwd).mcp_servers(mcp(servers)));
    // Some agents insist on the field although it may be left out.
    if value.get("mcpServers").is_none() {
        value["mcpServers"] = json!([]);
    }
    value
}

/// Each part is a block of words, and the blocks of its images follow it.
pub(super) fn prompt(session: &str, parts: &[PromptPart]) -> Value {
    let blocks = parts.iter().flat_map(|part| {
        let shown = part.images.iter().filter(|image| image.given.given == Given::Shown);
        let image = |image: &PartImage| {
            let media_type = image.given.image.media_type.as_str();
            acp::ContentBlock::Image(acp::ImageContent::new(image.data.clone(), media_type))
        };
        std::iter::once(acp::ContentBlock::Text(acp::TextContent::new(part.read()))).chain(shown.map(image))
    });
    to_value(&acp::PromptRequest::new(session.to_owned(), blocks.collect()))
}

/// The method by which Codex's adapter takes words in the middle of a turn (codex-acp 2.6.0).
pub(super) const STEERING: &str = "_session/steering";

/// Where the turn is over meanwhile, the words come back and no turn begins behind our back.
pub(super) fn steer(session: &str, parts: &[PromptPart]) -> Value {
    let mut value = prompt(session, parts);
    value["_meta"] = json!({"steering": {"idleBehavior": "promptRequired"}});
    value
}

pub(super) fn cancel(session: &str) -> Value {
    to_value(&acp::CancelNotification::new(session.to_owned()))
}

pub(super) fn close(session: &str) -> Value {
    to_value(&acp::CloseSessionRequest::new(session.to_owned()))
}

pub(super) fn authenticate(method: &str) -> Value {
    json!({ "methodId": method })
}

pub(super) fn set_mode(session: &str, mode: &str) -> Value {
    to_value(&acp::SetSessionModeRequest::new(session.to_owned(), mode.to_owned()))
}

pub(super) fn set_option(session: &str, option: &str, value: &str) -> Value {
    to_value(&acp::SetSessionConfigOptionRequest::new(
        session.to_owned(),
        option.to_owned(),
        acp::SessionConfigValueId::new(value),
    ))
}

pub(super) fn selected(option: &str) -> Value {
    to_value(&acp::RequestPermissionResponse::new(acp::RequestPermissionOutcome::Selected(
        acp::SelectedPermissionOutcome::new(option.to_owned()),
    )))
}

pub(super) fn not_selected() -> Value {
    to_value(&acp::RequestPermissionResponse::new(acp::RequestPermissionOutcome::Cancelled))
}

/// The words of a content block; a marker for what is not words.
pub(super) fn block_text(block: &acp::ContentBlock) -> String {
    match block {
        acp::ContentBlock::Text(text) => text.text.clone(),
        acp::ContentBlock::Image(image) => format!("[image, {}]", clip(&image.mime_type)),
        acp::ContentBlock::Audio(audio) => format!("[audio, {}]", clip(&audio.mime_type)),
        acp::ContentBlock::ResourceLink(link) => format!("[{}]({})", clip(&link.name), clip(&link.uri)),
        acp::ContentBlock::Resource(resource) => match &resource.resource {
            acp::EmbeddedResourceResource::TextResourceContents(text) => text.text.clone(),
            _ => "[attached file]".to_owned(),
        },
        _ => "[unknown content]".to_owned(),
    }
}

pub(super) fn steps(plan: &acp::Plan) -> Vec<PlanStep> {
    let status = |status: &acp::PlanEntryStatus| match status {
        acp::PlanEntryStatus::InProgress => StepStatus::InProgress,
        acp::PlanEntryStatus::Completed => StepStatus::Completed,
        _ => StepStatus::Pending,
    };
    plan.entries
        .iter()
        .take(limits::PLAN_STEPS)
        .map(|entry| PlanStep { text: clip(&entry.content), status: status(&entry.status) })
        .collect()
}

/// Reads the options of a permission request. A kind that is missing or unknown is guessed from the id.
pub(super) fn options(options: &[Value]) -> Vec<AskOption> {
    options
        .iter()
        .take(limits::OPTIONS)
        .filter_map(|option| {
            let id = option.get("optionId")?.as_str()?;
            let kind = option.get("kind").and_then(Value::as_str).unwrap_or_default();
            let name = option.get("name").and_then(Value::as_str).unwrap_or(id);
            Some(AskOption {
                id: id.to_owned(),
                name: clip(name),
                effect: effect(kind).unwrap_or_else(|| guess(id)),
            })
        })
        .collect()
}

/// Cuts a name, title or path to its bound.
pub(super) fn clip(text: &str) -> String {
    Text::clip(text, limits::NAME_BYTES).text
}

fn mcp(servers: &[McpServer]) -> Vec<acp::McpServer> {
    servers
        .iter()
        .map(|server| match server {
            McpServer::Stdio { name, command, args, env } => acp::McpServer::Stdio(
                acp::McpServerStdio::new(name.clone(), command.clone())
                    .args(args.clone())
                    .env(env.iter().map(|(k, v)| acp::EnvVariable::new(k.clone(), v.clone())).collect()),
            ),
            McpServer::Http { name, url, headers } => {
                acp::McpServer::Http(acp::McpServerHttp::new(name.clone(), url.clone()).headers(
                    headers.iter().map(|(k, v)| acp::HttpHeader::new(k.clone(), v.clone())).collect(),
                ))
            }
        })
        .collect()
}

fn effect(kind: &str) -> Option<Effect> {
    Some(match kind {
        "allow_once" => Effect::AllowOnce,
        "allow_always" => Effect::AllowAlways,
        "reject_once" => Effect::DenyOnce,
        "reject_always" => Effect::DenyAlways,
        _ => return None,
    })
}

fn guess(id: &str) -> Effect {
    let id = id.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| id.contains(word));
    match (
        has(&["reject", "deny", "cancel"]),
        has(&["allow", "approve", "proceed", "accept"]),
        has(&["always"]),
    ) {
        (true, _, true) => Effect::DenyAlways,
        (true, _, false) => Effect::DenyOnce,
        (_, true, true) => Effect::AllowAlways,
        (_, true, false) => Effect::AllowOnce,
        _ => Effect::Other,
    }
}

fn to_value(message: &impl Serialize) -> Value {
    serde_json::to_value(message).unwrap_or_default()
}
