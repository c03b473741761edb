//! From the prompt to the agent: the whole of `divisi run`, until the agent's program runs.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::Bench;
use crate::measure::Samples;
use crate::repositories::Repository;
use crate::row::{Bar, Curve, Findings, Outcome};
use crate::{Result, agent, divisi};

/// 80,000 files count; fewer make the curve.
pub fn measure(bench: &Bench<'_>) -> Result<Findings> {
    let mut points = Vec::new();
    let mut last = None;
    for files in bench.pick(vec![200, 5_000, 80_000], vec![200]) {
        let samples = started(bench, files, bench.pick(9, 2))?;
        points.push((files as f64, samples.median()));
        last = Some((files, samples));
        bench.end_processes();
    }
    let (files, samples) = last.ok_or("nothing was measured")?;
    let what = format!("prompt → agent process started, {files} files");
    let row = Outcome::alone("start", what, Bar::AtMost(150.0), "ms", samples);
    let title = "Prompt until the agent's process runs";
    let curve = Curve { title, of: "files", unit: "ms", lines: vec![("divisi run", points)] };
    Ok(Findings { outcomes: vec![row], curves: vec![curve] })
}

/// Milliseconds from starting `divisi run` to the first instruction of the agent. The first task is not counted: it makes
/// what all later ones share.
fn started(bench: &Bench<'_>, files: usize, times: usize) -> Result<Samples> {
    let repository = Repository::make(bench.place, &format!("start-{files}"), files)?;
    let home = divisi::Home::make(bench.place, &format!("start-home-{files}"), 200)?;
    let runtime = bench.runtime()?;
    let (_daemon, client) = runtime.block_on(home.serve())?;
    let note = home.started();
    let mut samples = Vec::new();
    for turn in 0..=times {
        let _ = fs::remove_file(&note);
        let prompt = agent::prompt(100_000, Duration::from_secs(60));
        let begun = agent::now();
        let mut run = home.command(&repository.path)?;
        let mut run = run.args(["run", "--agent", "bench", &prompt]).stdout(Stdio::null()).spawn()?;
        let waiting = Instant::now();
        let at: u128 = loop {
            match fs::read_to_string(&note).ok().and_then(|text| text.parse().ok()) {
                Some(at) => break at,
                None if waiting.elapsed() > Duration::from_secs(120) => {
                    return Err("the agent did not start".into());
                }
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        if !run.wait()?.success() {
            return Err("divisi run failed".into());
        }
        if turn > 0 {
            samples.push(at.saturating_sub(begun) as f64 / 1e6);
        }
        runtime.block_on(client.stop(&format!("t{}", turn + 1)))?;
        std::thread::sleep(Duration::from_millis(500));
    }
    drop(client);
    Ok(Samples::of(samples))
}
