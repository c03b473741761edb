//! `divisi init`

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use clap::Args;
use divisi_api::types::NewProject;
use serde::Serialize;

use super::client;
use crate::config::{PROJECT_FILE, detect, template};
use crate::dirs::Dirs;
use crate::errors::{CommandError, Done, ErrorKind};
use crate::import::{INCLUDE_FILE, Imported, Left, Taken, import};
use crate::project;
use crate::render::{clean, style};
use crate::ui::Ui;

/// Write a commented divisi.toml with the setup and checks of this project
///
/// What the project has for other tools is taken over: .worktreeinclude, conductor.json, .conductor/settings.toml,
/// .superset/config.json, .emdash.json, .workmux.yaml, .cursor/worktrees.json, .config/wt.toml, Copilot's setup steps and
/// the commands of a dev container. It is shown what was taken and what was not; nothing of it is run.
///
/// In a repository that was moved, the project is found again with its tasks.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi init             look at the project and write divisi.toml\n  \
    divisi init --dry-run   say what would be taken over and write nothing\n  \
    divisi init --print     only show the file that would be written")]
pub(crate) struct InitArgs {
    /// Show the file that would be written and write nothing
    #[arg(long)]
    print: bool,

    /// Say what would be written and write nothing
    #[arg(long, conflicts_with = "print")]
    dry_run: bool,

    /// Pass over what the project has for other tools
    #[arg(long)]
    no_import: bool,

    /// Replace a divisi.toml that is there
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct Written<'a> {
    path: String,
    written: bool,
    seen: &'a [&'a str],
    setup: Option<String>,
    gates: Vec<Gate<'a>>,
    /// Patterns that a new `.worktreeinclude` has.
    include: &'a [String],
    taken: &'a [Taken],
    left: &'a [Left],
    /// Where this project was, if it was moved here and is known again now.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_from: Option<String>,
}

#[derive(Serialize)]
struct Gate<'a> {
    name: &'a str,
    command: &'a str,
}

pub(crate) async fn run(args: &InitArgs, ui: &Ui) -> Done {
    let root = project::require_root()?;
    let path = root.join(PROJECT_FILE);
    let moved_from = if args.print || args.dry_run { None } else { found_again().await? };
    if let Some(old) = &moved_from
        && path.exists()
        && !args.force
    {
        let found =
            serde_json::json!({ "path": path.display().to_string(), "written": false, "moved_from": old });
        return ui.show(&found, String::new, || found_again_here(old));
    }
    let mut proposal = detect(&root);
    let imported = if args.no_import { Imported::default() } else { import(&root) };
    proposal.take(&imported);
    let text = template(&proposal);
    if args.print {
        return ui.data(&text);
    }
    if !args.dry_run {
        write(&path, text.as_bytes(), args.force)?;
        include(&root, &imported)?;
    }
    let summary = Written {
        path: path.display().to_string(),
        written: !args.dry_run,
        seen: &proposal.seen,
        setup: (!proposal.setup.is_empty()).then(|| proposal.setup.join(" && ")),
        gates: proposal.gates.iter().map(|(name, command)| Gate { name, command }).collect(),
        include: &imported.include,
        taken: &imported.taken,
        left: &imported.left,
        moved_from,
    };
    ui.show(&summary, || format!("{}\n", path.display()), || told(&summary))?;
    if proposal.gates.is_empty() {
        ui.warn("no way to test this project was found; add a [[gates]] to divisi.toml, or nothing will be proven");
    }
    if args.dry_run {
        ui.say("Nothing was written.");
    } else {
        ui.say("Look it over and commit it, then: divisi run \"…\"");
    }
    Ok(())
}

/// Takes the project over that was moved here, if there is one: where it was then. A Divisi that knows no project whose
/// place is gone is not even asked.
async fn found_again() -> Done<Option<String>> {
    let dirs = Dirs::from_environment()?;
    if !dirs.data.join("log").exists() {
        return Ok(None);
    }
    let root = project::require_root_text()?;
    let client = client().await?;
    let projects = client.projects().await?;
    let known = projects.iter().any(|project| project.root == root);
    if known || projects.iter().all(|project| Path::new(&project.root).exists()) {
        return Ok(None);
    }
    Ok(client.add_project(&NewProject { root }).await?.moved_from)
}

fn found_again_here(old: &str) -> String {
    format!("this project is known again, with its tasks; it was in {}\n", clean::line(old))
}

/// A command as it stands in the file, each further line below the first.
fn block(text: &str) -> String {
    let first = if text.trim_end().contains('\n') { "\n      " } else { "" };
    format!("{first}{}", clean::text(text.trim_end()).replace('\n', "\n      "))
}

fn told(summary: &Written<'_>) -> String {
    let did = if summary.written { "wrote" } else { "would write" };
    let mut text = summary.moved_from.as_deref().map(found_again_here).unwrap_or_default();
    text += &format!("{did} {}\n", style::name(&summary.path));
    if let Some(setup) = summary.setup.as_ref().filter(|_| summary.taken.iter().any(|t| t.into == "setup")) {
        text.push_str(&format!("  setup: {}\n", block(setup)));
    }
    for gate in &summary.gates {
        text.push_str(&format!(
            "  gate {}: {}\n",
            style::strong(clean::line(gate.name)),
            clean::line(gate.command)
        ));
    }
    if !summary.include.is_empty() {
        text.push_str(&format!("{did} {INCLUDE_FILE}: {}\n", clean::line(&summary.include.join(", "))));
    }
    if !summary.taken.is_empty() {
        text.push_str("taken over\n");
    }
    for taken in summary.taken {
        text.push_str(&format!("  {} as {}: {}\n", taken.from, taken.into, block(&taken.what)));
    }
    if !summary.left.is_empty() {
        text.push_str("left out\n");
    }
    for left in summary.left {
        let words = [left.key.as_str(), left.what.as_str()].map(clean::line);
        let what =
            words.iter().filter(|word| !word.is_empty()).map(String::as_str).collect::<Vec<_>>().join(": ");
        text.push_str(&format!("  {}: {what}\n    {}\n", left.from, clean::line(&left.why)));
    }
    text
}

/// Writes the file, whole or not at all. A link that is there is replaced, never followed.
fn write(path: &Path, text: &[u8], force: bool) -> Done {
    let beside = path.with_extension("toml.new");
    let wrote = match force {
        false => create(path, text),
        true => {
            let _ = std::fs::remove_file(&beside);
            create(&beside, text).and_then(|()| std::fs::rename(&beside, path))
        }
    };
    wrote.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            let hint = "divisi init --print shows what would be written, --force replaces the file";
            CommandError::new(ErrorKind::WrongState, format!("{} is there already", path.display()), hint)
        }
        _ => CommandError::failed(format!("cannot write {}", path.display()), "").because(&error),
    })
}

/// Writes a `.worktreeinclude` with what other tools copy, where there is none.
fn include(root: &Path, imported: &Imported) -> Done {
    if imported.include.is_empty() || imported.includes_already() {
        return Ok(());
    }
    let path = root.join(INCLUDE_FILE);
    let text = format!(
        "# Ignored files that a new workspace needs; .gitignore syntax.\n{}\n",
        imported.include.join("\n")
    );
    match create(&path, text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(CommandError::failed(format!("cannot write {}", path.display()), "").because(&error))
        }
        _ => Ok(()),
    }
}

fn create(path: &Path, text: &[u8]) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text)
}
