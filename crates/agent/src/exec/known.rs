//! The shapes of JSON lines that vendors write, as they were seen.

use divisi_model::transcript::{FileDiff, PlanStep, StepStatus, ToolKind, ToolStatus, limits};
use serde_json::Value;

use super::read::{Piece, ToolUpdate, cut, words};
use crate::recorder::Voice;
use crate::usage;

type Reader = fn(&Value) -> Option<Vec<Piece>>;

/// One reader per family, tried in order.
pub(super) const READERS: &[Reader] = &[codex, opencode, goose, copilot, cline, kimi, gemini, claude];

/// Claude Code, and Qwen Code and Amp, which write alike.
fn claude(value: &Value) -> Option<Vec<Piece>> {
    match text(value, "type")? {
        "system" | "stream_event" | "control_request" => Some(session(value, "session_id")),
        "assistant" | "user" => {
            let message = value.get("message")?;
            let id = text(message, "id").map(str::to_owned);
            let blocks = message.get("content").and_then(Value::as_array).cloned().unwrap_or_default();
            Some(blocks.iter().filter_map(|block| claude_block(block, &id)).collect())
        }
        "result" => {
            let mut pieces = session(value, "session_id");
            if let Some(tokens) = value.get("usage").and_then(usage::tokens) {
                pieces.push(Piece::Tokens { tokens, adds: false });
            }
            if let Some(amount) = value.get("total_cost_usd").and_then(Value::as_f64) {
                pieces.push(Piece::Cost { amount, adds: false });
            }
            if value.get("is_error").and_then(Value::as_bool) == Some(true) {
                let error = value.get("error").or_else(|| value.get("result")).and_then(words);
                let error = error.or_else(|| text(value, "subtype").map(str::to_owned));
                pieces.push(Piece::Error(error.unwrap_or_default()));
            }
            Some(pieces)
        }
        _ => None,
    }
}

fn claude_block(block: &Value, id: &Option<String>) -> Option<Piece> {
    Some(match text(block, "type")? {
        "text" => {
            Piece::Text { voice: Voice::Message, id: id.clone(), text: text(block, "text")?.to_owned() }
        }
        "thinking" => {
            Piece::Text { voice: Voice::Thought, id: None, text: text(block, "thinking")?.to_owned() }
        }
        "tool_use" => tool(ToolUpdate::called(text(block, "id")?, text(block, "name")?, block.get("input"))),
        "tool_result" => {
            let failed = block.get("is_error").and_then(Value::as_bool) == Some(true);
            tool(ToolUpdate::ended(text(block, "tool_use_id")?, block.get("content").and_then(words), failed))
        }
        _ => return None,
    })
}

/// `codex exec --json`.
fn codex(value: &Value) -> Option<Vec<Piece>> {
    match text(value, "type")? {
        "thread.started" => Some(session(value, "thread_id")),
        "turn.started" => Some(Vec::new()),
        "turn.completed" => {
            let tokens = value.get("usage").and_then(usage::tokens);
            Some(tokens.map(|tokens| Piece::Tokens { tokens, adds: false }).into_iter().collect())
        }
        "turn.failed" => Some(vec![Piece::Error(value.get("error").and_then(words).unwrap_or_default())]),
        "error" if value.get("message").is_some() => {
            Some(vec![Piece::Error(value.get("message").and_then(words).unwrap_or_default())])
        }
        "item.started" | "item.updated" | "item.completed" => {
            let item = value.get("item")?;
            let over = text(value, "type") == Some("item.completed");
            Some(codex_item(item, over).into_iter().collect())
        }
        _ => None,
    }
}

