//! `divisi devices`

use clap::{Args, Subcommand};
use divisi_api::types::{DeviceKind, DeviceView};
use jiff::Timestamp;

use super::client;
use crate::errors::{CommandError, Done};
use crate::render::table::Table;
use crate::render::{clean, style, time};
use crate::ui::Ui;

/// List the browsers that were let in, or revoke some
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
    divisi devices                  who is in, since when, and who gets notices\n  \
    divisi devices revoke phone     it is out at once"
)]
pub(crate) struct DevicesArgs {
    #[command(subcommand)]
    what: Option<DevicesCommand>,
}

#[derive(Debug, Subcommand)]
enum DevicesCommand {
    /// Let devices in no longer; what they look at ends at once
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
struct RevokeArgs {
    /// Their names, or ids, or beginnings of ids
    #[arg(value_name = "DEVICE", required_unless_present = "all", conflicts_with = "all")]
    devices: Vec<String>,
    /// All of them
    #[arg(long)]
    all: bool,
}

pub(crate) async fn run(args: &DevicesArgs, ui: &Ui) -> Done {
    let client = client().await?;
    let devices = client.devices().await?;
    let Some(DevicesCommand::Revoke(revoke)) = &args.what else { return show(&devices, ui) };
    let mut meant: Vec<DeviceView> = Vec::new();
    for named in &revoke.devices {
        meant.push(find(&devices, named)?.clone());
    }
    if revoke.all {
        meant = devices;
    }
    for device in &meant {
        client.revoke(&device.id.to_string()).await?;
    }
    let lines = || {
        meant.iter().map(|device| format!("{}  revoked\n", style::name(clean::line(&device.name)))).collect()
    };
    ui.show(&meant, || ids(&meant), lines)
}

fn show(devices: &[DeviceView], ui: &Ui) -> Done {
    if devices.is_empty() && !ui.json {
        ui.say("No browser was let in yet: divisi open, or divisi pair for a phone.");
    }
    let now = Timestamp::now();
    let table = || {
        let mut table =
            Table::new(&["DEVICE", "ID", "KIND", "LAST SEEN", "FROM", "NOTICES", "LET IN"], ui.width());
        for device in devices {
            table.row(vec![
                style::name(clean::line(&device.name)),
                device.id.to_string(),
                kind(device).to_owned(),
                format!("{} ago", time::age(device.last_seen, now)),
                device.address.clone().unwrap_or_else(|| "-".to_owned()),
                if device.push { "yes" } else { "-" }.to_owned(),
                format!("{} ago", time::age(device.created, now)),
            ]);
        }
        table.show()
    };
    ui.show(&devices, || ids(devices), table)
}

/// The one device of this name, or whose id begins so.
fn find<'a>(devices: &'a [DeviceView], named: &str) -> Done<&'a DeviceView> {
    let is_meant = |device: &&DeviceView| {
        device.name == named || !named.is_empty() && device.id.to_string().starts_with(named)
    };
    let found: Vec<_> = devices.iter().filter(is_meant).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            Err(CommandError::not_found(format!("there is no device `{named}`"), "divisi devices lists them"))
        }
        _ => Err(CommandError::usage(
            format!("`{named}` may be any of {} devices", found.len()),
            "name one by its id: divisi devices",
        )),
    }
}

fn ids(devices: &[DeviceView]) -> String {
    devices.iter().map(|device| format!("{}\n", device.id)).collect()
}

fn kind(device: &DeviceView) -> &'static str {
    match device.kind {
        DeviceKind::Owner => "owner",
        DeviceKind::Paired => "paired",
    }
}
