//! Drives real agents through the product's own code (their definitions, launches and conversations) with a scripted
//! model behind them, and writes down what was seen. `cargo xtask agents` runs it; nothing of it ships.

mod alone;
mod board;
mod cell;
mod columns;
mod desk;
mod results;
mod row;
mod style;
mod table;
mod talk;
mod watch;
mod words;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use divisi_agent::version_in;
use divisi_workspace::launch::shim_main;

use crate::cell::Verdict;
use crate::columns::{COLUMNS, Column, PHONE};
use crate::desk::Agent;
use crate::results::Row;
use crate::watch::Watch;

#[derive(Parser)]
#[command(
    name = "divisi-conformance",
    about = "Drives a real agent through every column of the conformance matrix"
)]
struct Options {
    #[command(subcommand)]
    job: Job,
}

#[derive(Subcommand)]
enum Job {
    /// One agent through the columns; exit code 1 if a cell fails or differs from the definition
    Row(RowOptions),
    /// Notes that an agent could not be installed
    Absent {
        #[arg(long)]
        agent: String,
        #[arg(long)]
        package: String,
        #[arg(long)]
        why: String,
        #[arg(long)]
        results: PathBuf,
    },
    /// Prints docs/agents.md
    Table {
        #[arg(long, default_value = "conformance/results")]
        results: PathBuf,
    },
    /// The MCP server that agents are offered
    #[command(hide = true)]
    McpServer { log: PathBuf },
}

#[derive(Args)]
struct RowOptions {
    /// What `divisi --agent` calls it
    #[arg(long)]
    agent: String,
    /// The version that was installed
    #[arg(long)]
    package: String,
    /// Its program
    #[arg(long)]
    program: PathBuf,
    /// A folder that has to be first in its PATH
    #[arg(long)]
    path: Option<PathBuf>,
    /// Where everything of the run lies
    #[arg(long)]
    work: PathBuf,
    /// The committed results
    #[arg(long)]
    results: PathBuf,
    /// Only these columns
    #[arg(long = "column")]
    columns: Vec<String>,
    /// Only the columns of the ordinary tests, and compare them with the committed results
    #[arg(long)]
    quick: bool,
    /// Write nothing
    #[arg(long)]
    dry_run: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some((word, rest)) = arguments.split_first()
        && word == "shim"
    {
        return shim_main(rest.iter().cloned());
    }
    let result = match Options::parse().job {
        Job::Row(options) => run_row(&options),
        Job::Absent { agent, package, why, results } => absent(agent, package, &why, &results),
        Job::Table { results } => table::page(&results).map(|page| {
            print!("{page}");
            true
        }),
        Job::McpServer { log } => board::serve(&log).map(|()| true).map_err(|error| error.to_string()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Runs a row; true if nothing has to be mended.
fn run_row(options: &RowOptions) -> Result<bool, String> {
    if let Some(unknown) =
        options.columns.iter().find(|key| COLUMNS.iter().all(|column| column.key != key.as_str()))
    {
        let known: Vec<&str> = COLUMNS.iter().map(|column| column.key).collect();
        return Err(format!("there is no column `{unknown}`; there are {}", known.join(", ")));
    }
    // Before there is a second thread.
    let watch = alone::isolate().and_then(|()| Watch::start());
    if let Err(why) = &watch {
        eprintln!("not alone: {why}");
    }
    let own_program = std::env::current_exe().map_err(|error| error.to_string())?;
    let agent = Agent {
        name: options.agent.clone(),
        program: options.program.clone(),
        own_program,
        variables: [("PATH".to_owned(), path(options.path.as_deref())?)].into(),
        folder: absolute(&options.work)?.join(&options.agent),
    };
    let wanted = |column: &Column| {
        (options.columns.is_empty() || options.columns.iter().any(|key| key == column.key))
            && (!options.quick || column.quick)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let version = version(&agent)?;
    let mut row = runtime.block_on(row::run(&agent, wanted, &watch, |column, cell, seconds| {
        let word = cell.verdict.word().trim_matches('*');
        println!("{:8} {:14} {word:8} {seconds:5.1} s  {}", options.agent, column.key, told(cell));
    }))?;
    row.package = options.package.clone();
    row.version = version;
    if options.quick {
        return compare(&row, &options.results);
    }
    if !options.dry_run {
        row.save(&options.results)?;
    }
    Ok(row.cells.values().all(cell::Cell::is_well))
}

/// The folders of our own `PATH`, with another in front.
fn path(first: Option<&Path>) -> Result<String, String> {
    let own = std::env::var_os("PATH").unwrap_or_default();
    let all = first.map(Path::to_owned).into_iter().chain(std::env::split_paths(&own));
    let joined = std::env::join_paths(all).map_err(|error| error.to_string())?;
    joined.into_string().map_err(|_| "PATH is not text".to_owned())
}

fn told(cell: &cell::Cell) -> String {
    [&cell.seen, &cell.instead, &cell.differs]
        .into_iter()
        .filter(|text| !text.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join("; ")
}

/// True if what was seen is what was written down.
fn compare(row: &Row, results: &Path) -> Result<bool, String> {
    let Some(known) = Row::load(results, &row.agent)? else {
        return Err(format!("{} has no row in {}", row.agent, results.display()));
    };
    let mut same = true;
    for (key, cell) in &row.cells {
        let before = known.cells.get(key).map(|cell| cell.verdict);
        // In a short row an agent may not come to look for news, and not every machine permits to see it.
        let quiet = key == PHONE && cell.verdict != Verdict::Fails && before != Some(Verdict::Pass);
        let unseen = key == PHONE && !row.alone;
        if (before != Some(cell.verdict) && !quiet && !unseen) || !cell.differs.is_empty() {
            same = false;
            println!("{key}: {:?} was written down, and seen was {cell:?}", before);
        }
    }
    Ok(same)
}

/// What the program says of its version, asked in a home of its own.
fn version(agent: &Agent) -> Result<String, String> {
    let definition = agent.definition("http://127.0.0.1:9/")?;
    if definition.version_args.is_empty() {
        return Ok(String::new());
    }
    let home = agent.folder.join("version-home");
    std::fs::create_dir_all(&home).map_err(|error| error.to_string())?;
    let mut command = std::process::Command::new(&agent.program);
    command.args(&definition.version_args).env_clear().envs(&agent.variables).env("HOME", home);
    let output = command.stdin(std::process::Stdio::null()).output().map_err(|error| error.to_string())?;
    Ok(version_in(&String::from_utf8_lossy(&output.stdout)).unwrap_or_default())
}

fn absent(agent: String, package: String, why: &str, results: &Path) -> Result<bool, String> {
    let row = Row {
        agent,
        package,
        date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
        machine: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        absent: talk::one_line(why),
        ..Row::default()
    };
    row.save(results).map(|()| false)
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|error| error.to_string())
}
