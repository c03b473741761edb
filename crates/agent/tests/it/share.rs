//! Several clients of one agent: who hears what, as tables of lines in and lines out.

use divisi_agent::share::{Routing, Step};

/// Plays a table. A line that begins with `>` comes out of what stands before it; all others go in: `1: …` from a
/// client, `agent: …`, `join 1`, `leave 1 AT`, `clock AT`.
fn play(table: &str) -> Routing {
    let mut routing = Routing::default();
    let mut out: Vec<String> = Vec::new();
    let mut last = "";
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(expected) = line.strip_prefix("> ") {
            assert!(!out.is_empty(), "nothing more came of {last}, but {expected} was expected");
            assert_eq!(out.remove(0), expected, "after {last}");
            continue;
        }
        assert!(out.is_empty(), "after {last} there is also {out:#?}");
        let (head, rest) = line.split_once(' ').unwrap();
        let number = |text: &str| text.parse::<u64>().unwrap();
        let steps = match head {
            "join" => {
                routing.joined(number(rest));
                Vec::new()
            }
            "leave" => {
                let (client, at) = rest.split_once(' ').unwrap();
                routing.left(number(client), number(at))
            }
            "clock" => routing.look_at_clock(number(rest)),
            "agent:" => routing.heard(rest.as_bytes(), 0),
            client => routing.said(number(client.trim_end_matches(':')), rest.as_bytes()),
        };
        last = line;
        out = steps.iter().map(shown).collect();
    }
    assert!(out.is_empty(), "after {last} there is also {out:#?}");
    routing
}

