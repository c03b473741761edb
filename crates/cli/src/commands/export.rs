//! `divisi export`

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use divisi_api::types::{ConfigurationRequest, ExportRequest, ExportView};
use divisi_model::limits;
use serde::Serialize;

use super::client;
use crate::config::without_secrets;
use crate::dirs::Dirs;
use crate::errors::{CommandError, Done};
use crate::render::{clean, count, size, style};
use crate::ui::Ui;

/// What never goes along, whatever is in it.
const NEVER: [&str; 3] = [
    "logins of agents, and what they remember in their private homes",
    "the environment that agents were started with",
    "the daemon's token and its own log",
];
/// Longest configuration that is taken along, in bytes: what the daemon takes in one request.
const CONFIGURATION_BYTES: usize = limits::PROMPT_BYTES;

/// Write everything to one file: the log, every snapshot and result, journals, evidence and your configuration
///
/// Agents may be at work meanwhile: of every workspace a snapshot is taken first, and then everything is written as it is
/// at one moment. No secret goes along, but what agents printed does, so keep the file to yourself. `divisi import`
/// makes the same Divisi of it on another machine.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi export ~/divisi.tar.gz\n  \
    divisi export /mnt/backup/divisi.tar.gz --force   replace the one of yesterday\n  \
    tar -tzf ~/divisi.tar.gz                          look at what is in it")]
pub(crate) struct ExportArgs {
    /// The file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

/// What is said of an export.
#[derive(Serialize)]
struct Made<'a> {
    file: String,
    #[serde(flatten)]
    export: &'a ExportView,
    /// What stays here on purpose.
    left_out: &'a [String],
}

pub(crate) async fn run(args: &ExportArgs, ui: &Ui) -> Done {
    let dirs = Dirs::from_environment()?;
    let file = std::path::absolute(&args.file).map_err(|error| {
        CommandError::usage(format!("{} is no path", args.file.display()), "name a file").because(&error)
    })?;
    let file = file.into_os_string().into_string();
    let file = file.map_err(|_| CommandError::usage("the path of the file is not UTF-8", "name another"))?;
    let mut left_out: Vec<String> = NEVER.map(str::to_owned).to_vec();
    let configuration = configuration(&dirs, &mut left_out)?;
    let request = ExportRequest { file: file.clone(), replace: args.force, configuration };
    let export = client().await?.export(&request).await?;
    let made = Made { file, export: &export, left_out: &left_out };
    ui.show(&made, || format!("{}\n", made.file), || told(&made))?;
    for missing in &export.missing {
        ui.warn(format!("not in it: {}", clean::line(missing)));
    }
    Ok(())
}

fn told(made: &Made<'_>) -> String {
    let ExportView { bytes, events, tasks, projects, launches, running, .. } = made.export;
    let mut text = format!("{}  {}\n", style::name(clean::line(&made.file)), size(*bytes));
    text.push_str(&format!(
        "    {}, {}, {}, {}\n",
        count(*tasks, "task"),
        count(*projects, "project"),
        count(*events, "event"),
        count(*launches, "journal")
    ));
    for running in running {
        let (handle, state) = (style::name(&running.handle), clean::line(&running.state));
        text.push_str(&format!("    {handle} was {state}; it goes on here, and has stopped there\n"));
    }
    text.push_str("left out\n");
    for left in made.left_out {
        text.push_str(&format!("    {}\n", clean::line(left)));
    }
    text
}

/// The person's own configuration, as far as it holds no secret.
fn configuration(dirs: &Dirs, left_out: &mut Vec<String>) -> Done<Vec<ConfigurationRequest>> {
    let mut found = Vec::new();
    let mut bytes = 0;
    for path in files(dirs)? {
        let Ok(relative) = path.strip_prefix(&dirs.config) else { continue };
        let relative = relative.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|error| cannot_read(&path, &error))?;
        let Some(cleaned) = without_secrets(&text) else {
            left_out.push(format!("{relative}, which is not TOML"));
            continue;
        };
        left_out
            .extend(cleaned.left_out.iter().map(|key| format!("{key} in {relative}, which may be a secret")));
        bytes += cleaned.text.len();
        if bytes > CONFIGURATION_BYTES {
            let message = format!("your configuration is longer than {CONFIGURATION_BYTES} bytes");
            return Err(CommandError::failed(message, "make it shorter, or move definitions of agents away"));
        }
        found.push(ConfigurationRequest { path: relative, text: cleaned.text });
    }
    Ok(found)
}

fn files(dirs: &Dirs) -> Done<Vec<PathBuf>> {
    let mut files = Vec::new();
    let config = dirs.user_config();
    if config.is_file() {
        files.push(config);
    }
    let folder = dirs.agents();
    match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(cannot_read(&folder, &error)),
        Ok(entries) => {
            let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
            files.extend(
                paths.filter(|path| path.is_file() && path.extension().is_some_and(|end| end == "toml")),
            );
        }
    }
    files.sort();
    Ok(files)
}

fn cannot_read(path: &Path, error: &io::Error) -> CommandError {
    CommandError::failed(format!("cannot read {}", path.display()), "check its permissions").because(error)
}
