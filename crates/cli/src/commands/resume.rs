//! `divisi resume`

use clap::Args;

use super::{client, show_short};
use crate::errors::Done;
use crate::ui::Ui;

/// Go on after a stop, a stall, a usage limit or a cancelled turn
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  divisi resume t12")]
pub(crate) struct ResumeArgs {
    /// The task or attempt
    #[arg(value_name = "TASK")]
    handle: String,
}

pub(crate) async fn run(args: &ResumeArgs, ui: &Ui) -> Done {
    let task = client().await?.resume(&args.handle).await?;
    show_short(ui, &task)
}
