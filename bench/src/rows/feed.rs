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
/// How long after the last agent's first line nothing counts yet, in nanoseconds.
const SETTLE: u128 = 1_000_000_000;

/// A line: when it was written, in nanoseconds since 1970, and how many milliseconds it took.
type Line = (u128, f64);

/// What was measured.
struct Latencies {
    /// While all agents wrote.
    all_write: Samples,
    /// While others were still being started.
    some_start: Samples,
}

/// 50 agents count; fewer and more make the curve.
pub fn measure(bench: &Bench<'_>) -> Result<Findings> {
    let repository = Repository::make(bench.place, "feed-repository", 200)?;
    let runtime = bench.runtime()?;
    let mut middle = Vec::new();
    let mut end = Vec::new();
    let mut outcome = None;
    for agents in bench.pick(vec![1, 10, 50, 200], vec![2]) {
        // The more there are, the longer it takes until all of them write.
        let count = u32::try_from(agents)?;
        let found =
            runtime.block_on(latencies(bench, &repository, agents, bench.pick(400 + 6 * count, 60)))?;
        bench.end_processes();
        let (latencies, start) = (found.all_write, found.some_start);
        middle.push((agents as f64, latencies.median()));
        end.push((agents as f64, latencies.percentile(0.99)));
        if agents == 50 || bench.quick {
            let what = format!("agent writes a line → SSE client has it, {agents} agents × 20 lines/s, p99");
            let (count, p99) = (latencies.count(), latencies.percentile(0.99));
            let note = format!(
                "median {:.1} ms; {count} lines, from one second after the last of them began; before that, while others were \
                 still being started, p99 {:.0} ms",
                latencies.median(),
                start.percentile(0.99)
            );
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

/// Milliseconds of every line of every agent. A line that is missing or comes twice is an error. What counts are the lines
/// of the time in which all of them write.
async fn latencies(
    bench: &Bench<'_>,
    repository: &Repository,
    agents: usize,
    lines: u32,
) -> Result<Latencies> {
    let home = divisi::Home::make(bench.place, &format!("feed-{agents}"), u16::try_from(agents)?)?;
    let (daemon, client) = home.serve().await?;
    let mut followers = Vec::new();
    // They begin one after the other, so that they write at different moments, as agents do.
    for _ in 0..agents {
        let task = divisi::give(&client, &repository.path, "bench", &agent::prompt(lines, EACH)).await?;
        let mut feed = client.follow_transcript(&task.handle, 0);
        followers.push(tokio::spawn(async move {
            let mut heard: Vec<Line> = Vec::new();
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
                heard.push((written, now.saturating_sub(written) as f64 / 1e6));
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(heard)
        }));
    }
    let mut all = Vec::new();
    for follower in followers {
        all.push(tokio::time::timeout(Duration::from_secs(180), follower).await???);
    }
    drop(daemon);
    sorted(&all).ok_or_else(|| "the first agents were done before the last began".into())
}

/// Nothing, if there was no time in which all wrote.
fn sorted(agents: &[Vec<Line>]) -> Option<Latencies> {
    let begin = agents.iter().filter_map(|lines| Some(lines.first()?.0)).max()? + SETTLE;
    let end = agents.iter().filter_map(|lines| Some(lines.last()?.0)).min()?;
    let all = || agents.iter().flatten();
    let some_start = Samples::of(all().filter(|(at, _)| *at < begin).map(|(_, took)| *took));
    let all_write = Samples::of(all().filter(|(at, _)| (begin..=end).contains(at)).map(|(_, took)| *took));
    (all_write.count() > 0).then_some(Latencies { all_write, some_start })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_time_counts_in_which_all_write() {
        let lines =
            |from: u128, to: u128| (from..=to).map(|second| (second * SETTLE, second as f64)).collect();
        let found = sorted(&[lines(0, 9), lines(3, 12)]).expect("both write from 3 to 9");
        assert_eq!((found.all_write.min(), found.all_write.max(), found.all_write.count()), (4.0, 9.0, 12));
        assert_eq!(found.some_start.count(), 5);
        assert!(sorted(&[lines(0, 2), lines(3, 5)]).is_none());
    }
}
