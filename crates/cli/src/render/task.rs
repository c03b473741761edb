//! A task on a page of its own.

use std::fmt::Write;

use divisi_api::types::{
    AnswerView, AttemptView, CriterionView, EvidenceView, ItemView, TaskView, TurnView, Verdict,
};
use jiff::Timestamp;

use super::{clean, comments, status, style, time};

/// Everything about a task, or about one of its attempts, that a person wants at a glance.
pub(crate) fn page(task: &TaskView, only: Option<&str>, now: Timestamp) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}  {}", style::name(&task.handle), style::strong(clean::line(&task.title)));
    let base = task.base.get(..10).unwrap_or(&task.base);
    let _ = writeln!(
        out,
        "project {}, onto {} from {base}",
        clean::line(&task.project.name),
        clean::line(&task.target)
    );
    if !task.scope.is_empty() {
        let _ = writeln!(out, "only {}", clean::line(&task.scope.join(", ")));
    }
    for image in &task.images {
        let (name, bytes) = (clean::line(&image.name), super::size(image.bytes));
        let _ = writeln!(out, "image {name}: {}, {bytes}", clean::line(&image.media_type));
    }
    if task.attempts.len() != 1 {
        let _ = writeln!(out, "{}", explained(&task.status, now));
    }
    if task.staged {
        let _ = writeln!(out, "  agents     {}", clean::line(&task.agents.join(", ")));
        for criterion in &task.criteria {
            let by = criterion.command.as_deref().unwrap_or("a person judges");
            let by = if by == criterion.text { String::new() } else { format!(": {}", clean::line(by)) };
            let _ = writeln!(out, "  criterion  {}{}", clean::line(&criterion.text), style::faint(by));
        }
    }
    for attempt in task.attempts.iter().filter(|attempt| only.is_none_or(|only| only == attempt.handle)) {
        out.push('\n');
        show_attempt(&mut out, attempt, task.archived, now);
    }
    let answers: Vec<_> = task.items.iter().filter_map(answer).collect();
    if !answers.is_empty() {
        let _ = writeln!(out, "\nanswered");
        answers.iter().skip(answers.len().saturating_sub(ANSWERS)).for_each(|answer| out.push_str(answer));
    }
    let open: Vec<_> = task.items.iter().filter(|item| item.answered.is_none()).collect();
    if !open.is_empty() && !task.archived {
        let _ = writeln!(out, "\nwaits for you");
        for item in open {
            show_item(&mut out, item, now);
        }
    }
    out
}

/// What a person answered, and who.
fn answer(item: &ItemView) -> Option<String> {
    let by = clean::line(item.answered_by.as_deref()?);
    let said = match item.answered.as_ref()? {
        AnswerView::Approved { .. } => "yes".to_owned(),
        AnswerView::Denied { .. } => "no".to_owned(),
        AnswerView::Chosen { option } => {
            let options = item.ask.options();
            let named = options.iter().find(|one| one.id == *option).map_or(option, |one| &one.name);
            clean::line(named)
        }
        AnswerView::Text { text } => clean::line(text),
        AnswerView::Withdrawn { .. } => return None,
    };
    let (handle, kind, asked) = (style::name(&item.handle), item.ask.kind(), clean::line(&item.ask.line()));
    Some(format!("  {handle}  {kind}  {asked}: {}  ({by})\n", super::table::cut(&said, ANSWER_WIDTH)))
}

/// Most answers that are shown of a task, the newest.
const ANSWERS: usize = 5;
/// How wide an answer may be.
const ANSWER_WIDTH: usize = 60;

/// An inbox item with what can be done.
pub(crate) fn show_item(out: &mut String, item: &ItemView, now: Timestamp) {
    let kind = style::warn(item.ask.kind());
    let age = time::age(item.since, now);
    let _ =
        writeln!(out, "  {}  {kind}  {} ({age})", style::name(&item.handle), clean::line(&item.ask.line()));
    if let divisi_api::types::AskView::Permission { detail, .. } = &item.ask {
        for line in clean::text(detail.trim_end()).lines().take(DETAIL_LINES) {
            let _ = writeln!(out, "      {}", style::faint(line));
        }
    }
    for option in item.ask.options() {
        let _ =
            writeln!(out, "      {}  {}", style::faint(clean::line(&option.id)), clean::line(&option.name));
    }
    let _ = writeln!(out, "      {}", item.next.join(", or "));
}

/// Most lines of a permission's detail that are shown in a list.
const DETAIL_LINES: usize = 20;

