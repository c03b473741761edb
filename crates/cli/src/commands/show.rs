//! `divisi show`

use std::fmt::Write;

use clap::Args;
use divisi_api::Client;
use divisi_api::types::{AttemptView, CheckState, TaskView};
use jiff::Timestamp;

use super::{attempt_of, client};
use crate::errors::{CommandError, Done};
use crate::render::{clean, style, task};
use crate::ui::Ui;

/// How many lines of a failed log are shown.
const LOG_LINES: usize = 20;

/// Show a task: its state and why, its attempts, turns, result and proof
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi show t12                everything at a glance, with the end of failed logs\n  \
    divisi show t12.2              one attempt\n  \
    divisi show t12 --check test   the whole log of the last run of a check\n  \
    divisi show t12 --evidence 3   the whole log of one run, by its index in `--json`\n  \
    divisi show t12 --setup        the whole log of the setup script\n  \
    divisi show t12 --prompt       the prompt as it was given")]
pub(crate) struct ShowArgs {
    /// The task or attempt: t12, t12.2
    #[arg(value_name = "TASK")]
    handle: String,
    /// The whole log of the last run of this check
    #[arg(long, value_name = "NAME", conflicts_with_all = ["evidence", "setup", "prompt"])]
    check: Option<String>,
    /// The whole log of this run of a check, by the index of its evidence
    #[arg(long, value_name = "INDEX", conflicts_with_all = ["setup", "prompt"])]
    evidence: Option<usize>,
    /// The whole log of the setup script
    #[arg(long, conflicts_with = "prompt")]
    setup: bool,
    /// The prompt
    #[arg(long)]
    prompt: bool,
}

pub(crate) async fn run(args: &ShowArgs, ui: &Ui) -> Done {
    let client = client().await?;
    let view = client.task(&args.handle).await?;
    if let Some(name) = &args.check {
        return ui.bytes(&check_log(&client, &view, &args.handle, name).await?);
    }
    if let Some(index) = args.evidence {
        let attempt = attempt_of(&view, &args.handle)?;
        return ui.bytes(&client.check_log(&attempt.handle, index).await?);
    }
    if args.setup {
        return ui.bytes(&client.setup_log(&args.handle).await?);
    }
    if args.prompt {
        return ui.data(&format!("{}\n", clean::text(view.prompt.trim_end())));
    }
    let only = args.handle.contains('.').then(|| attempt_of(&view, &args.handle)).transpose()?;
    let only = only.map(|attempt| attempt.handle.clone());
    let mut page = task::page(&view, only.as_deref(), Timestamp::now());
    if !ui.json && !ui.quiet {
        for attempt in view.attempts.iter().filter(|a| only.as_ref().is_none_or(|only| *only == a.handle)) {
            failed_logs(&client, attempt, &mut page).await;
        }
    }
    ui.show(&view, || format!("{}\n", view.handle), || page)
}

async fn check_log(client: &Client, task: &TaskView, handle: &str, name: &str) -> Done<Vec<u8>> {
    let attempt = attempt_of(task, handle)?;
    let Some(check) = attempt.checks.iter().find(|check| check.name == name) else {
        let names: Vec<_> = attempt.checks.iter().map(|check| format!("`{}`", check.name)).collect();
        let hint = if names.is_empty() {
            "it has no checks".to_owned()
        } else {
            format!("it has {}", names.join(", "))
        };
        return Err(CommandError::not_found(format!("{} has no check `{name}`", attempt.handle), hint));
    };
    let index = check.evidence.ok_or_else(|| {
        CommandError::not_found(format!("the check `{name}` of {} has not run yet", attempt.handle), "")
    })?;
    Ok(client.check_log(&attempt.handle, index).await?)
}

/// The ends of the logs that say why an attempt does not pass. Logs that cannot be had are passed over: the page is
/// about the task.
async fn failed_logs(client: &Client, attempt: &AttemptView, page: &mut String) {
    for check in attempt.checks.iter().filter(|check| check.state == CheckState::Fails) {
        let Some(index) = check.evidence else { continue };
        if let Ok(log) = client.check_log(&attempt.handle, index).await {
            end_of(page, &format!("the log of {} ends", check.name), &log);
        }
    }
    let combination = attempt.landing_failure.as_ref().and_then(|failure| failure.evidence);
    if let Some(evidence) = combination.and_then(|index| attempt.evidence.get(index))
        && let Ok(log) = client.check_log(&attempt.handle, evidence.index).await
    {
        end_of(page, &format!("the log of {} on the combination ends", clean::line(&evidence.check)), &log);
        let all = format!("all of it: divisi show {} --evidence {}", attempt.handle, evidence.index);
        let _ = writeln!(page, "  {}", style::faint(all));
    }
    if attempt.status.state == "workspace failed"
        && let Ok(log) = client.setup_log(&attempt.handle).await
    {
        end_of(page, "the log of the setup ends", &log);
    }
}

fn end_of(page: &mut String, title: &str, log: &[u8]) {
    let text = clean::text(String::from_utf8_lossy(log).trim_end());
    let lines: Vec<_> = text.lines().collect();
    let _ = writeln!(page, "\n{}", style::strong(title));
    for line in lines.iter().skip(lines.len().saturating_sub(LOG_LINES)) {
        let _ = writeln!(page, "    {line}");
    }
}
