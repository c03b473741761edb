//! One-shot commands: words, and the JSON lines that real ones were seen to write.

use divisi_agent::acp::PromptPart;
use divisi_agent::exec::{Exited, Session, Setup};
use divisi_agent::{Action, Conversation, ConversationSetup, Output, Quirks};
use divisi_model::event::{Origin, SessionStart, TurnOutcome, Usage};
use divisi_model::transcript::Entry;
use std::collections::BTreeMap;

use crate::conversation::{now, short};

fn setup(output: Output) -> Setup {
    Setup {
        output,
        turn: 1,
        prompts: vec![PromptPart::words(Origin::Task, "go")],
        session: None,
        resume: false,
        quirks: Quirks::default(),
        zone: None,
        counted: divisi_agent::Counted::default(),
        first_seq: 1,
    }
}

fn exit(code: i32, errors: &str) -> Exited {
    Exited { code: Some(code), text: format!("exit code {code}"), errors: errors.into() }
}

struct Run {
    transcript: String,
    actions: Vec<Action>,
}

fn run(setup: Setup, output: &str, exit: &Exited) -> Run {
    let mut session = Session::new(setup, now());
    let mut actions = session.start(now());
    actions.extend(session.feed_out(output.as_bytes(), 0, now()));
    actions.extend(session.exited(exit, now()));
    let mut entries: BTreeMap<u64, Entry> = BTreeMap::new();
    for action in &actions {
        if let Action::Entry(entry) = action {
            entries.insert(entry.seq, entry.clone());
        }
    }
    Run { transcript: entries.values().map(|e| short(&e.body) + "\n").collect(), actions }
}

fn ended(run: &Run) -> (TurnOutcome, Usage) {
    let ended = run.actions.iter().find_map(|a| match a {
        Action::TurnEnded { outcome, usage, .. } => Some((outcome.clone(), *usage)),
        _ => None,
    });
    ended.unwrap()
}

#[test]
fn words_are_one_message_without_colours() {
    let run = run(
        setup(Output::Text),
        "\n\u{1b}[1mAider\u{1b}[0m v0.86\nApplied edit to a.rs\r\nlast",
        &exit(0, ""),
    );
    assert_eq!(
        run.transcript,
        "prompt(Task): go\nmessage: Aider v0.86\nApplied edit to a.rs\nlast\n\nturn ended: Completed (exit code 0)\n"
    );
}

#[test]
fn a_good_exit_code_is_not_believed_against_the_words() {
    let quirks =
        Quirks { errors_as_end_turn: true, error_texts: vec!["litellm.".into()], ..Quirks::default() };
    let with = |quirks: &Quirks| Setup { quirks: quirks.clone(), ..setup(Output::Text) };
    let failed = run(with(&quirks), "litellm.AuthenticationError: invalid api key\n", &exit(0, ""));
    assert!(matches!(ended(&failed).0, TurnOutcome::NeedsLogin { .. }));
    let long = "Added file to the chat\n".repeat(500)
        + "litellm.AuthenticationError: invalid api key\n> Tokens: 0\n";
    let TurnOutcome::NeedsLogin { text, .. } = ended(&run(with(&quirks), &long, &exit(0, ""))).0 else {
        panic!()
    };
    assert_eq!(text, "litellm.AuthenticationError: invalid api key\n> Tokens: 0");
    let silent = run(setup(Output::Text), "", &exit(0, ""));
    assert_eq!(ended(&silent).0, TurnOutcome::Completed, "the workspace decides");
    let broken = run(setup(Output::Text), "words\n", &exit(1, "thread 'main' panicked\n"));
    let TurnOutcome::AgentError { text } = ended(&broken).0 else { panic!() };
    assert_eq!(text, "exit code 1\nthread 'main' panicked");
    let killed = Exited { code: None, text: "signal 9".into(), errors: String::new() };
    assert_eq!(
        ended(&run(setup(Output::Text), "", &killed)).0,
        TurnOutcome::ProcessEnded { text: "signal 9".into() }
    );
}

