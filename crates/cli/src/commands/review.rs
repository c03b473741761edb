//! `divisi review`

use clap::Args;
use divisi_api::types::{CommentText, DiffScope, ReviewRequest, TaskView, Verdict};
use jiff::Timestamp;

use super::{client, show_short};
use crate::errors::{CommandError, Done};
use crate::render::{diff, task};
use crate::ui::{Ui, read_stdin};

/// Give a verdict on a result, or see what there is to judge
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi review t12                                     the proof and the changed files\n  \
    divisi review t12 --approve                           it may land\n  \
    divisi review t12 --withdraw                          it may not land after all\n  \
    divisi review t12 --request \"src/lib.rs:12: rename\" --request \"README.md: say why\"\n  \
                                                          these become the next turn\n  \
    divisi review t12 --request - < comments.txt          one comment per line")]
pub(crate) struct ReviewArgs {
    /// The task or attempt
    #[arg(value_name = "TASK")]
    handle: String,
    /// It may land
    #[arg(long, conflicts_with = "request")]
    approve: bool,
    /// It may not land after all: takes an approval back
    #[arg(long, conflicts_with_all = ["approve", "request"])]
    withdraw: bool,
    /// It goes back with this comment, as `file:line: words`, `file: words` or words; `-` reads one per line
    #[arg(long, value_name = "COMMENT")]
    request: Vec<String>,
    /// Words on the whole
    #[arg(long, value_name = "WORDS", default_value = "", hide_default_value = true)]
    note: String,
    /// The commit you looked at; refused when there is a newer result
    #[arg(long)]
    commit: Option<String>,
}

pub(crate) async fn run(args: ReviewArgs, ui: &Ui) -> Done {
    let client = client().await?;
    if !args.approve && !args.withdraw && args.request.is_empty() && args.note.is_empty() {
        let view = client.task(&args.handle).await?;
        let changed = client.diff(&args.handle, DiffScope::Result, 0).await?;
        return ui.show(
            &view,
            || format!("{}\n", view.handle),
            || {
                let only = args.handle.contains('.').then_some(args.handle.as_str());
                format!("{}\n{}", task::page(&view, only, Timestamp::now()), diff::stat(&changed))
            },
        );
    }
    let verdict = verdict(&args);
    let commit = match args.commit {
        Some(short) => Some(whole_commit(&client.task(&args.handle).await?, &args.handle, &short)?),
        None => None,
    };
    let request = ReviewRequest { commit, verdict, comments: comments(args.request)?, note: args.note };
    let task = client.review(&args.handle, &request).await?;
    show_short(ui, &task)
}

fn verdict(args: &ReviewArgs) -> Verdict {
    if args.approve {
        Verdict::Approved
    } else if args.withdraw {
        Verdict::Withdrawn
    } else {
        Verdict::ChangesRequested
    }
}

fn comments(given: Vec<String>) -> Done<Vec<CommentText>> {
    let mut comments = Vec::new();
    for text in given {
        if text == "-" {
            comments.extend(read_stdin()?.lines().map(|line| CommentText(line.to_owned())));
        } else {
            comments.push(CommentText(text));
        }
    }
    comments.retain(|comment| !comment.0.trim().is_empty());
    Ok(comments)
}

/// A commit as people copy it from a screen: at least its first seven digits.
fn whole_commit(task: &TaskView, handle: &str, short: &str) -> Done<String> {
    let attempt = super::attempt_of(task, handle)?;
    match &attempt.result {
        Some(result) if short.len() >= 7 && result.commit.starts_with(short) => Ok(result.commit.clone()),
        _ if short.len() >= 40 => Ok(short.to_owned()),
        _ => {
            let hint = format!("look again: divisi diff {}", attempt.handle);
            let message = format!("{short} is not the newest result of {}", attempt.handle);
            Err(CommandError::new(crate::errors::ErrorKind::WrongState, message, hint))
        }
    }
}
