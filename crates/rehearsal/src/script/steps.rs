//! Reads one step: its first line and what is nested under it. One row per word of the script.

use agent_client_protocol_schema::v1::{PermissionOptionKind, PlanEntryStatus, StopReason, ToolKind};

use super::parse::{branch, misplaced, steps_under};
use super::text::{Line, Lines};
use super::words::Words;
use super::{
    Action, Crash, Fault, FaultKind, Flood, PlanItem, Question, Replacement, ScriptError, Step, Tokens,
};

/// Most repetitions of one `repeat`.
const REPEAT_MAX: u32 = 100_000;
/// Most bytes or lines of one `flood`.
const FLOOD_MAX: u64 = 64 * 1024 * 1024 * 1024;
/// Most bytes of a flood in one line, which has to fit into memory.
const FLOOD_LINE_MAX: u64 = 1024 * 1024 * 1024;

/// Every word a step may begin with, for hints on typing errors.
const STEPS: &[&str] = &[
    "say", "think", "plan", "read", "write", "append", "edit", "delete", "move", "run", "tool", "ask",
    "question", "usage", "commit", "sleep", "hang", "crash", "flood", "garbage", "ignore", "slow", "error",
    "cut", "stray", "end", "repeat",
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
            expect(&mut words, "to", "write: move OLD to NEW.")?;
            Action::Move { from, to: words.require("the new name")? }
        }
        "run" => Action::Run(text_or_block(lines, line, &mut words, "the command")?),
        "tool" => tool(&mut words)?,
        "ask" => ask(lines, line, &mut words, depth)?,
        "question" => Action::Question(question(lines, line, &mut words, depth)?),
        "usage" => Action::Usage(usage(&mut words)?),
        "commit" => Action::Commit(text_or_block(lines, line, &mut words, "the commit message")?),
        "sleep" => Action::Sleep(words.duration("the time to sleep")?),
        "hang" => Action::Hang,
        "crash" => Action::Crash(crash(&mut words)?),
        "flood" => Action::Flood(flood(&mut words)?),
        "garbage" => Action::Garbage(words.remainder()?),
        "ignore" => {
            expect(&mut words, "cancel", "write: ignore cancel.")?;
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

fn expect(words: &mut Words<'_>, keyword: &str, how: &str) -> Result<(), ScriptError> {
    if words.take(keyword) { Ok(()) } else { Err(words.error(how)) }
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

/// `PATH "text"`, or `PATH` and the text under it, which then ends with a line end as files do.
fn file_text(
    lines: &mut Lines<'_>,
    line: Line<'_>,
    words: &mut Words<'_>,
) -> Result<(String, String), ScriptError> {
    let path = words.require("the file")?;
    if !words.is_empty() {
        return Ok((path, words.require("the text")?));
    }
    let text = lines.text_under(line)?.map_or_else(String::new, |text| text + "\n");
    Ok((path, text))
}

fn plan(lines: &mut Lines<'_>, line: Line<'_>, words: &Words<'_>) -> Result<Vec<PlanItem>, ScriptError> {
    words.finish()?;
    let text = lines.text_under(line)?.unwrap_or_default();
    let items = text.lines().filter(|line| !line.trim().is_empty()).map(|entry| {
        let entry = entry.trim();
        let (status, text) = match entry.get(..3) {
            Some("[x]") => (PlanEntryStatus::Completed, &entry[3..]),
            Some("[>]") => (PlanEntryStatus::InProgress, &entry[3..]),
            Some("[ ]") => (PlanEntryStatus::Pending, &entry[3..]),
            _ => (PlanEntryStatus::Pending, entry),
        };
        PlanItem { text: text.trim().to_owned(), status }
    });
    Ok(items.collect())
}

/// `edit PATH replace "old" with "new"`, or `replace` and `with` as blocks under it, as often as wanted.
fn edit(lines: &mut Lines<'_>, line: Line<'_>, words: &mut Words<'_>) -> Result<Action, ScriptError> {
    const HOW: &str = "write: edit FILE replace \"old\" with \"new\", or put both as blocks under it.";
    let path = words.require("the file to edit")?;
    let mut replacements = Vec::new();
    if words.take("replace") {
        let old = words.require("the old text")?;
        expect(words, "with", HOW)?;
        replacements.push(Replacement { old, new: words.require("the new text")? });
    }
    while let Some(header) = lines.peek().filter(|next| next.indent > line.indent) {
        if header.text != "replace" {
            return Err(ScriptError::at(header.number, HOW));
        }
        lines.advance();
        let old = lines
            .text_under(header)?
            .ok_or_else(|| ScriptError::at(header.number, "the old text is missing."))?;
        let with = lines.peek().filter(|next| next.indent == header.indent && next.text == "with");
        let Some(with) = with else { return Err(ScriptError::at(header.number, HOW)) };
        lines.advance();
        replacements.push(Replacement { old, new: lines.text_under(with)?.unwrap_or_default() });
    }
    if replacements.iter().any(|one| one.old.is_empty()) || replacements.is_empty() {
        return Err(words.error(HOW));
    }
    Ok(Action::Edit { path, replacements })
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

/// `ask KIND "title" [options a, b]` with `allowed` and `rejected` under it.
fn ask(
    lines: &mut Lines<'_>,
    line: Line<'_>,
    words: &mut Words<'_>,
    depth: usize,
) -> Result<Action, ScriptError> {
    let kind_word = words.require("what kind of tool asks")?;
    let kind = tool_kind(&kind_word).ok_or_else(|| {
        words.error(format!(
            "“{kind_word}” is not a kind of tool; use read, edit, delete, move, search, execute, think, fetch, \
             switch_mode or other."
        ))
    })?;
    let title = words.require("the title")?;
    let mut options = Vec::new();
    if words.take("options") {
        for option in list(words)? {
            options.push(permission_option(&option).ok_or_else(|| {
                words.error(format!(
                    "“{option}” is not an option; use allow_once, allow_always, reject_once or reject_always."
                ))
            })?);
        }
    }
    if options.is_empty() {
        use PermissionOptionKind::{AllowAlways, AllowOnce, RejectOnce};
        options = vec![AllowOnce, AllowAlways, RejectOnce];
    }
    let (mut allowed, mut rejected) = (Vec::new(), Vec::new());
    while let Some(header) = lines.peek().filter(|next| next.indent > line.indent) {
        match header.text {
            "allowed" => allowed = branch(lines, header, depth)?,
            "rejected" => rejected = branch(lines, header, depth)?,
            other => {
                return Err(ScriptError::at(
                    header.number,
                    format!("“{other}” stands where allowed or rejected is expected."),
                ));
            }
        }
    }
    Ok(Action::Ask { kind, title, options, allowed, rejected })
}

/// `question "text" [choices a, b]` with `when answer contains "…"` and `otherwise` under it.
fn question(
    lines: &mut Lines<'_>,
    line: Line<'_>,
    words: &mut Words<'_>,
    depth: usize,
) -> Result<Question, ScriptError> {
    let text = words.require("the question")?;
    let choices = if words.take("choices") { list(words)? } else { Vec::new() };
    let (mut answers, mut otherwise) = (Vec::new(), Vec::new());
    while let Some(header) = lines.peek().filter(|next| next.indent > line.indent) {
        let mut head = Words::new(header.number, header.text);
        if head.take("otherwise") {
            otherwise = branch(lines, header, depth)?;
        } else if head.take("when") && head.take("answer") && head.take("contains") {
            let wanted = head.require("the text to look for")?;
            answers.push((wanted, branch(lines, header, depth)?));
        } else {
            return Err(head.error("write: when answer contains \"some text\", or otherwise."));
        }
        head.finish()?;
    }
    Ok(Question { text, choices, answers, otherwise })
}

fn usage(words: &mut Words<'_>) -> Result<Tokens, ScriptError> {
    let mut tokens = Tokens::default();
    while let Some(what) = words.next()? {
        match what.as_str() {
            "input" => tokens.input = words.number("the number of input tokens")?,
            "output" => tokens.output = words.number("the number of output tokens")?,
            "cached" => tokens.cached_read = words.number("the number of cached tokens")?,
            "cached_write" => {
                tokens.cached_write = words.number("the number of tokens written to the cache")?
            }
            "thought" => tokens.thought = words.number("the number of thought tokens")?,
            "cost" => {
                let cost: f64 = words.number("the cost in US dollars")?;
                if !cost.is_finite() || cost < 0.0 {
                    return Err(words.error("the cost is a number of US dollars, not below zero."));
                }
                tokens.cost = Some(cost);
            }
            other => {
                return Err(words.error(format!(
                    "“{other}” is not counted; use input, output, cached, cached_write, thought or cost."
                )));
            }
        }
    }
    Ok(tokens)
}

fn crash(words: &mut Words<'_>) -> Result<Crash, ScriptError> {
    if words.is_empty() {
        return Ok(Crash::Code(1));
    }
    if !words.take("signal") {
        return Ok(Crash::Code(words.number("the exit code (0 to 255)")?));
    }
    let name = words.require("the signal")?;
    let number = match name.trim_start_matches("SIG") {
        "KILL" => 9,
        "TERM" => 15,
        "SEGV" => 11,
        "ABRT" => 6,
        _ => {
            return Err(
                words.error(format!("“{name}” is not a signal known here; use KILL, TERM, SEGV or ABRT."))
            );
        }
    };
    Ok(Crash::Signal(number))
}

fn flood(words: &mut Words<'_>) -> Result<Flood, ScriptError> {
    const HOW: &str = "write: flood 20000 lines, flood 5 MB, or flood 5 MB in one line.";
    let amount: u64 = words.number("the amount")?;
    let unit = words.require("the unit (lines, B, KB or MB)")?;
    let factor = match unit.as_str() {
        "lines" => return bounded(words, amount, FLOOD_MAX).map(Flood::Lines),
        "B" => 1,
        "KB" => 1024,
        "MB" => 1024 * 1024,
        _ => return Err(words.error(HOW)),
    };
    let bytes = bounded(words, amount.saturating_mul(factor), FLOOD_MAX)?;
    if words.take("in") {
        if words.remainder()? != "one line" {
            return Err(words.error(HOW));
        }
        return bounded(words, bytes, FLOOD_LINE_MAX).map(Flood::OneLine);
    }
    Ok(Flood::Bytes(bytes))
}

fn bounded(words: &Words<'_>, amount: u64, most: u64) -> Result<u64, ScriptError> {
    if amount > most { Err(words.error(format!("such a flood has at most {most}."))) } else { Ok(amount) }
}

/// `error KIND ["message"] [retry after 2s] [times 3]`
fn fault(words: &mut Words<'_>) -> Result<Fault, ScriptError> {
    let word = words.require("the kind of error")?;
    let (kind, usual, times) = match word.as_str() {
        "unauthorized" => (FaultKind::Unauthorized, "Invalid API key. Log in first.", None),
        "usage-limit" => {
            (FaultKind::UsageLimit, "You have reached your usage limit. It resets in 1 hour.", None)
        }
        "rate-limit" => (FaultKind::RateLimit, "Too many requests. Try again later.", Some(1)),
        "overloaded" => (FaultKind::Overloaded, "The model is overloaded.", Some(1)),
        "internal" => (FaultKind::Internal, "Internal server error.", Some(1)),
        _ => {
            return Err(words.error(format!(
                "“{word}” is not a kind of error; use unauthorized, usage-limit, rate-limit, overloaded or internal."
            )));
        }
    };
    let mut fault = Fault { kind, message: usual.to_owned(), retry_after: None, times };
    while !words.is_empty() {
        if words.take("retry") {
            expect(words, "after", "write: retry after 2s.")?;
            fault.retry_after = Some(words.duration("the time to wait")?);
        } else if words.take("times") {
            fault.times = Some(words.number("the number of failures")?);
        } else if words.take("always") {
            fault.times = None;
        } else {
            fault.message = words.require("the message")?;
        }
    }
    Ok(fault)
}

fn stop_reason(words: &mut Words<'_>) -> Result<StopReason, ScriptError> {
    let word = words.next()?;
    Ok(match word.as_deref() {
        None | Some("end_turn" | "turn") => StopReason::EndTurn,
        Some("max_tokens") => StopReason::MaxTokens,
        Some("max_turn_requests") => StopReason::MaxTurnRequests,
        Some("refusal") => StopReason::Refusal,
        Some("cancelled") => StopReason::Cancelled,
        Some(other) => {
            return Err(words.error(format!(
                "“{other}” is not a stop reason; use end_turn, max_tokens, max_turn_requests, refusal or cancelled."
            )));
        }
    })
}

fn repeat(
    lines: &mut Lines<'_>,
    line: Line<'_>,
    words: &mut Words<'_>,
    depth: usize,
) -> Result<Action, ScriptError> {
    let times = words.number("the number of repetitions")?;
    if times > REPEAT_MAX {
        return Err(words.error(format!("at most {REPEAT_MAX} repetitions are allowed.")));
    }
    let steps = steps_under(lines, line, depth + 1)?;
    if steps.is_empty() {
        return Err(words.error("the steps to repeat are missing; indent them under it."));
    }
    Ok(Action::Repeat { times, steps })
}

/// The rest of a line as comma-separated words.
fn list(words: &mut Words<'_>) -> Result<Vec<String>, ScriptError> {
    let rest = words.remainder()?;
    let items: Vec<_> = rest.split(',').map(|item| item.trim().trim_matches('"').to_owned()).collect();
    if items.iter().any(String::is_empty) {
        return Err(words.error("separate the entries of the list with commas."));
    }
    Ok(items)
}

fn tool_kind(word: &str) -> Option<ToolKind> {
    Some(match word {
        "read" => ToolKind::Read,
        "edit" => ToolKind::Edit,
        "delete" => ToolKind::Delete,
        "move" => ToolKind::Move,
        "search" => ToolKind::Search,
        "execute" => ToolKind::Execute,
        "think" => ToolKind::Think,
        "fetch" => ToolKind::Fetch,
        "switch_mode" => ToolKind::SwitchMode,
        "other" => ToolKind::Other,
        _ => return None,
    })
}

fn permission_option(word: &str) -> Option<PermissionOptionKind> {
    Some(match word {
        "allow_once" => PermissionOptionKind::AllowOnce,
        "allow_always" => PermissionOptionKind::AllowAlways,
        "reject_once" => PermissionOptionKind::RejectOnce,
        "reject_always" => PermissionOptionKind::RejectAlways,
        _ => return None,
    })
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
