//! What a person reads: lines in the terminal, the page, and its charts.

use std::fs;
use std::path::Path;

use crate::place::Facts;
use crate::row::{Bar, Curve, Findings, Outcome};
use crate::{Result, chart};

const PAGE: &str = "docs/performance.md";
const BARS: &str = "docs/performance-bars.svg";
const CURVES: &str = "docs/performance-growth.svg";

/// A row in the terminal.
pub fn line(outcome: &Outcome) -> String {
    let floor = match outcome.against {
        "" => String::new(),
        against => format!(" against {} ({against})", figure(outcome, false)),
    };
    let note = if outcome.note.is_empty() { String::new() } else { format!("\n       {}", outcome.note) };
    let (what, bar) = (&outcome.what, bar(outcome));
    match &outcome.failed {
        Some(why) if outcome.product.count() == 0 => format!("{}\n       {why}: falls short", outcome.what),
        _ => {
            format!(
                "{what}\n       {}{floor}: {}, bar {bar}: {}{note}",
                figure(outcome, true),
                value(outcome),
                verdict(outcome)
            )
        }
    }
}

/// Writes the page and its charts into the repository.
pub fn write(repository: &Path, facts: &Facts, findings: &Findings) -> Result {
    fs::write(repository.join(BARS), chart::bars(&findings.outcomes))?;
    fs::write(repository.join(CURVES), chart::curves(&findings.curves))?;
    fs::write(repository.join(PAGE), page(facts, findings))?;
    println!("\nwritten: {PAGE}, {BARS}, {CURVES}");
    Ok(())
}

