//! `divisi land`

use clap::Args;
use divisi_api::types::{AttemptView, TaskView};

use super::watch::Watch;
use super::{attempt_of, client};
use crate::errors::{CommandError, Done};
use crate::render::{clean, style};
use crate::ui::Ui;

/// Land approved results on their target branch, in this order
///
/// The combination with the target is built and checked before the target moves. A result that conflicts goes back to
/// its agent with the conflict as the prompt.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi land t12\n  \
    divisi land t12 t14.2 t13    in this order\n  \
    divisi undo t12              take it back")]
pub(crate) struct LandArgs {
    /// The tasks or attempts
    #[arg(value_name = "TASK", required = true)]
    handles: Vec<String>,
    /// Only ask for it; do not wait until it is done
    #[arg(long)]
    no_wait: bool,
}

pub(crate) async fn run(args: &LandArgs, ui: &Ui) -> Done {
    let client = client().await?;
    let mut watch = Watch::begin(&client).await?;
    let mut tasks = client.land(&args.handles).await?;
    if !args.no_wait {
        let handles: Vec<_> = tasks.iter().map(|task| task.handle.clone()).collect();
        let is_over = |task: &TaskView| task.attempts.iter().all(|attempt| attempt.status.state != "landing");
        tasks = watch.until(ui, &handles, is_over).await?;
    }
    let attempts: Vec<_> = tasks
        .iter()
        .zip(&args.handles)
        .map(|(task, handle)| attempt_of(task, handle))
        .collect::<Done<_>>()?;
    ui.show(
        &tasks,
        || tasks.iter().map(|task| format!("{}\n", task.handle)).collect(),
        || attempts.iter().map(|attempt| format!("{}\n", line(attempt))).collect(),
    )?;
    let failed = attempts.iter().find(|attempt| attempt.landing.is_none() && !args.no_wait);
    failed.map_or(Ok(()), |attempt| Err(did_not_land(attempt)))
}

fn line(attempt: &AttemptView) -> String {
    let handle = style::name(&attempt.handle);
    match &attempt.landing {
        Some(landing) => {
            let after = landing.after.get(..10).unwrap_or(&landing.after);
            let checkout = if landing.checkout_updated { ", and your checkout shows it" } else { "" };
            format!(
                "{handle}  {} on {} as {after}{checkout}",
                style::good("landed"),
                clean::line(&landing.target)
            )
        }
        None => format!("{handle}  {}: {}", attempt.status.state, clean::line(&attempt.status.reason)),
    }
}

fn did_not_land(attempt: &AttemptView) -> CommandError {
    let conflict = attempt.landing_failure.as_ref().is_some_and(|failure| failure.why == "conflict");
    let message = match conflict {
        true => {
            format!("{} conflicts with what landed meanwhile, and went back to its agent", attempt.handle)
        }
        false => format!("{} did not land", attempt.handle),
    };
    let mut error = CommandError::failed(message, attempt.status.next.clone());
    if let Some(failure) = &attempt.landing_failure {
        error.causes.push(clean::line(&failure.text));
    }
    error
}
