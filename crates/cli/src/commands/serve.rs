//! `divisi serve`

use clap::Args;
use tracing_subscriber::EnvFilter;

use crate::config::Config;
use crate::daemon::{self, Listen, ServeOptions};
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
    DIVISI_LOG=debug divisi serve --port 8080\n  \
    divisi serve --remote --origin https://divisi.example.net   behind a proxy with HTTPS: docs/guides/phone.md")]
pub(crate) struct ServeArgs {
    /// The port; 0 is the one it had last, or a free one [default: 4519, or another where that is taken]
    #[arg(long)]
    port: Option<u16>,
    /// Answer other machines too; they have to be paired
    #[arg(long)]
    remote: bool,
    /// The address to listen at [default: 127.0.0.1]
    #[arg(long, requires = "remote", value_name = "ADDRESS")]
    host: Option<String>,
    /// Where other machines reach it, as a browser writes it; may be given several times
    #[arg(long = "origin", requires = "remote", value_name = "URL")]
    origins: Vec<String>,
    /// Let plain HTTP leave this machine: everybody on the way can read along
    #[arg(long, requires = "remote")]
    insecure_http: bool,
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
    let dirs = Dirs::from_environment()?;
    let anywhere = env_vars::text(env_vars::DIVISI_ANYWHERE).is_some();
    let options = ServeOptions { listen: listen(args, &dirs)?, anywhere };
    let ours = daemon::serve(dirs, options, |ready| {
        if !args.detached {
            let (address, link) = (ready.address, ready.link);
            ui.say(format!(
                "Divisi listens on http://{address}; Ctrl-C ends it. Its token is in daemon.json.\n\
                 The dashboard, for one browser, within ten minutes: {link}"
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

/// What the options say about listening.
fn listen(args: &ServeArgs, dirs: &Dirs) -> Done<Listen> {
    let remote = if args.remote {
        let kept = Config::load(dirs, None)?.remote().cloned().unwrap_or_default();
        Some(kept.with(args.host.clone(), args.origins.clone(), args.insecure_http))
    } else {
        None
    };
    Ok(Listen { port: args.port, remote })
}
