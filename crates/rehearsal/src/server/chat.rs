//! The OpenAI chat completions interface, which most agents speak to servers of one's own.
//!
//! Field names from <https://platform.openai.com/docs/api-reference/chat>.

use agent_client_protocol_schema::v1::StopReason;
use serde_json::{Value, json};

use crate::script::Tokens;

use super::conversation::{Conversation, Item, Tool, said, text_of};
use super::reply::Reply;
use super::stream::{Frame, Frames, pieces};

/// Reads a request.
pub fn read(body: &Value) -> Conversation {
    let mut system = Vec::new();
    let mut items = Vec::new();
    for message in body["messages"].as_array().into_iter().flatten() {
        let text = text_of(&message["content"]);
        match message["role"].as_str() {
            Some("system" | "developer") => system.push(text),
            Some("assistant") => {
                let calls = message["tool_calls"].as_array().into_iter().flatten();
                items.push(Item::Assistant(
                    calls.filter_map(|call| call["id"].as_str()).map(str::to_owned).collect(),
                ));
            }
            Some("tool" | "function") => items.push(Item::Result(text)),
            _ => items.extend(said(&message["content"])),
        }
    }
    let tools = body["tools"].as_array().into_iter().flatten().map(|tool| {
        let named = if tool["type"] == "custom" { &tool["custom"] } else { &tool["function"] };
        Tool {
            name: named["name"].as_str().unwrap_or_default().to_owned(),
            schema: named["parameters"].clone(),
            freeform: tool["type"] == "custom",
            ..Tool::default()
        }
    });
    let format = &body["response_format"];
    let schema = match format["type"].as_str() {
        Some("json_schema") => Some(format["json_schema"]["schema"].clone()),
        Some("json_object") => Some(json!({"type": "object"})),
        _ => None,
    };
    Conversation {
        model: body["model"].as_str().unwrap_or_default().to_owned(),
        stream: body["stream"].as_bool().unwrap_or_default(),
        system: system.join("\n"),
        items,
        tools: tools.collect(),
        schema,
        forced: body["tool_choice"]["function"]["name"].as_str().map(str::to_owned),
    }
}

/// The whole answer.
pub fn whole(id: &str, model: &str, reply: &Reply, tokens: Tokens) -> Value {
    let mut message = json!({"role": "assistant", "content": reply.text});
    if !reply.thoughts.is_empty() {
        message["reasoning_content"] = json!(reply.thoughts.join("\n"));
    }
    if let Some(call) = tool_call(id, reply) {
        message["tool_calls"] = json!([call]);
    }
    json!({
        "id": format!("chatcmpl-{id}"), "object": "chat.completion", "created": 0, "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason(reply), "logprobs": null}],
        "usage": usage(tokens),
    })
}

/// The streamed answer.
pub fn streamed(id: &str, model: &str, reply: &Reply, tokens: Tokens) -> Vec<Frame> {
    let chunk = |choices: Value, usage: Value| {
        json!({
            "id": format!("chatcmpl-{id}"), "object": "chat.completion.chunk", "created": 0, "model": model,
            "choices": choices, "usage": usage,
        })
    };
    let delta =
        |delta: Value| chunk(json!([{"index": 0, "delta": delta, "finish_reason": null}]), Value::Null);
    let mut frames = Frames::default();
    frames.plain(&delta(json!({"role": "assistant", "content": ""})));
    for text in &reply.thoughts {
        frames.plain(&delta(json!({"reasoning_content": text})));
    }
    for piece in pieces(reply) {
        frames.plain_piece(&delta(json!({"content": piece})), reply.slow);
    }
    if let Some(mut call) = tool_call(id, reply) {
        call["index"] = json!(0);
        frames.plain(&delta(json!({"tool_calls": [call]})));
    }
    let last = json!([{"index": 0, "delta": {}, "finish_reason": finish_reason(reply)}]);
    frames.plain(&chunk(last, Value::Null));
    frames.plain(&chunk(json!([]), usage(tokens)));
    frames.done();
    frames.finish()
}

/// An error as both OpenAI interfaces say it.
pub fn error(status: u16, message: &str) -> Value {
    let (kind, code) = match status {
        401 => ("invalid_request_error", "invalid_api_key"),
        404 => ("invalid_request_error", "not_found"),
        429 => ("rate_limit_error", "rate_limit_exceeded"),
        400 => ("invalid_request_error", "invalid_request"),
        _ => ("server_error", "server_error"),
    };
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}

fn tool_call(id: &str, reply: &Reply) -> Option<Value> {
    let call = reply.call.as_ref()?;
    let id = format!("call_{id}");
    Some(match call.freeform {
        true => json!({"id": id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}),
        false => {
            json!({"id": id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}})
        }
    })
}

fn usage(tokens: Tokens) -> Value {
    let input = tokens.input + tokens.cached_read + tokens.cached_write;
    json!({
        "prompt_tokens": input, "completion_tokens": tokens.output, "total_tokens": input + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached_read},
        "completion_tokens_details": {"reasoning_tokens": tokens.thought},
    })
}

fn finish_reason(reply: &Reply) -> &'static str {
    match reply.stop {
        Some(StopReason::MaxTokens) => "length",
        Some(StopReason::Refusal) => "content_filter",
        _ if reply.call.is_some() => "tool_calls",
        _ => "stop",
    }
}
