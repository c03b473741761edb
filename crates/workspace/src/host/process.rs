//! The life of a host: its socket, its agent, its end.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::process::{Child, Command};

use super::serve::Host;
use super::{Router, SOCKET, WHY};

/// What a host is told on its command line.
struct Order {
    cwd: PathBuf,
    linger: Duration,
    argv: Vec<OsString>,
}

/// The life of a host: `divisi host CWD LINGER_MS PROGRAM [ARGUMENT …]`, in its launch folder, with the environment of
/// the agent. `args` are those after `host`; 2 is the answer to others.
pub fn host_main(args: impl IntoIterator<Item = OsString>, router: impl Router) -> ExitCode {
    let mut args = args.into_iter();
    let order = || {
        let cwd = args.next()?.into();
        let linger = Duration::from_millis(args.next()?.to_str()?.parse().ok()?);
        let argv: Vec<OsString> = args.collect();
        (!argv.is_empty()).then_some(Order { cwd, linger, argv })
    };
    let Some(order) = { order }() else { return ExitCode::from(2) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.and_then(|runtime| {
        let ended = runtime.block_on(live(order, router));
        // A read that still blocks must not keep the program.
        runtime.shutdown_background();
        ended
    });
    match ended {
        Ok(code) => code,
        Err(error) => {
            tell_why(&format!("it could not be started: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn live(order: Order, router: impl Router) -> io::Result<ExitCode> {
    let listener = UnixListener::bind(SOCKET)?;
    let mut agent = start(&order)?;
    let (Some(stdin), Some(stdout)) = (agent.stdin.take(), agent.stdout.take()) else {
        return Err(io::Error::other("the agent has no standard streams"));
    };
    let host = Host::new(listener, stdin, router, order.linger);
    Ok(host.serve(agent, stdout).await)
}

fn start(order: &Order) -> io::Result<Child> {
    let [program, args @ ..] = order.argv.as_slice() else { return Err(io::ErrorKind::InvalidInput.into()) };
    Command::new(program)
        .args(args)
        .current_dir(&order.cwd)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
}

/// Leaves word for the relays. It has to be there before they see the end of their connection.
pub(super) fn tell_why(why: &str) {
    drop(fs::write(WHY, why));
    log(why);
}

/// A line for the log.
pub(super) fn log(text: &str) {
    drop(writeln!(io::stderr(), "divisi host: {text}"));
}
