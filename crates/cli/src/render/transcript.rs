//! Entries of a transcript as text.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use divisi_api::types::{TranscriptEntryView, TurnView};
use divisi_model::event::{Origin, TurnOutcome};
use divisi_model::image::{Given, GivenImage};
use divisi_model::transcript::{Answered, EntryBody, StepStatus, Text, ToolCall, ToolStatus};

use super::{clean, style, usage};

/// Most lines of a tool's output that are shown, from its end.
const OUTPUT_LINES: usize = 12;
/// Most lines of a thought that are shown.
const THOUGHT_LINES: usize = 6;

/// Shows entries one after the other. An entry that comes again, because it goes on, shows only what is new.
#[derive(Default)]
pub(crate) struct Teller {
    shown: HashMap<(u32, u64), Shown>,
    open: Option<(u32, u64)>,
    turns: BTreeMap<u32, Used>,
}

/// What is known of what a turn used.
#[derive(Default)]
struct Used {
    line: Option<String>,
    /// Its end stands on the screen.
    ended: bool,
    told: bool,
}

/// What of an entry stands on the screen.
#[derive(Default)]
struct Shown {
    text: usize,
    state: String,
}

impl Teller {
    /// What to write for an entry.
    pub(crate) fn tell(&mut self, view: &TranscriptEntryView) -> String {
        let key = (view.session, view.entry.seq);
        let mut out = String::new();
        match &view.entry.body {
            EntryBody::Message { text } => self.stream(&mut out, key, text, ""),
            EntryBody::Thought { text } => self.stream(&mut out, key, text, "thinking"),
            body => {
                let whole = whole(body);
                let known = self.shown.entry(key).or_default();
                if whole.is_empty() || known.state == whole {
                    return out;
                }
                known.state.clone_from(&whole);
                self.close(&mut out);
                out.push_str(&whole);
            }
        }
        if matches!(view.entry.body, EntryBody::TurnEnded { .. }) {
            let turn = self.turns.entry(view.entry.turn).or_default();
            turn.ended = true;
            out.push_str(&turn.tell());
        }
        out
    }

    /// Takes in what turns used, which is known a moment after their end; what to write where that end stands already.
    pub(crate) fn learn(&mut self, turns: &[TurnView]) -> String {
        let mut out = String::new();
        for turn in turns.iter().filter(|turn| turn.ended.is_some()) {
            let known = self.turns.entry(turn.number).or_default();
            known.line = usage::line(&turn.usage);
            if known.ended && known.line.is_some() && !known.told {
                self.close(&mut out);
            }
            if let Some(known) = self.turns.get_mut(&turn.number) {
                out.push_str(&known.tell());
            }
        }
        out
    }

    /// What to write at the end, so that the last line is whole.
    pub(crate) fn end(&mut self) -> String {
        let mut out = String::new();
        self.close(&mut out);
        out
    }

    /// Words that grow: only the new ones are written, after those that stand there already.
    fn stream(&mut self, out: &mut String, key: (u32, u64), text: &Text, label: &str) {
        let known = self.shown.get(&key).map_or(0, |shown| shown.text);
        let Some(new) = text.text.get(known..).filter(|new| !new.is_empty()) else { return };
        if self.open != Some(key) {
            self.close(out);
            if !label.is_empty() {
                let _ = write!(out, "{} ", style::faint(format!("[{label}]")));
            }
            self.open = Some(key);
        }
        let words = clean::text(new);
        if label.is_empty() {
            out.push_str(&words);
        } else {
            // A thought that was cut does not hide the message after it.
            let lines: Vec<_> = words.lines().take(THOUGHT_LINES).collect();
            out.push_str(&style::faint(lines.join("\n")));
        }
        self.shown.entry(key).or_default().text = text.text.len();
    }

    fn close(&mut self, out: &mut String) {
        if self.open.take().is_some() {
            out.push('\n');
        }
    }
}

impl Used {
    fn tell(&mut self) -> String {
        match &self.line {
            Some(line) if self.ended && !self.told => {
                self.told = true;
                format!("{}\n", style::faint(format!("    {line}")))
            }
            _ => String::new(),
        }
    }
}

/// An image, and which way it went.
fn image(given: &GivenImage) -> String {
    let way = match &given.given {
        Given::Shown => "shown to the agent".to_owned(),
        Given::File { path } => format!("given as the file {}", clean::line(path)),
    };
    let name = clean::line(&given.image.name);
    format!("> {}\n", style::faint(format!("[image {name}: {way}]")))
}

