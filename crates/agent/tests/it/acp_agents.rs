//! Conversations as the real agents hold them, recorded and shortened.

use divisi_agent::acp::{Open, PartImage, PromptPart, Session, Stage};
use divisi_agent::{Action, CommandError, Quirks, Reply};
use divisi_model::event::{Origin, SessionStart, TurnOutcome, Usage};
use divisi_model::image::{Given, GivenImage, Image, MediaType};
use divisi_model::transcript::UsageScope;
use serde_json::json;

use crate::conversation::{Conversation, INITIALIZED, now, setup};

#[test]
fn claude_writes_a_file_after_a_permission() {
    let mut talk = Conversation::new(setup());
    assert_eq!(
        talk.sent(),
        [json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": 1,
            "clientCapabilities": {"fs": {"readTextFile": false, "writeTextFile": false}, "terminal": false},
            "clientInfo": {"name": "divisi", "version": env!("CARGO_PKG_VERSION")},
        }})]
    );
    talk.hear(INITIALIZED);
    assert_eq!(talk.last_sent()["method"], "session/new");
    assert_eq!(talk.last_sent()["params"], json!({"cwd": "/repo/tree", "mcpServers": []}));
    talk.update(r#"{"sessionUpdate":"available_commands_update","availableCommands":[{"name":"init","description":"x"}]}"#);
    talk.hear(r#"{"jsonrpc":"2.0","id":2,"result":{"sessionId":"s-1","modes":{"currentModeId":"default","availableModes":[{"id":"default","name":"Default"},{"id":"plan","name":"Plan"}]}}}"#);
    let opened = Action::SessionOpened { id: "s-1".into(), how: SessionStart::New };
    let position = |action: &Action| talk.actions.iter().position(|a| a == action).unwrap();
    assert!(position(&opened) < position(&Action::Ready));
    assert_eq!(talk.session.stage(), Stage::Idle);

    talk.prompt(1, "make hello.txt");
    assert_eq!(
        talk.last_sent()["params"],
        json!({"sessionId": "s-1", "prompt": [{"type": "text", "text": "make hello.txt"}]})
    );
    talk.update(r#"{"sessionUpdate":"tool_call","toolCallId":"toolu_28","name":"Write","rawInput":{},"status":"pending","title":"Preparing file…","kind":"edit"}"#);
    talk.update(r#"{"sessionUpdate":"tool_call_update","toolCallId":"toolu_28","title":"Write hello.txt","content":[{"type":"diff","path":"/repo/tree/hello.txt","oldText":null,"newText":"hello\n"}]}"#);
    talk.hear(r#"{"jsonrpc":"2.0","id":0,"method":"session/request_permission","params":{"sessionId":"s-1","toolCall":{"toolCallId":"toolu_28","title":"Write hello.txt","kind":"edit","content":[{"type":"diff","path":"/repo/tree/hello.txt","newText":"hello\n"}]},"options":[{"optionId":"allow-once","name":"Yes","kind":"allow_once"},{"optionId":"allow-with-updates","name":"Yes, allow all edits during this session","kind":"allow_always"},{"optionId":"reject","name":"No","kind":"reject_once"}]}}"#);
    let asked = talk.actions.iter().rev().find_map(|a| match a {
        Action::Asked(asked) => Some(asked.clone()),
        _ => None,
    });
    let asked = asked.unwrap();
    assert_eq!((asked.request.as_str(), asked.title.as_str()), ("1", "Write hello.txt"));
    assert_eq!(asked.tool.unwrap().diffs[0].new.text, "hello\n");
    assert_eq!(talk.session.open_requests(), ["1"]);

    talk.answer("1", Reply::Allow { always: false }).unwrap();
    assert_eq!(
        talk.last_sent(),
        json!({"jsonrpc": "2.0", "id": 0, "result": {"outcome": {"outcome": "selected", "optionId": "allow-once"}}})
    );
    assert!(talk.answer("1", Reply::Allow { always: false }).is_err());
    talk.update(r#"{"sessionUpdate":"tool_call_update","toolCallId":"toolu_28","status":"completed","rawOutput":"File created successfully at: /repo/tree/hello.txt"}"#);
    talk.update(r#"{"sessionUpdate":"usage_update","used":2077,"size":1000000}"#);
    for piece in ["All ", "done."] {
        talk.update(&format!(
            r#"{{"sessionUpdate":"agent_message_chunk","content":{{"type":"text","text":"{piece}"}},"messageId":"msg_56"}}"#
        ));
    }
    talk.hear(r#"{"jsonrpc":"2.0","id":3,"result":{"stopReason":"end_turn","usage":{"inputTokens":6000,"outputTokens":385,"cachedReadTokens":2500,"cachedWriteTokens":1500,"totalTokens":10385}}}"#);
    assert_eq!(
        talk.transcript(),
        "1 prompt(Person): make hello.txt\n\
         1 tool toolu_28 [edit, Completed] Write hello.txt {/repo/tree/hello.txt: None -> \"hello\\n\"} File created successfully at: /repo/tree/hello.txt\n\
         1 permission 1 for toolu_28: Write hello.txt (allow-once/allow-with-updates/reject)\n\
         1 answered 1: allow-once\n\
         1 usage: 6000+385 cached 2500/1500 Some(2077) of Some(1000000)\n\
         1 message: All done.\n\
         1 turn ended: Completed (end_turn)\n"
    );
    let usage = Usage { input: 6000, output: 385, cached_read: 2500, cached_write: 1500, ..Usage::default() };
    assert!(talk.actions.contains(&Action::TurnEnded { turn: 1, outcome: TurnOutcome::Completed, usage }));
    assert_eq!(talk.session.stage(), Stage::Idle);
    assert_eq!(talk.session.agent(), Some(("fake", "0.1.0")));
}

#[test]
fn codex_is_put_into_its_mode_and_ends_the_turn_over_a_refusal() {
    let quirks = Quirks { reject_ends_turn: true, ..Quirks::default() };
    let mut talk =
        Conversation::new(divisi_agent::acp::Setup { mode: Some("read-only".into()), quirks, ..setup() });
    talk.hear(INITIALIZED);
    talk.hear(r#"{"jsonrpc":"2.0","id":2,"result":{"sessionId":"s-1","modes":{"currentModeId":"agent","availableModes":[{"id":"agent","name":"Auto review"},{"id":"read-only","name":"Read only"}]}}}"#);
    assert_eq!(talk.last_sent()["method"], "session/set_mode");
    assert_eq!(talk.last_sent()["params"]["modeId"], "read-only");
    assert!(!talk.actions.contains(&Action::Ready));
    talk.hear(r#"{"jsonrpc":"2.0","id":3,"result":{}}"#);
    assert!(talk.actions.contains(&Action::Ready));
    assert_eq!(talk.session.mode(), Some("read-only"));

    talk.prompt(1, "edit m.txt");
    talk.update(r#"{"sessionUpdate":"tool_call","toolCallId":"call_56","kind":"edit","title":"Editing files","status":"in_progress","content":[{"type":"diff","path":"/repo/tree/m.txt","newText":"x\n"}]}"#);
    talk.hear(r#"{"jsonrpc":"2.0","id":0,"method":"session/request_permission","params":{"sessionId":"s-1","toolCall":{"toolCallId":"call_56","title":"Edit files","kind":"edit"},"options":[{"optionId":"allow_once","name":"Yes","kind":"allow_once"},{"optionId":"cancel","name":"No, and tell Codex what to do differently","kind":"reject_once"}]}}"#);
    talk.answer("1", Reply::Deny { always: false }).unwrap();
    talk.hear(r#"{"jsonrpc":"2.0","id":4,"result":{"stopReason":"cancelled"}}"#);
    let transcript = talk.transcript();
    assert!(transcript.ends_with("1 answered 1: cancel\n1 turn ended: Denied (cancelled)\n"), "{transcript}");
    assert!(transcript.contains("Edit files {/repo/tree/m.txt: None -> \"x\\n\"}"), "{transcript}");
}

#[test]
fn gemini_asks_for_a_tool_it_never_announced() {
    let mut talk = Conversation::opened(setup());
    talk.prompt(1, "go");
    talk.hear(r#"{"jsonrpc":"2.0","id":7,"method":"session/request_permission","params":{"sessionId":"s-1","options":[{"optionId":"proceed_always","name":"Allow for this session","kind":"allow_always"},{"optionId":"proceed_once","name":"Allow","kind":"allow_once"},{"optionId":"cancel","name":"Reject","kind":"reject_once"}],"toolCall":{"toolCallId":"write_file__fc-51","status":"pending","title":"Writing to hello.txt","content":[],"locations":[],"kind":"edit"}}}"#);
    talk.answer("1", Reply::Allow { always: true }).unwrap();
    assert_eq!(talk.last_sent()["result"]["outcome"]["optionId"], "proceed_always");
    talk.update(r#"{"sessionUpdate":"tool_call_update","toolCallId":"write_file__fc-51","status":"completed","content":[{"type":"diff","path":"hello.txt","oldText":"","newText":"hello\n"}]}"#);
    talk.hear(r#"{"jsonrpc":"2.0","id":3,"result":{"stopReason":"end_turn","_meta":{"quota":{"token_count":{"input_tokens":10000,"output_tokens":385}}}}}"#);
    assert_eq!(
        talk.transcript(),
        "1 prompt(Person): go\n\
         1 tool write_file__fc-51 [edit, Completed] Writing to hello.txt {hello.txt: Some(\"\") -> \"hello\\n\"} \n\
         1 permission 1 for write_file__fc-51: Writing to hello.txt (proceed_always/proceed_once/cancel)\n\
         1 answered 1: proceed_always\n\
         1 usage: 10000+385 cached 0/0 None of None\n\
         1 turn ended: Completed (end_turn)\n"
    );
}

#[test]
fn opencode_gets_no_files_from_us_and_reports_its_cost() {
    let quirks = Quirks { usage_scope: UsageScope::LastCall, ..Quirks::default() };
    let mut talk = Conversation::opened(divisi_agent::acp::Setup { quirks, ..setup() });
    for turn in 1..=2_i64 {
        talk.prompt(turn as u32, "go");
        talk.hear(r#"{"jsonrpc":"2.0","id":1,"method":"fs/write_text_file","params":{"sessionId":"s-1","path":"/x","content":"y"}}"#);
        assert_eq!(talk.last_sent()["error"]["code"], -32601);
        let cost = 0.25 * turn as f64;
        talk.update(&format!(
            r#"{{"sessionUpdate":"usage_update","used":2000,"size":200000,"cost":{{"amount":{cost},"currency":"USD"}}}}"#
        ));
        talk.say("ok");
        let id = turn + 2;
        talk.hear(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{{"stopReason":"end_turn","usage":{{"inputTokens":2000,"outputTokens":77,"totalTokens":2077}}}}}}"#
        ));
    }
    assert!(!talk.transcript().contains("fs/write_text_file"), "known and harmless: {}", talk.transcript());
    let costs = talk.actions.iter().filter_map(|a| match a {
        Action::TurnEnded { usage, .. } => usage.cost_micros,
        _ => None,
    });
    assert_eq!(costs.collect::<Vec<_>>(), [250_000, 250_000]);
}

#[test]
fn opencode_and_copilot_keep_their_mode_in_an_option() {
    for (value, wanted) in
        [("plan", "plan"), ("https://agentclientprotocol.com/protocol/session-modes#plan", "plan")]
    {
        let mut talk = Conversation::new(divisi_agent::acp::Setup { mode: Some(wanted.into()), ..setup() });
        talk.hear(INITIALIZED);
        talk.hear(&format!(r#"{{"jsonrpc":"2.0","id":2,"result":{{"sessionId":"s-1","configOptions":[{{"id":"mode","name":"Mode","category":"mode","type":"select","currentValue":"build","options":[{{"value":"build","name":"Build"}},{{"value":"{value}","name":"Plan"}}]}}]}}}}"#));
        assert_eq!(talk.last_sent()["method"], "session/set_config_option");
        assert_eq!(
            talk.last_sent()["params"],
            json!({"sessionId": "s-1", "configId": "mode", "value": value})
        );
        talk.hear(r#"{"jsonrpc":"2.0","id":3,"result":{"configOptions":[]}}"#);
        assert!(talk.actions.contains(&Action::Ready));
        assert_eq!(talk.session.mode(), Some(value));
    }
}

#[test]
fn a_mode_that_the_agent_does_not_have_is_said_and_not_sent() {
    let mut talk = Conversation::new(divisi_agent::acp::Setup { mode: Some("yolo".into()), ..setup() });
    talk.hear(INITIALIZED);
    talk.hear(r#"{"jsonrpc":"2.0","id":2,"result":{"sessionId":"s-1","modes":{"currentModeId":"a","availableModes":[{"id":"a","name":"A"}]}}}"#);
    assert!(talk.actions.contains(&Action::Ready));
    assert_eq!(talk.sent().len(), 2);
    assert_eq!(talk.transcript(), "0 notice(Agent): The agent has no mode `yolo`; it offers: a\n");
}

#[test]
fn kimi_plans_and_qwen_counts_in_its_messages() {
    let mut talk = Conversation::opened(setup());
    talk.prompt(1, "go");
    talk.update(r#"{"sessionUpdate":"plan","entries":[{"content":"one","priority":"medium","status":"in_progress"},{"content":"two","priority":"medium","status":"pending"}]}"#);
    talk.update(r#"{"sessionUpdate":"agent_thought_chunk","content":{"type":"text","text":"hm"}}"#);
    talk.update(r#"{"sessionUpdate":"plan","entries":[{"content":"one","priority":"medium","status":"completed"},{"content":"two","priority":"medium","status":"in_progress"}]}"#);
    talk.update(r#"{"sessionUpdate":"current_mode_update","currentModeId":"default"}"#);
    for _ in 0..2 {
        talk.update(r#"{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":""},"_meta":{"usage":{"inputTokens":1000,"outputTokens":50,"cachedReadTokens":10}}}"#);
    }
    talk.update(r#"{"sessionUpdate":"brand_new_thing","value":[1,2]}"#);
    talk.hear(r#"{"jsonrpc":"2.0","id":3,"result":{"stopReason":"end_turn"}}"#);
    assert_eq!(
        talk.transcript(),
        "1 prompt(Person): go\n\
         1 plan: one Completed, two InProgress\n\
         1 thought: hm\n\
         1 mode: default\n\
         1 usage: 2000+100 cached 20/0 None of None\n\
         1 raw brand_new_thing: {\"sessionUpdate\":\"brand_new_thing\",\"value\":[1,2]}\n\
         1 turn ended: Completed (end_turn)\n"
    );
}

#[test]
fn a_cancel_has_both_halves() {
    let mut talk = Conversation::opened(setup());
    talk.cancel();
    assert_eq!(talk.sent().len(), 2, "nothing to cancel");
    talk.prompt(1, "go");
    let ask = |id: u32| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"session/request_permission","params":{{"sessionId":"s-1","toolCall":{{"toolCallId":"c{id}","title":"write","kind":"other"}},"options":[{{"optionId":"allow_once","name":"y","kind":"allow_once"}}]}}}}"#
        )
    };
    talk.hear(&ask(11));
    talk.cancel();
    talk.cancel();
    // One that comes after the cancel waits for nobody either.
    talk.hear(&ask(12));
    let sent = talk.sent();
    assert_eq!(
        sent[3],
        json!({"jsonrpc": "2.0", "method": "session/cancel", "params": {"sessionId": "s-1"}})
    );
    for (n, id) in [(4, 11), (5, 12)] {
        assert_eq!(
            sent[n],
            json!({"jsonrpc": "2.0", "id": id, "result": {"outcome": {"outcome": "cancelled"}}})
        );
    }
    assert_eq!(sent.len(), 6);
    assert!(talk.session.open_requests().is_empty());
    // Goose says `end_turn` all the same.
    talk.hear(r#"{"jsonrpc":"2.0","id":3,"result":{"stopReason":"end_turn"}}"#);
    assert!(talk.transcript().ends_with("1 turn ended: Cancelled (end_turn)\n"));
    talk.prompt(2, "again");
    assert_eq!(talk.session.stage(), Stage::Turn);
}

#[test]
fn goose_hides_a_missing_login_in_its_words() {
    let quirks = Quirks {
        errors_as_end_turn: true,
        error_texts: vec!["Ran into this error".into()],
        ..Quirks::default()
    };
    let mut talk = Conversation::opened(divisi_agent::acp::Setup { quirks, ..setup() });
    talk.prompt(1, "go");
    talk.say("Ran into this error: Authentication error: ");
    talk.say(
        "Status: 401 Unauthorized.\n\nPlease retry if you think this is a transient or recoverable error.",
    );
    talk.hear(r#"{"jsonrpc":"2.0","id":3,"result":{"stopReason":"end_turn"}}"#);
    let ended = talk.actions.iter().any(|a| {
        matches!(a, Action::TurnEnded { outcome: TurnOutcome::NeedsLogin { text, .. }, .. } if text.contains("401"))
    });
    assert!(ended, "{}", talk.transcript());
}

#[test]
fn copilot_says_an_error_behind_other_words_with_nothing_in_between() {
    let quirks = Quirks { errors_as_end_turn: true, error_texts: vec!["Error:".into()], ..Quirks::default() };
    let retrying = "Info: Request failed due to a transient API error. Retrying...";
    let mut talk = Conversation::opened(divisi_agent::acp::Setup { quirks: quirks.clone(), ..setup() });
    talk.prompt(1, "go");
    talk.say(retrying);
    talk.say("Error: Authentication failed with provider at http://127.0.0.1:9/v1 (HTTP 401).");
    talk.hear(r#"{"jsonrpc":"2.0","id":3,"result":{"stopReason":"end_turn"}}"#);
    assert!(talk.transcript().contains("NeedsLogin"), "{}", talk.transcript());

    let mut talk = Conversation::opened(divisi_agent::acp::Setup { quirks, ..setup() });
    talk.prompt(1, "go");
    talk.say(retrying);
    talk.say("The parser is mended.");
    talk.hear(r#"{"jsonrpc":"2.0","id":3,"result":{"stopReason":"end_turn"}}"#);
    assert!(talk.transcript().contains("Completed"), "{}", talk.transcript());
}

#[test]
fn an_earlier_session_is_taken_up_or_handed_off() {
    let old =
        divisi_agent::acp::Setup { open: Open::Resume("old-1".into()), turn: 4, first_seq: 50, ..setup() };
    let mut talk = Conversation::new(old.clone());
    talk.hear(INITIALIZED);
    assert_eq!(talk.last_sent()["method"], "session/resume");
    assert_eq!(
        talk.last_sent()["params"],
        json!({"sessionId": "old-1", "cwd": "/repo/tree", "mcpServers": []})
    );
    talk.hear(r#"{"jsonrpc":"2.0","id":2,"result":{}}"#);
    assert!(talk.actions.contains(&Action::SessionOpened { id: "old-1".into(), how: SessionStart::Resumed }));
    assert_eq!(talk.transcript(), "4 notice(Resumed): The agent took up its earlier session.\n");
    assert_eq!(*talk.entries.keys().next().unwrap(), 50);

    // Only load: its repetition of the history is not written down again.
    let mut talk = Conversation::new(old.clone());
    talk.hear(&INITIALIZED.replace(r#","resume":{}"#, ""));
    assert_eq!(talk.last_sent()["method"], "session/load");
    talk.update(r#"{"sessionUpdate":"user_message_chunk","content":{"type":"text","text":"before"}}"#);
    talk.say("said before");
    talk.update(r#"{"sessionUpdate":"tool_call","toolCallId":"x","title":"t"}"#);
    talk.hear(r#"{"jsonrpc":"2.0","id":2,"result":null}"#);
    assert_eq!(talk.entries.len(), 1);
    assert_eq!(talk.session.session_id(), Some("old-1"));

    // It has forgotten: a new session, and the owner is told to hand off.
    let mut talk = Conversation::new(old.clone());
    talk.hear(INITIALIZED);
    talk.hear(r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32603,"message":"Internal error","data":{"details":"No previous sessions found"}}}"#);
    assert_eq!(talk.last_sent()["method"], "session/new");
    talk.hear(r#"{"jsonrpc":"2.0","id":3,"result":{"sessionId":"new-1"}}"#);
    assert!(talk.actions.contains(&Action::SessionOpened { id: "new-1".into(), how: SessionStart::HandOff }));
    assert!(talk.transcript().contains("No previous sessions found"), "{}", talk.transcript());

    // Gemini loads only once, so it is not tried.
    let quirks = Quirks { load_once: true, ..Quirks::default() };
    let mut talk = Conversation::new(divisi_agent::acp::Setup { quirks, ..old });
    talk.hear(INITIALIZED);
    assert_eq!(talk.last_sent()["method"], "session/new");
}

#[test]
fn a_question_is_a_form() {
    let mut talk = Conversation::opened(divisi_agent::acp::Setup { elicitation: true, ..setup() });
    assert_eq!(talk.sent()[0]["params"]["clientCapabilities"]["elicitation"], json!({"form": {}}));
    talk.prompt(1, "go");
    talk.hear(r#"{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"sessionId":"s-1","mode":"form","message":"Which database?","requestedSchema":{"type":"object","properties":{"db":{"type":"string","enum":["pg","sqlite"]}}}}}"#);
    talk.answer("1", Reply::Words("sqlite".into())).unwrap();
    assert_eq!(
        talk.last_sent(),
        json!({"jsonrpc": "2.0", "id": "q", "result": {"action": "accept", "content": {"db": "sqlite"}}})
    );
    assert!(talk.transcript().ends_with("1 question 1: Which database?\n1 answered 1: sqlite\n"));
}

#[test]
fn codex_takes_words_in_the_middle_of_a_turn() {
    let mut talk = Conversation::new(setup());
    talk.hear(&INITIALIZED.replace(r#""authMethods":[]"#, r#""_meta":{"steering":{"supported":true}}"#));
    talk.hear(r#"{"jsonrpc":"2.0","id":2,"result":{"sessionId":"s-1"}}"#);
    let part = || PromptPart::words(Origin::Person, "left!");
    assert_eq!(talk.session.steer(&[part()], now()), Err(CommandError::CannotSteer), "no turn");
    talk.prompt(1, "go");
    let actions = talk.session.steer(&[part()], now()).unwrap();
    talk.took(actions);
    let mut sent: serde_json::Value =
        serde_json::from_slice(talk.in_journal.split(|b| *b == b'\n').rev().nth(1).unwrap()).unwrap();
    sent["params"]["_meta"]["divisi"].take();
    assert_eq!(
        sent,
        json!({"jsonrpc": "2.0", "id": 4, "method": "_session/steering", "params": {
            "sessionId": "s-1", "prompt": [{"type": "text", "text": "left!"}],
            "_meta": {"steering": {"idleBehavior": "promptRequired"}, "divisi": null}}})
    );
    let actions = talk.session.steer(&[part()], now()).unwrap();
    talk.took(actions);
    talk.hear(r#"{"jsonrpc":"2.0","id":4,"result":{"outcome":"injected"}}"#);
    talk.hear(r#"{"jsonrpc":"2.0","id":3,"result":{"stopReason":"refusal"}}"#);
    talk.hear(r#"{"jsonrpc":"2.0","id":5,"result":{"outcome":"promptRequired","reason":"noRunningTurn"}}"#);
    assert_eq!(
        talk.transcript(),
        "1 prompt(Person): go\n1 prompt(Person): left!\n1 prompt(Person): left!\n1 turn ended: Refused (refusal)\n\
         1 notice(Agent): The agent did not take these words in the middle of its turn; they wait for its next one.\n"
    );
    let (mut replayed, _) = Session::replay(setup(), &talk.in_journal, &talk.out_journal, now());
    assert_eq!(replayed, talk.session);
    assert_eq!(replayed.take_refused(), [part()]);
}

#[test]
fn a_session_closes_in_good_order_where_the_agent_can() {
    let mut talk = Conversation::opened(setup());
    let actions = talk.session.close(now());
    talk.took(actions);
    assert_eq!(talk.last_sent()["method"], "session/close");
    assert_eq!(talk.session.stage(), Stage::Closing);
    talk.hear(r#"{"jsonrpc":"2.0","id":3,"result":{}}"#);
    assert!(talk.actions.contains(&Action::Closed));
    assert_eq!(talk.session.stage(), Stage::Over);
}

#[test]
fn images_follow_the_words_they_belong_to_and_a_replay_knows_them() {
    let image = |name: &str, given, data: &str| {
        let hash = "0a".repeat(32).parse().unwrap();
        let image = Image { hash, media_type: MediaType::Png, bytes: 3, name: name.into() };
        PartImage { given: GivenImage { image, given }, data: data.into() }
    };
    let mut talk = Conversation::opened(setup());
    assert!(talk.session.takes_images());
    let shown = PromptPart {
        images: vec![image("a.png", Given::Shown, "QUJD")],
        ..PromptPart::words(Origin::Task, "like this")
    };
    let file = PromptPart {
        images: vec![image("b.png", Given::File { path: "/given/b.png".into() }, "")],
        ..PromptPart::words(Origin::Person, "or this")
    };
    let actions =
        talk.session.prompt(1, &[shown, file, PromptPart::words(Origin::Person, "go")], now()).unwrap();
    talk.took(actions);
    let told = "or this\n\nImages that belong to this message, as files outside of the workspace that you can read:\n\n\
                - \"b.png\": /given/b.png\n";
    assert_eq!(
        talk.last_sent()["params"]["prompt"],
        json!([
            {"type": "text", "text": "like this"},
            {"type": "image", "data": "QUJD", "mimeType": "image/png"},
            {"type": "text", "text": told},
            {"type": "text", "text": "go"},
        ])
    );
    let entries: Vec<_> =
        talk.entries.values().map(|entry| serde_json::to_value(&entry.body).unwrap()).collect();
    assert_eq!(entries[0]["images"][0]["given"], "shown");
    assert_eq!(entries[1]["text"]["text"], "or this", "the transcript holds what was written");
    assert_eq!(entries[1]["images"][0]["path"], "/given/b.png");
    assert_eq!(entries[2].get("images"), None);
    let (replayed, _) = Session::replay(setup(), &talk.in_journal, &talk.out_journal, now());
    assert_eq!(replayed, talk.session);
}
