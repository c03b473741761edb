//! The page that shows the results.

use std::fmt::Write as _;
use std::path::Path;

use divisi_agent::{Definition, Registry};

use crate::cell::{Cell, Verdict};
use crate::columns::COLUMNS;
use crate::desk::PLAIN;
use crate::results::Row;

/// `docs/agents.md`, from the results in this folder.
pub fn page(folder: &Path) -> Result<String, String> {
    let registry = Registry::shipped();
    let mut page = String::from(INTRODUCTION);
    let agents: Vec<(&str, &str, Option<&Definition>)> = registry
        .all()
        .iter()
        .filter(|definition| definition.name != "rehearsal")
        .map(|definition| (definition.name.as_str(), definition.title.as_str(), Some(definition)))
        .chain([(PLAIN, "any plain command", None)])
        .collect();
    let mut rows = Vec::new();
    for (name, title, definition) in agents {
        rows.push((title, definition, Row::load(folder, name)?));
    }
    page.push_str("| agent | version | seen on | alone |\n|---|---|---|---|\n");
    for (title, _, row) in &rows {
        let Some(row) = row else {
            let _ = writeln!(page, "| {title} | – | not run | – |");
            continue;
        };
        let version = if row.version.is_empty() { "–" } else { &row.version };
        let alone = if row.alone { "yes" } else { "no" };
        match row.absent.is_empty() {
            true => {
                let package = match row.package.is_empty() || row.package == row.version {
                    true => String::new(),
                    false => format!(" (package {})", row.package),
                };
                let _ = writeln!(page, "| {title} | {version}{package} | {} | {alone} |", row.date);
            }
            false => {
                let _ = writeln!(
                    page,
                    "| {title} | {} | not installed on {}: {} | – |",
                    row.package,
                    row.date,
                    bare(&row.absent)
                );
            }
        }
    }
    let run: Vec<_> = rows
        .iter()
        .filter_map(|(title, definition, row)| {
            Some((*title, *definition, row.as_ref().filter(|row| row.absent.is_empty())?))
        })
        .collect();
    page.push_str("\n## What each can do\n\n| |");
    for (title, ..) in &run {
        let _ = write!(page, " {title} |");
    }
    page.push_str("\n|---|");
    page.push_str(&"---|".repeat(run.len()));
    page.push('\n');
    for column in COLUMNS {
        let _ = write!(page, "| {} |", column.title);
        for (_, _, row) in &run {
            let word = row.cells.get(column.key).map_or("not asked", |cell| cell.verdict.word());
            let _ = write!(page, " {word} |");
        }
        page.push('\n');
    }
    for (title, definition, row) in run {
        let _ = write!(page, "\n## {title}\n\n");
        if let Some(definition) = definition {
            let _ = writeln!(page, "`--agent {}`{}\n", definition.name, verified(definition));
        }
        for column in COLUMNS {
            if let Some(cell) = row.cells.get(column.key)
                && let Some(line) = line(cell)
            {
                let _ = writeln!(page, "- {}: {line}", column.title);
            }
        }
    }
    Ok(page)
}

fn verified(definition: &Definition) -> &'static str {
    if definition.verified { "" } else { ", not called verified" }
}

fn line(cell: &Cell) -> Option<String> {
    let mut parts = Vec::new();
    if cell.verdict == Verdict::Fails {
        parts.push("**fails**".to_owned());
    }
    if !cell.seen.is_empty() {
        parts.push(bare(&cell.seen));
    }
    if !cell.instead.is_empty() {
        parts.push(format!("instead: {}", bare(&cell.instead)));
    }
    if !cell.differs.is_empty() {
        parts.push(format!("**differs**: {}", bare(&cell.differs)));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Text that cannot break a table or be taken for markup.
fn bare(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}

const INTRODUCTION: &str = "\
# What each agent was seen to do

Every line of this page was seen, by `cargo xtask agents`: the real program, at the version given, driven by Divisi's own
code, with a scripted model behind it and its home empty. *Alone* means in a network in which there is only this
machine, with everything written down that the program tried to reach. Real accounts were not used. Do not edit this page;
it is made from `conformance/results/`.

- **yes**: as it should be
- **instead**: the agent cannot, and Divisi does something else for you; the lists below say what
- **fails**: not as it should be, and not mended yet
- –: the question does not arise

";
