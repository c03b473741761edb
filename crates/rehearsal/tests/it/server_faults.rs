//! What the model server does wrong on demand.

use divisi_rehearsal::server::{Handle, Outcome};
use serde_json::{Value, json};

use crate::server::{chat, post, prompt, start};

fn request(script: &str, stream: bool) -> Value {
    chat(json!([{"role": "user", "content": prompt(script)}]), stream)
}

async fn until(server: &Handle, wanted: Outcome) {
    while server.evidence().last().is_none_or(|one| one.outcome != wanted) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn errors_come_as_often_as_they_are_written() {
    let server = start().await;
    let url = format!("{}/v1/chat/completions", server.url());
    let statuses = async |script: &str| {
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(post(&url, &request(script, true)).await.0);
        }
        statuses
    };
    assert_eq!(statuses("error unauthorized\nsay x").await, [401, 401, 401]);
    assert_eq!(statuses("error internal\nsay x").await, [500, 200, 200]);
    assert_eq!(statuses("error overloaded times 2\nsay x").await, [529, 529, 200]);
    assert_eq!(statuses("error rate-limit always\nsay x").await, [429, 429, 429]);
    assert_eq!(statuses("error usage-limit\nsay x").await, [429, 429, 429]);
}

#[tokio::test]
async fn each_interface_says_errors_its_own_way() {
    let server = start().await;
    let content = prompt("error rate-limit \"slow down\" retry after 1500ms always");
    let chats = json!({"messages": [{"role": "user", "content": content}]});
    let geminis = json!({"contents": [{"role": "user", "parts": [{"text": content}]}]});
    let responses = json!({"input": content});
    let mut bodies = Vec::new();
    for (path, body) in [
        ("v1/messages", &chats),
        ("v1/chat/completions", &chats),
        ("v1/responses", &responses),
        ("v1beta/models/g:generateContent", &geminis),
    ] {
        let url = format!("{}/{path}", server.url());
        let response = reqwest::Client::new().post(&url).json(body).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["retry-after"]),
            (429, &"2".parse().unwrap())
        );
        bodies.push(response.text().await.unwrap());
    }
    insta::assert_snapshot!(bodies.join("\n"), @r#"
{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}
{"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}
{"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}
{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}
"#);
}

#[tokio::test]
async fn a_cut_breaks_the_stream_once() {
    let server = start().await;
    let url = format!("{}/v1/chat/completions", server.url());
    let body = request("cut\nsay one two three", true);
    let response = reqwest::Client::new().post(&url).json(&body).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.text().await.is_err());
    until(&server, Outcome::Cut).await;
    assert!(post(&url, &body).await.1.ends_with("[DONE]\n\n"));
}

#[tokio::test]
async fn a_client_that_goes_away_is_noticed() {
    let server = start().await;
    let url = format!("{}/v1/chat/completions", server.url());
    for (script, stream) in
        [("hang", true), ("hang", false), ("sleep 1h\nsay x", true), ("slow 1h\nsay one two three", true)]
    {
        let sent = reqwest::Client::new().post(&url).json(&request(script, stream)).send();
        // Headers of a stream come at once; without one nothing ever comes.
        match stream && !script.starts_with("sleep") {
            true => drop(sent.await.unwrap()),
            false => {
                let sent = tokio::spawn(sent);
                until(&server, Outcome::Running).await;
                sent.abort();
            }
        }
        until(&server, Outcome::AbortedByClient).await;
    }
    assert_eq!(server.evidence().len(), 4);
}

#[tokio::test]
async fn broken_unknown_huge_and_endless_things_are_called() {
    let server = start().await;
    let url = format!("{}/v1/chat/completions", server.url());
    let ask = async |script: &str| {
        let (_, text) = post(&url, &request(script, false)).await;
        serde_json::from_str::<Value>(&text).unwrap()["choices"][0]["message"].clone()
    };
    let broken = ask("garbage {\"command\": ").await["tool_calls"][0]["function"]["arguments"].clone();
    assert!(serde_json::from_str::<Value>(broken.as_str().unwrap()).is_err());
    assert_eq!(
        ask("tool no_such_tool {\"a\": 1}").await["tool_calls"][0]["function"]["name"],
        "no_such_tool"
    );
    assert!(ask("flood 2 MB").await["content"].as_str().unwrap().len() > 2 * 1024 * 1024);

    let mut messages = vec![json!({"role": "user", "content": prompt("repeat 100000\n  run true")})];
    for _ in 0..50 {
        let (_, text) = post(&url, &chat(json!(messages), false)).await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
        messages.push(answer["choices"][0]["message"].clone());
        messages.push(json!({"role": "tool", "content": ""}));
    }
}

#[tokio::test]
async fn a_shutdown_ends_what_hangs() {
    let server = start().await;
    let url = format!("{}/v1/chat/completions", server.url());
    let response = reqwest::Client::new().post(&url).json(&request("hang", true)).send().await.unwrap();
    server.shutdown().await;
    // The stream has ended one way or the other, and nobody answers any more.
    let _ = response.text().await;
    assert!(reqwest::get(&url).await.is_err());
}

#[tokio::test]
async fn a_prompt_that_was_never_answered_is_told_from_the_next_one() {
    let server = start().await;
    let url = format!("{}/v1/chat/completions", server.url());
    let first = prompt("hang\nturn\nsay second");
    let sent = reqwest::Client::new()
        .post(&url)
        .json(&chat(json!([{"role": "user", "content": first}]), true))
        .send();
    drop(sent.await.unwrap());
    until(&server, Outcome::AbortedByClient).await;
    let joined = format!("{first}\nGo on.\n<info-msg>\nIt is late.\n</info-msg>");
    let (_, text) = post(&url, &chat(json!([{"role": "user", "content": joined}]), false)).await;
    assert!(text.contains("\"second\""), "{text}");
    assert_eq!(server.evidence()[1].prompts, 2);
}
