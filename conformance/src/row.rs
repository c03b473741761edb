//! A whole row: one agent, column after column.

use std::time::Instant;

use divisi_rehearsal::server::{ServerOptions, model_server};

use crate::cell::Cell;
use crate::columns::{COLUMNS, Column, PHONE};
use crate::desk::{Agent, Desk, PLAIN};
use crate::results::Row;
use crate::watch::Watch;

/// Runs the wanted columns and tells each as it comes.
pub async fn run(
    agent: &Agent,
    wanted: impl Fn(&Column) -> bool,
    watch: &Result<Watch, String>,
    tell: impl Fn(&Column, &Cell, f64),
) -> Result<Row, String> {
    std::fs::create_dir_all(&agent.folder).map_err(|error| format!("{}: {error}", agent.folder.display()))?;
    let record = agent.folder.join("model");
    if record.exists() {
        std::fs::remove_dir_all(&record).map_err(|error| format!("{}: {error}", record.display()))?;
    }
    let options = ServerOptions { record: Some(record), ..ServerOptions::default() };
    let model = model_server(options).await.map_err(|error| error.to_string())?;
    let mut row = Row {
        agent: agent.name.clone(),
        date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
        machine: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        alone: watch.is_ok(),
        ..Row::default()
    };
    for column in COLUMNS.iter().filter(|column| wanted(column) && column.key != PHONE) {
        let started = Instant::now();
        let desk = Desk::new(agent, &model, column.key)?;
        let cell = column.ask(&desk).await;
        tell(column, &cell, started.elapsed().as_secs_f64());
        row.cells.insert(column.key.to_owned(), cell);
    }
    if let Some(column) = COLUMNS.iter().find(|column| column.key == PHONE && wanted(column)) {
        let cell = phoned(agent, watch);
        tell(column, &cell, 0.0);
        row.cells.insert(PHONE.to_owned(), cell);
    }
    model.shutdown().await;
    Ok(row)
}

/// What was tried to be reached while the row ran. Whatever it was, the agent worked without it.
fn phoned(agent: &Agent, watch: &Result<Watch, String>) -> Cell {
    match watch {
        Err(why) => Cell::none(why.clone()),
        Ok(watch) => {
            let seen: Vec<String> = watch.seen().iter().map(|place| plain(place)).collect();
            match seen.is_empty() {
                true => Cell::pass(),
                false if agent.name == PLAIN => Cell::fails(seen.join(", ")),
                false => Cell::cannot(
                    format!("it tried {}", dedup(seen).join(", ")),
                    "it works without; where no network is allowed, it reaches none",
                ),
            }
        }
    }
}

fn dedup(mut seen: Vec<String>) -> Vec<String> {
    seen.sort();
    seen.dedup();
    seen
}

/// Hosts of packages are not named.
fn plain(place: &str) -> String {
    let is_registry = ["registry", "npm", "pypi", "crates"].iter().any(|word| place.contains(word));
    if is_registry { "a registry of packages".to_owned() } else { place.to_owned() }
}
