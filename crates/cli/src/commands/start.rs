//! `divisi start`

use clap::Args;

use super::{client, show_short};
use crate::errors::Done;
use crate::ui::Ui;

/// Start staged tasks
///
/// Each starts from where its base is now, with the settings that divisi.toml has now.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  divisi start t12\n  divisi start t12 t13")]
pub(crate) struct StartArgs {
    /// The tasks
    #[arg(value_name = "TASK", required = true)]
    handles: Vec<String>,
}

pub(crate) async fn run(args: &StartArgs, ui: &Ui) -> Done {
    let client = client().await?;
    for handle in &args.handles {
        show_short(ui, &client.start(handle).await?)?;
    }
    Ok(())
}
