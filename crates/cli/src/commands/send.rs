//! `divisi send`

use std::path::PathBuf;

use clap::Args;
use divisi_api::types::{Delivery, SendRequest};

use super::{client, show_short};
use crate::errors::Done;
use crate::images;
use crate::ui::{Ui, read_stdin};

/// Send words to an agent: after its turn, into it, or instead of it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi send t12 \"also update the docs\"             after the turn\n  \
    divisi send t12 --steer \"leave the API as it is\"   at the next safe moment of the turn\n  \
    divisi send t12 --interrupt \"stop, wrong file\"     now: the turn is cancelled first\n  \
    divisi send t12 \"it looks like this\" --image shot.png\n  \
    git log -1 | divisi send t12 -                     from standard input")]
pub(crate) struct SendArgs {
    /// The task or attempt
    #[arg(value_name = "TASK")]
    handle: String,
    /// The words; `-` reads them from standard input
    text: String,
    /// An image for the agent: PNG, JPEG, GIF or WebP. An agent that cannot be shown images gets it as a file
    #[arg(long, value_name = "FILE")]
    image: Vec<PathBuf>,
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
    let client = client().await?;
    let images = images::store(&client, &args.image).await?;
    let task = client.send_words(&args.handle, &SendRequest { text, images, delivery }).await?;
    show_short(ui, &task)
}
