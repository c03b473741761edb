//! `divisi move`

use clap::Args;
use divisi_api::types::MoveRequest;

use super::{client, show_short};
use crate::errors::Done;
use crate::ui::Ui;

/// Give a task another place among those that wait
///
/// divisi ls shows those that wait in their order. A task that is sent back later waits at the place it was given.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi move t12 --first\n  \
    divisi move t12 --before t9\n  \
    divisi move t12 --last")]
pub(crate) struct MoveArgs {
    /// The task
    #[arg(value_name = "TASK")]
    handle: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// Before all others
    #[arg(long)]
    first: bool,
    /// After all others
    #[arg(long)]
    last: bool,
    /// Before this task
    #[arg(long, value_name = "TASK")]
    before: Option<String>,
}

pub(crate) async fn run(args: &MoveArgs, ui: &Ui) -> Done {
    let to = MoveRequest { first: args.place.first, before: args.place.before.clone() };
    show_short(ui, &client().await?.move_task(&args.handle, &to).await?)
}
