//! `divisi send`

use clap::Args;
use divisi_api::types::{Delivery, SendRequest};

use super::{client, show_short};
use crate::errors::Done;
use crate::ui::{Ui, read_stdin};

/// Send words to an agent: after its turn, into it, or instead of it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi send t12 \"also update the docs\"             after the turn\n  \
    divisi send t12 --steer \"leave the API as it is\"   at the next safe moment of the turn\n  \
    divisi send t12 --interrupt \"stop, wrong file\"     now: the turn is cancelled first\n  \
    git log -1 | divisi send t12 -                     from standard input")]
pub(crate) struct SendArgs {
    /// The task or attempt
    #[arg(value_name = "TASK")]
    handle: String,
    /// The words; `-` reads them from standard input
    text: String,
    /// After the running turn (this is the default)
    #[arg(long, group = "when")]
    queue: bool,
    /// At the next safe moment of the running turn where the agent can, otherwise right after it
    #[arg(long, group = "when")]
    steer: bool,
    /// Now: the running turn is cancelled first
    #[arg(long, group = "when")]
    interrupt: bool,
}

pub(crate) async fn run(args: SendArgs, ui: &Ui) -> Done {
    let text = if args.text == "-" { read_stdin()? } else { args.text };
    let delivery = match (args.steer, args.interrupt) {
        (true, _) => Delivery::Steer,
        (_, true) => Delivery::Interrupt,
        _ => Delivery::Queue,
    };
    let task = client().await?.send_words(&args.handle, &SendRequest { text, delivery }).await?;
    show_short(ui, &task)
}
