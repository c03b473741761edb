//! The Anthropic messages interface.
//!
//! Field names from <https://docs.anthropic.com/en/api/messages> and its streaming page.

use agent_client_protocol_schema::v1::StopReason;
use serde_json::{Value, json};

use crate::script::Tokens;

use super::conversation::{Conversation, Item, Tool, said, text_of};
use super::reply::Reply;
use super::stream::{Frame, Frames, pieces};

/// Reads a request.
pub fn read(body: &Value) -> Conversation {
    let mut items = Vec::new();
    let mut system = vec![text_of(&body["system"])];
    for message in body["messages"].as_array().into_iter().flatten() {
        let content = &message["content"];
        let of_type = |kind: &str| {
            let kind = kind.to_owned();
            content.as_array().into_iter().flatten().filter(move |block| block["type"] == kind.as_str())
        };
        if message["role"] == "system" {
            system.push(text_of(content));
            continue;
        }
        if message["role"] == "assistant" {
            let ids = of_type("tool_use").filter_map(|block| block["id"].as_str()).map(str::to_owned);
            items.push(Item::Assistant(ids.collect()));
            continue;
        }
        let results: Vec<_> =
            of_type("tool_result").map(|block| Item::Result(result(&block["content"]))).collect();
        match results.is_empty() {
            true => items.extend(said(content)),
            // What stands beside a tool's result is a reminder, not a prompt.
            false => items.extend(results),
        }
    }
    let tools = body["tools"].as_array().into_iter().flatten();
    let tools = tools.map(|tool| Tool {
        name: tool["name"].as_str().unwrap_or_default().to_owned(),
        schema: tool["input_schema"].clone(),
        ..Tool::default()
    });
    let choice = &body["tool_choice"];
    Conversation {
        model: body["model"].as_str().unwrap_or_default().to_owned(),
        stream: body["stream"].as_bool().unwrap_or_default(),
        system: system.join("\n"),
        items,
        tools: tools.collect(),
        schema: body
            .pointer("/output_config/format/schema")
            .or(body.pointer("/output_format/schema"))
            .cloned(),
        forced: (choice["type"] == "tool").then(|| choice["name"].as_str().unwrap_or_default().to_owned()),
    }
}

/// What a tool gave back; one that found other tools names them and says nothing.
fn result(content: &Value) -> String {
    let text = text_of(content);
    if text.is_empty() && content.is_array() { content.to_string() } else { text }
}

/// The whole answer.
pub fn whole(id: &str, model: &str, reply: &Reply, tokens: Tokens) -> Value {
    let mut content: Vec<Value> = reply
        .thoughts
        .iter()
        .map(|text| json!({"type": "thinking", "thinking": text, "signature": "rehearsal"}))
        .collect();
    if !reply.text.is_empty() {
        content.push(json!({"type": "text", "text": reply.text}));
    }
    if let Some(call) = &reply.call {
        let input: Value =
            serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({"garbage": call.arguments}));
        content.push(
            json!({"type": "tool_use", "id": format!("toolu_{id}"), "name": call.name, "input": input}),
        );
    }
    json!({
        "id": format!("msg_{id}"), "type": "message", "role": "assistant", "model": model, "content": content,
        "stop_reason": stop_reason(reply), "stop_sequence": null, "usage": usage(tokens),
    })
}

/// The streamed answer.
pub fn streamed(id: &str, model: &str, reply: &Reply, tokens: Tokens) -> Vec<Frame> {
    let mut frames = Frames::default();
    let mut begun = usage(tokens);
    begun["output_tokens"] = json!(1);
    frames.named(&json!({"type": "message_start", "message": {
        "id": format!("msg_{id}"), "type": "message", "role": "assistant", "model": model, "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": begun,
    }}));
    let mut index = 0;
    let mut block = |frames: &mut Frames, start: Value, deltas: Vec<Value>| {
        frames.named(&json!({"type": "content_block_start", "index": index, "content_block": start}));
        for delta in deltas {
            frames.named_piece(
                &json!({"type": "content_block_delta", "index": index, "delta": delta}),
                reply.slow,
            );
        }
        frames.named(&json!({"type": "content_block_stop", "index": index}));
        index += 1;
    };
    for text in &reply.thoughts {
        let start = json!({"type": "thinking", "thinking": "", "signature": ""});
        let deltas = vec![
            json!({"type": "thinking_delta", "thinking": text}),
            json!({"type": "signature_delta", "signature": "rehearsal"}),
        ];
        block(&mut frames, start, deltas);
    }
    if !reply.text.is_empty() {
        let deltas = pieces(reply).into_iter().map(|piece| json!({"type": "text_delta", "text": piece}));
        block(&mut frames, json!({"type": "text", "text": ""}), deltas.collect());
    }
    if let Some(call) = &reply.call {
        let start = json!({"type": "tool_use", "id": format!("toolu_{id}"), "name": call.name, "input": {}});
        block(&mut frames, start, vec![json!({"type": "input_json_delta", "partial_json": call.arguments})]);
    }
    let delta = json!({"stop_reason": stop_reason(reply), "stop_sequence": null});
    frames
        .named(&json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": tokens.output}}));
    frames.named(&json!({"type": "message_stop"}));
    frames.finish()
}

/// An error as this interface says it.
pub fn error(status: u16, message: &str) -> Value {
    let kind = match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        _ => "api_error",
    };
    json!({"type": "error", "error": {"type": kind, "message": message}})
}

fn usage(tokens: Tokens) -> Value {
    json!({
        "input_tokens": tokens.input, "output_tokens": tokens.output,
        "cache_read_input_tokens": tokens.cached_read, "cache_creation_input_tokens": tokens.cached_write,
    })
}

fn stop_reason(reply: &Reply) -> &'static str {
    match reply.stop {
        Some(StopReason::MaxTokens) => "max_tokens",
        Some(StopReason::Refusal) => "refusal",
        _ if reply.call.is_some() => "tool_use",
        _ => "end_turn",
    }
}
