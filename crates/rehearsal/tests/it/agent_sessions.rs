//! Sessions that outlive their process, and agents that cannot do that.

use serde_json::json;

use crate::conversation::Conversation;

const SCRIPT: &str = "say one\nusage input 10 output 5 cost 0.25\nturn\nsay two\nusage cost 0.5";

#[test]
fn a_loaded_session_is_replayed_and_goes_on() {
    let mut client = Conversation::start(&[]);
    client.play(SCRIPT);
    let mut client = client.restart(&[]);
    let params = json!({"sessionId": client.session, "cwd": client.workspace(), "mcpServers": []});
    client.call("session/load", params);
    let replayed = client.take_transcript();
    let second = client.prompt("go on");
    insta::assert_snapshot!(format!("{replayed}\n{second}"), @r#"
> 2 session/load {"mcpServers":[],"cwd":"$T/work"}
< user_message_chunk "Do it.\n```rehearsal\nsay one\nusage input 10 output 5 cost 0.25\nturn\nsay two\nusage cost 0.5\n```\n" -
< agent_message_chunk "one" message-1-1
< usage_update {"cost":{"amount":0.25,"currency":"USD"},"used":15,"size":200000}
< 2 ok {"modes":{"currentModeId":"auto","availableModes":[{"id":"ask","name":"Ask","description":"Asks before every change and command"},{"id":"auto","name":"Auto","description":"Asks only where the script does"}]}}

> 3 session/prompt …
< agent_message_chunk "two" message-2-1
< usage_update {"cost":{"amount":0.75,"currency":"USD"},"used":0,"size":200000}
< 3 ok {"stopReason":"end_turn","usage":{"totalTokens":0,"inputTokens":0,"outputTokens":0,"thoughtTokens":0,"cachedReadTokens":0,"cachedWriteTokens":0}}
"#);
}

#[test]
fn a_resumed_session_goes_on_without_replay() {
    let mut client = Conversation::start(&["--mode", "ask"]);
    client.play(SCRIPT);
    let mut client = client.restart(&[]);
    let params = json!({"sessionId": client.session, "cwd": client.workspace(), "mcpServers": []});
    let answer = client.call("session/resume", params);
    assert_eq!(client.take_transcript().lines().count(), 2);
    assert_eq!(answer["result"]["modes"]["currentModeId"], "ask");
    let second = client.prompt("go on");
    assert!(second.contains("\"two\"") && second.contains("\"amount\":0.75"), "{second}");
}

#[test]
fn a_torn_last_line_is_as_if_it_had_never_been() {
    let mut client = Conversation::start(&[]);
    client.play(SCRIPT);
    client.hang_up();
    let file = client.state_dir().join(format!("{}.jsonl", client.session));
    let mut text = std::fs::read_to_string(&file).unwrap();
    text.push_str("{\"prompt\":\"to");
    std::fs::write(&file, text).unwrap();
    for _ in 0..2 {
        client = client.restart(&[]);
        let params = json!({"sessionId": client.session, "cwd": client.workspace(), "mcpServers": []});
        assert!(client.call("session/load", params)["error"].is_null());
    }
    assert!(client.prompt("go on").contains("\"two\""));
}

#[test]
fn agents_that_cannot_load_resume_or_have_no_modes_say_so() {
    let mut client =
        Conversation::connect(tempfile::tempdir().unwrap(), &["--no-load", "--no-resume", "--no-modes"]);
    let answer = client.initialize(json!({}));
    let capabilities = &answer["result"]["agentCapabilities"];
    assert_eq!(capabilities["loadSession"], false);
    assert!(capabilities["sessionCapabilities"]["resume"].is_null());
    let params = json!({"cwd": client.workspace(), "mcpServers": []});
    assert!(client.call("session/new", params)["result"]["modes"].is_null());
    for method in ["session/load", "session/resume", "session/set_mode"] {
        assert_eq!(client.call(method, json!({}))["error"]["code"], -32601, "{method}");
    }
}

#[test]
fn a_session_can_be_lost_by_loading_it() {
    let mut client = Conversation::start(&[]);
    client.play(SCRIPT);
    let mut client = client.restart(&["--load-once"]);
    let params = json!({"sessionId": client.session, "cwd": client.workspace(), "mcpServers": []});
    assert!(client.call("session/load", params.clone())["error"].is_null());
    let mut client = client.restart(&["--load-once"]);
    assert_eq!(client.call("session/load", params)["error"]["code"], -32002);
}

#[test]
fn an_agent_that_wants_a_login_gets_one() {
    let mut client = Conversation::connect(tempfile::tempdir().unwrap(), &["--require-login"]);
    let params = json!({"cwd": client.workspace(), "mcpServers": []});
    assert_eq!(client.call("session/new", params.clone())["error"]["code"], -32000);
    std::fs::create_dir_all(client.state_dir()).unwrap();
    std::fs::write(client.state_dir().join("login"), "").unwrap();
    assert!(client.call("session/new", params)["error"].is_null());
}

#[test]
fn sessions_of_one_process_run_side_by_side() {
    let mut client = Conversation::start(&[]);
    let first = client.session.clone();
    let hanging = client.send_prompt("```rehearsal\nsay begun\nhang\n```");
    let params = json!({"cwd": client.workspace(), "mcpServers": []});
    let opened = client.call("session/new", params);
    client.session = opened["result"]["sessionId"].as_str().unwrap().to_owned();
    assert!(client.play("say beside").contains("beside"));
    client.session = first;
    client.cancel();
    client.until(|message| message["id"] == json!(hanging));
}
