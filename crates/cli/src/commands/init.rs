//! `divisi init`

use clap::Args;
use serde::Serialize;

use crate::config::{PROJECT_FILE, detect, template};
use crate::errors::{CommandError, Done, ErrorKind};
use crate::project;
use crate::render::style;
use crate::ui::Ui;

/// Write a commented divisi.toml with the checks of this project
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi init           look at the project and write divisi.toml\n  \
    divisi init --print   only show what would be written")]
pub(crate) struct InitArgs {
    /// Show what would be written and write nothing
    #[arg(long)]
    print: bool,
}

#[derive(Serialize)]
struct Written<'a> {
    path: String,
    seen: &'a [&'a str],
    setup: Option<String>,
    gates: Vec<Gate<'a>>,
}

#[derive(Serialize)]
struct Gate<'a> {
    name: &'a str,
    command: &'a str,
}

pub(crate) fn run(args: &InitArgs, ui: &Ui) -> Done {
    let root = project::require_root()?;
    let path = root.join(PROJECT_FILE);
    let proposal = detect(&root);
    let text = template(&proposal);
    if args.print {
        return ui.data(&text);
    }
    let written = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
    let written = written.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            let hint = "divisi init --print shows what would be written";
            CommandError::new(ErrorKind::WrongState, format!("{} is there already", path.display()), hint)
        }
        _ => CommandError::failed(format!("cannot write {}", path.display()), "").because(&error),
    })?;
    let summary = Written {
        path: path.display().to_string(),
        seen: &proposal.seen,
        setup: (!proposal.setup.is_empty()).then(|| proposal.setup.join(" && ")),
        gates: proposal.gates.iter().map(|(name, command)| Gate { name, command }).collect(),
    };
    ui.show(
        &summary,
        || format!("{}\n", path.display()),
        || {
            let mut text = format!("wrote {}\n", style::name(path.display()));
            for gate in &summary.gates {
                text.push_str(&format!("  gate {}: {}\n", style::strong(gate.name), gate.command));
            }
            text
        },
    )?;
    if proposal.gates.is_empty() {
        ui.warn("no way to test this project was found; add a [[gates]] to divisi.toml, or nothing will be proven");
    }
    ui.say("Look it over and commit it, then: divisi run \"…\"");
    Ok(())
}
