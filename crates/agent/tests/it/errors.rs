//! What agents say when they cannot go on, as a table: what was seen or reported of each, and what it means. And what
//! only looks like it.

use divisi_agent::{Action, Registry};
use divisi_model::event::TurnOutcome;

use crate::conversation::{Conversation, now, setup};

/// A turn of a shipped agent: a prompt, what the agent does, and the answer to the prompt.
pub fn turn(agent: &str, prompt: &str, does: impl FnOnce(&mut Conversation), answer: &str) -> TurnOutcome {
    let quirks = Registry::shipped().require(agent).unwrap().quirks.clone();
    let mut talk = Conversation::opened(divisi_agent::acp::Setup { quirks, ..setup() });
    talk.prompt(1, prompt);
    does(&mut talk);
    talk.hear(&format!(r#"{{"jsonrpc":"2.0","id":3,{answer}}}"#));
    let outcome = talk.actions.into_iter().find_map(|action| match action {
        Action::TurnEnded { outcome, .. } => Some(outcome),
        _ => None,
    });
    outcome.unwrap()
}

const END: &str = r#""result":{"stopReason":"end_turn"}"#;

fn says(agent: &str, words: &str) -> TurnOutcome {
    turn(agent, "Mend the parser.", |talk| talk.say(words), END)
}

fn tool(talk: &mut Conversation) {
    talk.update(r#"{"sessionUpdate":"tool_call","toolCallId":"t1","title":"Write a.rs","kind":"edit","status":"completed"}"#);
}

/// The outcome in a word, with the seconds to wait.
pub fn word(outcome: &TurnOutcome) -> String {
    match outcome {
        TurnOutcome::NeedsLogin { .. } => "login".to_owned(),
        TurnOutcome::NeedsCredit { .. } => "credit".to_owned(),
        TurnOutcome::AgentError { .. } => "error".to_owned(),
        TurnOutcome::Completed => "done".to_owned(),
        TurnOutcome::UsageLimit { until: None, .. } => "limit".to_owned(),
        TurnOutcome::UsageLimit { until: Some(until), .. } => {
            format!("limit {}", until.duration_since(now()).as_secs())
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn errors_dressed_as_a_good_turn() {
    for (agent, words, means) in [
        ("claude", "Invalid API key · Please run /login", "login"),
        (
            "claude",
            r#"API Error: 401 {"type":"error","error":{"type":"authentication_error","message":"OAuth token has expired. Please obtain a new token or refresh your existing token."},"request_id":"r"} · Please run /login"#,
            "login",
        ),
        ("claude", "Please run /login · API Error: 401 Invalid authentication credentials", "login"),
        ("claude", "Claude AI usage limit reached|1795255200", "limit 7200"),
        ("claude", "You've hit your limit · resets 3pm (UTC)", "limit 25200"),
        ("claude", "You’ve hit your limit · resets Nov 25 at 9pm (America/New_York)", "limit 410400"),
        (
            "claude",
            "Weekly limit reached · resets 10am (Asia/Seoul) · /upgrade to Max or turn on /extra-usage",
            "limit 61200",
        ),
        ("claude", "5-hour limit reached ∙ resets 9am", "limit 3600"),
        ("claude", "Credit balance is too low", "credit"),
        (
            "claude",
            r#"API Error: 429 {"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your account's rate limit. Please try again later."}}"#,
            "limit",
        ),
        (
            "claude",
            r#"API Error: 529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            "limit",
        ),
        (
            "claude",
            r#"API Error: 500 {"type":"error","error":{"type":"api_error","message":"Internal server error"}}"#,
            "error",
        ),
        (
            "goose",
            "Ran into this error: Authentication error: Authentication failed. Status: 401 Unauthorized. Response: dummy.\n\n\
             Please retry if you think this is a transient or recoverable error.",
            "login",
        ),
        (
            "goose",
            "Ran into this error: Rate limit exceeded: Some(\"try again in 20s\").\n\nPlease retry if you think this is a transient or recoverable error.",
            "limit 20",
        ),
        ("copilot", "Execution failed: Error: 401 Unauthorized", "login"),
        (
            "codex",
            "You've hit your usage limit. Upgrade to Pro (https://example.com/pricing) or try again in 5 days 22 hours 11 minutes.",
            "limit 511860",
        ),
        (
            "codex",
            "You've hit your usage limit. Upgrade to Plus to continue using Codex, or try again at Nov 22nd, 2026 8:19 AM.",
            "limit 87540",
        ),
        // No rule of their own: the whole turn is the stock sentence of a vendor.
        ("kimi", "Error: 401 Incorrect API key provided", "login"),
        (
            "qwen",
            "[API Error: 429 You exceeded your current quota, please check your plan and billing details.]",
            "limit",
        ),
        (
            "gemini",
            r#"[API Error: {"error":{"message":"Resource has been exhausted (e.g. check quota).","code":429,"status":"Too Many Requests","details":[{"retryDelay":"34s"}]}}]"#,
            "limit 34",
        ),
        ("rehearsal", r#"{"type":"error","error":{"type":"rate_limit_error","retry_after":90}}"#, "limit 90"),
    ] {
        assert_eq!(word(&says(agent, words)), means, "{agent}: {words}");
    }
}

#[test]
fn after_work_only_the_agents_own_errors_count() {
    let after_work = |agent: &str, words: &str| {
        let does = |talk: &mut Conversation| {
            talk.say("I will write the file.");
            tool(talk);
            talk.say(words);
        };
        word(&turn(agent, "Mend the parser.", does, END))
    };
    assert_eq!(
        after_work(
            "claude",
            r#"API Error: 401 {"type":"error","error":{"type":"authentication_error"}} · Please run /login"#
        ),
        "login"
    );
    assert_eq!(after_work("goose", "Ran into this error: Rate limit exceeded. Status: 429."), "limit");
    for words in [
        "Error: 401 is now answered with a hint.",
        "Rate limit exceeded is now an error of its own.",
        "API Error: 401 handling is in client.rs now, with a test.",
        "Please run /login once more was the old text; the new one names the command.",
        "You have reached your limit: that text is shown in the banner now.",
    ] {
        assert_eq!(after_work("claude", words), "done", "{words}");
        assert_eq!(after_work("kimi", words), "done", "{words}");
    }
}

#[test]
fn words_about_errors_are_work() {
    for words in [
        "I changed the handler so that a 401 asks for credentials again.",
        "All done.",
        "Users who ran into this error with their credentials now get a hint.",
        "The script is wrong: use unauthorized, usage-limit, rate-limit, overloaded or internal.",
        "Added handling of 429: when the rate limit is exceeded the client waits.",
        "The quota of 429 requests is documented. Errors 401 and 403 are, too.",
        "Error handling: 401 is mapped to NeedsLogin, 429 to UsageLimit.",
        "Login required pages redirect now? No: they answer with 403, as you asked. Please log in to see it.\n\nI also …",
    ] {
        for agent in ["claude", "goose", "copilot", "codex", "kimi", "aider"] {
            let worked = |talk: &mut Conversation| {
                tool(talk);
                talk.say(words);
            };
            assert_eq!(word(&turn(agent, "Mend the parser.", worked, END)), "done", "{agent}: {words}");
        }
    }
    // An agent that is asked about an error repeats it.
    let asked = "What does `You've hit your limit · resets 3pm (UTC)` mean?";
    let echo = |talk: &mut Conversation| {
        talk.say("You've hit your limit · resets 3pm (UTC) is what Claude Code says when …")
    };
    assert_eq!(word(&turn("claude", asked, echo, END)), "done");
    // A model that was reached wrote these words itself.
    let wrote = r#""result":{"stopReason":"end_turn","usage":{"inputTokens":100,"outputTokens":12,"totalTokens":112}}"#;
    let model = |talk: &mut Conversation| talk.say("Error: 401 means that nobody is logged in.");
    assert_eq!(word(&turn("codex", "Which code?", model, wrote)), "done");
    // Something came after the words.
    let worked_on = |talk: &mut Conversation| {
        talk.say("API Error: 401 {\"type\":\"error\"} · Please run /login");
        tool(talk);
    };
    assert_eq!(word(&turn("claude", "Go", worked_on, END)), "done");
}

#[test]
fn errors_of_the_protocol() {
    for (error, means) in [
        (r#"{"code":-32000,"message":"Authentication required"}"#, "login"),
        (r#"{"code":-32000,"message":"You've hit your usage limit. Try again in 2 hours"}"#, "limit 7200"),
        (r#"{"code":401,"message":"Request failed"}"#, "login"),
        (r#"{"code":429,"message":"Request failed"}"#, "limit"),
        (
            r#"{"code":-32603,"message":"Internal error","data":{"status":429,"retryAfterSeconds":30}}"#,
            "limit 30",
        ),
        (r#"{"code":-32603,"message":"Internal error","data":{"statusCode":"401"}}"#, "login"),
        (
            r#"{"code":-32603,"message":"Internal error","data":{"error":{"type":"insufficient_quota","code":429}}}"#,
            "credit",
        ),
        (
            r#"{"code":-32603,"message":"Internal error","data":{"details":"{\"error\":{\"code\":429,\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[{\"retryDelay\":\"13.2s\"}]}}"}}"#,
            "limit 14",
        ),
        (
            r#"{"code":-32603,"message":"Internal error","data":{"resets_at":1795255200,"type":"usage_limit_reached"}}"#,
            "limit 7200",
        ),
        (r#"{"code":-32603,"message":"Internal error"}"#, "error"),
        (r#"{"code":-32603,"message":"Internal error","data":{"status":500}}"#, "error"),
        (r#"{"code":-32602,"message":"no file of 4012 bytes"}"#, "error"),
    ] {
        let outcome = turn("rehearsal", "go", |_| {}, &format!("\"error\":{error}"));
        assert_eq!(word(&outcome), means, "{error}");
    }
}

#[test]
fn a_wrong_pattern_in_a_definition_is_refused() {
    let text = "[quirks]\nerrors = [{ begins = \"(\" }]\n";
    let layer = divisi_agent::Layer::read("agents/goose.toml", "goose", text).unwrap();
    let refused = Registry::with_layers(&[layer]).unwrap_err().to_string();
    assert!(refused.starts_with("agents/goose.toml: in `quirks.errors`, `(` is not a pattern"), "{refused}");
}