fn page(facts: &Facts, findings: &Findings) -> String {
    let mut page = format!(
        "# Performance\n\n<!-- Written by `cargo xtask bench`; not by hand. -->\n\nWhat Divisi holds itself to, each bar against a floor \
         measured in the same run, the two by turns; medians, with the lowest and the highest in brackets and how many were taken. \
         Read the ratios: the milliseconds are those of one machine. `cargo xtask bench` makes the whole page again, `cargo xtask bench ROW` \
         the rows named so in the last column.\n\nMeasured {}.\n\n",
        facts.lines()
    );
    page.push_str("| what | measured | against | result | bar | | |\n|---|---|---|---|---|---|---|\n");
    for outcome in &findings.outcomes {
        let against = match outcome.against {
            "" => "–".to_owned(),
            against => format!("{against}: {}", figure(outcome, false)),
        };
        let cells = [
            outcome.what.clone(),
            figure(outcome, true),
            against,
            value(outcome),
            bar(outcome),
            format!("**{}**", verdict(outcome)),
            format!("`{}`", outcome.group),
        ];
        page.push_str(&format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
    }
    page.push_str("\n![How much of each bar is used](performance-bars.svg)\n\n");
    let notes = findings.outcomes.iter().filter(|outcome| !outcome.note.is_empty());
    for outcome in notes {
        page.push_str(&format!("- {}: {}.\n", outcome.what, outcome.note));
    }
    page.push_str("\n## Growth\n\n![Growth](performance-growth.svg)\n");
    for curve in &findings.curves {
        page.push_str(&format!("\n{}\n", curve_table(curve)));
    }
    page
}

/// A curve in the terminal.
pub fn curve_text(curve: &Curve) -> String {
    let mut text = format!("{} ({}, by {})", curve.title, curve.unit, curve.of);
    for (name, points) in &curve.lines {
        let points: Vec<_> = points.iter().map(|(x, y)| format!("{x}: {}", number(*y))).collect();
        text.push_str(&format!("\n       {name:20} {}", points.join("   ")));
    }
    text
}

fn curve_table(curve: &Curve) -> String {
    let xs: Vec<f64> =
        curve.lines.first().map(|(_, points)| points.iter().map(|(x, _)| *x).collect()).unwrap_or_default();
    let head: Vec<_> = xs.iter().map(|x| format!("{x} {}", curve.of)).collect();
    let mut table = format!(
        "| {}, {} | {} |\n|---|{}\n",
        curve.title,
        curve.unit,
        head.join(" | "),
        "---|".repeat(xs.len())
    );
    for (name, points) in &curve.lines {
        let at =
            |x: &f64| points.iter().find(|(at, _)| at == x).map_or("–".to_owned(), |(_, y)| number(*y));
        table.push_str(&format!("| {name} | {} |\n", xs.iter().map(at).collect::<Vec<_>>().join(" | ")));
    }
    table
}

fn verdict(outcome: &Outcome) -> String {
    match (&outcome.failed, outcome.holds()) {
        (_, true) => "holds".to_owned(),
        (Some(why), false) => format!("falls short: {why}"),
        (None, false) => "falls short".to_owned(),
    }
}

/// The median with its spread and count.
fn figure(outcome: &Outcome, product: bool) -> String {
    let samples = if product { &outcome.product } else { &outcome.floor };
    let unit = outcome.unit;
    match samples.count() {
        0 => "–".to_owned(),
        1 => format!("{} {unit}", number(samples.median())),
        n => {
            let (low, high) = (number(samples.min()), number(samples.max()));
            format!("{} {unit} ({low}–{high}, n = {n})", number(samples.median()))
        }
    }
}

fn value(outcome: &Outcome) -> String {
    if outcome.product.count() == 0 {
        return "–".to_owned();
    }
    let value = outcome.value();
    match outcome.bar {
        Bar::RatioAtMost(bar) if bar <= 0.2 => format!("1/{}", number(1.0 / value)),
        Bar::RatioAtMost(_) | Bar::RatioAtLeast(_) => format!("{value:.2} ×"),
        Bar::OverAtMost(_) => format!("{value:+.1} {}", outcome.unit),
        Bar::AtMost(_) => format!("{} {}", number(value), outcome.unit),
    }
}

fn bar(outcome: &Outcome) -> String {
    match outcome.bar {
        Bar::RatioAtMost(bar) if bar <= 0.2 => format!("≤ 1/{}", number(1.0 / bar)),
        Bar::RatioAtMost(bar) => format!("≤ {bar} ×"),
        Bar::RatioAtLeast(bar) => format!("≥ {bar} ×"),
        Bar::OverAtMost(bar) => format!("≤ + {bar} {}", outcome.unit),
        Bar::AtMost(bar) => format!("≤ {bar} {}", outcome.unit),
    }
}

/// Three figures are all that a noisy machine can promise.
pub fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 0.1 => format!("{value:.3}"),
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        size if size < 10_000.0 => format!("{value:.0}"),
        _ => format!("{} thousand", (value / 1000.0).round()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Pair, Samples};

    fn outcome(bar: Bar) -> Outcome {
        let pair = Pair { product: Samples::of([9.0, 10.0, 12.0]), floor: Samples::of([400.0]) };
        Outcome::ratio("workspaces", "a workspace", "`git worktree add`", bar, pair)
    }

    #[test]
    fn a_line_says_all_there_is_to_say_and_ends_in_a_verdict() {
        assert_eq!(
            line(&outcome(Bar::RatioAtMost(1.0 / 15.0))),
            "a workspace\n       10.0 ms (9.00–12.0, n = 3) against 400 ms (`git worktree add`): 1/40.0, bar ≤ 1/15.0: holds"
        );
        assert!(
            line(&outcome(Bar::RatioAtMost(0.01)).failed_if(true, "2 failed"))
                .ends_with("falls short: 2 failed")
        );
    }

    #[test]
    fn a_row_of_the_page_names_its_group() {
        let facts = Facts {
            cores: 2,
            processor: "X".into(),
            memory_gb: 24,
            kernel: "6".into(),
            place: "tmpfs".into(),
            git: "git version 2".into(),
            user: "root",
            load: "0.1".into(),
            when: "2026-01-01 00:00 UTC".into(),
        };
        let curve =
            Curve { title: "Growth", of: "files", unit: "ms", lines: vec![("one", vec![(200.0, 7.0)])] };
        let findings = Findings { outcomes: vec![outcome(Bar::RatioAtMost(0.6))], curves: vec![curve] };
        let page = page(&facts, &findings);
        assert!(page.contains("| 0.03 × | ≤ 0.6 × | **holds** | `workspaces` |"), "{page}");
        assert!(page.contains("| one | 7.00 |"), "{page}");
    }
}
