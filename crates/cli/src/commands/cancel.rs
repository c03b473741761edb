//! `divisi cancel`

use clap::Args;

use super::{client, show_short};
use crate::errors::Done;
use crate::ui::Ui;

/// End the running turn of an agent; its session and workspace stay
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi cancel t12\n  \
    divisi resume t12              go on where it stopped\n  \
    divisi send t12 \"instead, …\"   or give it other words")]
pub(crate) struct CancelArgs {
    /// The task or attempt
    #[arg(value_name = "TASK")]
    handle: String,
}

pub(crate) async fn run(args: &CancelArgs, ui: &Ui) -> Done {
    let task = client().await?.cancel(&args.handle).await?;
    show_short(ui, &task)
}
