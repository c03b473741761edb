//! The command line of the long form. Its options are those of `cargo xtask sim`, which checks them.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::run::{Report, run};
use crate::scenario::{FAULTS, Fault, How, Scenario};

/// Pause between two words on how far it is.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// Most lines of failed seeds that are printed.
const FAILURES_SHOWN: usize = 20;

/// What is to be run.
struct Wanted {
    seed: Option<u64>,
    from: u64,
    seeds: u64,
    /// Every so many-th seed from `from` on: the others belong to other processes.
    step: u64,
    small: bool,
    rollback: bool,
    silent: bool,
    crash: Option<u64>,
    power: bool,
    fault: Option<Fault>,
}

/// Runs what the arguments say.
pub fn command(args: impl Iterator<Item = String>) -> ExitCode {
    let wanted = match read(args) {
        Ok(wanted) => wanted,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    match wanted.seed {
        Some(seed) => {
            let Wanted { small, rollback, silent, crash, power, fault, .. } = wanted;
            one(&Scenario { seed, small, rollback, silent, crash, power, fault })
        }
        None => many(&wanted),
    }
}

fn one(scenario: &Scenario) -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::from_env("DIVISI_LOG");
    drop(
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .without_time()
            .try_init(),
    );
    match run(scenario) {
        Ok(report) => {
            println!("{scenario}: {}", text(&report));
            ExitCode::SUCCESS
        }
        Err(why) => {
            println!("{scenario}: {why}");
            ExitCode::FAILURE
        }
    }
}

fn text(report: &Report) -> String {
    let Report { events, crashes, effects, landed, log, trace, .. } = report;
    format!(
        "{events} events, {crashes} crashes, {effects} effects, {landed} landed, log {}, trace {trace:016x}",
        log.get(..12).unwrap_or(log)
    )
}

fn many(wanted: &Wanted) -> ExitCode {
    let started = Instant::now();
    let (mut held, mut failed, mut events, mut crashes, mut landed) = (0_u64, 0_usize, 0, 0, 0);
    let step = usize::try_from(wanted.step).unwrap_or(1);
    let mut told = Instant::now();
    for seed in (wanted.from..wanted.from + wanted.seeds).step_by(step) {
        let scenario = Scenario { small: wanted.small, rollback: wanted.rollback, ..Scenario::large(seed) };
        match std::panic::catch_unwind(|| run(&scenario)) {
            Ok(Ok(report)) => {
                held += 1;
                events += report.events;
                crashes += report.crashes;
                landed += report.landed;
            }
            ended => {
                failed += 1;
                let why =
                    ended.map_or_else(|_| "it panicked".to_owned(), |ended| ended.err().unwrap_or_default());
                if failed <= FAILURES_SHOWN {
                    println!("{scenario}  # {why}");
                }
            }
        }
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            let done = held + failed as u64;
            let rate = done as f64 / started.elapsed().as_secs_f64();
            eprintln!("seed {seed}: {done} seeds done, {failed} fail, {rate:.1} seeds/s");
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let rate = held as f64 / seconds.max(0.001);
    println!(
        "{held} seeds hold, {failed} fail: {events} events, {crashes} crashes, {landed} landings, {rate:.1} seeds/s"
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(mut args: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut wanted = Wanted {
        seed: None,
        from: 1,
        seeds: 100,
        step: 1,
        small: false,
        rollback: false,
        silent: false,
        crash: None,
        power: false,
        fault: None,
    };
    while let Some(name) = args.next() {
        match name.as_str() {
            "--small" => {
                wanted.small = true;
                continue;
            }
            "--rollback" => {
                wanted.rollback = true;
                continue;
            }
            "--silent" => {
                wanted.silent = true;
                continue;
            }
            "--power" => {
                wanted.power = true;
                continue;
            }
            _ => {}
        }
        let value = args.next().ok_or_else(|| format!("{name} needs a value"))?;
        let number = || value.parse::<u64>().map_err(|error| format!("{name} {value}: {error}"));
        match name.as_str() {
            "--seed" => wanted.seed = Some(number()?),
            "--from" => wanted.from = number()?,
            "--seeds" => wanted.seeds = number()?,
            "--step" => wanted.step = number()?.max(1),
            "--crash" => wanted.crash = Some(number()?),
            "--fault" => wanted.fault = Some(fault(&value)?),
            _ => return Err(format!("there is no option {name}")),
        }
    }
    Ok(wanted)
}

/// `send:17`, `send:17:late` or `send:17:away`.
fn fault(text: &str) -> Result<Fault, String> {
    let mut parts = text.split(':');
    let name = parts.next().unwrap_or_default();
    let point = FAULTS.iter().find(|(known, _)| *known == name);
    let nth = parts.next().and_then(|nth| nth.parse().ok());
    let how = parts.next().unwrap_or_default();
    let how = How::ALL.iter().find(|(known, _)| *known == how);
    match (point, nth, how) {
        (Some((_, point)), Some(nth), Some((_, how))) => Ok(Fault { point: *point, nth, how: *how }),
        _ => Err(format!("{text} is no fault; for example send:17, send:17:late or send:17:away")),
    }
}
