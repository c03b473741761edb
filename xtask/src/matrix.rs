//! The job `agents`: the conformance matrix of every agent, and the page that shows it.

use std::path::PathBuf;
use std::process::Command;

use crate::{JobResult, agents, codegen, dirs, run};

/// The row that needs no installation: a plain shell command as an agent.
const PLAIN: &str = "command";

#[derive(clap::Args)]
pub struct Options {
    /// Only these agents, by the names that `divisi --agent` takes, or `command` for a plain command; all by default
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Only these columns; may be given several times
    #[arg(short, long = "column", value_name = "COLUMN")]
    columns: Vec<String>,
    /// Install them and stop
    #[arg(long)]
    install_only: bool,
    /// Show what was found and leave the committed results alone
    #[arg(long)]
    dry_run: bool,
}

/// Installs the agents, runs their rows, and writes the results and their page.
pub fn run(options: &Options) -> JobResult {
    let names: Vec<String> = options.names.iter().filter(|name| *name != PLAIN).cloned().collect();
    let plain = options.names.len() != names.len() || options.names.is_empty();
    let installed = if names.is_empty() && plain && !options.names.is_empty() {
        Vec::new()
    } else {
        agents::install_named(&names)?
    };
    for one in &installed {
        let state = one.failure.as_deref().unwrap_or("installed");
        println!("{}: {state}", one.agent);
    }
    if options.install_only {
        return Ok(());
    }
    run::require(
        dirs::cargo().args(["build", "--package", "divisi-conformance"]),
        "the conformance tests do not build",
    )?;
    let mut bad = Vec::new();
    for one in &installed {
        let mut row = program()?;
        match &one.failure {
            Some(why) => {
                if options.dry_run {
                    continue;
                }
                row.args(["absent", "--agent", &one.agent, "--package", &one.version, "--why", why]);
            }
            None => {
                row.args(["row", "--agent", &one.agent, "--package", &one.version]);
                row.arg("--program").arg(&one.program);
                if let Some(path) = &one.path {
                    row.arg("--path").arg(path);
                }
                options.add_to(&mut row)?;
            }
        }
        if !run::show(row.arg("--results").arg(results()))?.ok {
            bad.push(one.agent.clone());
        }
    }
    if plain {
        let mut row = program()?;
        row.args(["row", "--agent", PLAIN, "--package", "", "--program", "/bin/sh"]);
        options.add_to(&mut row)?;
        if !run::show(row.arg("--results").arg(results()))?.ok {
            bad.push(PLAIN.to_owned());
        }
    }
    if !options.dry_run {
        codegen::write_agents()?;
    }
    match bad.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "not as it should be: {}; conformance/results and docs/agents.md say what was seen",
            bad.join(", ")
        )
        .into()),
    }
}

impl Options {
    fn add_to(&self, row: &mut Command) -> JobResult {
        row.arg("--work").arg(dirs::target()?.join("conformance"));
        for column in &self.columns {
            row.args(["--column", column]);
        }
        if self.dry_run {
            row.arg("--dry-run");
        }
        Ok(())
    }
}

/// The program that drives agents.
fn program() -> JobResult<Command> {
    Ok(Command::new(dirs::target()?.join("debug/divisi-conformance")))
}

fn results() -> PathBuf {
    dirs::repository().join("conformance/results")
}