fn codex_item(item: &Value, over: bool) -> Option<Piece> {
    let id = text(item, "id").unwrap_or("item");
    let status = match (text(item, "status"), over) {
        (Some("failed" | "declined"), _) => ToolStatus::Failed,
        (_, true) => ToolStatus::Completed,
        _ => ToolStatus::InProgress,
    };
    let mut update = ToolUpdate { status: Some(status), ..ToolUpdate::new(id) };
    match text(item, "type")? {
        "agent_message" if over => {
            let text = text(item, "text")?.to_owned();
            return Some(Piece::Text { voice: Voice::Message, id: Some(id.to_owned()), text });
        }
        "reasoning" if over => {
            let text = text(item, "text")?.to_owned();
            return Some(Piece::Text { voice: Voice::Thought, id: Some(id.to_owned()), text });
        }
        "todo_list" => {
            let steps = item.get("items")?.as_array()?.iter().take(limits::PLAN_STEPS);
            let step = |step: &Value| {
                let done = step.get("completed").and_then(Value::as_bool) == Some(true);
                let status = if done { StepStatus::Completed } else { StepStatus::Pending };
                Some(PlanStep { text: cut(text(step, "text")?), status })
            };
            return Some(Piece::Plan(steps.filter_map(step).collect()));
        }
        "error" => return Some(Piece::Error(words(item).unwrap_or_default())),
        "command_execution" => {
            update.kind = Some(ToolKind::Execute);
            update.title = text(item, "command").map(cut);
            update.output = text(item, "aggregated_output").filter(|o| !o.is_empty()).map(str::to_owned);
        }
        "file_change" => {
            update.kind = Some(ToolKind::Edit);
            let changes = item.get("changes").and_then(Value::as_array).cloned().unwrap_or_default();
            update.paths = changes.iter().filter_map(|c| text(c, "path")).map(cut).collect();
            update.title = Some(cut(&format!("edit {}", update.paths.join(", "))));
        }
        "mcp_tool_call" | "web_search" | "collab_tool_call" => {
            let name = text(item, "tool").or_else(|| text(item, "query")).unwrap_or("tool");
            update.title = Some(cut(name));
            update.output = item.get("result").and_then(words);
        }
        _ => return None,
    }
    Some(tool(update))
}

/// `gemini -o stream-json`.
fn gemini(value: &Value) -> Option<Vec<Piece>> {
    match text(value, "type")? {
        "init" => Some(session(value, "session_id")),
        "message" if value.get("role").is_some() => match text(value, "role") {
            Some("assistant") => Some(message(value.get("content")?, None)),
            _ => Some(Vec::new()),
        },
        "tool_use" if value.get("tool_id").is_some() => {
            let update = ToolUpdate::called(
                text(value, "tool_id")?,
                text(value, "tool_name")?,
                value.get("parameters"),
            );
            Some(vec![tool(update)])
        }
        "tool_result" if value.get("tool_id").is_some() => {
            let failed = text(value, "status") == Some("error");
            let output = value.get("output").or_else(|| value.get("error")).and_then(words);
            Some(vec![tool(ToolUpdate::ended(text(value, "tool_id")?, output, failed))])
        }
        "result" if value.get("stats").is_some() || value.get("status").is_some() => {
            let mut pieces = Vec::new();
            if let Some(tokens) = value.get("stats").and_then(usage::tokens) {
                pieces.push(Piece::Tokens { tokens, adds: false });
            }
            if text(value, "status") == Some("error") {
                pieces.push(Piece::Error(value.get("error").and_then(words).unwrap_or_default()));
            }
            Some(pieces)
        }
        _ => None,
    }
}