#[test]
fn claude_stream() {
    let lines = r#"{"type":"system","subtype":"init","session_id":"2fa5","tools":["Task"],"model":"m","permissionMode":"x"}
{"type":"assistant","message":{"id":"m1","content":[{"type":"tool_use","id":"toolu_67","name":"Write","input":{"file_path":"/w/hello.txt","content":"hello\n"}}]}}
{"type":"user","message":{"content":[{"tool_use_id":"toolu_67","type":"tool_result","content":"File created successfully at: /w/hello.txt"}]}}
{"type":"assistant","message":{"id":"m2","content":[{"type":"text","text":"All done."}]}}
{"type":"result","subtype":"success","is_error":false,"result":"All done.","session_id":"2fa5","total_cost_usd":0.25,"usage":{"input_tokens":2400,"output_tokens":154},"permission_denials":[]}
"#;
    let run = run(setup(Output::Json), lines, &exit(0, ""));
    assert_eq!(
        run.transcript,
        "prompt(Task): go\n\
         tool toolu_67 [edit, Completed] Write /w/hello.txt {/w/hello.txt: None -> \"hello\\n\"} File created successfully at: /w/hello.txt\n\
         message: All done.\n\
         usage: 2400+154 cached 0/0 None of None 0.25USD\n\
         turn ended: Completed (exit code 0)\n"
    );
    assert!(run.actions.contains(&Action::SessionOpened { id: "2fa5".into(), how: SessionStart::New }));
    assert_eq!(
        ended(&run).1,
        Usage { input: 2400, output: 154, cost_micros: Some(250_000), ..Usage::default() }
    );
    let failed = r#"{"type":"result","subtype":"error_during_execution","is_error":true,"error":{"message":"401 invalid api key"}}"#;
    assert!(matches!(
        ended(&self::run(setup(Output::Json), failed, &exit(1, ""))).0,
        TurnOutcome::NeedsLogin { .. }
    ));
}

#[test]
fn codex_stream() {
    let lines = r#"{"type":"thread.started","thread_id":"01a1fc6a"}
{"type":"turn.started"}
{"type":"item.completed","item":{"id":"item_0","type":"file_change","changes":[{"path":"/w/hello.txt","kind":"add"}],"status":"completed"}}
{"type":"item.started","item":{"id":"item_1","type":"command_execution","command":"git status","aggregated_output":"","status":"in_progress"}}
{"type":"item.completed","item":{"id":"item_1","type":"command_execution","command":"git status","aggregated_output":"?? hello.txt\n","exit_code":0,"status":"completed"}}
{"type":"item.completed","item":{"id":"item_2","type":"agent_message","text":"Done."}}
{"type":"turn.completed","usage":{"input_tokens":8000,"cached_input_tokens":2000,"output_tokens":308,"reasoning_output_tokens":40}}
"#;
    let run = run(setup(Output::Json), lines, &exit(0, ""));
    assert_eq!(
        run.transcript,
        "prompt(Task): go\n\
         tool item_0 [edit, Completed] edit /w/hello.txt {} \n\
         tool item_1 [execute, Completed] git status {} ?? hello.txt\n\n\
         message: Done.\n\
         usage: 6000+308 cached 2000/0 None of None\n\
         turn ended: Completed (exit code 0)\n"
    );
}

