//! `divisi pair`

use clap::Args;
use divisi_api::types::{DeviceKind, EntryRequest};

use super::client;
use crate::errors::Done;
use crate::render::style;
use crate::ui::Ui;

/// Pair a phone or another browser: a QR code and a link that lets one device in
///
/// A paired device may do what you do at the board, but open no terminal, change no settings, pair nobody, and neither
/// export nor end the daemon. Other machines reach Divisi only after `divisi serve --remote`: docs/guides/phone.md.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi pair --name phone    good once, within ten minutes\n  \
    divisi devices              who is in, and since when")]
pub(crate) struct PairArgs {
    /// What the device shall be called [default: what it says it is]
    #[arg(long)]
    name: Option<String>,
}

pub(crate) async fn run(args: PairArgs, ui: &Ui) -> Done {
    let request = EntryRequest { kind: DeviceKind::Paired, name: args.name };
    let entry = client().await?.entry(&request).await?;
    if !entry.remote {
        ui.warn("this machine alone can open the link: docs/guides/phone.md says how a phone reaches Divisi");
    }
    let text = || {
        let link = style::strong(&entry.link);
        format!(
            "{}\n{link}\nScan it, or open the link. It is good once, within ten minutes.\n",
            drawn(&entry.qr)
        )
    };
    ui.show(&entry, || format!("{}\n", entry.link), text)
}

/// The code in half blocks, two rows in a line, dark on light whatever the terminal's colours are.
fn drawn(rows: &[String]) -> String {
    let size = i32::try_from(rows.len()).unwrap_or_default();
    let dark = |x: i32, y: i32| {
        let row = usize::try_from(y).ok().and_then(|y| rows.get(y));
        row.zip(usize::try_from(x).ok()).is_some_and(|(row, x)| row.as_bytes().get(x) == Some(&b'1'))
    };
    let mut text = String::new();
    // Readers want a light edge.
    for y in (-2..size + 2).step_by(2) {
        let row: String = (-2..size + 2)
            .map(|x| match (dark(x, y), dark(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            })
            .collect();
        text.push_str(&format!("{}\n", style::dark_on_light(row)));
    }
    text
}