/// `opencode run --format json`, and Kilo, which is made from it.
fn opencode(value: &Value) -> Option<Vec<Piece>> {
    let id = text(value, "sessionID")?;
    let mut pieces = vec![Piece::Session(id.to_owned())];
    let part = value.get("part").unwrap_or(&Value::Null);
    match text(value, "type")? {
        "text" => pieces.push(Piece::Text {
            voice: Voice::Message,
            id: text(part, "id").map(str::to_owned),
            text: text(part, "text").unwrap_or_default().to_owned(),
        }),
        "reasoning" => pieces.push(Piece::Text {
            voice: Voice::Thought,
            id: text(part, "id").map(str::to_owned),
            text: text(part, "text").unwrap_or_default().to_owned(),
        }),
        "tool_use" => {
            let state = part.get("state").unwrap_or(&Value::Null);
            let id = text(part, "callID").or_else(|| text(part, "id")).unwrap_or("tool");
            let mut update = ToolUpdate::called(id, text(part, "tool").unwrap_or("tool"), state.get("input"));
            update.status = Some(match text(state, "status") {
                Some("completed") => ToolStatus::Completed,
                Some("error") => ToolStatus::Failed,
                _ => ToolStatus::InProgress,
            });
            update.output = state.get("output").or_else(|| state.get("error")).and_then(words);
            pieces.push(tool(update));
        }
        "step_finish" => {
            if let Some(mut tokens) = part.get("tokens").and_then(usage::tokens) {
                let cache =
                    |key| part.pointer(&format!("/tokens/cache/{key}")).and_then(Value::as_u64).unwrap_or(0);
                (tokens.cached_read, tokens.cached_write) = (cache("read"), cache("write"));
                pieces.push(Piece::Tokens { tokens, adds: true });
            }
            if let Some(amount) = part.get("cost").and_then(Value::as_f64) {
                pieces.push(Piece::Cost { amount, adds: true });
            }
        }
        "error" => {
            let error = value.get("error").unwrap_or(&Value::Null);
            let text = error.get("data").and_then(words).or_else(|| words(error));
            pieces.push(Piece::Error(text.unwrap_or_else(|| error.to_string())));
        }
        _ => {}
    }
    Some(pieces)
}

/// `goose run --output-format stream-json`.
fn goose(value: &Value) -> Option<Vec<Piece>> {
    match text(value, "type")? {
        "message" => {
            let message = value.get("message").filter(|m| m.is_object())?;
            let id = text(message, "id").map(str::to_owned);
            let assistant = text(message, "role") == Some("assistant");
            let blocks = message.get("content").and_then(Value::as_array).cloned().unwrap_or_default();
            Some(blocks.iter().filter_map(|block| goose_block(block, &id, assistant)).collect())
        }
        "complete" => {
            let tokens = usage::tokens(value);
            Some(tokens.map(|tokens| Piece::Tokens { tokens, adds: false }).into_iter().collect())
        }
        "error" if value.get("error").is_some() && value.get("sessionID").is_none() => {
            Some(vec![Piece::Error(value.get("error").and_then(words).unwrap_or_default())])
        }
        "notification" => Some(Vec::new()),
        _ => None,
    }
}

fn goose_block(block: &Value, id: &Option<String>, assistant: bool) -> Option<Piece> {
    Some(match text(block, "type")? {
        "text" if assistant => {
            Piece::Text { voice: Voice::Message, id: id.clone(), text: text(block, "text")?.to_owned() }
        }
        "thinking" => {
            Piece::Text { voice: Voice::Thought, id: None, text: text(block, "thinking")?.to_owned() }
        }
        "toolRequest" => {
            let call = block.pointer("/toolCall/value")?;
            tool(ToolUpdate::called(text(block, "id")?, text(call, "name")?, call.get("arguments")))
        }
        "toolResponse" => {
            let result = block.get("toolResult").unwrap_or(&Value::Null);
            let failed = text(result, "status") == Some("error") || result.get("error").is_some();
            let output = result.get("value").and_then(words).or_else(|| result.get("error").and_then(words));
            tool(ToolUpdate::ended(text(block, "id")?, output, failed))
        }
        _ => return None,
    })
}

/// `kimi -p --output-format stream-json`: chat messages as they go to a model.
fn kimi(value: &Value) -> Option<Vec<Piece>> {
    if value.get("message").is_some() || text(value, "type") == Some("message") {
        return None;
    }
    match text(value, "role")? {
        "assistant" => {
            let mut pieces = value.get("content").map(|content| message(content, None)).unwrap_or_default();
            for call in value.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
                let name = call.pointer("/function/name").and_then(Value::as_str).unwrap_or("tool");
                let arguments =
                    call.pointer("/function/arguments").and_then(Value::as_str).unwrap_or_default();
                let input: Option<Value> = serde_json::from_str(arguments).ok();
                let id = text(call, "id").unwrap_or(name);
                pieces.push(tool(ToolUpdate::called(id, name, input.as_ref())));
            }
            Some(pieces)
        }
        "tool" => {
            let output = value.get("content").and_then(words);
            let id = text(value, "tool_call_id");
            Some(id.map(|id| tool(ToolUpdate::ended(id, output, false))).into_iter().collect())
        }
        "meta" => Some(session(value, "session_id")),
        _ => Some(Vec::new()),
    }
}

