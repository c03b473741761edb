//! `divisi open`

use std::ffi::OsString;
use std::path::Path;

use clap::Args;
use divisi_workspace::{Git, Workspaces};

use super::{attempt_of, client, dashboard};
use crate::env_vars;
use crate::errors::{CommandError, Done, ErrorKind};
use crate::render::style;
use crate::ui::Ui;

/// Shell of a person who names none.
const SHELL: &str = "/bin/sh";

/// Open the dashboard in your browser; with a task, a shell in its workspace
///
/// The browser is let in by a link that can be used once. In a workspace you see the files as the agent does, in an
/// ordinary git repository. What you change or commit there becomes part of the attempt at the end of its next turn. The
/// exit code is that of the command.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi open                     the dashboard\n  \
    divisi open --print             only the link to it\n  \
    divisi open t12                 a shell; leave it with exit\n  \
    divisi open t12.2 -- git log    one command")]
pub(crate) struct OpenArgs {
    /// The task or attempt
    #[arg(value_name = "TASK")]
    handle: Option<String>,
    /// Print the link to the dashboard and open nothing
    #[arg(long, conflicts_with = "handle")]
    print: bool,
    /// The command, instead of a shell
    #[arg(last = true, value_name = "COMMAND", requires = "handle")]
    command: Vec<OsString>,
}

pub(crate) async fn run(args: &OpenArgs, ui: &Ui) -> Done {
    match &args.handle {
        Some(handle) => open_workspace(args, handle, ui).await,
        None => dashboard::open(args.print, ui).await,
    }
}

async fn open_workspace(args: &OpenArgs, handle: &str, ui: &Ui) -> Done {
    let task = client().await?.task(handle).await?;
    let attempt = attempt_of(&task, handle)?;
    let handle = &attempt.handle;
    let wrong_state = |message: String, hint: String| CommandError::new(ErrorKind::WrongState, message, hint);
    let Some(workspace) = &attempt.workspace else {
        let hint = format!("divisi show {handle} says what it waits for");
        return Err(wrong_state(format!("{handle} has no workspace yet"), hint));
    };
    let restore = format!("divisi restore {} brings it back", task.handle);
    if task.archived {
        return Err(wrong_state(format!("{handle} is archived, and its workspace with it"), restore));
    }
    let path = Path::new(&workspace.path);
    let cannot = |error: &dyn std::error::Error| {
        let hint = "divisi doctor looks for the cause";
        CommandError::failed(format!("the workspace of {handle} cannot be opened"), hint).because(error)
    };
    let search_path = env_vars::text(env_vars::PATH).unwrap_or_default();
    let git = Git::find(search_path.as_ref()).map_err(|error| cannot(&error))?;
    let found = Workspaces::of_folder(&git, path.parent().unwrap_or(path), path);
    let Some(space) = found.map_err(|error| cannot(&error))? else {
        let hint = format!("divisi archive {0} && divisi restore {0} makes it anew", task.handle);
        return Err(wrong_state(format!("the workspace of {handle} is gone"), hint));
    };
    if space.record().overlay.as_ref().is_some_and(|layered| layered.doubted) {
        ui.say("The machine was restarted while work went on here: what was written last before may be missing or empty.");
    }
    let shell = env_vars::text(env_vars::SHELL).unwrap_or_else(|| SHELL.to_owned());
    let (program, rest) = match args.command.split_first() {
        Some((program, rest)) => (program.clone(), rest),
        None => {
            ui.say(format!("In the workspace of {}; `exit` leaves it.", style::name(handle)));
            (shell.into(), &[][..])
        }
    };
    let ended = space.run_inside(&program, rest).map_err(|error| match error.kind() {
        std::io::ErrorKind::ResourceBusy => {
            wrong_state(format!("the workspace of {handle} is in use"), "try again in a moment".to_owned())
        }
        std::io::ErrorKind::NotFound => {
            let message = format!("`{}` was not found", program.to_string_lossy());
            CommandError::not_found(message, "name a program that is in your PATH")
        }
        _ => cannot(&error),
    })?;
    match ended.code() {
        Some(0) => Ok(()),
        // It said itself what there was to say.
        code => std::process::exit(code.unwrap_or(1)),
    }
}
