//! `divisi serve`

use clap::Args;
use tracing_subscriber::EnvFilter;

use crate::daemon::{self, ServeOptions};
use crate::dirs::Dirs;
use crate::env_vars;
use crate::errors::{CommandError, Done, ErrorKind};
use crate::ui::Ui;

/// Run the daemon in the foreground
///
/// Every other command starts it by itself in the background; this is for a service manager, or to see what it says.
/// DIVISI_LOG chooses how much: `info`, `divisi_engine=debug`, …
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi serve\n  \
    DIVISI_LOG=debug divisi serve --port 4519")]
pub(crate) struct ServeArgs {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Leave the terminal; the output is a log
    #[arg(long, hide = true)]
    detached: bool,
}

pub(crate) async fn run(args: &ServeArgs, ui: &Ui) -> Done {
    if args.detached {
        divisi_workspace::leave_session().map_err(|error| {
            CommandError::new(ErrorKind::Daemon, "cannot leave the terminal", "").because(&error)
        })?;
    }
    let filter = env_vars::text(env_vars::DIVISI_LOG).unwrap_or_else(|| "info".to_owned());
    let filter = EnvFilter::try_new(&filter).map_err(|error| {
        CommandError::usage(format!("DIVISI_LOG=`{filter}` is no filter"), "try DIVISI_LOG=debug")
            .because(&error)
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    log.with_ansi(!args.detached && std::io::IsTerminal::is_terminal(&std::io::stderr())).init();
    let options =
        ServeOptions { port: args.port, anywhere: env_vars::text(env_vars::DIVISI_ANYWHERE).is_some() };
    let dirs = Dirs::from_environment()?;
    let ours = daemon::serve(dirs, options, |address| {
        if !args.detached {
            ui.say(format!(
                "Divisi listens on http://{address}; Ctrl-C ends it. Its token is in daemon.json."
            ));
        }
    });
    // The one that was there first serves; who started this one finds it.
    if ours.await? || args.detached {
        return Ok(());
    }
    let hint = "divisi stop --daemon ends it";
    Err(CommandError::new(ErrorKind::WrongState, "the daemon runs already", hint))
}
