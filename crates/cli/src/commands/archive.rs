//! `divisi archive` and `divisi restore`

use clap::Args;

use super::{client, show_short};
use crate::errors::Done;
use crate::ui::Ui;

/// Put tasks away; their workspaces are removed after a full snapshot
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi archive t12 t13\n  \
    divisi restore t12       everything is back, uncommitted files too")]
pub(crate) struct ArchiveArgs {
    /// The tasks
    #[arg(value_name = "TASK", required = true)]
    handles: Vec<String>,
}

/// Take archived tasks out again, with their workspaces as they were
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi ls --all          find it\n  \
    divisi restore t12")]
pub(crate) struct RestoreArgs {
    /// The tasks
    #[arg(value_name = "TASK", required = true)]
    handles: Vec<String>,
}

pub(crate) async fn archive(args: &ArchiveArgs, ui: &Ui) -> Done {
    let client = client().await?;
    for handle in &args.handles {
        show_short(ui, &client.archive(handle).await?)?;
    }
    Ok(())
}

pub(crate) async fn restore(args: &RestoreArgs, ui: &Ui) -> Done {
    let client = client().await?;
    for handle in &args.handles {
        show_short(ui, &client.restore(handle).await?)?;
    }
    Ok(())
}
