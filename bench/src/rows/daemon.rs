//! What the daemon takes while many sessions live and nothing happens.

use std::time::Duration;

use divisi_api::Client;

use super::Bench;
use crate::measure::Samples;
use crate::processes::{memory, processor_seconds, waits};
use crate::repositories::Repository;
use crate::row::{Bar, Curve, Findings, Outcome};
use crate::{Result, divisi};

/// An agent that said something and then works in silence.
const PROMPT: &str = "Wait.\n\n```rehearsal\nsay I begin.\nsleep 3600s\n```\n";

/// 200 sessions count; fewer make the curve.
pub fn measure(bench: &Bench<'_>) -> Result<Findings> {
    let repository = Repository::make(bench.place, "daemon-repository", 200)?;
    let home = divisi::Home::make(bench.place, "daemon", 200)?;
    let runtime = bench.runtime()?;
    runtime.block_on(async {
        let (daemon, client) = home.serve().await?;
        let mut points = Vec::new();
        let mut found = Vec::new();
        let mut given = 0;
        for agents in bench.pick(vec![1, 10, 50, 200], vec![2]) {
            while given < agents {
                divisi::give(&client, &repository.path, "rehearsal", PROMPT).await?;
                given += 1;
            }
            divisi::until_live(&client, agents).await?;
            // Memory is at rest soon; how idle it is takes longer to see, and counts for the most agents.
            let last = agents == bench.pick(200, 2);
            let stretch = bench.pick(if last { 30 } else { 3 }, 1);
            let (resident, busy, woken) = look(daemon.pid(), &client, stretch).await?;
            points.push((agents as f64, resident));
            found = vec![
                Outcome::alone(
                    "daemon",
                    format!("daemon with {agents} live rehearsal sessions: resident"),
                    Bar::AtMost(60.0),
                    "MB",
                    Samples::of([resident]),
                ),
                Outcome::alone(
                    "daemon",
                    format!("daemon with {agents} live rehearsal sessions: idle"),
                    Bar::AtMost(0.5),
                    "% of a core",
                    Samples::of([busy]),
                )
                .note(format!("{woken:.1} wake-ups/s")),
            ];
        }
        let title = "Memory of the daemon";
        let curve = Curve { title, of: "agents", unit: "MB", lines: vec![("resident", points)] };
        Ok(Findings { outcomes: found, curves: vec![curve] })
    })
}

/// Memory, percent of a core over a long stretch, and wake-ups a second, once everything is quiet.
async fn look(pid: u32, client: &Client, seconds: u64) -> Result<(f64, f64, f64)> {
    let stretch = Duration::from_secs(seconds);
    // Not at once, or the work of the start would be counted.
    tokio::time::sleep(stretch.mul_f64(0.4)).await;
    let (waited, worked) = (waits(pid)?, processor_seconds(pid)?);
    tokio::time::sleep(stretch).await;
    let seconds = stretch.as_secs_f64();
    let percent = (processor_seconds(pid)? - worked) / seconds * 100.0;
    let since =
        |(thread, count): (_, u64)| waited.get(thread).map_or(0, |before| count.saturating_sub(*before));
    let woken: u64 = waits(pid)?.iter().map(|(thread, count)| since((thread, *count))).sum();
    let resident = memory(pid)?.resident;
    // It must be alive and well after that, or it was idle for the wrong reason.
    client.health().await?;
    Ok((resident, percent, woken as f64 / seconds))
}