/// `copilot --output-format json`.
fn copilot(value: &Value) -> Option<Vec<Piece>> {
    let kind = text(value, "type")?;
    if kind == "result" && value.get("sessionId").is_some() {
        return Some(session(value, "sessionId"));
    }
    let data = value.get("data")?;
    Some(match kind {
        "assistant.message" => data.get("content").map(|c| message(c, None)).unwrap_or_default(),
        "assistant.reasoning" => {
            let text = data.get("content").and_then(words).unwrap_or_default();
            vec![Piece::Text { voice: Voice::Thought, id: None, text }]
        }
        "tool.execution_start" => {
            let name = text(data, "toolName").unwrap_or("tool");
            vec![tool(ToolUpdate::called(text(data, "toolCallId")?, name, data.get("arguments")))]
        }
        "tool.execution_complete" => {
            let failed = data.get("success").and_then(Value::as_bool) == Some(false);
            let output = data.get("result").or_else(|| data.get("error")).and_then(words);
            let mut update = ToolUpdate::ended(text(data, "toolCallId")?, output, failed);
            let edits = data.get("fileEdits").and_then(Value::as_array).cloned().unwrap_or_default();
            update.paths = edits.iter().filter_map(|edit| text(edit, "path")).map(cut).collect();
            vec![tool(update)]
        }
        "session.error" => vec![Piece::Error(words(data).unwrap_or_default())],
        _ => Vec::new(),
    })
}

/// `cline --json`.
fn cline(value: &Value) -> Option<Vec<Piece>> {
    match text(value, "type")? {
        "agent_event" => {
            let event = value.get("event")?;
            Some(match text(event, "type") {
                Some("text" | "message") => message(event, None),
                Some("usage") => {
                    let tokens = usage::tokens(event);
                    tokens.map(|tokens| Piece::Tokens { tokens, adds: true }).into_iter().collect()
                }
                _ => Vec::new(),
            })
        }
        "run_result" => {
            let mut pieces = Vec::new();
            if let Some(tokens) = value.get("usage").and_then(usage::tokens) {
                pieces.push(Piece::Tokens { tokens, adds: false });
            }
            let reason = text(value, "finishReason").unwrap_or("completed");
            if !matches!(reason, "completed" | "aborted") {
                pieces.push(Piece::Error(
                    value.get("error").and_then(words).unwrap_or_else(|| reason.to_owned()),
                ));
            }
            Some(pieces)
        }
        "run_aborted" => Some(Vec::new()),
        _ => None,
    }
}

fn message(content: &Value, id: Option<String>) -> Vec<Piece> {
    words(content).map(|text| Piece::Text { voice: Voice::Message, id, text }).into_iter().collect()
}

fn session(value: &Value, key: &str) -> Vec<Piece> {
    text(value, key).map(|id| Piece::Session(id.to_owned())).into_iter().collect()
}

fn tool(update: ToolUpdate) -> Piece {
    Piece::Tool(Box::new(with_diff(update)))
}

/// The change that a writing tool was called with, where it can be read off.
fn with_diff(mut update: ToolUpdate) -> ToolUpdate {
    use divisi_model::transcript::Text;
    let Some(input) = update.input.as_ref().filter(|_| update.diffs.is_empty()) else { return update };
    let (Some(path), Some(ToolKind::Edit)) = (update.paths.first().cloned(), update.kind) else {
        return update;
    };
    let side = |keys: &[&str]| {
        keys.iter().find_map(|key| text(input, key)).map(|t| Text::clip(t, limits::DIFF_BYTES))
    };
    let new = side(&["content", "new_string", "newString", "file_text"]);
    let old = side(&["old_string", "oldString"]);
    if let Some(new) = new {
        update.diffs.push(FileDiff { path, old, new });
    }
    update
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}
