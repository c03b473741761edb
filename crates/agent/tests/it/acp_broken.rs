//! Agents that do not keep to the protocol, and steps that fail.

use divisi_agent::acp::{PromptPart, Session, Setup, Stage};
use divisi_agent::{Action, CommandError, Failure, FailureKind, Reply};
use divisi_model::event::{Origin, TurnOutcome};
use serde_json::json;

use crate::conversation::{Conversation, INITIALIZED, now, setup};

fn failure(talk: &Conversation) -> Failure {
    let failed = talk.actions.iter().find_map(|a| match a {
        Action::Failed(failure) => Some(failure.clone()),
        _ => None,
    });
    failed.expect("the session failed")
}

#[test]
fn garbage_between_the_lines_is_noted_counted_and_passed_over() {
    let mut talk = Conversation::new(setup());
    for n in 0..50 {
        talk.hear(&format!("npm warn deprecated thing@{n}"));
    }
    talk.hear("");
    talk.hear("{\"half\":");
    talk.hear("\u{0}\u{1}");
    talk.hear(r#"{"jsonrpc":"2.0","id":77,"result":{}}"#);
    talk.hear(r#"{"jsonrpc":"2.0","method":"session/update","params":{"nothing":1}}"#);
    talk.hear(INITIALIZED);
    talk.hear(r#"{"jsonrpc":"2.0","id":2,"result":{"sessionId":"s-1"}}"#);
    assert_eq!(talk.session.stage(), Stage::Idle);
    assert_eq!(talk.session.broken_lines(), 54);
    assert_eq!(talk.entries.len(), 20, "the first few are shown");
    assert!(talk.transcript().starts_with("0 notice(Protocol): not JSON: npm warn deprecated thing@0\n"));
}

#[test]
fn a_line_of_a_hundred_megabytes_is_passed_over() {
    let mut talk = Conversation::opened(setup());
    talk.prompt(1, "go");
    let mut offset = talk.session.out_offset();
    let piece = vec![b'x'; 4 * 1024 * 1024];
    for _ in 0..25 {
        let actions = talk.session.feed_out(&piece, offset, now());
        assert!(actions.is_empty());
        offset += piece.len() as u64;
    }
    let rest = b"\n{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"stopReason\":\"refusal\"}}\n";
    let actions = talk.session.feed_out(rest, offset, now());
    talk.took(actions);
    let transcript = talk.transcript();
    assert!(transcript.contains("a line of 104857601 bytes was skipped"), "{transcript}");
    assert!(transcript.ends_with("turn ended: Refused (refusal)\n"), "{transcript}");
    let source = talk.entries.values().last().unwrap().source.unwrap();
    assert_eq!((source.offset, source.len), (offset + 1, rest.len() as u64 - 1));
}

#[test]
fn unknown_requests_are_refused_by_the_protocol() {
    let mut talk = Conversation::opened(setup());
    for (id, method) in [(5, "terminal/create"), (6, "_vendor/thing"), (7, "elicitation/create")] {
        talk.hear(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{}}}}"#));
        assert_eq!(talk.last_sent()["id"], id);
        assert_eq!(talk.last_sent()["error"]["code"], -32601);
    }
    talk.prompt(1, "go");
    talk.hear(r#"{"jsonrpc":"2.0","id":8,"method":"session/request_permission","params":{"toolCall":5}}"#);
    assert_eq!(talk.last_sent()["error"]["code"], -32602);
    talk.hear(r#"{"jsonrpc":"2.0","method":"_vendor/note","params":{}}"#);
    assert_eq!(talk.last_sent()["id"], 8, "a notification gets no answer");
}

#[test]
fn a_batch_is_taken_apart() {
    let mut talk = Conversation::opened(setup());
    talk.prompt(1, "go");
    talk.hear(r#"[{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s-1","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"hi"}}}},{"jsonrpc":"2.0","id":3,"result":{"stopReason":"end_turn"}}]"#);
    assert!(talk.transcript().ends_with("1 message: hi\n1 turn ended: Completed (end_turn)\n"));
}

#[test]
fn each_failing_step_has_its_kind() {
    let mut talk = Conversation::new(setup());
    talk.hear(r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Invalid params"}}"#);
    let expected = "the agent refused initialize: Invalid params (-32602)";
    assert_eq!(failure(&talk), Failure { kind: FailureKind::Protocol, text: expected.into() });

    let mut talk = Conversation::new(setup());
    talk.hear(r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":0}}"#);
    assert_eq!(failure(&talk).kind, FailureKind::Protocol);

    // Goose echoes the number it is offered; any agent that answers a later one is taken at its word for 1.
    let mut talk = Conversation::new(setup());
    talk.hear(&INITIALIZED.replace(r#""protocolVersion":1"#, r#""protocolVersion":2"#));
    assert_eq!(talk.last_sent()["method"], "session/new");

    let mut talk = Conversation::new(setup());
    talk.hear(
        &INITIALIZED
            .replace(r#""authMethods":[]"#, r#""authMethods":[{"id":"o","name":"Log in with a browser"}]"#),
    );
    talk.hear(r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32000,"message":"Authentication required"}}"#);
    let login = failure(&talk);
    assert_eq!(login.kind, FailureKind::NeedsLogin);
    assert!(login.text.ends_with("it offers to log in by: Log in with a browser"), "{}", login.text);
    let part = PromptPart::words(Origin::Task, "x");
    assert_eq!(talk.session.prompt(1, &[part], now()), Err(CommandError::Over));

    let mut talk = Conversation::new(setup());
    talk.hear(INITIALIZED);
    talk.hear(r#"{"jsonrpc":"2.0","id":2,"result":{}}"#);
    assert_eq!(failure(&talk).kind, FailureKind::Session);

    let mut talk = Conversation::new(setup());
    let actions = talk.session.ended(TurnOutcome::ProcessEnded { text: "exit code 1".into() }, now());
    talk.took(actions);
    let expected = Failure { kind: FailureKind::ProcessEnded, text: "exit code 1".into() };
    assert_eq!(failure(&talk), expected);
}

#[test]
fn an_agent_that_never_opens_its_session_is_given_up() {
    let late = std::time::Duration::from_secs;
    let mut talk = Conversation::new(setup());
    assert!(talk.session.look_at_start(late(119), now()).is_empty());
    let actions = talk.session.look_at_start(late(120), now());
    talk.took(actions);
    let expected = "the agent did not answer `initialize` within 120 seconds";
    assert_eq!(failure(&talk), Failure { kind: FailureKind::Protocol, text: expected.into() });
    assert!(talk.session.look_at_start(late(500), now()).is_empty(), "only once");

    let mut talk = Conversation::new(Setup { start_seconds: Some(5), ..setup() });
    talk.hear("Welcome!");
    talk.hear(INITIALIZED);
    let actions = talk.session.look_at_start(late(5), now());
    talk.took(actions);
    let text = failure(&talk).text;
    let expected =
        "the agent did not answer `session/new` within 5 seconds and printed lines that are not of the";
    assert!(text.starts_with(expected), "{text}");

    let mut talk = Conversation::opened(setup());
    assert!(talk.session.look_at_start(late(500), now()).is_empty(), "an idle agent may take its time");
}

#[test]
fn errors_of_a_prompt_are_judged_by_code_and_words() {
    let outcome = |error: &str| {
        let mut talk = Conversation::opened(setup());
        talk.prompt(1, "go");
        talk.hear(&format!(r#"{{"jsonrpc":"2.0","id":3,"error":{error}}}"#));
        assert_eq!(talk.session.stage(), Stage::Idle);
        talk.actions.into_iter().find_map(|a| match a {
            Action::TurnEnded { outcome, .. } => Some(outcome),
            _ => None,
        })
    };
    assert!(matches!(
        outcome(r#"{"code":-32000,"message":"Authentication required"}"#),
        Some(TurnOutcome::NeedsLogin { .. })
    ));
    assert!(matches!(
        outcome(
            r#"{"code":-32603,"message":"Internal error","data":{"details":"You've hit your usage limit. Try again in 2 hours"}}"#
        ),
        Some(TurnOutcome::UsageLimit { until: Some(_), .. })
    ));
    assert!(matches!(
        outcome(r#"{"code":-32603,"message":"Internal error"}"#),
        Some(TurnOutcome::AgentError { .. })
    ));
    assert_eq!(outcome(r#"{"code":-32800,"message":"Cancelled"}"#), Some(TurnOutcome::Cancelled));
}

#[test]
fn commands_that_do_not_fit_change_nothing() {
    let mut talk = Conversation::new(setup());
    let part = || PromptPart::words(Origin::Person, "x");
    assert_eq!(talk.session.prompt(1, &[part()], now()), Err(CommandError::Busy));
    talk.hear(INITIALIZED);
    talk.hear(r#"{"jsonrpc":"2.0","id":2,"result":{"sessionId":"s-1"}}"#);
    talk.prompt(1, "go");
    let before = talk.session.clone();
    assert_eq!(talk.session.prompt(2, &[part()], now()), Err(CommandError::Busy));
    assert_eq!(talk.session.steer(&[part()], now()), Err(CommandError::CannotSteer));
    let missing = CommandError::NoSuchRequest("9".into());
    assert_eq!(talk.session.answer("9", &Reply::Withdraw, now()), Err(missing));
    assert_eq!(talk.session, before);
    let long = PromptPart::words(Origin::Person, "x".repeat(divisi_model::limits::PROMPT_BYTES + 1));
    let mut idle = Conversation::opened(setup());
    assert!(matches!(idle.session.prompt(1, &[long], now()), Err(CommandError::PromptTooLong { .. })));
}

#[test]
fn a_process_that_dies_ends_its_turn_and_withdraws_what_it_asked() {
    let mut talk = Conversation::opened(setup());
    talk.prompt(1, "go");
    talk.hear(r#"{"jsonrpc":"2.0","id":4,"method":"session/request_permission","params":{"sessionId":"s-1","toolCall":{"toolCallId":"c"},"options":[{"optionId":"y","name":"y","kind":"allow_once"}]}}"#);
    let gone = TurnOutcome::ProcessEnded { text: "killed by signal 9".into() };
    let actions = talk.session.ended(gone.clone(), now());
    talk.took(actions);
    assert!(talk.actions.contains(&Action::AskOver { request: "1".into() }));
    assert!(talk.actions.iter().any(|a| matches!(a, Action::TurnEnded { outcome, .. } if *outcome == gone)));
    assert!(talk.session.ended(gone, now()).is_empty(), "only once");
}

#[test]
fn an_endless_flood_is_bounded() {
    let mut talk = Conversation::opened(setup());
    talk.prompt(1, "go");
    let piece = "word ".repeat(2000);
    for _ in 0..100 {
        talk.say(&piece);
    }
    for n in 0..1000 {
        talk.update(&format!(
            r#"{{"sessionUpdate":"tool_call","toolCallId":"c{n}","title":"t","status":"completed"}}"#
        ));
    }
    talk.hear(r#"{"jsonrpc":"2.0","id":3,"result":{"stopReason":"end_turn"}}"#);
    let message = talk.entries.values().find(|e| e.kind() == "message").unwrap();
    assert!(serde_json::to_string(message).unwrap().len() < 70_000);
    let source = message.source.unwrap();
    assert!(source.len > 1_000_000, "the whole is in the journal: {source:?}");
    assert_eq!(talk.entries.len(), 1 + 1 + 1000 + 1);
}

#[test]
fn bytes_heard_twice_count_once_and_gaps_are_not_jumped() {
    let mut talk = Conversation::opened(setup());
    let journal = talk.out_journal.clone();
    assert!(talk.session.feed_out(&journal, 0, now()).is_empty());
    let end = talk.session.out_offset();
    assert_eq!(end, journal.len() as u64);
    assert!(talk.session.feed_out(b"later\n", end + 10, now()).is_empty());
    assert_eq!(talk.session.out_offset(), end);
}

#[test]
fn a_setup_survives_storage() {
    let setup = Setup {
        mcp_servers: vec![divisi_agent::acp::McpServer::Stdio {
            name: "board".into(),
            command: "/bin/board".into(),
            args: vec!["--x".into()],
            env: [("A".to_owned(), "b".to_owned())].into(),
        }],
        mode: Some("ask".into()),
        ..setup()
    };
    let text = serde_json::to_string(&setup).unwrap();
    assert_eq!(serde_json::from_str::<Setup>(&text).unwrap(), setup);
    let mut session = Session::new(setup, now());
    session.start(now());
    let actions = session.feed_out(format!("{INITIALIZED}\n").as_bytes(), 0, now());
    let Some(Action::Send(bytes)) = actions.first() else { panic!("{actions:?}") };
    let sent: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    assert_eq!(
        sent["params"]["mcpServers"],
        json!([{"name": "board", "command": "/bin/board", "args": ["--x"], "env": [{"name": "A", "value": "b"}]}])
    );
}
