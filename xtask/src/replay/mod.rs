//! The job `replay`: real history, landed by Divisi and by git alone, must come to the same tree.
//!
//! Each of N consecutive commits is given to an agent as a task of its own, all from the commit before the first of
//! them. The agent does to its workspace what a cherry-pick of the commit would do, file by file. What merges is landed
//! in the order of the history, by the real program, with a home of its own. Then git alone merges the same changes in
//! the same order in a clone, and every outcome and the tree at the end have to be equal.

mod apply;
mod by_git;
mod fleet;
mod git;
mod history;
mod report;

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

pub use apply::{Options as ApplyOptions, run as apply};

use crate::{JobResult, dirs, run as programs};

#[derive(clap::Args)]
pub struct Options {
    /// The repository; it is only read
    #[arg(long, value_name = "PATH")]
    repo: PathBuf,
    /// How many commits
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    commits: u32,
    /// The last of them, on its first-parent line
    #[arg(long, value_name = "REVISION", default_value = "HEAD")]
    tip: String,
    /// How results are put on their target
    #[arg(long, value_enum, default_value_t = Landing::Merge)]
    landing: Landing,
    /// How many agents work at once
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    parallel: u16,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Leave everything behind for a look, and say where
    #[arg(long)]
    keep: bool,
    /// This `divisi` instead of the one that this checkout builds
    #[arg(long, value_name = "PROGRAM")]
    divisi: Option<PathBuf>,
    /// Work in this folder, which must not exist yet, instead of one below the target folder
    #[arg(long, value_name = "FOLDER")]
    scratch: Option<PathBuf>,
}

/// How results land: the words of `divisi.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Landing {
    Merge,
    Squash,
    Rebase,
}

impl Landing {
    fn word(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Squash => "squash",
            Self::Rebase => "rebase",
        }
    }
}

/// Replays, reports, and fails if anything came out otherwise than with git alone.
pub fn run(options: &Options) -> JobResult {
    let started = Instant::now();
    let program = match &options.divisi {
        // It is started in other folders.
        Some(program) => program.canonicalize().map_err(|error| format!("{}: {error}", program.display()))?,
        None => built()?,
    };
    let scratch = match &options.scratch {
        Some(folder) => folder.clone(),
        None => dirs::target()?.join("replay").join(std::process::id().to_string()),
    };
    // Made here and nowhere else, because all of it is removed at the end.
    std::fs::create_dir_all(scratch.parent().unwrap_or(&scratch))?;
    std::fs::create_dir(&scratch).map_err(|error| format!("cannot make {}: {error}", scratch.display()))?;
    let scratch = scratch.canonicalize()?;
    let outcome = replay(options, &program, &scratch);
    let took = started.elapsed();
    // Before the removal, which takes its time where many files were checked out.
    let equal = outcome.and_then(|report| {
        if options.json {
            println!("{}", report.json(took)?)
        } else {
            print!("{}", report.text(took))
        }
        Ok(report.equal())
    });
    match options.keep {
        true => eprintln!("everything is kept in {}", scratch.display()),
        false => std::fs::remove_dir_all(&scratch)?,
    }
    if equal? { Ok(()) } else { Err("what Divisi landed is not what git alone makes of it".into()) }
}

fn replay(
    options: &Options,
    program: &std::path::Path,
    scratch: &std::path::Path,
) -> JobResult<report::Report> {
    let git = git::Git::new(scratch)?;
    let history = history::take(&git, scratch, options)?;
    eprintln!(
        "{} commits after {} as tasks, {} agents at once",
        history.picks.len(),
        history.base,
        options.parallel
    );
    let by_divisi = fleet::land(program, scratch, &git, &history, options)?;
    eprintln!("the same by git alone");
    let by_git = by_git::land(&git, scratch, &history, &by_divisi, options.landing)?;
    Ok(report::Report::new(options, history, by_divisi, by_git))
}

fn built() -> JobResult<PathBuf> {
    let build = ["build", "--package", "divisi-cli"];
    programs::require(dirs::cargo().args(build), "divisi does not build")?;
    Ok(dirs::target()?.join("debug").join(format!("divisi{}", std::env::consts::EXE_SUFFIX)))
}

/// A program that sees nothing of the person who runs this.
fn alone(program: impl AsRef<std::ffi::OsStr>, scratch: &std::path::Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
    command.env("HOME", scratch.join("home")).env("LANG", "C.UTF-8").env("TZ", "UTC");
    command
}