fn whole(body: &EntryBody) -> String {
    match body {
        EntryBody::Message { .. } | EntryBody::Thought { .. } | EntryBody::Usage(_) => String::new(),
        EntryBody::Prompt { origin, text, images } => {
            let from = match origin {
                Origin::Task => "task",
                Origin::Person => "you",
                Origin::Check => "checks",
                Origin::Review => "review",
                Origin::Conflict => "conflict",
                Origin::Limit => "limit over",
                Origin::Scope => "scope",
            };
            let images: String = images.iter().map(image).collect();
            format!("\n{}\n{}\n{images}\n", style::strong(format!("> {from}")), indent(&text.text, "> "))
        }
        EntryBody::Plan { steps } => {
            let mark = |status| match status {
                StepStatus::Pending => "[ ]",
                StepStatus::InProgress => "[>]",
                StepStatus::Completed => "[x]",
            };
            let lines =
                steps.iter().map(|step| format!("  {} {}\n", mark(step.status), clean::line(&step.text)));
            format!("{}\n{}", style::faint("plan"), lines.collect::<String>())
        }
        EntryBody::ToolCall(call) => tool(call),
        EntryBody::PermissionRequest { title, .. } => {
            format!("{} {}\n", style::warn("asks permission:"), clean::line(title))
        }
        EntryBody::Question { text, .. } => format!("{} {}\n", style::warn("asks:"), clean::text(&text.text)),
        EntryBody::Answered { answer, .. } => {
            let how = match answer {
                Answered::Chosen { option } => clean::line(option),
                Answered::Words { text } => clean::line(&text.text),
                Answered::Declined => "declined".to_owned(),
                Answered::Withdrawn => "withdrawn".to_owned(),
            };
            format!("{} {how}\n", style::faint("answered:"))
        }
        EntryBody::ModeChanged { mode } => {
            format!("{}\n", style::faint(format!("mode: {}", clean::line(mode))))
        }
        EntryBody::Notice { text, .. } => {
            format!("{}\n", style::faint(format!("-- {}", clean::line(&text.text))))
        }
        EntryBody::TurnEnded { outcome, .. } => format!("{}\n", end_of_turn(outcome)),
        EntryBody::Raw { name, .. } => format!("{}\n", style::faint(format!("({})", clean::line(name)))),
    }
}

fn tool(call: &ToolCall) -> String {
    let state = match call.status {
        ToolStatus::Pending => style::faint("waiting"),
        ToolStatus::InProgress => style::faint("running"),
        ToolStatus::Completed => style::good("done"),
        ToolStatus::Failed => style::bad("failed"),
    };
    let title = if call.title.is_empty() { call.kind.as_str() } else { &call.title };
    let mut out =
        format!("{} {} {state}\n", style::name(format!("[{}]", call.kind.as_str())), clean::line(title));
    if !call.is_over() {
        return out;
    }
    for diff in &call.diffs {
        let _ = writeln!(out, "    {}", clean::line(&diff.path));
    }
    if let Some(output) = &call.output {
        let text = clean::text(output.text.trim_end());
        let lines: Vec<_> = text.lines().collect();
        let skipped = lines.len().saturating_sub(OUTPUT_LINES);
        if skipped > 0 {
            let _ = writeln!(out, "    {}", style::faint(format!("… {skipped} lines")));
        }
        for line in lines.iter().skip(skipped) {
            let _ = writeln!(out, "    {}", style::faint(line));
        }
    }
    out
}

fn end_of_turn(outcome: &TurnOutcome) -> String {
    match outcome {
        TurnOutcome::Completed => style::good("the turn is complete"),
        TurnOutcome::Cancelled => style::warn("the turn was cancelled"),
        TurnOutcome::Refused => style::bad("the model refused"),
        TurnOutcome::Denied => style::warn("the turn ended because a permission was denied"),
        TurnOutcome::NoProgress => style::bad("the turn ended without any progress"),
        TurnOutcome::NeedsLogin { text, .. } => {
            style::bad(format!("the agent needs a login: {}", clean::line(text)))
        }
        TurnOutcome::UsageLimit { text, .. } => {
            style::bad(format!("a usage limit was reached: {}", clean::line(text)))
        }
        TurnOutcome::NeedsCredit { text } => {
            style::bad(format!("the agent's account has no credit left: {}", clean::line(text)))
        }
        TurnOutcome::AgentError { text } => {
            style::bad(format!("the agent reported an error: {}", clean::line(text)))
        }
        TurnOutcome::CutShort { text } => {
            style::bad(format!("the turn was cut short: {}", clean::line(text)))
        }
        TurnOutcome::ProcessEnded { text } => {
            style::bad(format!("the agent's process ended: {}", clean::line(text)))
        }
    }
}

fn indent(text: &str, with: &str) -> String {
    let text = clean::text(text.trim_end());
    text.lines().map(|line| format!("{with}{line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use divisi_model::transcript::Entry;
    use jiff::Timestamp;

    use super::*;

    fn view(seq: u64, body: EntryBody) -> TranscriptEntryView {
        let entry = Entry { seq, at: Timestamp::UNIX_EPOCH, turn: 1, source: None, body };
        TranscriptEntryView { rev: seq, session: 1, entry }
    }

    fn told(views: &[TranscriptEntryView]) -> String {
        let mut teller = Teller::default();
        let mut out: String = views.iter().map(|view| teller.tell(view)).collect();
        out.push_str(&teller.end());
        anstream::adapter::strip_str(&out).to_string()
    }

    #[test]
    fn a_growing_message_is_written_once() {
        let message = |text: &str| view(1, EntryBody::Message { text: text.into() });
        assert_eq!(
            told(&[message("Hel"), message("Hello"), message("Hello"), message("Hello!")]),
            "Hello!\n"
        );
    }

    #[test]
    fn what_comes_after_a_message_begins_a_line() {
        let done = EntryBody::TurnEnded { outcome: TurnOutcome::Completed, stop_reason: None };
        let views = [view(1, EntryBody::Message { text: "bye".into() }), view(2, done)];
        assert_eq!(told(&views), "bye\nthe turn is complete\n");
    }

    #[test]
    fn a_tool_is_told_again_only_when_it_changed() {
        let call = |status| {
            let call = ToolCall { title: "ls\x1b[2J".into(), status, ..ToolCall::new("c") };
            view(1, EntryBody::ToolCall(Box::new(call)))
        };
        let views = [call(ToolStatus::InProgress), call(ToolStatus::InProgress), call(ToolStatus::Completed)];
        assert_eq!(told(&views), "[other] ls␛[2J running\n[other] ls␛[2J done\n");
    }
}
