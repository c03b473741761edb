//! The hand-off: what an agent that cannot resume is told before its next prompt. Plain words from Divisi's own
//! transcript, in bounded size, so that any vendor's agent can go on where another one stopped.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use divisi_model::event::Origin;
use divisi_model::transcript::{Answered, Entry, EntryBody, StepStatus, ToolCall, ToolKind, ToolStatus};

/// Longest hand-off, in bytes.
pub const PACKET_BYTES: usize = 24 * 1024;
/// The share of it for the task.
const TASK_BYTES: usize = 8 * 1024;
/// The share of it for what happened; the newest stays.
const STORY_BYTES: usize = 10 * 1024;
/// Longest words of one message or prompt.
const WORDS_BYTES: usize = 1500;
/// Longest line on a tool call.
const LINE_BYTES: usize = 200;
/// The share of it for the files.
const FILES_BYTES: usize = 3 * 1024;

/// What a hand-off is made of.
#[derive(Clone, Copy, Debug)]
pub struct HandOff<'a> {
    /// The task: its prompt or spec.
    pub task: &'a str,
    /// What is in the transcript, in order; the last few hundred entries are enough.
    pub entries: &'a [Entry],
}

/// Writes the hand-off.
pub fn packet(hand_off: &HandOff<'_>) -> String {
    let mut text = String::from(
        "You take over work that was begun in an earlier session which cannot be resumed. The files in this folder are \
         as that session left them. Look at them before you rely on what is told here; then do what comes after this \
         hand-off.\n\n## The task\n\n",
    );
    text.push_str(&clip(hand_off.task.trim(), TASK_BYTES));
    let entries = hand_off.entries;
    let story = story(entries);
    if !story.is_empty() {
        text.push_str("\n\n## What happened so far\n\n");
        text.push_str(story.trim_end());
    }
    let files = files(entries);
    if !files.is_empty() {
        text.push_str("\n\n## Files that were worked on\n\n");
        text.push_str(&list(&files));
    }
    if let Some(plan) = plan(entries) {
        text.push_str("\n## The plan, as it stood\n\n");
        text.push_str(&plan);
    }
    let open = open(entries);
    if !open.is_empty() {
        text.push_str("\n## Left open\n\n");
        text.push_str(&open);
    }
    let mut text = clip(text.trim_end(), PACKET_BYTES - 64);
    text.push_str("\n\n(End of the hand-off.)\n");
    text
}

/// A line per file, as many as fit.
fn list(files: &BTreeMap<String, &'static str>) -> String {
    let mut list = String::new();
    for (n, (path, what)) in files.iter().enumerate() {
        let line = format!("- `{path}` ({what})\n");
        if list.len() + line.len() > FILES_BYTES {
            let _ = writeln!(list, "- and {} more", files.len() - n);
            break;
        }
        list.push_str(&line);
    }
    list
}

/// Prompts, last words and tool calls by turn; the newest that fit.
fn story(entries: &[Entry]) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut turn = 0;
    for entry in entries {
        let Some(line) = line(&entry.body) else { continue };
        if entry.turn != turn {
            turn = entry.turn;
            lines.push(format!("### Turn {turn}\n\n"));
        }
        lines.push(line);
    }
    let mut bytes = 0;
    let kept = lines.iter().rev().take_while(|line| {
        bytes += line.len();
        bytes <= STORY_BYTES
    });
    let kept = kept.count();
    let left_out = lines.len() - kept;
    let mut story = String::new();
    if left_out > 0 {
        let _ = writeln!(story, "({left_out} earlier steps left out)\n");
    }
    story.extend(lines.drain(left_out..));
    story
}

fn line(body: &EntryBody) -> Option<String> {
    Some(match body {
        EntryBody::Prompt { origin, text, .. } => {
            let from = match origin {
                Origin::Task => "The task was given",
                Origin::Person => "A person wrote",
                Origin::Check => "A check failed",
                Origin::Review => "A reviewer wrote",
                Origin::Conflict => "There was a conflict",
                Origin::Limit => "After a usage limit",
                Origin::Scope => "Files outside of the scope were changed",
            };
            format!("{from}:\n\n{}\n\n", quote(&clip(text.text.trim(), WORDS_BYTES)))
        }
        EntryBody::Message { text } => {
            format!("The agent said:\n\n{}\n\n", quote(&clip(text.text.trim(), WORDS_BYTES)))
        }
        EntryBody::ToolCall(call) if !matches!(call.kind, ToolKind::Read | ToolKind::Think) => {
            let failed = if call.status == ToolStatus::Failed { " (failed)" } else { "" };
            format!("- {}{failed}\n", clip(&one_line(&title(call)), LINE_BYTES))
        }
        EntryBody::TurnEnded { outcome, .. } => {
            use divisi_model::event::TurnOutcome as T;
            match outcome {
                T::Completed => return None,
                T::Cancelled => "The turn was cancelled by a person.\n\n".to_owned(),
                T::Denied => "The turn ended because a permission was denied.\n\n".to_owned(),
                _ => "The turn broke off.\n\n".to_owned(),
            }
        }
        _ => return None,
    })
}

fn title(call: &ToolCall) -> String {
    match (&call.name, call.title.as_str()) {
        (Some(name), "") => name.clone(),
        (None, "") => call.kind.as_str().to_owned(),
        (_, title) => title.to_owned(),
    }
}

