//! Cancel, faults, and everything an agent should not do but does.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::conversation::Conversation;

#[test]
fn a_cancel_ends_a_hang_a_sleep_and_a_command() {
    for script in
        ["hang", "sleep 1h", "run sleep 3600", "slow 1h\nsay never to be finished", "run sleep 3600 & wait"]
    {
        let mut client = Conversation::start(&[]);
        let id = client.send_prompt(&format!("```rehearsal\nsay begun\n{script}\nsay unheard\n```"));
        client.until(|message| message["params"]["update"]["content"]["text"] == "begun");
        client.cancel();
        let answer = client.until(|message| message["id"] == json!(id));
        assert_eq!(answer["result"]["stopReason"], "cancelled", "{script}");
        assert!(client.play("say next").contains("next"), "{script}");
    }
}

#[test]
fn a_cancelled_permission_has_to_be_answered() {
    let mut client = Conversation::start(&[]);
    let id = client.send_prompt("```rehearsal\nask execute \"Push\"\n  allowed\n    say unheard\n```");
    let request = client.until(|message| message["method"] == "session/request_permission");
    client.cancel();
    client.answer(&request["id"], json!({"outcome": {"outcome": "cancelled"}}));
    let answer = client.until(|message| message["id"] == json!(id) && message.get("method").is_none());
    assert_eq!(answer["result"]["stopReason"], "cancelled");
}

#[test]
fn a_cancel_can_be_ignored() {
    let mut client = Conversation::start(&[]);
    let id = client
        .send_prompt("```rehearsal\nignore cancel\nask execute \"First\"\n  allowed\n    say went on\n```");
    let request = client.until(|message| message["method"] == "session/request_permission");
    client.cancel();
    client.answer(&request["id"], json!({"outcome": {"outcome": "selected", "optionId": "allow-once"}}));
    client.until(|message| message["params"]["update"]["content"]["text"] == "went on");
    let answer = client.until(|message| message["id"] == json!(id) && message.get("method").is_none());
    assert_eq!(answer["result"]["stopReason"], "end_turn");
}

#[test]
fn provider_errors_look_as_with_real_agents() {
    let mut client = Conversation::start(&[]);
    let unauthorized = client.play("error unauthorized");
    assert!(
        unauthorized.contains("error {\"code\":-32000,\"message\":\"Invalid API key. Log in first.\""),
        "{unauthorized}"
    );
    let limit = client.play("error usage-limit \"Limit reached, resets at 5pm.\" retry after 90s");
    assert!(limit.contains("\"message\":\"Limit reached, resets at 5pm.\",\"data\":{\"status\":429,\"retryAfterSeconds\":90.0}"), "{limit}");

    let mut dressed = Conversation::start(&["--errors-as-end-turn"]);
    let transcript = dressed.play("error unauthorized \"401 from the provider\"");
    assert!(transcript.contains("401 from the provider"), "{transcript}");
    assert!(transcript.ends_with("ok {\"stopReason\":\"end_turn\"}\n"), "{transcript}");
}

#[test]
fn stop_reasons_garbage_and_floods_come_as_written() {
    let mut client = Conversation::start(&[]);
    assert!(client.play("end refusal\nsay unheard").ends_with("ok {\"stopReason\":\"refusal\"}\n"));

    client.send_prompt("```rehearsal\ngarbage Oops, a warning on stdout\n```");
    assert_eq!(client.receive_line(), "Oops, a warning on stdout\n");
    client.until(|message| message["result"]["stopReason"] == "end_turn");

    let flood = client.play("flood 300 lines");
    assert_eq!(flood.matches("agent_message_chunk").count(), 300);
    client.send_prompt("```rehearsal\nflood 3 MB in one line\n```");
    assert!(client.receive_line().len() > 3 * 1024 * 1024);
}

#[test]
fn a_second_prompt_during_a_turn_is_refused() {
    let mut client = Conversation::start(&[]);
    let first = client.send_prompt("```rehearsal\nsay begun\nhang\n```");
    client.until(|message| message["params"]["update"]["content"]["text"] == "begun");
    let second = client.send_prompt("more");
    let refused = client.until(|message| message["id"] == json!(second));
    assert_eq!(refused["error"]["code"], -32600);
    client.cancel();
    client.until(|message| message["id"] == json!(first));
}

#[test]
fn an_agent_whose_client_goes_ends_even_in_mid_turn() {
    let mut client = Conversation::start(&[]);
    client.send_prompt("```rehearsal\nsay begun\nhang\n```");
    client.until(|message| message["params"]["update"]["content"]["text"] == "begun");
    client.hang_up();
}

#[test]
fn crashes_cuts_and_strays_are_real() {
    let played = |script: &str| {
        let folder = tempfile::tempdir().unwrap();
        let mut agent = Command::new(env!("CARGO_BIN_EXE_divisi-rehearsal"))
            .args(["rehearsal-agent", "--state", "state"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = agent.stdin.take().unwrap();
        let mut output = BufReader::new(agent.stdout.take().unwrap());
        let mut send = |id: u32, method: &str, params: serde_json::Value| {
            let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
            writeln!(input, "{message}").unwrap();
        };
        send(1, "session/new", json!({"cwd": folder.path(), "mcpServers": []}));
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let opened: serde_json::Value = serde_json::from_str(&line).unwrap();
        let prompt = json!([{"type": "text", "text": format!("```rehearsal\n{script}\n```")}]);
        send(2, "session/prompt", json!({"sessionId": opened["result"]["sessionId"], "prompt": prompt}));
        let rest: Vec<String> = output.lines().map(Result::unwrap).collect();
        (agent.wait().unwrap(), rest)
    };
    assert_eq!(played("crash 3").0.code(), Some(3));
    assert_eq!(played("crash signal KILL").0.signal(), Some(9));
    let (status, lines) = played("say whole\ncut");
    assert_eq!(status.code(), Some(1));
    assert!(lines.last().unwrap().ends_with("session/upd"), "{lines:?}");

    let (_, lines) = played("stray sleep 300\ncrash 0");
    let shown = lines.iter().find(|line| line.contains("\"completed\"")).unwrap();
    let update: serde_json::Value = serde_json::from_str(shown).unwrap();
    let pid: i32 =
        update["params"]["update"]["content"][0]["content"]["text"].as_str().unwrap().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::test_kill_process(pid).expect("the stray lives on");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
