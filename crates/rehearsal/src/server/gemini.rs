//! The Gemini interface.
//!
//! Field names from <https://ai.google.dev/api/generate-content>.

use agent_client_protocol_schema::v1::StopReason;
use serde_json::{Value, json};

use crate::script::Tokens;

use super::conversation::{Conversation, Item, Tool, said, text_of};
use super::reply::Reply;
use super::stream::{Frame, Frames, pieces};

/// Reads a request; model and streaming stand in its path.
pub fn read(body: &Value, model: &str, stream: bool) -> Conversation {
    let mut items = Vec::new();
    for content in body["contents"].as_array().into_iter().flatten() {
        let parts = || content["parts"].as_array().into_iter().flatten();
        if content["role"] == "model" {
            let calls = parts().filter_map(|part| part["functionCall"]["id"].as_str()).map(str::to_owned);
            items.push(Item::Assistant(calls.collect()));
            continue;
        }
        let results: Vec<_> = parts()
            .filter_map(|part| part.get("functionResponse"))
            .map(|result| Item::Result(result["response"]["output"].as_str().unwrap_or_default().to_owned()))
            .collect();
        match results.is_empty() {
            true => items.extend(said(&content["parts"])),
            false => items.extend(results),
        }
    }
    let declared = body["tools"].as_array().into_iter().flatten();
    let declared = declared.flat_map(|tool| tool["functionDeclarations"].as_array().into_iter().flatten());
    let tools = declared.map(|tool| {
        let schema = tool.get("parametersJsonSchema").or(tool.get("parameters")).cloned().unwrap_or_default();
        Tool {
            name: tool["name"].as_str().unwrap_or_default().to_owned(),
            schema: lower(schema),
            ..Tool::default()
        }
    });
    let config = &body["generationConfig"];
    let schema = config.get("responseJsonSchema").or(config.get("responseSchema")).cloned().map(lower);
    Conversation {
        model: model.to_owned(),
        stream,
        system: text_of(&body["systemInstruction"]["parts"]),
        items,
        tools: tools.collect(),
        schema: schema.or_else(|| {
            (config["responseMimeType"] == "application/json").then(|| json!({"type": "object"}))
        }),
        forced: None,
    }
}

/// The whole answer.
pub fn whole(id: &str, model: &str, reply: &Reply, tokens: Tokens) -> Value {
    let mut parts: Vec<Value> =
        reply.thoughts.iter().map(|text| json!({"text": text, "thought": true})).collect();
    if !reply.text.is_empty() {
        parts.push(json!({"text": reply.text}));
    }
    parts.extend(call_part(id, reply));
    answer(id, model, parts, Some(finish_reason(reply)), tokens)
}

/// The streamed answer.
pub fn streamed(id: &str, model: &str, reply: &Reply, tokens: Tokens) -> Vec<Frame> {
    let mut frames = Frames::default();
    for text in &reply.thoughts {
        frames.plain(&answer(id, model, vec![json!({"text": text, "thought": true})], None, tokens));
    }
    for piece in pieces(reply) {
        frames.plain_piece(&answer(id, model, vec![json!({"text": piece})], None, tokens), reply.slow);
    }
    let last: Vec<Value> = call_part(id, reply).into_iter().collect();
    frames.plain(&answer(id, model, last, Some(finish_reason(reply)), tokens));
    frames.finish()
}

/// An error as this interface says it.
pub fn error(status: u16, message: &str) -> Value {
    let word = match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        529 => "UNAVAILABLE",
        _ => "INTERNAL",
    };
    json!({"error": {"code": status, "message": message, "status": word}})
}

fn answer(id: &str, model: &str, parts: Vec<Value>, finish: Option<&str>, tokens: Tokens) -> Value {
    let input = tokens.input + tokens.cached_read + tokens.cached_write;
    let mut candidate = json!({"index": 0, "content": {"role": "model", "parts": parts}});
    if let Some(finish) = finish {
        candidate["finishReason"] = json!(finish);
    }
    json!({
        "candidates": [candidate], "modelVersion": model, "responseId": id,
        "usageMetadata": {
            "promptTokenCount": input, "cachedContentTokenCount": tokens.cached_read,
            "candidatesTokenCount": tokens.output, "thoughtsTokenCount": tokens.thought,
            "totalTokenCount": input + tokens.output + tokens.thought,
        },
    })
}

fn call_part(id: &str, reply: &Reply) -> Option<Value> {
    let call = reply.call.as_ref()?;
    let args: Value =
        serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({"garbage": call.arguments}));
    Some(json!({"functionCall": {"id": format!("fc-{id}"), "name": call.name, "args": args}}))
}

fn finish_reason(reply: &Reply) -> &'static str {
    match reply.stop {
        Some(StopReason::MaxTokens) => "MAX_TOKENS",
        Some(StopReason::Refusal) => "SAFETY",
        _ => "STOP",
    }
}

/// Schemas in this interface may write their types in capitals.
fn lower(schema: Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| match (name.as_str(), value) {
                ("type", Value::String(kind)) => (name, Value::String(kind.to_lowercase())),
                (_, value) => (name, lower(value)),
            });
            Value::Object(fields.collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(lower).collect()),
        other => other,
    }
}
