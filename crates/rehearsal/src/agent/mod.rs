//! The rehearsal agent: performs a script as an agent would, over ACP or in plain text.
//!
//! Threads and the standard library only, so that hundreds can run at once. It keeps its sessions in its own state
//! folder, and it does whatever its script says: nothing in here limits it to the workspace, because that limit is
//! what is being rehearsed.

mod answer;
mod audience;
mod cancel;
mod command;
mod exec;
mod files;
mod images;
mod options;
mod pace;
mod perform;
mod scripts;
mod serve;
mod session;
mod stray;
mod tools;
mod turn;
mod wire;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

pub use options::{Mode, Options};
pub use serve::{ServeError, serve};

/// Runs the rehearsal agent with the arguments after its command name, over standard input and output.
///
/// Ends with 0 when its client closes the connection, 1 when something failed, 2 for wrong arguments or scripts.
pub fn agent_main<I>(args: I) -> ExitCode
where
    I: IntoIterator<Item = OsString>,
{
    let named = std::iter::once(OsString::from("divisi rehearsal-agent")).chain(args);
    let options = match Options::try_parse_from(named) {
        Ok(options) => options,
        Err(error) => {
            // Nothing better can be done when even standard error is gone.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    if let Err(error) = scripts::Scripts::from_options(&options) {
        eprintln!("{error}");
        return ExitCode::from(2);
    }
    let ended = match options.prompt() {
        Ok(Some(prompt)) => return exec::exec(&options, &prompt),
        Ok(None) => serve(options, std::io::stdin().lock(), Box::new(std::io::stdout())),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