fn shown(step: &Step) -> String {
    let text = |line: &[u8]| {
        let line = std::str::from_utf8(line).unwrap().strip_suffix('\n').expect("a whole line");
        assert!(!line.contains('\n'), "one line: {line}");
        line.replace(r#""jsonrpc":"2.0","#, "")
    };
    match step {
        Step::Agent(line) => format!("agent: {}", text(line)),
        Step::Client(client, line) => format!("{client}: {}", text(line)),
        Step::Note(what) => format!("note {what}"),
        Step::End(why) => format!("end {why}"),
    }
}

/// Two clients with a session each, `a` and `b`; three requests were made of the agent.
const TWO: &str = r#"
    join 1
    join 2
    1: {"id":1,"method":"initialize","params":{}}
    > agent: {"id":1,"method":"initialize","params":{}}
    agent: {"id":1,"result":{"agentCapabilities":{"sessionCapabilities":{"close":{}}}}}
    > 1: {"id":1,"result":{"agentCapabilities":{"sessionCapabilities":{"close":{}}}}}
    1: {"id":2,"method":"session/new","params":{"cwd":"/a"}}
    > agent: {"id":2,"method":"session/new","params":{"cwd":"/a"}}
    2: {"id":2,"method":"session/new","params":{"cwd":"/b"}}
    > agent: {"id":3,"method":"session/new","params":{"cwd":"/b"}}
    agent: {"id":3,"result":{"sessionId":"b"}}
    > 2: {"id":2,"result":{"sessionId":"b"}}
    agent: {"id":2,"result":{"sessionId":"a"}}
    > 1: {"id":2,"result":{"sessionId":"a"}}
"#;

fn after_two(table: &str) -> Routing {
    play(&format!("{TWO}{table}"))
}

#[test]
fn the_greeting_and_the_login_are_asked_once() {
    play(
        r#"
        join 1
        join 2
        join 3
        1: {"id":1,"method":"initialize","params":{"v":1}}
        > agent: {"id":1,"method":"initialize","params":{"v":1}}
        2: {"id":7,"method":"initialize","params":{"v":1}}
        agent: {"id":1,"result":{"name":"x"}}
        > 1: {"id":1,"result":{"name":"x"}}
        > 2: {"id":7,"result":{"name":"x"}}
        3: {"id":"q","method":"initialize","params":{"v":1}}
        > 3: {"id":"q","result":{"name":"x"}}
        1: {"id":2,"method":"authenticate","params":{"methodId":"key"}}
        > agent: {"id":2,"method":"authenticate","params":{"methodId":"key"}}
        agent: {"id":2,"result":{}}
        > 1: {"id":2,"result":{}}
        2: {"id":8,"method":"authenticate","params":{"methodId":"key"}}
        > 2: {"id":8,"result":{}}
        2: {"id":9,"method":"authenticate","params":{"methodId":"other"}}
        > agent: {"id":3,"method":"authenticate","params":{"methodId":"other"}}
        "#,
    );
}

#[test]
fn a_greeting_that_fails_fails_for_those_who_wait_and_is_tried_again() {
    play(
        r#"
        join 1
        join 2
        1: {"id":1,"method":"initialize","params":{}}
        > agent: {"id":1,"method":"initialize","params":{}}
        2: {"id":5,"method":"initialize","params":{}}
        agent: {"id":1,"error":{"code":-32603,"message":"no"}}
        > 1: {"error":{"code":-32603,"message":"no"},"id":1}
        > 2: {"error":{"code":-32603,"message":"no"},"id":5}
        2: {"id":6,"method":"initialize","params":{}}
        > agent: {"id":2,"method":"initialize","params":{}}
        agent: {"id":2,"result":{}}
        > 2: {"id":6,"result":{}}
        "#,
    );
}

#[test]
fn ids_that_clash_and_lines_that_are_mixed_find_their_way() {
    after_two(
        r#"
        1: {"id":3,"method":"session/prompt","params":{"sessionId":"a","prompt":[]}}
        > agent: {"id":4,"method":"session/prompt","params":{"sessionId":"a","prompt":[]}}
        2: {"id":3,"method":"session/prompt","params":{"sessionId":"b","prompt":[]}}
        > agent: {"id":5,"method":"session/prompt","params":{"sessionId":"b","prompt":[]}}
        agent: {"method":"session/update","params":{"sessionId":"b","update":1}}
        > 2: {"method":"session/update","params":{"sessionId":"b","update":1}}
        agent: {"method":"session/update","params":{"sessionId":"a","update":2}}
        > 1: {"method":"session/update","params":{"sessionId":"a","update":2}}
        agent: {"id":0,"method":"session/request_permission","params":{"sessionId":"a"}}
        > 1: {"id":0,"method":"session/request_permission","params":{"sessionId":"a"}}
        agent: {"id":"0","method":"session/request_permission","params":{"sessionId":"b"}}
        > 2: {"id":"0","method":"session/request_permission","params":{"sessionId":"b"}}
        2: {"id":"0","result":{"outcome":1}}
        > agent: {"id":"0","result":{"outcome":1}}
        1: {"id":0,"result":{"outcome":2}}
        > agent: {"id":0,"result":{"outcome":2}}
        agent: {"id":5,"result":{"stopReason":"end_turn"}}
        > 2: {"id":3,"result":{"stopReason":"end_turn"}}
        agent: [{"method":"session/update","params":{"sessionId":"a"}},{"id":4,"result":{"stopReason":"end_turn"}}]
        > 1: {"method":"session/update","params":{"sessionId":"a"}}
        > 1: {"id":3,"result":{"stopReason":"end_turn"}}
        "#,
    );
}

#[test]
fn nobody_reaches_the_session_of_another() {
    let refused = r#"{"id":9,"error":{"code":-32602,"message":"this session is not open here"}}"#;
    for method in [
        "session/prompt",
        "session/close",
        "session/set_mode",
        "session/load",
        "session/resume",
        "session/fork",
        "x/y",
    ] {
        after_two(&format!(
            r#"
            2: {{"id":9,"method":"{method}","params":{{"sessionId":"a"}}}}
            > 2: {refused}
            "#
        ));
    }
    after_two(&format!(
        r#"
        2: {{"method":"session/cancel","params":{{"sessionId":"a"}}}}
        2: {{"id":9,"method":"session/list","params":{{}}}}
        > 2: {refused}
        2: {{"id":9,"method":"session/prompt","params":{{"sessionId":"nobodys"}}}}
        > 2: {refused}
        agent: {{"id":0,"method":"session/request_permission","params":{{"sessionId":"a"}}}}
        > 1: {{"id":0,"method":"session/request_permission","params":{{"sessionId":"a"}}}}
        2: {{"id":0,"result":{{"outcome":"mine now"}}}}
        1: {{"id":0,"result":{{"outcome":"mine"}}}}
        > agent: {{"id":0,"result":{{"outcome":"mine"}}}}
        1: {{"id":0,"result":{{"outcome":"twice"}}}}
        "#
    ));
}

#[test]
fn what_is_said_before_a_session_is_known_is_kept_in_its_order() {
    play(
        r#"
        join 1
        join 2
        1: {"id":1,"method":"session/new","params":{}}
        > agent: {"id":1,"method":"session/new","params":{}}
        2: {"id":1,"method":"session/new","params":{}}
        > agent: {"id":2,"method":"session/new","params":{}}
        agent: {"method":"session/update","params":{"sessionId":"b","n":1}}
        agent: {"method":"session/update","params":{"sessionId":"a","n":2}}
        agent: {"id":0,"method":"x/ask","params":{"sessionId":"b"}}
        agent: {"id":1,"method":"x/ask","params":{"sessionId":"c"}}
        agent: {"id":2,"result":{"sessionId":"b"}}
        > 2: {"method":"session/update","params":{"sessionId":"b","n":1}}
        > 2: {"id":0,"method":"x/ask","params":{"sessionId":"b"}}
        > 2: {"id":1,"result":{"sessionId":"b"}}
        agent: {"id":1,"result":{"sessionId":"a"}}
        > 1: {"method":"session/update","params":{"sessionId":"a","n":2}}
        > agent: {"id":1,"error":{"code":-32602,"message":"nobody has this session"}}
        > 1: {"id":1,"result":{"sessionId":"a"}}
        agent: {"method":"session/update","params":{"sessionId":"c"}}
        "#,
    );
}

#[test]
fn what_is_kept_has_a_bound() {
    let mut routing = Routing::default();
    routing.joined(1);
    routing.said(1, br#"{"id":1,"method":"session/new"}"#);
    for n in 0..1000 {
        let line = format!(r#"{{"method":"session/update","params":{{"sessionId":"a","n":{n}}}}}"#);
        assert_eq!(routing.heard(line.as_bytes(), 0), []);
    }
    let steps = routing.heard(br#"{"id":1,"result":{"sessionId":"a"}}"#, 0);
    assert_eq!(steps.len(), 256 + 1);
}

#[test]
fn a_session_is_taken_up_by_whoever_asks_first_and_heard_at_once() {
    play(
        r#"
        join 1
        join 2
        1: {"id":1,"method":"session/load","params":{"sessionId":"old"}}
        > agent: {"id":1,"method":"session/load","params":{"sessionId":"old"}}
        agent: {"method":"session/update","params":{"sessionId":"old"}}
        > 1: {"method":"session/update","params":{"sessionId":"old"}}
        2: {"id":4,"method":"session/resume","params":{"sessionId":"old"}}
        > 2: {"id":4,"error":{"code":-32602,"message":"this session is not open here"}}
        agent: {"id":1,"error":{"code":1,"message":"lost"}}
        > 1: {"error":{"code":1,"message":"lost"},"id":1}
        2: {"id":5,"method":"session/resume","params":{"sessionId":"old"}}
        > agent: {"id":2,"method":"session/resume","params":{"sessionId":"old"}}
        "#,
    );
}

#[test]
fn a_client_that_goes_in_the_middle_of_a_turn_is_cleaned_up_after() {
    let routing = after_two(
        r#"
        1: {"id":3,"method":"session/prompt","params":{"sessionId":"a"}}
        > agent: {"id":4,"method":"session/prompt","params":{"sessionId":"a"}}
        agent: {"id":0,"method":"session/request_permission","params":{"sessionId":"a"}}
        > 1: {"id":0,"method":"session/request_permission","params":{"sessionId":"a"}}
        agent: {"id":1,"method":"elicitation/create","params":{"sessionId":"a"}}
        > 1: {"id":1,"method":"elicitation/create","params":{"sessionId":"a"}}
        leave 1 100
        > agent: {"method":"session/cancel","params":{"sessionId":"a"}}
        > agent: {"id":0,"result":{"outcome":{"outcome":"cancelled"}}}
        > agent: {"id":1,"result":{"action":"cancel"}}
        agent: {"method":"session/update","params":{"sessionId":"a"}}
        agent: {"id":2,"method":"fs/read_text_file","params":{"sessionId":"a"}}
        > agent: {"id":2,"error":{"code":-32602,"message":"whoever could answer is gone"}}
        clock 10000
        agent: {"id":4,"result":{"stopReason":"cancelled"}}
        > agent: {"id":5,"method":"session/close","params":{"sessionId":"a"}}
        join 3
        3: {"id":1,"method":"session/resume","params":{"sessionId":"a"}}
        agent: {"id":5,"result":{}}
        > agent: {"id":6,"method":"session/resume","params":{"sessionId":"a"}}
        agent: {"id":6,"result":{}}
        > 3: {"id":1,"result":{}}
        agent: {"method":"session/update","params":{"sessionId":"b"}}
        > 2: {"method":"session/update","params":{"sessionId":"b"}}
        "#,
    );
    assert_eq!(routing.due(), None);
}

#[test]
fn an_agent_that_does_not_end_a_cancelled_turn_is_ended_and_one_that_does_not_close_is_not() {
    let routing = after_two(
        r#"
        1: {"id":3,"method":"session/prompt","params":{"sessionId":"a"}}
        > agent: {"id":4,"method":"session/prompt","params":{"sessionId":"a"}}
        leave 1 100
        > agent: {"method":"session/cancel","params":{"sessionId":"a"}}
        leave 2 5000
        > agent: {"id":5,"method":"session/close","params":{"sessionId":"b"}}
        clock 10099
        "#,
    );
    assert_eq!(routing.due(), Some(10_100));
    let mut routing = routing;
    let ends = [Step::End("it did not end a turn that was cancelled because its session was over".into())];
    assert_eq!(routing.look_at_clock(10_100), ends);

    after_two(
        r#"
        leave 2 5000
        > agent: {"id":4,"method":"session/close","params":{"sessionId":"b"}}
        clock 15000
        join 3
        3: {"id":1,"method":"session/resume","params":{"sessionId":"b"}}
        > agent: {"id":5,"method":"session/resume","params":{"sessionId":"b"}}
        agent: {"id":4,"result":{}}
        agent: {"id":5,"result":{}}
        > 3: {"id":1,"result":{}}
        3: {"id":2,"method":"session/prompt","params":{"sessionId":"b"}}
        > agent: {"id":6,"method":"session/prompt","params":{"sessionId":"b"}}
        "#,
    );
}

#[test]
fn a_client_that_goes_before_it_was_answered_leaves_nothing_open() {
    play(
        r#"
        join 1
        1: {"id":1,"method":"initialize","params":{}}
        > agent: {"id":1,"method":"initialize","params":{}}
        1: {"id":2,"method":"session/new","params":{}}
        > agent: {"id":2,"method":"session/new","params":{}}
        leave 1 0
        agent: {"id":1,"result":{"agentCapabilities":{"sessionCapabilities":{"close":{}}}}}
        agent: {"id":0,"method":"session/request_permission","params":{"sessionId":"a"}}
        agent: {"id":2,"result":{"sessionId":"a"}}
        > agent: {"id":3,"method":"session/close","params":{"sessionId":"a"}}
        > agent: {"id":0,"result":{"outcome":{"outcome":"cancelled"}}}
        agent: {"id":3,"result":{}}
        join 2
        2: {"id":1,"method":"initialize","params":{}}
        > 2: {"id":1,"result":{"agentCapabilities":{"sessionCapabilities":{"close":{}}}}}
        "#,
    );
}

#[test]
fn a_session_that_its_client_closed_is_nobodys() {
    after_two(
        r#"
        1: {"id":3,"method":"session/close","params":{"sessionId":"a"}}
        > agent: {"id":4,"method":"session/close","params":{"sessionId":"a"}}
        agent: {"id":4,"result":{}}
        > 1: {"id":3,"result":{}}
        agent: {"method":"session/update","params":{"sessionId":"a"}}
        leave 1 0
        2: {"id":3,"method":"session/resume","params":{"sessionId":"a"}}
        > agent: {"id":5,"method":"session/resume","params":{"sessionId":"a"}}
        "#,
    );
}

#[test]
fn a_request_that_the_agent_takes_back_is_taken_back_where_it_was_asked() {
    after_two(
        r#"
        agent: {"id":8,"method":"session/request_permission","params":{"sessionId":"b"}}
        > 2: {"id":8,"method":"session/request_permission","params":{"sessionId":"b"}}
        agent: {"method":"$/cancel_request","params":{"requestId":8}}
        > 2: {"method":"$/cancel_request","params":{"requestId":8}}
        agent: {"id":9,"method":"x/ask","params":{}}
        > agent: {"id":9,"error":{"code":-32602,"message":"nobody has this session"}}
        agent: {"method":"x/tell","params":{}}
        "#,
    );
}

#[test]
fn an_agent_that_says_nonsense_is_noted_and_nobody_hears_it() {
    after_two(
        r#"
        agent: npm warn deprecated
        > note the agent printed what cannot be read: npm warn deprecated
        agent: {"level":"info"}
        > note the agent printed what is not of the protocol: {"level":"info"}
        agent: {"id":99,"result":{}}
        > note the agent answered what nobody asked: 99
        1: {"id":3,"method":"session/new","params":{}}
        > agent: {"id":4,"method":"session/new","params":{}}
        agent: {"id":4,"result":{"sessionId":"b"}}
        > 1: {"id":3,"error":{"code":-32602,"message":"the agent opened a session that is open already"}}
        agent: {"method":"session/update","params":{"sessionId":"b"}}
        > 2: {"method":"session/update","params":{"sessionId":"b"}}
        "#,
    );
}
