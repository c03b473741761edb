//! The OpenAI responses interface.
//!
//! Field names from <https://platform.openai.com/docs/api-reference/responses> and its streaming page.

use agent_client_protocol_schema::v1::StopReason;
use serde_json::{Value, json};

use crate::script::Tokens;

use super::conversation::{Conversation, Item, Tool, said, text_of};
use super::reply::Reply;
use super::stream::{Frame, Frames, pieces};

/// Reads a request.
pub fn read(body: &Value) -> Conversation {
    let mut system = vec![body["instructions"].as_str().unwrap_or_default().to_owned()];
    let mut items = Vec::new();
    if let Some(text) = body["input"].as_str() {
        items.push(Item::User(text.to_owned()));
    }
    for entry in body["input"].as_array().into_iter().flatten() {
        match (entry["type"].as_str().unwrap_or("message"), entry["role"].as_str()) {
            ("message", Some("assistant")) => items.push(Item::Assistant(Vec::new())),
            ("message", Some("system" | "developer")) => system.push(text_of(&entry["content"])),
            ("message", _) => items.extend(said(&entry["content"])),
            ("reasoning", _) => items.push(Item::Assistant(Vec::new())),
            (kind, _) if kind.ends_with("_output") => {
                let output = &entry["output"];
                let text = if output.is_object() { text_of(&output["content"]) } else { text_of(output) };
                items.push(Item::Result(text));
            }
            (kind, _) if kind.ends_with("_call") => {
                items.push(Item::Assistant(
                    entry["call_id"].as_str().map(str::to_owned).into_iter().collect(),
                ));
            }
            _ => {}
        }
    }
    let format = &body["text"]["format"];
    // Newer models are told about tools in the dialogue itself.
    let added =
        body["input"].as_array().into_iter().flatten().filter(|entry| entry["type"] == "additional_tools");
    let lists = std::iter::once(&body["tools"]).chain(added.map(|entry| &entry["tools"]));
    let mut tools: Vec<Tool> =
        lists.flat_map(|list| list.as_array().into_iter().flatten()).flat_map(self::tools).collect();
    let found =
        body["input"].as_array().into_iter().flatten().filter(|entry| entry["type"] == "tool_search_output");
    let found = found.flat_map(|entry| entry["tools"].as_array().into_iter().flatten()).flat_map(self::tools);
    tools.extend(found.map(|tool| Tool { found: true, ..tool }));
    Conversation {
        model: body["model"].as_str().unwrap_or_default().to_owned(),
        stream: body["stream"].as_bool().unwrap_or_default(),
        system: system.join("\n"),
        items,
        tools,
        schema: (format["type"] == "json_schema").then(|| format["schema"].clone()),
        forced: body["tool_choice"]["name"].as_str().map(str::to_owned),
    }
}

/// A tool, or those of a group.
fn tools(offered: &Value) -> Vec<Tool> {
    let name = offered["name"].as_str().unwrap_or_default().to_owned();
    match offered["type"].as_str() {
        Some("function") => vec![Tool { name, schema: offered["parameters"].clone(), ..Tool::default() }],
        Some("custom") => vec![Tool { name, freeform: true, ..Tool::default() }],
        Some(kind @ "tool_search") => {
            vec![Tool {
                name: kind.to_owned(),
                schema: offered["parameters"].clone(),
                search: true,
                ..Tool::default()
            }]
        }
        Some("local_shell") => vec![Tool { name: "local_shell".to_owned(), ..Tool::default() }],
        Some("namespace") => {
            let inner = offered["tools"].as_array().into_iter().flatten().flat_map(tools);
            inner.map(|tool| Tool { namespace: Some(name.clone()), ..tool }).collect()
        }
        _ => Vec::new(),
    }
}

/// The whole answer.
pub fn whole(id: &str, model: &str, reply: &Reply, tokens: Tokens) -> Value {
    let items: Vec<Value> = items(id, reply).into_iter().map(|(item, _)| item).collect();
    let (status, details) = match reply.stop {
        Some(StopReason::MaxTokens) => ("incomplete", json!({"reason": "max_output_tokens"})),
        Some(StopReason::Refusal) => ("incomplete", json!({"reason": "content_filter"})),
        _ => ("completed", Value::Null),
    };
    let input = tokens.input + tokens.cached_read + tokens.cached_write;
    json!({
        "id": format!("resp_{id}"), "object": "response", "created_at": 0, "model": model, "status": status,
        "incomplete_details": details, "error": null, "output": items, "parallel_tool_calls": false,
        "usage": {
            "input_tokens": input, "input_tokens_details": {"cached_tokens": tokens.cached_read},
            "output_tokens": tokens.output, "output_tokens_details": {"reasoning_tokens": tokens.thought},
            "total_tokens": input + tokens.output,
        },
    })
}

