//! The ACP conversation of the rehearsal agent, as transcripts.

use serde_json::json;

use crate::conversation::Conversation;

#[test]
fn says_what_it_can() {
    let mut client = Conversation::connect(tempfile::tempdir().unwrap(), &[]);
    client.initialize(json!({}));
    let cwd = client.workspace();
    let opened = client.call("session/new", json!({"cwd": cwd, "mcpServers": []}));
    client.session = opened["result"]["sessionId"].as_str().unwrap().to_owned();
    let transcript = client.take_transcript().replace(&client.session, "$S");
    insta::assert_snapshot!(transcript, @r#"
> 1 initialize {"protocolVersion":1,"clientCapabilities":{}}
< 1 ok {"protocolVersion":1,"agentCapabilities":{"loadSession":true,"promptCapabilities":{"image":true,"audio":false,"embeddedContext":true},"mcpCapabilities":{"http":false,"sse":false},"sessionCapabilities":{"resume":{},"close":{}},"auth":{}},"authMethods":[],"agentInfo":{"name":"divisi-rehearsal","version":"0.1.0"}}
> 2 session/new {"cwd":"$T/work","mcpServers":[]}
< 2 ok {"sessionId":"$S","modes":{"currentModeId":"auto","availableModes":[{"id":"ask","name":"Ask","description":"Asks before every change and command"},{"id":"auto","name":"Auto","description":"Asks only where the script does"}]}}
"#);
}

#[test]
fn talks_and_edits() {
    let mut client = Conversation::start(&[]);
    std::fs::write(client.workspace().join("calc.py"), "def add(a, b):\n    return a - b\n").unwrap();
    let transcript = client.play(
        "think The sign is wrong.\nplan\n  [x] find it\n  [>] mend it\n  run the tests\n\
         edit calc.py replace \"a - b\" with \"a + b\"\nrun echo 2 passed\nusage input 100 output 20 cached 50 cost 0.5\nsay Mended.",
    );
    assert_eq!(client.file("calc.py"), "def add(a, b):\n    return a + b\n");
    insta::assert_snapshot!(transcript, @r#"
> 3 session/prompt …
< agent_thought_chunk "The sign is wrong." message-1-1
< plan {"entries":[{"content":"find it","priority":"medium","status":"completed"},{"content":"mend it","priority":"medium","status":"in_progress"},{"content":"run the tests","priority":"medium","status":"pending"}]}
< tool_call {"locations":[{"path":"$T/work/calc.py"}],"toolCallId":"call-1-2","title":"Edit calc.py","kind":"edit","status":"in_progress","content":[{"type":"diff","path":"$T/work/calc.py","oldText":"def add(a, b):\n    return a - b\n","newText":"def add(a, b):\n    return a + b\n"}]}
< tool_call_update {"content":[{"type":"diff","path":"$T/work/calc.py","oldText":"def add(a, b):\n    return a - b\n","newText":"def add(a, b):\n    return a + b\n"}],"toolCallId":"call-1-2","status":"completed"}
< tool_call {"rawInput":{"command":"echo 2 passed"},"toolCallId":"call-1-3","title":"echo 2 passed","kind":"execute","status":"in_progress"}
< tool_call_update {"rawOutput":{"exitCode":0},"toolCallId":"call-1-3"}
< tool_call_update {"content":[{"type":"content","content":{"type":"text","text":"2 passed\n"}}],"toolCallId":"call-1-3","status":"completed"}
< usage_update {"cost":{"amount":0.5,"currency":"USD"},"used":170,"size":200000}
< agent_message_chunk "Mended." message-1-4
< 3 ok {"stopReason":"end_turn","usage":{"totalTokens":170,"inputTokens":100,"outputTokens":20,"thoughtTokens":0,"cachedReadTokens":50,"cachedWriteTokens":0}}
"#);
}

#[test]
fn every_file_step_shows_what_it_does() {
    let mut client = Conversation::start(&[]);
    let transcript = client.play(
        "write a/new.txt\n  | one\n  |   two\nappend a/new.txt \"three\\n\"\nread a/new.txt\nmove a/new.txt to b.txt\n\
         write gone.txt\n  x\ndelete gone.txt\nedit b.txt replace missing with found",
    );
    assert_eq!(client.file("b.txt"), "one\n  two\nthree\n");
    assert!(!client.workspace().join("gone.txt").exists());
    insta::assert_snapshot!(transcript, @r#"
> 3 session/prompt …
< tool_call {"locations":[{"path":"$T/work/a/new.txt"}],"toolCallId":"call-1-1","title":"Write a/new.txt","kind":"edit","status":"in_progress","content":[{"type":"diff","path":"$T/work/a/new.txt","newText":"one\n  two\n"}]}
< tool_call_update {"content":[{"type":"diff","path":"$T/work/a/new.txt","newText":"one\n  two\n"}],"toolCallId":"call-1-1","status":"completed"}
< tool_call {"locations":[{"path":"$T/work/a/new.txt"}],"toolCallId":"call-1-2","title":"Append to a/new.txt","kind":"edit","status":"in_progress","content":[{"type":"diff","path":"$T/work/a/new.txt","oldText":"one\n  two\n","newText":"one\n  two\nthree\n"}]}
< tool_call_update {"content":[{"type":"diff","path":"$T/work/a/new.txt","oldText":"one\n  two\n","newText":"one\n  two\nthree\n"}],"toolCallId":"call-1-2","status":"completed"}
< tool_call {"locations":[{"path":"$T/work/a/new.txt"}],"toolCallId":"call-1-3","title":"Read a/new.txt","kind":"read","status":"in_progress"}
< tool_call_update {"content":[{"type":"content","content":{"type":"text","text":"one\n  two\nthree\n"}}],"toolCallId":"call-1-3","status":"completed"}
< tool_call {"locations":[{"path":"$T/work/a/new.txt"},{"path":"$T/work/b.txt"}],"toolCallId":"call-1-4","title":"Move a/new.txt to b.txt","kind":"move","status":"in_progress"}
< tool_call_update {"status":"completed","toolCallId":"call-1-4"}
< tool_call {"locations":[{"path":"$T/work/gone.txt"}],"toolCallId":"call-1-5","title":"Write gone.txt","kind":"edit","status":"in_progress","content":[{"type":"diff","path":"$T/work/gone.txt","newText":"x\n"}]}
< tool_call_update {"content":[{"type":"diff","path":"$T/work/gone.txt","newText":"x\n"}],"toolCallId":"call-1-5","status":"completed"}
< tool_call {"locations":[{"path":"$T/work/gone.txt"}],"toolCallId":"call-1-6","title":"Delete gone.txt","kind":"delete","status":"in_progress"}
< tool_call_update {"content":[{"type":"diff","path":"$T/work/gone.txt","oldText":"x\n","newText":""}],"toolCallId":"call-1-6","status":"completed"}
< tool_call {"locations":[{"path":"$T/work/b.txt"}],"toolCallId":"call-1-7","title":"Edit b.txt","kind":"edit","status":"in_progress"}
< tool_call_update {"content":[{"type":"content","content":{"type":"text","text":"$T/work/b.txt does not contain the text to replace: missing"}}],"toolCallId":"call-1-7","status":"failed"}
< 3 ok {"stopReason":"end_turn"}
"#);
}

#[test]
fn a_permission_is_asked_and_both_answers_are_played() {
    let script = "ask execute \"Push it\" options allow_once, reject_once\n  allowed\n    say pushed\n  rejected\n    say kept";
    let mut client = Conversation::start(&[]);
    let allowed = client.play(script);
    let rejected = client
        .prompt_answering(&format!("```rehearsal\n# again\n{script}\n```"), |_| Some("reject-once".into()));
    insta::assert_snapshot!(format!("{allowed}\n{rejected}"), @r#"
> 3 session/prompt …
< tool_call {"kind":"execute","toolCallId":"call-1-1","title":"Push it"}
< 0 session/request_permission {"options":[{"optionId":"allow-once","name":"Allow","kind":"allow_once"},{"optionId":"reject-once","name":"Reject","kind":"reject_once"}],"toolCall":{"toolCallId":"call-1-1","kind":"execute","status":"pending","title":"Push it","content":[],"locations":[]}}
> 0 ok {"outcome":{"outcome":"selected","optionId":"allow-once"}}
< tool_call_update {"status":"completed","toolCallId":"call-1-1"}
< agent_message_chunk "pushed" message-1-2
< 3 ok {"stopReason":"end_turn"}

> 4 session/prompt …
< tool_call {"kind":"execute","toolCallId":"call-2-1","title":"Push it"}
< 1 session/request_permission {"options":[{"optionId":"allow-once","name":"Allow","kind":"allow_once"},{"optionId":"reject-once","name":"Reject","kind":"reject_once"}],"toolCall":{"toolCallId":"call-2-1","kind":"execute","status":"pending","title":"Push it","content":[],"locations":[]}}
> 1 ok {"outcome":{"outcome":"selected","optionId":"reject-once"}}
< tool_call_update {"status":"failed","toolCallId":"call-2-1"}
< agent_message_chunk "kept" message-2-2
< 4 ok {"stopReason":"end_turn"}
"#);
}

#[test]
fn mode_ask_asks_before_changes_until_told_always() {
    let mut client = Conversation::start(&[]);
    let session = client.session.clone();
    client.call("session/set_mode", json!({"sessionId": session, "modeId": "ask"}));
    client.take_transcript();
    let mut asked = 0;
    let prompt = "```rehearsal\nwrite a \"1\"\nwrite b \"2\"\nrun true\nread a\n```";
    let transcript = client.prompt_answering(prompt, |params| {
        asked += 1;
        Some(if params["toolCall"]["kind"] == "edit" { "allow-always" } else { "reject-once" }.to_owned())
    });
    assert_eq!(asked, 2, "{transcript}");
    assert_eq!((client.file("a").as_str(), client.file("b").as_str()), ("1", "2"));
    assert!(transcript.contains("The person said no."), "{transcript}");
    assert!(transcript.ends_with("ok {\"stopReason\":\"end_turn\"}\n"), "{transcript}");
}

#[test]
fn a_refusal_can_end_the_turn() {
    let mut client = Conversation::start(&["--mode", "ask", "--reject-ends-turn"]);
    let transcript = client
        .prompt_answering("```rehearsal\nwrite a \"1\"\nsay unheard\n```", |_| Some("reject-once".into()));
    assert!(!client.workspace().join("a").exists());
    assert!(transcript.ends_with("ok {\"stopReason\":\"cancelled\"}\n"), "{transcript}");
    assert!(!transcript.contains("unheard"));
}

#[test]
fn questions_are_asked_as_the_client_allows() {
    let script = "question \"Which colour?\" choices red, green\n  when answer contains \"green\"\n    say Green it is.\n  otherwise\n    say Then not.";
    let prompt = format!("```rehearsal\n{script}\n```");

    let mut by_permission = Conversation::start(&[]);
    let first = by_permission.prompt_answering(&prompt, |_| Some("green".into()));

    let mut by_form = Conversation::start(&[]);
    by_form.initialize(json!({"elicitation": {"form": {}}}));
    by_form.take_transcript();
    by_form.send_prompt(&prompt);
    let request = by_form.until(|message| message["method"] == "elicitation/create");
    by_form.answer(&request["id"], json!({"action": "accept", "content": {"answer": "red"}}));
    by_form.until(|message| message["result"]["stopReason"] == "end_turn");
    let second = by_form.take_transcript();

    let mut by_prompt = Conversation::start(&[]);
    let third = by_prompt.play("question \"Which colour?\"\nsay unheard\nturn\nsay Thank you.");
    let fourth = by_prompt.prompt("red");
    insta::assert_snapshot!([first, second, third, fourth].join("\n"), @r#"
> 3 session/prompt …
< 0 session/request_permission {"options":[{"optionId":"red","name":"red","kind":"allow_once"},{"optionId":"green","name":"green","kind":"allow_once"}],"toolCall":{"toolCallId":"question-1","kind":"other","title":"Which colour?"}}
> 0 ok {"outcome":{"outcome":"selected","optionId":"green"}}
< agent_message_chunk "Green it is." message-1-1
< 3 ok {"stopReason":"end_turn"}

> 4 session/prompt …
< 0 elicitation/create {"mode":"form","message":"Which colour?","requestedSchema":{"type":"object","properties":{"answer":{"type":"string","title":"Which colour?","enum":["red","green"]}},"required":["answer"]}}
> 0 ok {"action":"accept","content":{"answer":"red"}}
< agent_message_chunk "Then not." message-1-1
< 4 ok {"stopReason":"end_turn"}

> 3 session/prompt …
< agent_message_chunk "Which colour?" message-1-1
< 3 ok {"stopReason":"end_turn"}

> 4 session/prompt …
< agent_message_chunk "Thank you." message-2-1
< 4 ok {"stopReason":"end_turn"}
"#);
}

#[test]
fn turns_follow_the_prompts_and_a_failed_check_is_mended() {
    let mut client = Conversation::start(&[]);
    client.play("write a.txt \"wrong\"\nturn\nsay For the review.\nwhen prompt contains \"check failed\"\nwrite a.txt \"right\"");
    assert_eq!(client.file("a.txt"), "wrong");
    client.prompt("The check failed: expected right.");
    assert_eq!(client.file("a.txt"), "right");
    assert!(client.prompt("a.txt:1: why?").contains("For the review."));
    assert!(client.prompt("and now?").contains("My script has nothing more to say."));
}

#[test]
fn a_prompt_without_script_makes_a_small_edit() {
    let mut client = Conversation::start(&[]);
    client.prompt("# Fix the \"parser\"\n\nPlease.");
    assert_eq!(client.file("REHEARSAL.md"), "- Fix the \"parser\"\n");
}

#[test]
fn a_script_from_a_file_or_by_name_is_played() {
    let scripts = tempfile::tempdir().unwrap();
    let given = scripts.path().join("given.rehearsal");
    std::fs::write(&given, "when prompt contains \"parser\"\nsay parser\nturn\nsay other").unwrap();
    std::fs::write(scripts.path().join("named.rehearsal"), "say by name").unwrap();
    let flags = ["--script", given.to_str().unwrap(), "--scripts", scripts.path().to_str().unwrap()];
    let mut client = Conversation::start(&flags);
    assert!(client.prompt("Mend the parser").contains("\"parser\""));
    assert!(client.prompt("Anything").contains("\"other\""));
    assert!(client.prompt("Play rehearsal:named now").contains("\"by name\""));
    let unknown = client.prompt("Play rehearsal:missing now");
    assert!(unknown.contains("There is no script named “missing”"), "{unknown}");
}

#[test]
fn a_wrong_script_is_answered_with_one_sentence() {
    let mut client = Conversation::start(&[]);
    let transcript = client.play("say hello\nwirte a b");
    assert_eq!(
        transcript,
        "> 3 session/prompt …\n< 3 error {\"code\":-32602,\"message\":\"Script line 2: “wirte” is not a step; did you mean “write”?\"}\n"
    );
    assert!(client.play("say fine").contains("fine"));
}

#[test]
fn requests_that_make_no_sense_are_refused_and_the_agent_lives_on() {
    let mut client = Conversation::start(&[]);
    let unknown = client.call("session/prompt", json!({"sessionId": "nobody", "prompt": []}));
    assert_eq!(unknown["error"]["code"], -32002);
    assert_eq!(client.call("no/such", json!({}))["error"]["code"], -32601);
    assert_eq!(
        client.call("session/new", json!({"cwd": "relative", "mcpServers": []}))["error"]["code"],
        -32602
    );
    assert_eq!(
        client.call("session/load", json!({"sessionId": "../x", "cwd": "/", "mcpServers": []}))["error"]["code"],
        -32002
    );
    assert!(client.play("say still here").contains("still here"));
}
