//! From the write of an agent to the client that follows it.

use std::time::Duration;

use divisi_model::transcript::EntryBody;

use super::Bench;
use crate::measure::Samples;
use crate::repositories::Repository;
use crate::row::{Bar, Curve, Findings, Outcome};
use crate::{Result, agent, divisi};

/// Twenty lines a second.
const EACH: Duration = Duration::from_millis(50);
/// Lines of each agent that do not count: its own start and that of the others.
const WARM_UP: u32 = 20;

/// 50 agents count; fewer and more make the curve.
pub fn measure(bench: &Bench<'_>) -> Result<Findings> {
    let repository = Repository::make(bench.place, "feed-repository", 200)?;
    let runtime = bench.runtime()?;
    let mut middle = Vec::new();
    let mut end = Vec::new();
    let mut outcome = None;
    for agents in bench.pick(vec![1, 10, 50, 200], vec![2]) {
        let latencies = runtime.block_on(latencies(bench, &repository, agents, bench.pick(300, 40)))?;
        bench.end_processes();
        middle.push((agents as f64, latencies.median()));
        end.push((agents as f64, latencies.percentile(0.99)));
        if agents == 50 || bench.quick {
            let what = format!("agent writes a line → SSE client has it, {agents} agents × 20 lines/s, p99");
            let (count, p99) = (latencies.count(), latencies.percentile(0.99));
            let note = format!("median {:.1} ms; {count} lines", latencies.median());
            let row = Outcome::alone("feed", what, Bar::AtMost(50.0), "ms", latencies).note(note);
            outcome = Some(Outcome { value: Some(p99), ..row });
        }
    }
    let curve = Curve {
        title: "A line of an agent until a client has it",
        of: "agents",
        unit: "ms",
        lines: vec![("median", middle), ("p99", end)],
    };
    Ok(Findings { outcomes: outcome.into_iter().collect(), curves: vec![curve] })
}

/// Milliseconds of every line of every agent. A line that is missing or comes twice is an error.
async fn latencies(bench: &Bench<'_>, repository: &Repository, agents: usize, lines: u32) -> Result<Samples> {
    let home = divisi::Home::make(bench.place, &format!("feed-{agents}"), u16::try_from(agents)?)?;
    let (daemon, client) = home.serve().await?;
    let mut followers = Vec::new();
    // They begin one after the other, so that they write at different moments, as agents do.
    for _ in 0..agents {
        let task = divisi::give(&client, &repository.path, "bench", &agent::prompt(lines, EACH)).await?;
        let mut feed = client.follow_transcript(&task.handle, 0);
        followers.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            let mut next = 1;
            while next <= lines {
                let entry = feed.next().await?.entry;
                let now = agent::now();
                let EntryBody::Message { text } = entry.body else { continue };
                let Some((number, written)) = agent::read_line(&text.to_string()) else { continue };
                if number != next {
                    return Err(format!("line {number} came where {next} should").into());
                }
                next += 1;
                if number > WARM_UP {
                    latencies.push(now.saturating_sub(written) as f64 / 1e6);
                }
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(latencies)
        }));
    }
    let mut all = Vec::new();
    for follower in followers {
        all.extend(tokio::time::timeout(Duration::from_secs(180), follower).await???);
    }
    drop(daemon);
    Ok(Samples::of(all))
}
