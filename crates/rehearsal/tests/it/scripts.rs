//! Scripts from outside: whatever is thrown at the parser, and what people get wrong.

use divisi_rehearsal::script::{Part, Script, find_block, find_name};
use proptest::prelude::*;

/// Lines that are nearly right, so that chance reaches far into the parser.
fn nearly_a_line() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "say",
        "write",
        "edit",
        "replace",
        "with",
        "ask",
        "allowed",
        "rejected",
        "question",
        "when",
        "prompt",
        "contains",
        "otherwise",
        "turn",
        "repeat",
        "flood",
        "usage",
        "plan",
        "[x]",
        "\"",
        "\"a",
        "a\"",
        "\\",
        "|",
        "#",
        "5",
        "MB",
        "in",
        "one",
        "line",
        "ü",
        "\t",
        "execute",
        "choices",
        ",",
        "error",
        "retry",
        "after",
        "2s",
        "tool",
        "{",
        "}",
    ]);
    (0..8usize, prop::collection::vec(words, 0..7))
        .prop_map(|(indent, words)| format!("{}{}", " ".repeat(indent), words.join(" ")))
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _ = Script::parse(&text);
        let _ = find_block(&text);
        let _ = find_name(&text);
    }

    #[test]
    fn nearly_right_scripts_are_read_or_refused_with_a_line(lines in prop::collection::vec(nearly_a_line(), 0..12)) {
        match Script::parse(&lines.join("\n")) {
            Ok(script) => {
                let mut part = Part::new(script);
                for prompt in ["first", "second ü", ""] {
                    part.take(prompt);
                }
            }
            Err(error) => {
                let sentence = error.to_string();
                prop_assert!(sentence.starts_with("Script line "), "{sentence}");
                prop_assert!(sentence.ends_with(['.', '?']), "{sentence}");
            }
        }
    }
}

#[test]
fn mistakes_are_answered_with_one_sentence() {
    let sentences: Vec<String> = [
        "edit a.txt",
        "edit a.txt\n  replace\n    old\n  new",
        "write",
        "say \"a\" \"b\"\nmove a b",
        "write a \"no end",
        "write a \"\\x\"",
        "ask dance \"x\"",
        "ask execute \"x\" options maybe",
        "ask execute \"x\"\n  yes\n    say x",
        "question \"x\"\n  when it rains",
        "usage tokens 5",
        "usage cost -1",
        "sleep 5",
        "crash signal HUP",
        "flood 5 lines please",
        "flood 9000 GB",
        "error boom",
        "end soon",
        "tool x [1]",
        "repeat 3",
        "ignore signals",
        "write a\n    one\n  two",
        "write a\n  | one\n  two",
        "frobnicate",
    ]
    .iter()
    .map(|script| Script::parse(script).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(sentences.join("\n"), @r#"
Script line 1: write: edit FILE replace "old" with "new", or put both as blocks under it.
Script line 2: write: edit FILE replace "old" with "new", or put both as blocks under it.
Script line 1: the file is missing.
Script line 2: write: move OLD to NEW.
Script line 1: a quotation mark is not closed.
Script line 1: “\x” is not known; use \n, \t, \" or \\.
Script line 1: “dance” is not a kind of tool; use read, edit, delete, move, search, execute, think, fetch, switch_mode or other.
Script line 1: “maybe” is not an option; use allow_once, allow_always, reject_once or reject_always.
Script line 2: “yes” stands where allowed or rejected is expected.
Script line 2: write: when answer contains "some text", or otherwise.
Script line 1: “tokens” is not counted; use input, output, cached, cached_write, thought or cost.
Script line 1: the cost is a number of US dollars, not below zero.
Script line 1: the time to sleep is not “5”; write 200ms, 3s, 2m or 1h.
Script line 1: “HUP” is not a signal known here; use KILL, TERM, SEGV or ABRT.
Script line 1: “please” is not expected here.
Script line 1: write: flood 20000 lines, flood 5 MB, or flood 5 MB in one line.
Script line 1: “boom” is not a kind of error; use unauthorized, usage-limit, rate-limit, overloaded or internal.
Script line 1: “soon” is not a stop reason; use end_turn, max_tokens, max_turn_requests, refusal or cancelled.
Script line 1: the arguments of the tool are not a JSON object on one line.
Script line 1: the steps to repeat are missing; indent them under it.
Script line 1: write: ignore cancel.
Script line 3: this text is indented less than its first line; begin its lines with a bar to mark the left edge.
Script line 3: every line of this text has to begin with a bar, as its first does.
Script line 1: “frobnicate” is not a step; steps are say, think, plan, read, write, append, edit, delete, move, run, tool, ask, question, usage, commit, sleep, hang, crash, flood, garbage, ignore, slow, error, cut, stray, end, repeat, expect.
"#);
}
