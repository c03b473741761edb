//! `kill -9` of the daemon while agents talk: how soon the next one has them all, and that no line is lost or doubled.

use std::time::{Duration, Instant};

use divisi_model::transcript::EntryBody;
use tokio::sync::mpsc;

use super::Bench;
use crate::measure::Samples;
use crate::repositories::Repository;
use crate::row::{Bar, Findings, Outcome};
use crate::{Result, agent, divisi};

/// Ten lines a second, so that a new line is never far.
const EACH: Duration = Duration::from_millis(100);

/// 50 agents, several kills.
pub fn measure(bench: &Bench<'_>) -> Result<Findings> {
    let repository = Repository::make(bench.place, "restart-repository", 200)?;
    let agents = bench.pick(50, 2);
    let kills = bench.pick(5, 1);
    let lines = bench.pick(600, 60);
    let (took, wrong) =
        bench.runtime()?.block_on(kill_and_serve(bench, &repository, agents, kills, lines))?;
    let what = format!("restart with {agents} running agents: all attached");
    let note = format!(
        "{} lines in all, {wrong} lost or doubled; from the start of the new process",
        agents as u32 * lines
    );
    let row = Outcome::alone("restart", what, Bar::AtMost(1.0), "s", took).note(note);
    Ok(Findings::rows([row.failed_if(wrong > 0, format!("{wrong} lines lost or doubled"))]))
}

/// Seconds from starting each new daemon until a client has, of every agent, a line that was written after that start;
/// and how many lines the transcripts lack or hold twice in the end.
async fn kill_and_serve(
    bench: &Bench<'_>,
    repository: &Repository,
    agents: usize,
    kills: usize,
    lines: u32,
) -> Result<(Samples, usize)> {
    let home = divisi::Home::make(bench.place, "restart", u16::try_from(agents)?)?;
    let (mut daemon, client) = home.serve().await?;
    let (heard, mut news) = mpsc::unbounded_channel();
    let mut handles = Vec::new();
    for agent in 0..agents {
        let task = divisi::give(&client, &repository.path, "bench", &agent::prompt(lines, EACH)).await?;
        let mut feed = client.follow_transcript(&task.handle, 0);
        handles.push(task.handle);
        let heard = heard.clone();
        tokio::spawn(async move {
            while let Ok(view) = feed.next().await {
                if let EntryBody::Message { text } = view.entry.body
                    && let Some((_, written)) = agent::read_line(&text.to_string())
                {
                    // Nobody listens any more at the end of the row.
                    let _ = heard.send((agent, written, Instant::now()));
                }
            }
        });
    }
    divisi::until_live(&client, agents).await?;
    let mut took = Vec::new();
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_secs(3)).await;
        daemon.kill()?;
        let (since, started) = (agent::now(), Instant::now());
        daemon = home.start()?;
        let mut attached = vec![None; agents];
        while attached.iter().any(Option::is_none) {
            let next = tokio::time::timeout(Duration::from_secs(60), news.recv()).await;
            let (agent, written, at) = next?.ok_or("nobody follows any more")?;
            if written > since && attached[agent].is_none() {
                attached[agent] = Some(at - started);
            }
        }
        took.extend(attached.into_iter().flatten().max().map(|last| last.as_secs_f64()));
    }
    let client = home.client().await?;
    let mut wrong = 0;
    for handle in &handles {
        let finished = Instant::now();
        loop {
            let task = client.task(handle).await?;
            if task.attempts.iter().all(|attempt| attempt.turns.iter().any(|turn| turn.ended.is_some())) {
                break;
            }
            if finished.elapsed() > Duration::from_secs(180) {
                return Err(format!("{handle} did not finish").into());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let mut seen = vec![0u32; lines as usize + 1];
        for view in client.transcript(handle, 0).await? {
            if let EntryBody::Message { text } = view.entry.body
                && let Some((number, _)) = agent::read_line(&text.to_string())
            {
                seen[number as usize] += 1;
            }
        }
        wrong += seen[1..].iter().filter(|count| **count != 1).count();
    }
    drop(daemon);
    Ok((Samples::of(took), wrong))
}
