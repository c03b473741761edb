//! `divisi import`

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use divisi_api::types::Problem;
use divisi_engine::export::{ConfigurationFile, ImportError, ImportOptions, Imported, Moved, stage};
use serde::Serialize;

use crate::daemon::{self, DaemonLock, Found};
use crate::dirs::{self, Dirs};
use crate::env_vars;
use crate::errors::{CommandError, Done, ErrorKind};
use crate::project;
use crate::render::{clean, count, style};
use crate::ui::Ui;

/// Make the Divisi of an export on this machine, where there is none yet
///
/// Everything is checked before anything is visible, and a crash leaves nothing half done. What was at work has stopped
/// here: `divisi resume` goes on with it. A project is found where --repository says, else around the present folder by
/// its first commits, else at its old path; `divisi init` in its clone takes over one that was not found.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi import ~/divisi.tar.gz\n  \
    divisi import ~/divisi.tar.gz --repository /home/ada/shop=/srv/shop\n  \
    DIVISI_HOME=/srv/divisi divisi import ~/divisi.tar.gz   beside the one that is in use")]
pub(crate) struct ImportArgs {
    /// The export
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where a project is here: its old path or its name, and a folder in its clone; can be given again
    #[arg(long = "repository", value_name = "OLD=NEW", value_parser = moved)]
    repositories: Vec<Moved>,
}

/// What is said of an import.
#[derive(Serialize)]
struct Made<'a> {
    #[serde(flatten)]
    imported: &'a Imported,
    /// Files of the configuration that were taken over.
    configuration: &'a [String],
    /// Files of the configuration that were there already, with another content, and stay.
    kept: &'a [String],
}

pub(crate) async fn run(args: &ImportArgs, ui: &Ui) -> Done {
    let dirs = Dirs::from_environment()?;
    end_unused_daemon(&dirs).await?;
    let Some(_lock) = DaemonLock::take(&dirs)? else {
        let hint = "divisi stop --daemon ends it; then import again";
        return Err(CommandError::new(ErrorKind::WrongState, "the daemon of this Divisi runs", hint));
    };
    let options = ImportOptions {
        file: args.file.clone(),
        data: dirs.data.clone(),
        path: env_vars::text(env_vars::PATH).unwrap_or_default().into(),
        repositories: args.repositories.clone(),
        here: project::root(),
    };
    let staged = stage(&options).map_err(refused)?;
    let (mut taken, mut kept) = (Vec::new(), Vec::new());
    for file in staged.configuration() {
        match configuration(&dirs, file)? {
            true => taken.push(file.path.clone()),
            false => kept.push(file.path.clone()),
        }
    }
    let imported = staged.put_in_place().map_err(refused)?;
    let made = Made { imported: &imported, configuration: &taken, kept: &kept };
    ui.show(&made, String::new, || told(&made))?;
    for missing in &imported.missing {
        ui.warn(format!("not in the export: {}", clean::line(missing)));
    }
    Ok(())
}

/// A daemon that any earlier command has started, and that was never given anything to do.
async fn end_unused_daemon(dirs: &Dirs) -> Done {
    let client = match daemon::find(dirs).await {
        Found::Ours(client, _) | Found::Other(client, _) => client,
        Found::Nobody => return Ok(()),
    };
    let health = client.health().await?;
    if health.last_seq > 0 {
        let what = format!("its log has {} events", health.last_seq);
        return Err(refused(ImportError::NotEmpty { what }));
    }
    daemon::stop(dirs, &client).await
}

fn refused(error: ImportError) -> CommandError {
    Problem::from(error.refusal()).into()
}

/// Writes a file of the configuration. Gives `false` where one with another content is there.
fn configuration(dirs: &Dirs, file: &ConfigurationFile) -> Done<bool> {
    let path = dirs.config.join(&file.path);
    let cannot = |error: &std::io::Error| {
        CommandError::failed(format!("cannot write {}", path.display()), "check its permissions")
            .because(error)
    };
    dirs::make_private(path.parent().unwrap_or(Path::new("/")))?;
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    match opened {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Ok(std::fs::read(&path).is_ok_and(|there| there == file.text.as_bytes()))
        }
        opened => {
            let written = opened.and_then(|mut to| to.write_all(file.text.as_bytes()));
            written.map(|()| true).map_err(|error| cannot(&error))
        }
    }
}

fn told(made: &Made<'_>) -> String {
    let Imported { divisi, tasks, events, projects, stopped, .. } = made.imported;
    let mut text = format!(
        "imported from Divisi {}: {}, {}\n",
        clean::line(divisi),
        count(*tasks, "task"),
        count(*events, "event")
    );
    for known in projects {
        let name = style::name(clean::line(&known.name));
        let was = clean::line(&known.was);
        text.push_str(&match &known.root {
            Some(root) if *root == known.was => format!("    {name}  {was}\n"),
            Some(root) => format!("    {name}  {}, which was {was}\n", clean::line(root)),
            None => {
                format!("    {name}  not found: it was {was}; `divisi init` in its clone takes it over\n")
            }
        });
    }
    for handle in stopped {
        text.push_str(&format!("    {} has stopped: divisi resume {handle}\n", style::name(handle)));
    }
    for path in made.configuration {
        text.push_str(&format!("    configuration: {}\n", clean::line(path)));
    }
    for path in made.kept {
        text.push_str(&format!("    yours stays as it is: {}\n", clean::line(path)));
    }
    text.push_str("agents must be logged in anew: divisi agents\n");
    text
}

fn moved(text: &str) -> Result<Moved, String> {
    match text.split_once('=') {
        Some((old, new)) if !old.is_empty() && !new.is_empty() => {
            Ok(Moved { old: old.to_owned(), new: new.into() })
        }
        _ => {
            Err("the form is OLD=NEW: the old path or the name of a project, and its folder here".to_owned())
        }
    }
}
