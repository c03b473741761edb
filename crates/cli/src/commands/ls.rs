//! `divisi ls`

use clap::Args;
use divisi_api::types::{Attention, TaskSummary};
use jiff::Timestamp;

use super::client;
use crate::errors::Done;
use crate::project;
use crate::render::table::Table;
use crate::render::{clean, status, style, time, usage};
use crate::ui::Ui;

/// List the tasks with their state
#[derive(Debug, Args)]
#[command(
    visible_alias = "list",
    after_help = "Examples:\n  \
    divisi ls                what goes on\n  \
    divisi ls --all          archived tasks too\n  \
    divisi ls --here         only this project's\n  \
    divisi ls -q --needs-you | xargs -n1 divisi show"
)]
pub(crate) struct LsArgs {
    /// Archived tasks too
    #[arg(long, short)]
    all: bool,
    /// Only tasks of the project around the present folder
    #[arg(long)]
    here: bool,
    /// Only tasks that wait for you
    #[arg(long)]
    needs_you: bool,
}

pub(crate) async fn run(args: &LsArgs, ui: &Ui) -> Done {
    let here = if args.here { Some(project::require_root_text()?) } else { None };
    let mut tasks = client().await?.tasks().await?;
    tasks.retain(|task| here.as_ref().is_none_or(|root| task.root == *root));
    let of_project = tasks.len();
    tasks.retain(|task| {
        let waits = matches!(
            task.status.attention,
            Attention::NeedsYou | Attention::InReview | Attention::ReadyToLand
        );
        (args.all || !task.archived) && (!args.needs_you || waits)
    });
    // Those that wait for a slot stand last, in the order in which they will get one.
    let place = |task: &TaskSummary| match task.status.attention {
        Attention::Backlog => Some(task.waits_since),
        _ => None,
    };
    tasks.sort_by_key(place);
    ui.show(
        &tasks,
        || tasks.iter().map(|task| format!("{}\n", task.handle)).collect(),
        || table(&tasks, ui),
    )?;
    if tasks.is_empty() && !ui.json {
        ui.say(match of_project {
            0 => "There are no tasks. Give one out: divisi run \"…\"",
            _ if args.needs_you => "Nothing waits for you.",
            _ => "All tasks are archived: divisi ls --all",
        });
    }
    Ok(())
}

fn table(tasks: &[TaskSummary], ui: &Ui) -> String {
    if tasks.is_empty() {
        return String::new();
    }
    let now = Timestamp::now();
    let attempts = || tasks.iter().flat_map(|task| &task.attempts);
    let costs = attempts().any(|attempt| usage::cell(&attempt.usage) != "-");
    let mut columns = vec!["TASK", "STATE", "FOR", "AGENT", "CHANGE", "TITLE"];
    if costs {
        columns.insert(5, "COST");
    }
    let mut table = Table::new(&columns, ui.width());
    for task in tasks {
        if task.staged {
            let mut row = vec![
                style::name(&task.handle),
                status::status(&task.status),
                time::age(task.status.since, now),
                clean::line(&task.agents.join(", ")),
                "-".to_owned(),
                clean::line(&task.title),
            ];
            if costs {
                row.insert(5, "-".to_owned());
            }
            table.row(row);
        }
        for (n, attempt) in task.attempts.iter().enumerate() {
            let change = attempt.result.as_ref().map_or_else(
                || "-".to_owned(),
                |result| {
                    format!(
                        "{} {}",
                        style::good(format!("+{}", result.added)),
                        style::bad(format!("-{}", result.removed))
                    )
                },
            );
            let mut row = vec![
                style::name(&attempt.handle),
                status::status(&attempt.status),
                time::age(attempt.status.since, now),
                clean::line(&attempt.agent),
                change,
                if n == 0 { clean::line(&task.title) } else { String::new() },
            ];
            if costs {
                row.insert(5, usage::cell(&attempt.usage));
            }
            table.row(row);
        }
    }
    table.show()
}
