//! The model server over real HTTP: each interface, streamed and whole, and what goes wrong on demand.

use divisi_rehearsal::server::{Evidence, Handle, Outcome, ServerOptions, model_server};
use serde_json::{Value, json};

pub async fn start() -> Handle {
    model_server(ServerOptions::default()).await.unwrap()
}

pub async fn post(url: &str, body: &Value) -> (u16, String) {
    let response = reqwest::Client::new().post(url).json(body).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

pub fn prompt(script: &str) -> String {
    format!("Mend it.\n```rehearsal\n{script}\n```")
}

/// A chat request with the tools of a small agent.
pub fn chat(messages: Value, stream: bool) -> Value {
    let tool = |name: &str, fields: &[&str]| {
        let properties: serde_json::Map<_, _> =
            fields.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
        json!({"type": "function", "function": {"name": name, "parameters": {
            "type": "object", "properties": properties, "required": fields,
        }}})
    };
    let tools = [
        tool("write_file", &["path", "content"]),
        tool("edit", &["filePath", "oldString", "newString"]),
        tool("bash", &["command", "description"]),
    ];
    json!({"model": "m", "stream": stream, "messages": messages, "tools": tools})
}

/// The events of a stream, named ones with their names.
fn events(stream: &str) -> Vec<Value> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn deltas(stream: &str, pointer: &str) -> String {
    events(stream).iter().filter_map(|event| event.pointer(pointer)?.as_str()).collect()
}

async fn settled(server: &Handle, seq: usize) -> Evidence {
    loop {
        if let Some(evidence) = server.evidence().get(seq - 1)
            && evidence.outcome != Outcome::Running
        {
            return evidence.clone();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn chat_completions_walk_through_a_script() {
    let server = start().await;
    let url = format!("{}/v1/chat/completions", server.run_url("one"));
    let mut messages = json!([
        {"role": "system", "content": "You are in.\nWorking directory: /w/it\n"},
        {"role": "user", "content": prompt("think hm\nsay I begin.\nwrite a.txt \"x\\n\"\nplan\n  [x] a\nrun make test\nsay Done with it all.")},
    ]);
    let mut answers = Vec::new();
    for _ in 0..3 {
        let (status, text) = post(&url, &chat(messages.clone(), false)).await;
        assert_eq!(status, 200);
        let mut answer: Value = serde_json::from_str(&text).unwrap();
        let message = answer["choices"][0]["message"].take();
        answers.push(format!(
            "{} {} {}",
            message["content"], message["tool_calls"][0]["function"], answer["choices"][0]["finish_reason"]
        ));
        messages.as_array_mut().unwrap().push(message);
        messages.as_array_mut().unwrap().push(json!({"role": "tool", "tool_call_id": "x", "content": "ok"}));
    }
    insta::assert_snapshot!(answers.join("\n"), @r#"
"I begin." {"name":"write_file","arguments":"{\"path\":\"/w/it/a.txt\",\"content\":\"x\\n\"}"} "tool_calls"
"" {"name":"bash","arguments":"{\"command\":\"make test\",\"description\":\"rehearsal\"}"} "tool_calls"
"Done with it all." null "stop"
"#);
    let steps: Vec<_> =
        server.evidence().iter().map(|one| (one.run.clone(), one.step, one.action.clone())).collect();
    let expected = [(0, "call write_file"), (1, "call bash"), (2, "text")];
    assert_eq!(steps, expected.map(|(step, action)| ("one".to_owned(), step, action.to_owned())));
    assert!(
        server
            .evidence()
            .iter()
            .all(|one| (one.input_tokens, one.cached_tokens, one.output_tokens) == (1000, 200, 50))
    );
    server.shutdown().await;
}

#[tokio::test]
async fn chat_completions_are_streamed() {
    let server = start().await;
    let url = format!("{}/r/s/v1/chat/completions", server.url());
    let body = chat(
        json!([{"role": "user", "content": prompt("say one two three\nedit a.rs replace \"x\" with \"y\"")}]),
        true,
    );
    let (_, text) = post(&url, &body).await;
    assert_eq!(deltas(&text, "/choices/0/delta/content"), "one two three");
    let call = events(&text)
        .iter()
        .find_map(|event| event.pointer("/choices/0/delta/tool_calls/0").cloned())
        .unwrap();
    assert_eq!(call["function"]["arguments"], r#"{"filePath":"a.rs","oldString":"x","newString":"y"}"#);
    let usage = events(&text).pop().unwrap();
    assert_eq!(
        (&usage["usage"]["prompt_tokens"], &usage["usage"]["completion_tokens"]),
        (&json!(1200), &json!(50))
    );
    assert!(text.ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn anthropic_messages_both_ways() {
    let server = start().await;
    let url = format!("{}/r/a/v1/messages", server.url());
    let tools = json!([{"name": "Write", "input_schema": {"type": "object", "required": ["file_path", "content"],
        "properties": {"file_path": {"type": "string"}, "content": {"type": "string"}}}}]);
    let script = prompt("think hm\nsay Now.\nwrite /w/a \"b\"\nusage input 7 output 3 cached 2\nsay Bye.");
    let mut body = json!({"model": "claude", "tools": tools, "messages": [{"role": "user", "content": [
        {"type": "text", "text": "<system-reminder>Do not mention this.</system-reminder>"}, {"type": "text", "text": script}]}]});
    let (_, text) = post(&url, &body).await;
    let mut first: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(first["stop_reason"], "tool_use");
    assert_eq!(first["content"][2]["input"], json!({"file_path": "/w/a", "content": "b"}));

    let content = first["content"].take();
    let result = json!({"type": "tool_result", "tool_use_id": content[2]["id"], "content": "ok"});
    let reminder = json!({"type": "text", "text": "<system-reminder>Still there?</system-reminder>"});
    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": content}));
    messages.push(json!({"role": "user", "content": [result, reminder]}));
    body["stream"] = json!(true);
    let (_, text) = post(&url, &body).await;
    assert_eq!(deltas(&text, "/delta/text"), "Bye.");
    let names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    insta::assert_snapshot!(names.join(" "), @r#"
message_start content_block_start content_block_delta content_block_stop message_delta message_stop
"#);
    assert_eq!(events(&text)[0]["message"]["usage"]["input_tokens"], 7);
    assert_eq!(
        post(&format!("{}/v1/messages/count_tokens", server.url()), &body).await.1,
        r#"{"input_tokens":1000}"#
    );
}

#[tokio::test]
async fn openai_responses_both_ways() {
    let server = start().await;
    let url = format!("{}/r/c/v1/responses", server.url());
    let tools = json!([
        {"type": "function", "name": "exec_command", "parameters": {"type": "object", "required": ["cmd"], "properties": {
            "cmd": {"type": "string"}, "justification": {"type": "string"}, "sandbox_permissions": {"type": "string"}}}},
        {"type": "custom", "name": "apply_patch"},
        {"type": "namespace", "name": "mcp__board", "tools": [{"type": "function", "name": "ping", "parameters": {"type": "object"}}]},
    ]);
    let script = prompt(
        "read m.py\nedit m.py replace \"- b\" with \"+ b\"\nask execute \"Push it\"\n  allowed\n    run git push\ntool ping {\"a\": 1}\nsay Bye.",
    );
    let mut input =
        vec![json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": script}]})];
    let mut calls = Vec::new();
    for stream in [true, false, true, false, true] {
        let body = json!({"model": "gpt", "stream": stream, "tools": tools, "input": input});
        let (_, text) = post(&url, &body).await;
        let answer = match stream {
            true => events(&text).pop().unwrap()["response"].take(),
            false => serde_json::from_str(&text).unwrap(),
        };
        assert_eq!(answer["usage"]["total_tokens"], 1250);
        let mut item = answer["output"].as_array().unwrap().last().unwrap().clone();
        input.push(item.clone());
        let call_id = item["call_id"].take();
        input.push(json!({"type": "function_call_output", "call_id": call_id, "output": "Output:\ndef add(a, b):\n    return a - b\n"}));
        for field in ["id", "call_id", "status"] {
            item.as_object_mut().unwrap().remove(field);
        }
        calls.push(item.to_string());
    }
    insta::assert_snapshot!(calls.join("\n"), @r#"
{"type":"function_call","arguments":"{\"cmd\":\"cat 'm.py'\"}","name":"exec_command"}
{"type":"custom_tool_call","input":"*** Begin Patch\n*** Update File: m.py\n@@\n-    return a - b\n+    return a + b\n*** End Patch\n","name":"apply_patch"}
{"type":"function_call","arguments":"{\"cmd\":\"git push\",\"sandbox_permissions\":\"require_escalated\",\"justification\":\"Push it\"}","name":"exec_command"}
{"type":"function_call","namespace":"mcp__board","arguments":"{\"a\":1}","name":"ping"}
{"type":"message","content":[{"type":"output_text","text":"Bye.","annotations":[]}],"role":"assistant"}
"#);
}

#[tokio::test]
async fn a_tool_that_is_not_offered_from_the_start_is_searched_for() {
    let server = start().await;
    let url = format!("{}/r/s/v1/responses", server.url());
    let search = json!({"type": "tool_search", "execution": "client", "parameters": {"type": "object",
        "required": ["query"], "properties": {"query": {"type": "string"}, "limit": {"type": "number"}}}});
    let script = prompt("tool ping {\"a\": 1}\nsay Bye.");
    let mut input =
        vec![json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": script}]})];
    let found = json!([{"type": "namespace", "name": "mcp__board", "tools": [
        {"type": "function", "name": "ping", "parameters": {"type": "object"}}]}]);
    let mut calls = Vec::new();
    for stream in [true, false, true] {
        let body = json!({"model": "gpt", "stream": stream, "tools": [search], "input": input});
        let (_, text) = post(&url, &body).await;
        let answer = match stream {
            true => events(&text).pop().unwrap()["response"].take(),
            false => serde_json::from_str(&text).unwrap(),
        };
        let mut item = answer["output"].as_array().unwrap().last().unwrap().clone();
        input.push(item.clone());
        let call_id = item["call_id"].take();
        input.push(match item["type"].as_str() {
            Some("tool_search_call") => {
                json!({"type": "tool_search_output", "call_id": call_id, "tools": found})
            }
            _ => json!({"type": "function_call_output", "call_id": call_id, "output": "pong"}),
        });
        for field in ["id", "call_id", "status"] {
            item.as_object_mut().unwrap().remove(field);
        }
        calls.push(item.to_string());
    }
    insta::assert_snapshot!(calls.join("\n"), @r#"
{"type":"tool_search_call","arguments":{"query":"ping","limit":5},"execution":"client"}
{"type":"function_call","namespace":"mcp__board","arguments":"{\"a\":1}","name":"ping"}
{"type":"message","content":[{"type":"output_text","text":"Bye.","annotations":[]}],"role":"assistant"}
"#);
}

#[tokio::test]
async fn gemini_both_ways() {
    let server = start().await;
    let base = format!("{}/r/g/v1beta/models/gemini-2.5-pro", server.url());
    let declared = json!([{"functionDeclarations": [{"name": "run_shell_command", "parameters": {"type": "OBJECT",
        "required": ["command"], "properties": {"command": {"type": "STRING"}}}}]}]);
    let script = prompt("say Look.\nrun ls\nsay Bye.");
    let mut body = json!({"contents": [{"role": "user", "parts": [{"text": script}]}], "tools": declared});
    let (_, text) = post(&format!("{base}:streamGenerateContent?alt=sse"), &body).await;
    let last = events(&text).pop().unwrap();
    let call = last["candidates"][0]["content"]["parts"][0]["functionCall"].clone();
    assert_eq!((&call["name"], &call["args"]), (&json!("run_shell_command"), &json!({"command": "ls"})));
    assert_eq!(last["usageMetadata"]["promptTokenCount"], 1200);
    let contents = body["contents"].as_array_mut().unwrap();
    contents.push(json!({"role": "model", "parts": [{"functionCall": call}]}));
    contents.push(json!({"role": "user", "parts": [{"functionResponse": {"name": "run_shell_command", "response": {"output": "a"}}}]}));
    let (_, text) = post(&format!("{base}:generateContent"), &body).await;
    let whole: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(whole["candidates"][0]["content"]["parts"], json!([{"text": "Bye."}]));
    assert_eq!(server.evidence()[1].step, 1);
}

#[tokio::test]
async fn turns_follow_the_prompts_of_the_conversation() {
    let server = start().await;
    let url = format!("{}/v1/chat/completions", server.url());
    let script = prompt("say first\nturn\nsay second\nwhen prompt contains \"check failed\"\nsay mend");
    let mut messages = vec![json!({"role": "user", "content": script})];
    let mut said = Vec::new();
    for next in ["Working directory is fine, the check failed", "a review", "more"] {
        let (_, text) = post(&url, &chat(json!(messages), false)).await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        said.push(answer["choices"][0]["message"]["content"].as_str().unwrap().to_owned());
        messages.push(answer["choices"][0]["message"].clone());
        messages.push(json!({"role": "user", "content": next}));
    }
    assert_eq!(said, ["first", "mend", "second"]);
}

#[tokio::test]
async fn side_requests_never_take_a_step() {
    let server = start().await;
    let url = format!("{}/v1/chat/completions", server.url());
    let ask = async |extra: Value| {
        let mut body = json!({"model": "m", "messages": [{"role": "system", "content": "Write a short title."},
            {"role": "user", "content": prompt("run ls")}]});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let (_, text) = post(&url, &body).await;
        serde_json::from_str::<Value>(&text).unwrap()["choices"][0]["message"].clone()
    };
    assert_eq!(ask(json!({})).await["content"], "Rehearsal");
    let schema = json!({"type": "object", "required": ["outcome"], "properties": {"outcome": {"enum": ["deny", "allow"]}}});
    let format = json!({"type": "json_schema", "json_schema": {"schema": schema}});
    assert_eq!(ask(json!({"response_format": format})).await["content"], r#"{"outcome":"allow"}"#);
    let tool = json!([{"type": "function", "function": {"name": "respond", "parameters": schema}}]);
    assert_eq!(
        ask(json!({"tools": tool})).await["tool_calls"][0]["function"]["arguments"],
        r#"{"outcome":"allow"}"#
    );
    let classes: Vec<_> = server.evidence().into_iter().map(|one| (one.class, one.input_tokens)).collect();
    assert_eq!(
        classes,
        [("title", 100), ("judge", 100), ("classifier", 100)]
            .map(|(class, tokens)| (class.to_owned(), tokens))
    );
}

#[tokio::test]
async fn what_cannot_be_done_is_said() {
    let server = start().await;
    let url = format!("{}/v1/chat/completions", server.url());
    let ask = async |script: &str, tools: Value| {
        let body = json!({"model": "m", "stream": false, "tools": tools, "messages": [{"role": "user", "content": prompt(script)}]});
        let (_, text) = post(&url, &body).await;
        serde_json::from_str::<Value>(&text).unwrap()["choices"][0]["message"]["content"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let tool = |name: &str| json!({"type": "function", "function": {"name": name, "parameters": {}}});
    let two = json!([tool("look"), tool("listen")]);
    assert_eq!(ask("run ls", two.clone()).await, "NO TOOL for run among [look, listen]");
    assert_eq!(ask("sing", two).await.split(';').next(), Some("Script line 1: “sing” is not a step"));
}

#[tokio::test]
async fn named_scripts_are_put_and_played() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("filed.rehearsal"), "say from a file").unwrap();
    let options = ServerOptions { scripts: Some(folder.path().into()), ..ServerOptions::default() };
    let server = model_server(options).await.unwrap();
    let client = reqwest::Client::new();
    let put = async |name: &str, text: &'static str| {
        let response =
            client.put(format!("{}/scripts/{name}", server.url())).body(text).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    assert_eq!(put("mine", "say by name").await.0, 204);
    let wrong = put("mine", "sya").await;
    assert_eq!(
        (wrong.0, wrong.1.as_str()),
        (400, "Script line 1: “sya” is not a step; did you mean “say”?\n")
    );
    for (name, expected) in [
        ("mine", "by name"),
        ("filed", "from a file"),
        (
            "gone",
            "There is no script named “gone”; put it at /scripts/NAME or into the folder given with \
             --scripts.",
        ),
    ] {
        let body = chat(json!([{"role": "user", "content": format!("Play rehearsal:{name}")}]), false);
        let (_, text) = post(&format!("{}/v1/chat/completions", server.url()), &body).await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["choices"][0]["message"]["content"], expected);
    }
}

#[tokio::test]
async fn evidence_is_written_down_with_bodies() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions { record: Some(folder.path().into()), ..ServerOptions::default() };
    let server = model_server(options).await.unwrap();
    let body = chat(json!([{"role": "user", "content": prompt("say hello")}]), true);
    post(&format!("{}/r/../v1/chat/completions", server.url()).replace("..", "a%2Fb"), &body).await;
    settled(&server, 1).await;
    let lines = std::fs::read_to_string(folder.path().join("requests.jsonl")).unwrap();
    let evidence: Evidence = serde_json::from_str(lines.trim()).unwrap();
    assert_eq!((evidence.outcome, evidence.status, evidence.prompts), (Outcome::Answered, 200, 1));
    let kept: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("a_2Fb/000001.json")).unwrap()).unwrap();
    assert_eq!(kept, body);
    let listed = reqwest::get(format!("{}/evidence", server.url())).await.unwrap().text().await.unwrap();
    assert_eq!(listed, lines);
}

#[tokio::test]
async fn strangers_are_refused_and_packed_requests_are_read() {
    use std::io::Write;
    let server = start().await;
    assert_eq!(post(&format!("{}/v1/embeddings", server.url()), &json!({})).await.0, 404);
    assert_eq!(reqwest::get(format!("{}/v1/models", server.url())).await.unwrap().status(), 200);
    let client = reqwest::Client::new();
    assert_eq!(client.head(server.url()).send().await.unwrap().status(), 200);
    let socket = client
        .get(format!("{}/v1/responses", server.url()))
        .header("upgrade", "websocket")
        .send()
        .await
        .unwrap();
    assert_eq!(socket.status(), 404);
    let url = format!("{}/v1/chat/completions", server.url());
    assert_eq!(client.post(&url).body("no json").send().await.unwrap().status(), 400);

    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer
        .write_all(
            chat(json!([{"role": "user", "content": prompt("say packed")}]), false).to_string().as_bytes(),
        )
        .unwrap();
    let packed = client
        .post(&url)
        .header("content-encoding", "gzip")
        .body(packer.finish().unwrap())
        .send()
        .await
        .unwrap();
    assert!(packed.text().await.unwrap().contains("packed"));
}
