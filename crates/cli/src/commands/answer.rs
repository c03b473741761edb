//! `divisi approve`, `divisi deny` and `divisi answer`

use clap::Args;
use divisi_api::types::AnswerRequest;

use super::{client, show_short};
use crate::errors::Done;
use crate::ui::{Ui, read_stdin};

/// Say yes to a permission request, or that a criterion holds
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi approve t12             the only item of t12 that waits\n  \
    divisi approve t12#3           a certain item, as divisi inbox names it\n  \
    divisi approve t12 --always    this and what is like it, as the agent understands it")]
pub(crate) struct ApproveArgs {
    /// The item (t12#3), or the task or attempt where only one item of it waits
    item: String,
    /// For all that is alike, not only once
    #[arg(long)]
    always: bool,
}

/// Say no to a permission request, or that a criterion does not hold
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi deny t12\n  \
    divisi deny t12#3 --reason \"never touch the lock file\"")]
pub(crate) struct DenyArgs {
    /// The item (t12#3), or the task or attempt where only one item of it waits
    item: String,
    /// Why; the agent is told where it can hear it
    #[arg(long, value_name = "WORDS", default_value = "", hide_default_value = true)]
    reason: String,
}

/// Answer a question of an agent
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi answer t12 \"use the new API\"     in words\n  \
    divisi answer t12#4 --option option-1   by one of the options that divisi inbox lists")]
pub(crate) struct AnswerArgs {
    /// The item (t12#3), or the task or attempt where only one item of it waits
    item: String,
    /// The words; `-` reads them from standard input
    #[arg(required_unless_present = "option")]
    text: Option<String>,
    /// The id of one of the options
    #[arg(long, value_name = "ID", conflicts_with = "text")]
    option: Option<String>,
}

pub(crate) async fn approve(args: ApproveArgs, ui: &Ui) -> Done {
    give(&args.item, AnswerRequest::Approved { always: args.always }, ui).await
}

pub(crate) async fn deny(args: DenyArgs, ui: &Ui) -> Done {
    give(&args.item, AnswerRequest::Denied { reason: args.reason }, ui).await
}

pub(crate) async fn answer(args: AnswerArgs, ui: &Ui) -> Done {
    let answer = match (args.option, args.text) {
        (Some(option), _) => AnswerRequest::Chosen { option },
        (None, Some(text)) if text == "-" => AnswerRequest::Text { text: read_stdin()? },
        (None, text) => AnswerRequest::Text { text: text.unwrap_or_default() },
    };
    give(&args.item, answer, ui).await
}

async fn give(item: &str, answer: AnswerRequest, ui: &Ui) -> Done {
    let task = client().await?.answer(item, &answer).await?;
    show_short(ui, &task)
}
