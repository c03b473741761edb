//! The dashboard in a browser.

use std::path::Path;

use divisi_api::types::{EntryRequest, EntryView};
use serde::Serialize;

use super::client;
use crate::dirs::Dirs;
use crate::env_vars;
use crate::errors::Done;
use crate::ui::Ui;

/// Finds the browser that the person likes.
const OPENER: &str = "xdg-open";

#[derive(Serialize)]
struct Opened {
    #[serde(flatten)]
    entry: EntryView,
    opened: bool,
}

/// Asks for a link that lets one browser in, and opens it, unless it is only to be printed.
pub(crate) async fn open(only_print: bool, ui: &Ui) -> Done {
    let entry = client().await?.entry(&EntryRequest::default()).await?;
    let opened = !only_print && open_browser(&entry.link)?;
    let line = format!("{}\n", entry.link);
    if !opened && !only_print {
        ui.say("No browser could be opened here. Open this link; it is good once, within ten minutes:");
    }
    ui.show(&Opened { entry, opened }, || line.clone(), || line.clone())
}

/// Starts a browser; whether there is one.
fn open_browser(link: &str) -> Done<bool> {
    let named = env_vars::text(env_vars::BROWSER);
    if named.is_none() && !env_vars::SCREENS.iter().any(|name| env_vars::text(name).is_some()) {
        return Ok(false);
    }
    let named = named.iter().flat_map(|list| list.split(':')).filter(|name| !name.is_empty());
    let folder = Dirs::from_environment()?.home;
    let start = |program: &str| {
        let nowhere = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
        let (program, args) = (Path::new(program), [link.into()]);
        divisi_workspace::start_detached(program, &args, std::env::vars_os(), &folder, nowhere)
    };
    Ok(named.chain([OPENER]).any(|program| start(program).is_ok()))
}