fn show_attempt(out: &mut String, attempt: &AttemptView, archived: bool, now: Timestamp) {
    let _ =
        writeln!(out, "{} by {}", style::name(&attempt.handle), style::strong(clean::line(&attempt.agent)));
    let _ = writeln!(out, "  {}", explained(&attempt.status, now));
    if attempt.ending {
        let _ = writeln!(out, "  ending     {}", style::warn("what it started has not ended yet"));
    }
    let _ = writeln!(out, "  branch     {}", clean::line(&attempt.branch));
    if let Some(workspace) = attempt.workspace.as_ref().filter(|_| !archived) {
        let last = u32::from(workspace.first_port) + u32::from(workspace.ports.saturating_sub(1));
        let place = match workspace.kind.as_str() {
            "overlay" => format!("divisi open {}", attempt.handle),
            _ => clean::line(&workspace.path).to_string(),
        };
        let _ =
            writeln!(out, "  workspace  {place} ({}, ports {}-{last})", workspace.kind, workspace.first_port);
    }
    if let Some(outside) = &attempt.outside {
        let why = "put into its folder from outside, where its agent did not see it";
        let _ = writeln!(out, "  aside      {}", style::warn(format!("{}: {why}", clean::line(outside))));
    }
    match attempt.sandbox.as_deref() {
        Some("writes_only") => {
            let kept = "its agent can read everything and change only what is its own";
            let _ = writeln!(out, "  sandbox    {}", style::warn(kept));
        }
        Some("off") => {
            let free = "none: its agent may do all that you may";
            let _ = writeln!(out, "  sandbox    {}", style::warn(free));
        }
        _ => {}
    }
    if let Some(result) = &attempt.result {
        let commit = result.commit.get(..10).unwrap_or(&result.commit);
        let (files, added, removed) = (super::count(result.files, "file"), result.added, result.removed);
        let _ =
            writeln!(out, "  result     {commit}: {files}, +{added} -{removed}, after turn {}", result.turn);
        for note in &result.notes {
            let _ = writeln!(out, "             {}", style::warn(clean::line(note)));
        }
    }
    for (n, turn) in attempt.turns.iter().enumerate() {
        let label = if n == 0 { "turns" } else { "" };
        let _ = writeln!(out, "  {label:<9}  {}", turn_line(turn, now));
    }
    if let Some(usage) = super::usage::line(&attempt.usage) {
        let of =
            attempt.budget.as_ref().map_or_else(String::new, |budget| format!("; its budget is {budget}"));
        let _ = writeln!(out, "  usage      {usage}{of}");
    }
    for (n, prompt) in attempt.queue.iter().enumerate() {
        let label = if n == 0 { "queue" } else { "" };
        let first = prompt.text.lines().next().unwrap_or_default();
        let number = prompt.id;
        let _ = writeln!(out, "  {label:<9}  {number}: {}", super::table::cut(&clean::line(first), 80));
    }
    show_proof(out, attempt);
    comments::list(out, &attempt.comments, now);
    for (n, review) in attempt.reviews.iter().enumerate() {
        let label = if n == 0 { "reviews" } else { "" };
        let verdict = match review.verdict {
            Verdict::Approved => style::good("approved"),
            Verdict::ChangesRequested => style::warn("changes requested"),
            Verdict::Withdrawn => style::warn("approval withdrawn"),
        };
        let commit = review.commit.get(..10).unwrap_or(&review.commit);
        let (by, age) = (clean::line(&review.by), time::age(review.at, now));
        let _ = writeln!(out, "  {label:<9}  {verdict} on {commit}  ({by}, {age})");
    }
    if let Some(landing) = &attempt.landing {
        let short = |oid: &str| oid.get(..10).unwrap_or(oid).to_owned();
        let (before, after) = (short(&landing.before), short(&landing.after));
        let by = landing.by.as_ref().map_or_else(String::new, |by| format!(", by {}", clean::line(by)));
        let _ = writeln!(out, "  landed     on {}: {before} -> {after}{by}", clean::line(&landing.target));
    }
    if let Some(failure) = &attempt.landing_failure {
        let _ = writeln!(out, "  {}", style::bad(format!("did not land: {}", clean::line(&failure.text))));
    }
}

/// What proves the result: each check, then each criterion that a person judges.
fn show_proof(out: &mut String, attempt: &AttemptView) {
    if !attempt.checks.is_empty() {
        let _ = writeln!(out, "  checks");
    }
    let width = attempt.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for check in &attempt.checks {
        let evidence = check.evidence.and_then(|index| attempt.evidence.get(index));
        let about = evidence.map_or_else(String::new, evidence_words);
        let optional = if check.required { "" } else { " (not required)" };
        let state = status::check(check.state);
        let name = clean::line(&check.name);
        let command = clean::line(&check.command);
        let _ = writeln!(out, "    {state}  {name:width$}  {}{optional}{about}", style::faint(command));
    }
    let judged: Vec<&CriterionView> = attempt.criteria.iter().filter(|c| c.command.is_none()).collect();
    for criterion in judged {
        let state = match criterion.state {
            divisi_api::types::CheckState::Unknown => style::faint("a person judges"),
            state => status::check(state),
        };
        let _ =
            writeln!(out, "    {state}  criterion {}: {}", criterion.number, clean::line(&criterion.text));
    }
}

fn evidence_words(evidence: &EvidenceView) -> String {
    let counts = evidence.counts.map_or_else(String::new, |counts| {
        let skipped =
            if counts.skipped > 0 { format!(", {} skipped", counts.skipped) } else { String::new() };
        format!(", {} passed, {} failed{skipped}", counts.passed, counts.failed)
    });
    let commit = evidence.commit.get(..10).unwrap_or(&evidence.commit);
    format!("  {} in {}{counts}, on {commit}", evidence.outcome, time::span(evidence.millis))
}

fn turn_line(turn: &TurnView, now: Timestamp) -> String {
    let end = turn.ended.unwrap_or(now);
    let millis = u64::try_from(end.duration_since(turn.started).as_millis()).unwrap_or(0);
    let outcome = turn.outcome.as_deref().unwrap_or("running");
    let said =
        turn.outcome_text.as_deref().map_or_else(String::new, |text| format!(": {}", clean::line(text)));
    format!("{} {outcome}{said} ({})", turn.number, time::span(millis))
}

fn explained(view: &divisi_api::types::StatusView, now: Timestamp) -> String {
    let mut text =
        format!("{} for {}: {}", status::status(view), time::age(view.since, now), clean::line(&view.reason));
    if !view.next.is_empty() {
        text.push_str(&format!("\n  {} {}", style::faint("next:"), view.next));
    }
    text
}
