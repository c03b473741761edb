//! Steps with more than one line: texts, plans, edits, and branches.

use agent_client_protocol_schema::v1::{PermissionOptionKind, PlanEntryStatus};

use super::parse::{branch, steps_under};
use super::text::{Line, Lines};
use super::values::{permission_option, tool_kind};
use super::words::Words;
use super::{Action, PlanItem, Question, Replacement, ScriptError};

/// Most repetitions of one `repeat`.
const REPEAT_MAX: u32 = 100_000;

/// `PATH "text"`, or `PATH` and the text under it, which then ends with a line end as files do.
pub(super) fn file_text(
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

pub(super) fn plan(
    lines: &mut Lines<'_>,
    line: Line<'_>,
    words: &Words<'_>,
) -> Result<Vec<PlanItem>, ScriptError> {
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
pub(super) fn edit(
    lines: &mut Lines<'_>,
    line: Line<'_>,
    words: &mut Words<'_>,
) -> Result<Action, ScriptError> {
    const HOW: &str = "write: edit FILE replace \"old\" with \"new\", or put both as blocks under it.";
    let path = words.require("the file to edit")?;
    let mut replacements = Vec::new();
    if words.take("replace") {
        let old = words.require("the old text")?;
        words.expect("with", HOW)?;
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

/// `ask KIND "title" [options a, b]` with `allowed` and `rejected` under it.
pub(super) fn ask(
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
pub(super) fn question(
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

pub(super) fn repeat(
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
pub(super) fn list(words: &mut Words<'_>) -> Result<Vec<String>, ScriptError> {
    let rest = words.remainder()?;
    let items: Vec<_> = rest.split(',').map(|item| item.trim().trim_matches('"').to_owned()).collect();
    if items.iter().any(String::is_empty) {
        return Err(words.error("separate the entries of the list with commas."));
    }
    Ok(items)
}