/// The streamed answer.
pub fn streamed(id: &str, model: &str, reply: &Reply, tokens: Tokens) -> Vec<Frame> {
    let complete = whole(id, model, reply, tokens);
    let mut begun = complete.clone();
    begun["status"] = json!("in_progress");
    begun["output"] = json!([]);
    begun["usage"] = Value::Null;
    let mut frames = Frames::default();
    let mut number = 0;
    let mut send = |frames: &mut Frames, mut event: Value, wait: Option<std::time::Duration>| {
        event["sequence_number"] = json!(number);
        number += 1;
        frames.named_piece(&event, wait);
    };
    send(&mut frames, json!({"type": "response.created", "response": begun}), None);
    for (index, (item, part)) in items(id, reply).into_iter().enumerate() {
        let item_id = item["id"].clone();
        let place = |kind: &str| json!({"type": kind, "item_id": item_id, "output_index": index});
        let mut added = item.clone();
        added["status"] = json!("in_progress");
        let (field, deltas, kind) = match part {
            Part::Text => ("content", pieces(reply), "response.output_text"),
            Part::Thought(_) => ("summary", Vec::new(), ""),
            Part::Arguments(text) => ("arguments", vec![text], "response.function_call_arguments"),
            Part::Input(text) => ("input", vec![text], "response.custom_tool_call_input"),
            Part::Whole => ("", Vec::new(), ""),
        };
        match field {
            "" => {}
            "content" | "summary" => added[field] = json!([]),
            _ => added[field] = json!(""),
        }
        send(
            &mut frames,
            json!({"type": "response.output_item.added", "output_index": index, "item": added}),
            None,
        );
        if field == "content" {
            let mut event = place("response.content_part.added");
            event["content_index"] = json!(0);
            event["part"] = json!({"type": "output_text", "text": "", "annotations": []});
            send(&mut frames, event, None);
        }
        if let Part::Thought(text) = part {
            for (kind, key) in [("delta", "delta"), ("done", "text")] {
                let mut event = place(&format!("response.reasoning_summary_text.{kind}"));
                event["summary_index"] = json!(0);
                event[key] = json!(text);
                send(&mut frames, event, None);
            }
        }
        for delta in &deltas {
            let mut event = place(&format!("{kind}.delta"));
            event["delta"] = json!(delta);
            if field == "content" {
                event["content_index"] = json!(0);
            }
            send(&mut frames, event, reply.slow);
        }
        if !deltas.is_empty() {
            let mut event = place(&format!("{kind}.done"));
            event[if field == "content" { "text" } else { field }] = json!(deltas.concat());
            if field == "content" {
                event["content_index"] = json!(0);
            }
            send(&mut frames, event, None);
        }
        send(
            &mut frames,
            json!({"type": "response.output_item.done", "output_index": index, "item": item}),
            None,
        );
    }
    let last = if reply.stop.is_some() && complete["status"] == "incomplete" {
        "response.incomplete"
    } else {
        "response.completed"
    };
    send(&mut frames, json!({"type": last, "response": complete}), None);
    frames.finish()
}

/// What an item is streamed as.
#[derive(Clone, Copy)]
enum Part<'a> {
    Text,
    Thought(&'a str),
    Arguments(&'a str),
    Input(&'a str),
    /// In one piece.
    Whole,
}

fn items<'a>(id: &str, reply: &'a Reply) -> Vec<(Value, Part<'a>)> {
    let mut items = Vec::new();
    for (index, text) in reply.thoughts.iter().enumerate() {
        let summary = json!([{"type": "summary_text", "text": text}]);
        let item = json!({"type": "reasoning", "id": format!("rs_{id}_{index}"), "summary": summary});
        items.push((item, Part::Thought(text.as_str())));
    }
    if !reply.text.is_empty() {
        let content = json!([{"type": "output_text", "text": reply.text, "annotations": []}]);
        let item = json!({
            "type": "message", "id": format!("msg_{id}"), "role": "assistant", "status": "completed", "content": content,
        });
        items.push((item, Part::Text));
    }
    if let Some(call) = &reply.call {
        let call_id = format!("call_{id}");
        if call.search {
            let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
            let item = json!({
                "type": "tool_search_call", "id": format!("ts_{id}"), "call_id": call_id, "status": "completed",
                "execution": "client", "arguments": arguments,
            });
            items.push((item, Part::Whole));
            return items;
        }
        let (kind, field, part) = match call.freeform {
            true => ("custom_tool_call", "input", Part::Input(&call.arguments)),
            false => ("function_call", "arguments", Part::Arguments(&call.arguments)),
        };
        let mut item = json!({
            "type": kind, "id": format!("fc_{id}"), "call_id": call_id, "name": call.name, "status": "completed",
        });
        item[field] = json!(call.arguments);
        if let Some(namespace) = &call.namespace {
            item["namespace"] = json!(namespace);
        }
        items.push((item, part));
    }
    items
}
