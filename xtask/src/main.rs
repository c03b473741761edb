//! The workshop of Divisi: everything that a contributor or a pipeline runs, as `cargo xtask <job>`.
//!
//! Knows no crate of ours: it reads the repository as files and starts cargo, git and npm. What it installs goes
//! into the target folder, never into the machine.

mod agents;
mod bench;
mod chromium;
mod ci;
mod codegen;
mod dashboard;
mod dev;
mod dirs;
mod matrix;
mod nextest;
mod prerequisites;
mod replay;
mod run;
mod sim;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The workshop of Divisi")]
struct Options {
    #[command(subcommand)]
    job: Job,
}

#[derive(Subcommand)]
enum Job {
    /// Install what the tests need into the target folder, check format and tidiness, run every test
    Test(test::Options),
    /// What a pipeline demands: every test, clippy with warnings denied, documentation, licences
    Ci,
    /// Build the daemon and run it in the foreground with a home of its own in the target folder
    Dev(dev::Options),
    /// Write the generated files that are committed (or compare them with --check)
    Codegen(codegen::Options),
    /// Land real history with Divisi and with git alone, and compare
    Replay(replay::Options),
    /// Do to this folder what one commit of a replay does (the agent of a replay)
    #[command(hide = true)]
    ApplyChange(replay::ApplyOptions),
    /// Read the repository and report what breaks its rules
    Tidy,
    /// Measure every bar against its floor; all of them together write docs/performance.md
    Bench(bench::Options),
    /// Build the daemon and drive its dashboard in a real browser, at a desk and on a phone
    Browser(dashboard::BrowserOptions),
    /// Play a fleet and take a picture of every screen of the dashboard into docs/screenshots
    Screenshots,
    /// Drive every real agent through the conformance matrix and write docs/agents.md; installs some 5 GB the first time
    Agents(matrix::Options),
    /// Run the engine in a simulated world: ten thousand seeds, or one again
    Sim(sim::Options),
    /// Install the agent command lines that the tests drive into the target folder
    InstallAgents,
}

fn main() -> ExitCode {
    let result = match Options::parse().job {
        Job::Test(options) => test::run(&options),
        Job::Ci => ci::run(),
        Job::Dev(options) => dev::run(&options),
        Job::Codegen(options) => codegen::run(&options),
        Job::Browser(options) => dashboard::run(&options),
        Job::Screenshots => dashboard::screenshots(),
        Job::Bench(options) => bench::run(&options),
        Job::Replay(options) => replay::run(&options),
        Job::ApplyChange(options) => replay::apply(&options),
        Job::Tidy => tidy::run(),
        Job::Agents(options) => matrix::run(&options),
        Job::Sim(options) => sim::run(&options),
        Job::InstallAgents => agents::install_all(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error}");
            let mut cause = std::error::Error::source(error.as_ref());
            while let Some(inner) = cause {
                eprintln!("  caused by: {inner}");
                cause = inner.source();
            }
            ExitCode::FAILURE
        }
    }
}

/// What every job returns; the sentence of the error is for a person.
type JobResult<T = ()> = Result<T, Box<dyn std::error::Error>>;
