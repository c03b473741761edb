//! `divisi undo`

use clap::Args;
use divisi_api::types::TaskView;

use super::watch::Watch;
use super::{client, show_short};
use crate::errors::{CommandError, Done};
use crate::render::clean;
use crate::ui::Ui;

/// Take a landing back: the target branch is exactly where it was before
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi undo t12\n  \
    divisi land t12    land it again")]
pub(crate) struct UndoArgs {
    /// The task or attempt
    #[arg(value_name = "TASK")]
    handle: String,
    /// Only ask for it; do not wait until it is done
    #[arg(long)]
    no_wait: bool,
}

pub(crate) async fn run(args: &UndoArgs, ui: &Ui) -> Done {
    let client = client().await?;
    ui.confirm(&format!("Take the landing of {} back, which moves its target branch?", args.handle))?;
    let mut watch = Watch::begin(&client).await?;
    let mut task = client.undo(&args.handle).await?;
    if !args.no_wait {
        let is_over = |task: &TaskView| task.attempts.iter().all(|attempt| attempt.status.state != "undoing");
        let handles = [task.handle.clone()];
        task = watch.until(ui, &handles, is_over).await?.pop().unwrap_or(task);
    }
    let stuck =
        task.attempts.iter().find(|attempt| attempt.landing.is_some() && attempt.undo_failure.is_some());
    if let Some(attempt) = stuck.filter(|_| !args.no_wait) {
        let message = format!("the landing of {} could not be taken back", attempt.handle);
        let mut error = CommandError::failed(message, attempt.status.next.clone());
        error.causes.extend(attempt.undo_failure.as_deref().map(clean::line));
        return Err(error);
    }
    show_short(ui, &task)
}