/// Paths from diffs and places of tool calls that change files.
fn files(entries: &[Entry]) -> BTreeMap<String, &'static str> {
    let mut files = BTreeMap::new();
    for entry in entries {
        let EntryBody::ToolCall(call) = &entry.body else { continue };
        if call.status == ToolStatus::Failed {
            continue;
        }
        let what = match call.kind {
            ToolKind::Delete => "deleted",
            ToolKind::Move => "moved",
            _ => "changed",
        };
        for diff in &call.diffs {
            files.insert(one_line(&diff.path), if diff.old.is_none() { "written" } else { what });
        }
        if matches!(call.kind, ToolKind::Edit | ToolKind::Delete | ToolKind::Move) {
            for place in &call.locations {
                files.entry(one_line(&place.path)).or_insert(what);
            }
        }
    }
    files
}

fn plan(entries: &[Entry]) -> Option<String> {
    let steps = entries.iter().rev().find_map(|entry| match &entry.body {
        EntryBody::Plan { steps } => Some(steps),
        _ => None,
    })?;
    let mut plan = String::new();
    for step in steps.iter().take(40) {
        let mark = match step.status {
            StepStatus::Completed => "x",
            StepStatus::InProgress => "~",
            StepStatus::Pending => " ",
        };
        let _ = writeln!(plan, "- [{mark}] {}", clip(&one_line(&step.text), LINE_BYTES));
    }
    Some(plan)
}

/// Questions and permission requests that nobody answered.
fn open(entries: &[Entry]) -> String {
    let closed = |name: &str, at: usize| {
        entries.iter().skip(at).any(|entry| match &entry.body {
            EntryBody::Answered { request, answer } => request == name && *answer != Answered::Withdrawn,
            _ => false,
        })
    };
    let mut open = String::new();
    for (at, entry) in entries.iter().enumerate() {
        match &entry.body {
            EntryBody::Question { request, text, .. } if !closed(request, at) => {
                let _ = writeln!(open, "- unanswered question: {}", clip(&one_line(&text.text), LINE_BYTES));
            }
            EntryBody::PermissionRequest { request, title, .. } if !closed(request, at) => {
                let _ = writeln!(open, "- permission not given: {}", clip(&one_line(title), LINE_BYTES));
            }
            _ => {}
        }
    }
    open
}

fn quote(text: &str) -> String {
    text.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn clip(text: &str, limit: usize) -> String {
    // The marker of a cut takes a few bytes of its own.
    divisi_model::transcript::Text::clip(text, limit.saturating_sub(40)).text
}

#[cfg(test)]
mod tests {
    use divisi_model::event::TurnOutcome;
    use divisi_model::transcript::{FileDiff, PlanStep, Text};
    use jiff::Timestamp;

    use super::*;

    fn entries(bodies: Vec<(u32, EntryBody)>) -> Vec<Entry> {
        let entry = |(n, (turn, body)): (usize, (u32, EntryBody))| Entry {
            seq: n as u64 + 1,
            at: Timestamp::UNIX_EPOCH,
            turn,
            source: None,
            body,
        };
        bodies.into_iter().enumerate().map(entry).collect()
    }

    fn edit(path: &str) -> EntryBody {
        let mut call = ToolCall::new(path);
        call.title = format!("Write\n{path}");
        call.kind = ToolKind::Edit;
        call.diffs = vec![FileDiff { path: path.into(), old: None, new: "x".into() }];
        EntryBody::ToolCall(Box::new(call))
    }

    #[test]
    fn a_hand_off_tells_the_task_the_story_the_files_and_what_is_open() {
        let entries = entries(vec![
            (1, EntryBody::Prompt { origin: Origin::Task, text: "Add a parser".into(), images: vec![] }),
            (
                1,
                EntryBody::Plan {
                    steps: vec![PlanStep { text: "write it".into(), status: StepStatus::InProgress }],
                },
            ),
            (1, edit("src/parse.rs")),
            (1, EntryBody::Question { request: "1".into(), text: "Which grammar?".into(), options: vec![] }),
            (1, EntryBody::Message { text: "Half done.".into() }),
            (1, EntryBody::TurnEnded { outcome: TurnOutcome::Cancelled, stop_reason: None }),
        ]);
        let packet = packet(&HandOff { task: "Add a parser", entries: &entries });
        let body = packet.split_once("## The task").unwrap().1;
        assert_eq!(
            body,
            "\n\nAdd a parser\n\n\
             ## What happened so far\n\n### Turn 1\n\nThe task was given:\n\n> Add a parser\n\n- Write src/parse.rs\n\
             The agent said:\n\n> Half done.\n\nThe turn was cancelled by a person.\n\n\
             ## Files that were worked on\n\n- `src/parse.rs` (written)\n\n\
             ## The plan, as it stood\n\n- [~] write it\n\n\
             ## Left open\n\n- unanswered question: Which grammar?\n\n\
             (End of the hand-off.)\n"
        );
    }

    #[test]
    fn a_hand_off_is_bounded_and_keeps_the_newest() {
        let mut bodies = Vec::new();
        for turn in 1..200 {
            bodies.push((
                turn,
                EntryBody::Message { text: Text::from(format!("word{turn} ").repeat(400).as_str()) },
            ));
            bodies.push((turn, edit(&format!("src/{}/{turn}.rs", "deep/".repeat(50)))));
        }
        let entries = entries(bodies);
        let packet = packet(&HandOff { task: &"long ".repeat(10_000), entries: &entries });
        assert!(packet.len() <= PACKET_BYTES, "{}", packet.len());
        assert!(packet.contains("word199") && !packet.contains("word150"));
        assert!(packet.contains("earlier steps left out"));
        assert!(packet.ends_with("(End of the hand-off.)\n"));
    }
}
