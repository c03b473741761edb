//! The program `divisi`: commands, configuration, and the daemon that wires everything.
//!
//! Only this crate talks to the person: it prints, asks, and reads the environment and the home folder. Commands ask
//! the daemon through the typed client of `divisi-api`; none of them decides anything about a task. Data goes to
//! standard output, everything else to standard error.

mod agents;
mod args;
mod commands;
mod config;
mod daemon;
mod demo;
mod dirs;
mod env_vars;
mod errors;
mod images;
mod import;
mod project;
mod render;
mod ui;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command, Performer};
use errors::{CommandError, Done, ErrorKind};
use ui::Ui;

fn main() -> ExitCode {
    // These are programs of their own: they read their arguments and speak themselves.
    let mut typed = std::env::args_os().skip(1);
    match Performer::named(typed.next().as_ref()) {
        Some(Performer::Agent) => return divisi_rehearsal::agent_main(typed),
        Some(Performer::Model) => return divisi_rehearsal::model_server_main(typed),
        // There are as many shims as agents, so they must be small: nothing is read that they do not need. A shim forks,
        // so it must come before any thread.
        Some(Performer::Shim) => return divisi_workspace::launch::shim_main(typed),
        Some(Performer::Host) => return divisi_engine::host_main(typed),
        Some(Performer::Relay) => return divisi_workspace::host::relay_main(typed),
        None => {}
    }
    let cli = Cli::parse();
    let ui = Ui::new(&cli.global);
    match enter(&cli).and_then(|()| run(cli, &ui)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            ui.error(&error);
            ExitCode::from(error.kind.code())
        }
    }
}

/// Goes to the folder that `-C` names.
fn enter(cli: &Cli) -> Done {
    let Some(folder) = &cli.global.directory else { return Ok(()) };
    std::env::set_current_dir(folder).map_err(|error| {
        CommandError::usage(format!("cannot enter {}", folder.display()), "-C wants a folder").because(&error)
    })
}

fn run(cli: Cli, ui: &Ui) -> Done {
    // The daemon works on several threads; every other command mostly waits for it.
    let mut builder = match cli.command {
        Command::Serve(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = builder.enable_all().build();
    let runtime = runtime.map_err(|error| CommandError::failed("cannot start", "").because(&error))?;
    let done = runtime.block_on(commands::run(cli.command, ui));
    // A read of standard input that still blocks must not keep the program.
    runtime.shutdown_background();
    done
}
