//! The job `sim`: the long form of the simulation, optimised, in several processes, or one seed again.

use std::process::Command;

use crate::{JobResult, dirs, run};

#[derive(clap::Args)]
pub struct Options {
    /// How many seeds to run
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Processes side by side
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=64))]
    jobs: u64,
    /// Only this seed, with what it says of itself; DIVISI_LOG=debug or trace tells the whole course
    #[arg(long)]
    seed: Option<u64>,
    /// One task on a straight road
    #[arg(long)]
    small: bool,
    /// Have everything brought back once on it
    #[arg(long, requires = "small")]
    rollback: bool,
    /// Let its agent give no sign of life until it is asked again
    #[arg(long, requires = "small")]
    silent: bool,
    /// End the engine at this effect on the world
    #[arg(long, requires = "seed")]
    crash: Option<u64>,
    /// Cut the power with it: processes end, and what was not synced is gone
    #[arg(long, requires = "crash")]
    power: bool,
    /// Let something fail, for example send:17, write:3:late when only its success is not told, or write:3:away
    #[arg(long, requires = "seed")]
    fault: Option<String>,
}

/// Builds the simulation and runs it.
pub fn run(options: &Options) -> JobResult {
    let build = ["build", "--quiet", "--profile", "simulation", "--package", "divisi-simulation"];
    run::require(dirs::cargo().args(build), "the simulation does not build")?;
    let program = dirs::target()?.join("simulation").join("divisi-simulation");
    let command = || {
        let mut command = Command::new(&program);
        command.args(options.small.then_some("--small"));
        command.args(options.rollback.then_some("--rollback"));
        command.args(options.silent.then_some("--silent"));
        command
    };
    if let Some(seed) = options.seed {
        let mut one = command();
        one.args(["--seed", &seed.to_string()]);
        if let Some(crash) = options.crash {
            one.args(["--crash", &crash.to_string()]);
        }
        one.args(options.power.then_some("--power"));
        one.args(options.fault.iter().flat_map(|fault| ["--fault", fault]));
        let held = one.status()?.success();
        return if held { Ok(()) } else { Err(format!("seed {seed} does not hold").into()) };
    }
    let mut parts = Vec::new();
    for part in 0..options.jobs {
        let (from, seeds) = (options.from + part, options.seeds.saturating_sub(part));
        let numbers = [from, seeds, options.jobs].map(|number| number.to_string());
        let [from, seeds, step] = &numbers;
        parts.push(command().args(["--from", from, "--seeds", seeds, "--step", step]).spawn()?);
    }
    let mut hold = true;
    for mut part in parts {
        hold &= part.wait()?.success();
    }
    if hold { Ok(()) } else { Err("not every seed holds; each line above runs one again".into()) }
}
