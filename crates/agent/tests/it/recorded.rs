//! What agents said when a scripted model behind them answered 401, answered 429, or broke off: short lines written
//! after recordings of the versions in `definitions/`, and what Divisi makes of them.

use divisi_agent::acp::PromptPart;
use divisi_agent::exec::{Exited, Session, Setup};
use divisi_agent::{Action, Counted, Registry};
use divisi_model::event::{Origin, TurnOutcome};

use crate::conversation::{Conversation, now};
use crate::errors::{turn, word};

const PROMPT: &str = "Make made.txt.";
const END: &str = r#""result":{"stopReason":"end_turn"}"#;

/// What an agent does before its answer to the prompt.
enum Does {
    Says(&'static str),
    Updates(&'static str),
    Writes,
}
use Does::{Says, Updates, Writes};

fn play(talk: &mut Conversation, does: &[&Does]) {
    for one in does {
        match one {
            Says(words) => talk.say(words),
            Updates(update) => talk.update(update),
            Writes => {
                talk.update(r#"{"sessionUpdate":"tool_call","toolCallId":"c1","title":"Write made.txt","kind":"edit","status":"pending"}"#);
                talk.update(r#"{"sessionUpdate":"tool_call_update","toolCallId":"c1","status":"completed"}"#);
            }
        }
    }
}

#[test]
fn agents_over_the_protocol() {
    let used = Updates(r#"{"sessionUpdate":"usage_update","used":8709,"size":128000}"#);
    let again = Says("Info: Request failed due to a transient API error. Retrying...");
    let broken = Says("Info: Response was interrupted due to a server error. Retrying...");
    let refused = Says(
        "Error: Authentication failed with provider at http://127.0.0.1:9100/v1 (HTTP 401).\n  \
         Check your COPILOT_PROVIDER_API_KEY, COPILOT_PROVIDER_API_KEY_COMMAND, or COPILOT_PROVIDER_BEARER_TOKEN.",
    );
    let used_up = Says("Error: 429 You have reached your usage limit. Try again in 20 minutes.");
    let codex_tries = Updates(
        r#"{"sessionUpdate":"session_info_update","_meta":{"codex":{"error":{"message":"Reconnecting... 1/1","codexErrorInfo":{"responseStreamDisconnected":{"httpStatusCode":429}},"additionalDetails":"exceeded retry limit, last status: 429 Too Many Requests","willRetry":true}}}}"#,
    );
    let login = r#""error":{"code":-32000,"message":"Authentication required"}"#;
    let opencode = r#""error":{"code":-32603,"message":"Internal error: Incorrect API key provided.","data":{"service":"session","errorName":"APIError"}}"#;
    let copilot_end = r#""result":{"stopReason":"end_turn","usage":{"inputTokens":2400,"outputTokens":100,"totalTokens":2500,"thoughtTokens":0,"cachedReadTokens":400,"cachedWriteTokens":0}}"#;
    let claude_limit = r#""error":{"code":-32603,"message":"Internal error: API Error: Request rejected (429) · You have reached your usage limit. Try again in 20 minutes.","data":{"errorKind":"rate_limit"}}"#;
    let goose_401 = Says(
        "Ran into this error: Authentication error: Authentication failed. Status: 401 Unauthorized. Response: Incorrect API key provided..\n\n\
         Please retry if you think this is a transient or recoverable error.",
    );
    let goose_cut = Says(
        "Ran into this error: Request failed: Stream decode error: error decoding response body.\n\n\
         Please retry if you think this is a transient or recoverable error.",
    );
    for (agent, case, does, answer, means) in [
        // Its notes and its error follow one another with nothing between them but numbers.
        ("copilot", "401", vec![&used, &again, &used, &again, &used, &refused], END, "login"),
        ("copilot", "429 for long", vec![&used, &used_up], END, "limit 1200"),
        ("copilot", "429", vec![&used, &Writes, &Says("All is done.")], copilot_end, "done"),
        ("copilot", "cut", vec![&used, &broken, &Writes, &Says("All is done.")], copilot_end, "done"),
        (
            "kimi",
            "401",
            vec![],
            r#""error":{"code":-32000,"message":"Authentication required: 401 Incorrect API key provided."}"#,
            "login",
        ),
        ("kimi", "429", vec![&Writes, &Says("All is done.")], END, "done"),
        (
            "qwen",
            "401",
            vec![],
            r#""error":{"code":-32603,"message":"Internal error","data":{"details":"401 Incorrect API key provided."}}"#,
            "login",
        ),
        ("qwen", "429", vec![&Writes, &Says("All is done."), &Says("")], END, "done"),
        (
            "cline",
            "401",
            vec![],
            r#""error":{"code":-32603,"message":"Internal error: Incorrect API key provided.","data":{"message":"Incorrect API key provided."}}"#,
            "login",
        ),
        // It breaks a loop off; to the person that is no wish of theirs.
        (
            "cline",
            "loop",
            vec![&Writes, &Writes],
            r#""result":{"stopReason":"cancelled"}"#,
            "CutShort { text: \"the agent cancelled its turn by itself\" }",
        ),
        ("kilo", "401", vec![], opencode, "login"),
        ("opencode", "401", vec![], opencode, "login"),
        (
            "claude",
            "401",
            vec![&Says("Failed to authenticate. API Error: 401 Incorrect API key provided.")],
            login,
            "login",
        ),
        (
            "claude",
            "401, dressed",
            vec![&Says("Failed to authenticate. API Error: 401 Incorrect API key provided.")],
            END,
            "login",
        ),
        (
            "claude",
            "429 for long",
            vec![&Says(
                "API Error: Request rejected (429) · You have reached your usage limit. Try again in 20 minutes.",
            )],
            claude_limit,
            "limit 1200",
        ),
        (
            "claude",
            "429, dressed",
            vec![&Says(
                "API Error: Request rejected (429) · You have reached your usage limit. Try again in 20 minutes.",
            )],
            END,
            "limit 1200",
        ),
        ("codex", "401", vec![], login, "login"),
        ("codex", "429", vec![&codex_tries, &Writes, &Says("All is done.")], END, "done"),
        (
            "gemini",
            "401",
            vec![],
            r#""error":{"code":401,"message":"{\"error\":{\"code\":401,\"message\":\"Incorrect API key provided.\",\"status\":\"UNAUTHENTICATED\"}}"}"#,
            "login",
        ),
        ("gemini", "cut", vec![], r#""error":{"code":500,"message":"terminated"}"#, "error"),
        ("goose", "401", vec![&goose_401], END, "login"),
        ("goose", "cut", vec![&goose_cut], END, "error"),
    ] {
        assert_eq!(word(&turn(agent, PROMPT, |talk| play(talk, &does), answer)), means, "{agent}: {case}");
    }
}

#[test]
fn a_report_of_work_with_such_a_line_is_no_error() {
    for (agent, words) in [
        ("copilot", "The command printed:\nError: no such file\nand I made the file."),
        ("copilot", "Error: handling is done in one place now."),
        ("claude", "API Error: Request rejected is shown with its reason now."),
    ] {
        let does = |talk: &mut Conversation| {
            play(talk, &[&Writes]);
            talk.say(words);
        };
        assert_eq!(word(&turn(agent, PROMPT, does, END)), "done", "{agent}: {words}");
    }
}

/// One turn of a shipped command: what it prints, its exit code, and what it writes on stderr.
fn command(agent: &str, prints: &str, code: i32, errors: &str) -> TurnOutcome {
    let definition = Registry::shipped().require(agent).unwrap().clone();
    let setup = Setup {
        output: definition.exec.output,
        turn: 1,
        prompts: vec![PromptPart::words(Origin::Task, PROMPT)],
        session: None,
        resume: false,
        quirks: definition.quirks,
        zone: None,
        counted: Counted::default(),
        first_seq: 1,
    };
    let mut session = Session::new(setup, now());
    session.feed_out(prints.as_bytes(), 0, now());
    let exit = Exited { code: Some(code), text: format!("exit code {code}"), errors: errors.into() };
    let outcome = session.exited(&exit, now()).into_iter().find_map(|action| match action {
        Action::TurnEnded { outcome, .. } => Some(outcome),
        _ => None,
    });
    outcome.unwrap()
}

const MINI: &str = "System:\nYou are a helpful assistant that can interact with a computer.\n\nUser:\nPlease solve this issue: Make made.txt.\n\n\
                    ────────\n\n";
const AIDER: &str = "Analytics have been permanently disabled.\nAider v0.86.2\nModel: openai/default with diff edit format\n\
                     Git repo: .git with 1 files\nRepo-map: disabled\n\n";

#[test]
fn commands() {
    let mini_401 = "Exit:\nlitellm.AuthenticationError: AuthenticationError: OpenAIException - Incorrect \nAPI key provided. \
                    You can permanently set your API key with `mini-extra config \nset KEY VALUE`.\n";
    let aider_401 = "litellm.AuthenticationError: AuthenticationError: OpenAIException - Incorrect \nAPI key provided.\n\
                     The API provider is not able to authenticate you. Check your API key.\n";
    let done = "mini-swe-agent (step 1, $0.00):\n```\necho made > made.txt\n```\n\nTool:\n<returncode>\n0\n<output>\n\nExit:\n";
    for (agent, prints, code, errors, means) in [
        ("mini-swe-agent", format!("{MINI}{mini_401}"), 1, "", "login"),
        // What it says besides on stderr is not the reason.
        ("mini-swe-agent", format!("{MINI}{mini_401}"), 1, "UserWarning: something is old\n", "login"),
        ("mini-swe-agent", format!("{MINI}{done}"), 0, "", "done"),
        ("aider", format!("{AIDER}{aider_401}"), 0, "", "login"),
    ] {
        assert_eq!(word(&command(agent, &prints, code, errors)), means, "{agent}: {prints}");
    }
}
