//! `divisi unsend`

use clap::Args;

use super::{attempt_of, client, show_short};
use crate::errors::{CommandError, Done};
use crate::ui::Ui;

/// Take a message back that the agent has not got yet: the last one, or the one with this number
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi unsend t12      the last one\n  \
    divisi unsend t12 4    the one that `divisi show t12` gives this number")]
pub(crate) struct UnsendArgs {
    /// The task or attempt
    #[arg(value_name = "TASK")]
    handle: String,
    /// The number of the message
    #[arg(value_name = "NUMBER")]
    prompt: Option<u32>,
}

pub(crate) async fn run(args: &UnsendArgs, ui: &Ui) -> Done {
    let client = client().await?;
    let task = client.task(&args.handle).await?;
    let attempt = attempt_of(&task, &args.handle)?;
    let last = attempt.queue.iter().map(|prompt| prompt.id).max();
    let Some(prompt) = args.prompt.or(last) else {
        let message = format!("no message waits for {}", attempt.handle);
        return Err(CommandError::not_found(
            message,
            format!("divisi show {} lists what waits", attempt.handle),
        ));
    };
    show_short(ui, &client.take_back(&attempt.handle, prompt).await?)
}
