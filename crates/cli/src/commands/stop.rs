//! `divisi stop`

use std::time::{Duration, Instant};

use clap::Args;
use divisi_api::Client;
use divisi_api::types::{AttemptView, TaskView};
use serde::Serialize;

use super::{client, show_short};
use crate::daemon::{self, Found};
use crate::dirs::Dirs;
use crate::errors::{CommandError, Done, ErrorKind};
use crate::ui::Ui;

/// How long what was stopped may take to be gone: an agent gets some seconds to end its turn and some to end.
const GONE_MAX: Duration = Duration::from_secs(30);
/// Pauses between two looks.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// Stop tasks and end all that they started, or stop the daemon
///
/// A stopped task keeps its workspace and can be resumed. The command returns when every process of it is gone.
/// When the daemon stops, agents at work go on in their shims and are taken up again when it starts.
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
    // All are told first, so that they end side by side.
    for handle in &args.handles {
        client.stop(handle).await?;
    }
    let until = Instant::now() + GONE_MAX;
    let mut left = Vec::new();
    for handle in &args.handles {
        let task = gone(&client, handle, until).await?;
        left.extend(ending(&task, handle).map(|attempt| attempt.handle.clone()));
        show_short(ui, &task)?;
    }
    if left.is_empty() {
        return Ok(());
    }
    let (handles, seconds) = (left.join(", "), GONE_MAX.as_secs());
    let message =
        format!("{handles}: stopped, but not all that it started has ended within {seconds} seconds");
    let hint = format!("Divisi goes on ending it; divisi show {} says when it is gone", left[0]);
    Err(CommandError::new(ErrorKind::Failed, message, hint))
}

/// Waits until all that the attempts started is gone, but not beyond a moment. The task as it is then.
async fn gone(client: &Client, handle: &str, until: Instant) -> Done<TaskView> {
    let mut pause = PAUSE_MIN;
    loop {
        let task = client.task(handle).await?;
        if ending(&task, handle).next().is_none() || Instant::now() >= until {
            return Ok(task);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// The attempts that a handle means and that have yet to end.
fn ending<'a>(task: &'a TaskView, handle: &'a str) -> impl Iterator<Item = &'a AttemptView> {
    let named = handle.split_once('.').and_then(|(_, number)| number.parse::<u16>().ok());
    task.attempts
        .iter()
        .filter(move |attempt| attempt.ending && named.is_none_or(|number| number == attempt.number))
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
