//! `divisi stop`

use clap::Args;
use serde::Serialize;

use super::{client, show_short};
use crate::daemon::{self, Found};
use crate::dirs::Dirs;
use crate::errors::Done;
use crate::ui::Ui;

/// Stop tasks and end all that they started, or stop the daemon
///
/// A stopped task keeps its workspace and can be resumed. When the daemon stops, agents at work go on in their shims and
/// are taken up again when it starts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi stop t12          its agent and everything that the agent started is ended\n  \
    divisi stop --daemon     the next command starts it again")]
pub(crate) struct StopArgs {
    /// The tasks or attempts; of a task all attempts
    #[arg(value_name = "TASK", required_unless_present = "daemon", conflicts_with = "daemon")]
    handles: Vec<String>,
    /// The daemon
    #[arg(long)]
    daemon: bool,
}

#[derive(Serialize)]
struct Stopped {
    stopped: bool,
}

pub(crate) async fn run(args: &StopArgs, ui: &Ui) -> Done {
    if args.daemon {
        return stop_daemon(ui).await;
    }
    let client = client().await?;
    for handle in &args.handles {
        show_short(ui, &client.stop(handle).await?)?;
    }
    Ok(())
}

async fn stop_daemon(ui: &Ui) -> Done {
    let dirs = Dirs::from_environment()?;
    let stopped = match daemon::find(&dirs).await {
        Found::Ours(client, _) | Found::Other(client, _) => {
            daemon::stop(&dirs, &client).await?;
            true
        }
        Found::Nobody => false,
    };
    let text = if stopped { "the daemon has ended\n" } else { "the daemon does not run\n" };
    ui.show(&Stopped { stopped }, String::new, || text.to_owned())
}
