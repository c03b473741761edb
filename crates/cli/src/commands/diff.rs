//! `divisi diff`

use clap::Args;
use divisi_api::types::DiffScope;

use super::client;
use crate::errors::Done;
use crate::render::diff;
use crate::ui::Ui;

/// Show what an attempt changed
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi diff t12             the result against its base\n  \
    divisi diff t12 --stat      only the files\n  \
    divisi diff t12 --live      the files as they are now, in the middle of a turn\n  \
    divisi diff t12 --turn 2    what one turn changed\n  \
    divisi diff t12 | git apply --check")]
pub(crate) struct DiffArgs {
    /// The task or attempt
    #[arg(value_name = "TASK")]
    handle: String,
    /// Only the files, with how much changed
    #[arg(long)]
    stat: bool,
    /// The files as they are now
    #[arg(long, conflicts_with = "turn")]
    live: bool,
    /// What this turn changed
    #[arg(long, value_name = "NUMBER")]
    turn: Option<u32>,
}

pub(crate) async fn run(args: &DiffArgs, ui: &Ui) -> Done {
    let (scope, turn) = match (args.live, args.turn) {
        (true, _) => (DiffScope::Live, 0),
        (false, Some(turn)) => (DiffScope::Turn, turn),
        (false, None) => (DiffScope::Result, 0),
    };
    let view = client().await?.diff(&args.handle, scope, turn).await?;
    let paths = || view.files.iter().map(|file| format!("{}\n", file.path)).collect();
    ui.show(&view, paths, || if args.stat { diff::stat(&view) } else { diff::unified(&view) })?;
    if view.files.is_empty() && !ui.json {
        ui.say("Nothing was changed.");
    }
    Ok(())
}