#[test]
fn opencode_goose_gemini_kimi_and_copilot_streams() {
    for (lines, expected) in [
        (
            r#"{"type":"tool_use","sessionID":"ses_1","part":{"callID":"c","tool":"write","state":{"status":"completed","input":{"filePath":"a","content":"x"},"output":"Wrote file successfully."}}}
{"type":"step_finish","sessionID":"ses_1","part":{"reason":"tool-calls","tokens":{"total":2077,"input":2000,"output":77,"cache":{"read":5,"write":6}},"cost":0.5}}
{"type":"text","sessionID":"ses_1","part":{"id":"p","text":"ok"}}
{"type":"step_finish","sessionID":"ses_1","part":{"tokens":{"input":1,"output":1},"cost":0.25}}
"#,
            "tool c [edit, Completed] write a {a: None -> \"x\"} Wrote file successfully.\n\
             usage: 2001+78 cached 5/6 None of None 0.75USD\nmessage: ok\n",
        ),
        (
            r#"{"type":"message","message":{"id":"m","role":"assistant","content":[{"type":"toolRequest","id":"call_97","toolCall":{"status":"success","value":{"name":"shell","arguments":{"command":"ls"}}}}]}}
{"type":"message","message":{"role":"user","content":[{"type":"toolResponse","id":"call_97","toolResult":{"status":"success","value":[{"type":"text","text":"a b"}]}}]}}
{"type":"message","message":{"id":"m","role":"assistant","content":[{"type":"text","text":"All "}]}}
{"type":"message","message":{"id":"m","role":"assistant","content":[{"type":"text","text":"done."}]}}
{"type":"complete","total_tokens":10385,"input_tokens":10000,"output_tokens":385}
"#,
            "tool call_97 [execute, Completed] ls {} a b\nmessage: All done.\nusage: 10000+385 cached 0/0 None of None\n",
        ),
        (
            r#"{"type":"init","session_id":"g","model":"m"}
{"type":"message","role":"user","content":"go"}
{"type":"tool_use","tool_name":"write_file","tool_id":"w1","parameters":{"file_path":"h","content":"c"}}
{"type":"tool_result","tool_id":"w1","status":"success"}
{"type":"message","role":"assistant","content":"ok","delta":true}
{"type":"result","status":"success","stats":{"total_tokens":10385,"input_tokens":10000,"output_tokens":385,"cached":2500,"tool_calls":4}}
"#,
            "tool w1 [edit, Completed] write_file h {h: None -> \"c\"} \nmessage: ok\nusage: 7500+385 cached 2500/0 None of None\n",
        ),
        (
            r#"{"role":"assistant","tool_calls":[{"id":"k1","function":{"name":"Write","arguments":"{\"path\":\"z\",\"content\":\"y\"}"}}]}
{"role":"tool","tool_call_id":"k1","content":"Wrote 6 bytes"}
{"role":"assistant","content":"ok"}
{"role":"meta","type":"session.resume_hint","session_id":"session_8b01"}
"#,
            "tool k1 [edit, Completed] Write z {z: None -> \"y\"} Wrote 6 bytes\nmessage: ok\n",
        ),
        (
            r#"{"type":"tool.execution_start","data":{"toolCallId":"call_38","toolName":"create","arguments":{"path":"h"}}}
{"type":"tool.execution_complete","data":{"toolCallId":"call_38","fileEdits":[{"path":"/w/h","kind":"create"}],"success":true}}
{"type":"assistant.message","data":{"content":"ok"}}
{"type":"result","sessionId":"x","exitCode":0,"usage":{"premiumRequests":0}}
"#,
            "tool call_38 [edit, Completed] create h {} \nmessage: ok\n",
        ),
        (
            r#"{"type":"agent_event","event":{"type":"usage","inputTokens":2000,"outputTokens":77,"totalInputTokens":4000}}
{"type":"run_result","finishReason":"completed","usage":{"inputTokens":6000,"outputTokens":231,"totalCost":0}}
"#,
            "usage: 6000+231 cached 0/0 None of None\n",
        ),
        (
            "{\"type\":\"from.the.future\"}\nplain words\n",
            "raw from.the.future: {\"type\":\"from.the.future\"}\nmessage: plain words\n\n",
        ),
    ] {
        let run = run(setup(Output::Json), lines, &exit(0, ""));
        assert_eq!(
            run.transcript,
            format!("prompt(Task): go\n{expected}turn ended: Completed (exit code 0)\n"),
            "{lines}"
        );
    }
}

#[test]
fn a_cancel_is_the_end_of_the_process() {
    let mut talk = Conversation::replaying(ConversationSetup::Exec(setup(Output::Text)), b"", now());
    assert_eq!(talk.start(now()).len(), 1);
    assert!(talk.start(now()).is_empty());
    assert!(talk.cancel(now()).contains(&Action::Closed));
    assert!(talk.cancel(now()).is_empty());
    let ended = talk.exited(&Exited { code: None, text: "signal 15".into(), errors: String::new() }, now());
    assert!(ended.iter().any(|a| matches!(a, Action::TurnEnded { outcome: TurnOutcome::Cancelled, .. })));
}

#[test]
fn pieces_do_not_matter() {
    let output = "ein Wört\n{\"type\":\"thread.started\",\"thread_id\":\"x\"}\nlast";
    let whole = run(setup(Output::Json), output, &exit(0, ""));
    for cut in 0..output.len() {
        let mut session = Session::new(setup(Output::Json), now());
        let mut actions = session.feed_out(&output.as_bytes()[..cut], 0, now());
        actions.extend(session.feed_out(&output.as_bytes()[cut..], cut as u64, now()));
        actions.extend(session.exited(&exit(0, ""), now()));
        assert_eq!(actions, whole.actions);
    }
}
