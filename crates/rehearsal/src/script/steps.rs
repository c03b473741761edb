//! Reads one step: its first line and what is nested under it. One row per word of the script.

use super::blocks::{ask, edit, file_text, plan, question, repeat};
use super::parse::misplaced;
use super::text::{Line, Lines};
use super::values::{crash, fault, flood, stop_reason, usage};
use super::words::Words;
use super::{Action, ScriptError, Step};

/// Every word a step may begin with, for hints on typing errors.
const STEPS: &[&str] = &[
    "say", "think", "plan", "read", "write", "append", "edit", "delete", "move", "run", "tool", "ask",
    "question", "usage", "commit", "sleep", "hang", "crash", "flood", "garbage", "ignore", "slow", "error",
    "cut", "stray", "end", "repeat", "expect",
];

/// Reads the step on which `lines` stands and everything that belongs to it.
pub(super) fn parse_step(lines: &mut Lines<'_>, depth: usize) -> Result<Step, ScriptError> {
    let Some(line) = lines.peek() else { return Err(ScriptError::at(0, "a step is missing.")) };
    if line.text.starts_with('\t') {
        return Err(misplaced(line));
    }
    lines.advance();
    let mut words = Words::new(line.number, line.text);
    let verb = words.require("a step")?;
    let action = match verb.as_str() {
        "say" => Action::Say(text_or_block(lines, line, &mut words, "the text to say")?),
        "think" => Action::Think(text_or_block(lines, line, &mut words, "the thought")?),
        "plan" => Action::Plan(plan(lines, line, &words)?),
        "read" => Action::Read(words.require("the file to read")?),
        "write" => file_text(lines, line, &mut words).map(|(path, text)| Action::Write { path, text })?,
        "append" => file_text(lines, line, &mut words).map(|(path, text)| Action::Append { path, text })?,
        "edit" => edit(lines, line, &mut words)?,
        "delete" => Action::Delete(words.require("the file to delete")?),
        "move" => {
            let from = words.require("the file to move")?;
            words.expect("to", "write: move OLD to NEW.")?;
            Action::Move { from, to: words.require("the new name")? }
        }
        "run" => Action::Run(text_or_block(lines, line, &mut words, "the command")?),
        "tool" => tool(&mut words)?,
        "ask" => ask(lines, line, &mut words, depth)?,
        "question" => Action::Question(question(lines, line, &mut words, depth)?),
        "expect" => {
            let count = words.number("the number of images")?;
            words.expect("images", "write: expect 2 images.")?;
            Action::Images(count)
        }
        "usage" => Action::Usage(usage(&mut words)?),
        "commit" => Action::Commit(text_or_block(lines, line, &mut words, "the commit message")?),
        "sleep" => Action::Sleep(words.duration("the time to sleep")?),
        "hang" => Action::Hang,
        "crash" => Action::Crash(crash(&mut words)?),
        "flood" => Action::Flood(flood(&mut words)?),
        "garbage" => Action::Garbage(words.remainder()?),
        "ignore" => {
            words.expect("cancel", "write: ignore cancel.")?;
            Action::IgnoreCancel
        }
        "slow" => Action::Slow(words.duration("the time per word")?),
        "error" => Action::Error(fault(&mut words)?),
        "cut" => Action::Cut,
        "stray" => Action::Stray(text_or_block(lines, line, &mut words, "the command")?),
        "end" => Action::End(stop_reason(&mut words)?),
        "repeat" => repeat(lines, line, &mut words, depth)?,
        other => return Err(unknown(line, other)),
    };
    words.finish()?;
    Ok(Step { line: line.number, action })
}

fn text_or_block(
    lines: &mut Lines<'_>,
    line: Line<'_>,
    words: &mut Words<'_>,
    what: &str,
) -> Result<String, ScriptError> {
    if !words.is_empty() {
        return words.remainder();
    }
    lines.text_under(line)?.ok_or_else(|| words.error(format!("{what} is missing.")))
}

fn tool(words: &mut Words<'_>) -> Result<Action, ScriptError> {
    let name = words.require("the name of the tool")?;
    let json = words.remainder()?;
    let arguments = match json.is_empty() {
        true => serde_json::json!({}),
        false => serde_json::from_str(&json)
            .ok()
            .filter(serde_json::Value::is_object)
            .ok_or_else(|| words.error("the arguments of the tool are not a JSON object on one line."))?,
    };
    Ok(Action::Tool { name, arguments })
}

fn unknown(line: Line<'_>, verb: &str) -> ScriptError {
    let near = STEPS.iter().map(|step| (distance(verb, step), *step)).min().filter(|(apart, _)| *apart <= 2);
    let hint = match near {
        Some((_, step)) => format!("did you mean “{step}”?"),
        None => format!("steps are {}.", STEPS.join(", ")),
    };
    ScriptError::at(line.number, format!("“{verb}” is not a step; {hint}"))
}

/// Edit distance where two swapped neighbours count as one, cut short for long words.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().take(24).collect(), right.chars().collect());
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    for i in 0..=left.len() {
        for j in 0..=right.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let swap = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
                let changed = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
                let swapped = if swap { rows[i - 2][j - 2] + 1 } else { usize::MAX };
                changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(swapped)
            };
        }
    }
    rows[left.len()][right.len()]
}
