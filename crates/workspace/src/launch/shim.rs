//! The shim process: how it comes to be, and how it makes or finds the init process.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::ExitCode;

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use super::cgroup::{Cgroup, CgroupPlace};
use super::dir::{self, ReadError, Sync};
use super::identity::{Identity, ProcessId, boot_id};
use super::init::{self, Held, Report};
use super::journal::{Drain, make_fifo};
use super::os::{self, Fork};
use super::serve::Server;
use super::spec::{Spec, SpecError, Stderr};
use crate::sandbox::{Owner, Sandbox};

/// What a shim tells the daemon that started it, as one line on its standard output.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "shim")]
pub(super) enum Ready {
    /// It listens.
    Listening,
    /// Another shim has this launch.
    Taken,
    /// The launch was started before.
    Again,
    /// The init process that was to be adopted is gone.
    Gone,
    /// It does not work.
    Failed { why: String },
}

/// The life of a shim: `divisi shim [--adopt] DIR`.
///
/// Call it first thing in `main`, before any thread is started and any runtime is built: it forks. It returns at once
/// in the process that was called, and in the shim itself when the launch is over. Without `adopt` it starts what
/// `spec.json` says; with it, it takes over a launch whose shim was killed.
pub fn shim_main(dir: &Path, adopt: bool) -> ExitCode {
    // The second process is not the child of the daemon, so the daemon neither waits for it nor takes it along.
    let place = CgroupPlace::find();
    let group = place.open();
    match os::fork_into(group.as_ref().map(AsFd::as_fd)) {
        Ok(Fork::Parent(_)) => return ExitCode::SUCCESS,
        Ok(Fork::Child) => {
            drop(group);
            os::close_inherited();
        }
        Err(error) => {
            tell(&Ready::Failed { why: format!("cannot fork: {error}") });
            return ExitCode::FAILURE;
        }
    }
    let (ready, server) = match begin(dir, adopt, &place) {
        Ok(server) => (Ready::Listening, Some(server)),
        Err(ShimError::Taken) => (Ready::Taken, None),
        Err(ShimError::Again) => (Ready::Again, None),
        Err(ShimError::Gone) => (Ready::Gone, None),
        Err(error) => (Ready::Failed { why: chain(&error) }, None),
    };
    tell(&ready);
    let Some(mut server) = server else { return ExitCode::FAILURE };
    if let Err(error) = close_output() {
        os::complain(&format!("{error}"));
    }
    server.run();
    ExitCode::SUCCESS
}

#[derive(Debug, thiserror::Error)]
enum ShimError {
    #[error("another shim has this launch")]
    Taken,
    #[error("this launch was started before")]
    Again,
    #[error("the init process is gone")]
    Gone,
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error("there is no {} in the launch directory", dir::SPEC)]
    NoSpec,
    #[error("cannot {0}")]
    Step(&'static str, #[source] io::Error),
    #[error("{0}")]
    NotStarted(String),
}

fn step<E: Into<io::Error>>(what: &'static str) -> impl FnOnce(E) -> ShimError {
    move |error| ShimError::Step(what, error.into())
}

/// Everything up to listening.
fn begin(launch: &Path, adopt: bool, place: &CgroupPlace) -> Result<Server, ShimError> {
    rustix::process::setsid().map_err(step("open a session"))?;
    rustix::thread::set_name(c"divisi-shim").ok();
    rustix::process::set_child_subreaper(Some(getpid())).map_err(step("become a sub-reaper"))?;
    // The directory by a short relative name from here on: a socket's path may have 107 bytes only.
    std::env::set_current_dir(launch).map_err(step("enter the launch directory"))?;
    let launch = Path::new(".");
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGXFSZ, libc::SIGPIPE] {
        os::ignore(signal);
    }
    os::block(&init::SIGNALS).map_err(step("block signals"))?;

    let Some(journal) = dir::lock_journal(launch).map_err(step("open the journal"))? else {
        return Err(ShimError::Taken);
    };
    let spec: Spec = dir::read_json(launch, dir::SPEC)?.ok_or(ShimError::NoSpec)?;
    spec.check()?;
    let identity: Option<Identity> = dir::read_json(launch, dir::IDENTITY)?;
    let (identity, init, journal) = match (adopt, identity) {
        (true, Some(identity)) => {
            let init = identity.open_init().map_err(step("find the init process"))?.ok_or(ShimError::Gone)?;
            (identity, init, journal)
        }
        (true, None) => return Err(ShimError::Gone),
        (false, None) if !launch.join(dir::EXIT).exists() => start_init(launch, &spec, journal, place)?,
        (false, _) => return Err(ShimError::Again),
    };
    let started = init.try_clone().map_err(step("hold the init process"))?;
    serve(launch, spec, &identity, init, journal).inspect_err(|_| {
        if !adopt {
            // Without a shim from the beginning nobody would know of it.
            pidfd_send_signal(&started, init::KILL).ok();
        }
    })
}

/// Opens what a shim works with.
fn serve(
    launch: &Path,
    spec: Spec,
    identity: &Identity,
    init: OwnedFd,
    journal: File,
) -> Result<Server, ShimError> {
    let cap = dir::read_json(launch, dir::CAP)?.unwrap_or(spec.journal_cap);
    let drain = Drain::journal(launch, journal, cap).map_err(step("open the output"))?;
    let log = match spec.stderr {
        Stderr::Log => Some(Drain::log(launch, spec.err_cap).map_err(step("open the error output"))?),
        Stderr::Journal => None,
    };
    let cgroup = identity.cgroup.as_deref().and_then(Cgroup::named);
    Server::new(launch, spec, cgroup, init, drain, log).map_err(step("listen on the socket"))
}

/// Forks the init process and records who it is before it may start anything. Gives the journal back; the copy in
/// the init process is closed. The init process may have ended by then: the child of a short command has.
fn start_init(
    launch: &Path,
    spec: &Spec,
    journal: File,
    place: &CgroupPlace,
) -> Result<(Identity, OwnedFd, File), ShimError> {
    make_fifo(&launch.join(dir::STDOUT_FIFO)).map_err(step("make the output"))?;
    make_fifo(&launch.join(dir::STDERR_FIFO)).map_err(step("make the error output"))?;
    let (go, mut say_go) = pipe().map_err(step("make a pipe"))?;
    let (hear_report, report) = pipe().map_err(step("make a pipe"))?;
    let namespaces = spec.sandbox.as_ref().map_or(0, Sandbox::namespaces);
    // A process namespace ends at one stroke by itself, and a control group could not be removed from inside of it.
    let cgroup = if namespaces == 0 { place.make(&spec.id) } else { None };
    let owner = Owner::now();
    let reached = spec.sandbox.as_ref().and_then(Sandbox::reach);
    let init = match os::fork_apart(namespaces).map_err(step("make the init process"))? {
        Fork::Parent(pid) => pid,
        Fork::Child => {
            drop((say_go, hear_report));
            // The daemon waits for the first line on it, which is the shim's to say.
            drop(close_output());
            init::run(launch, spec.clone(), cgroup, Held { go, report, lock: journal, owner, reached });
            os::leave(0);
        }
    };
    // The lock of the overlay is to end with the init process.
    drop((go, report, reached));
    let pidfd = pidfd_open(init, PidfdFlags::empty()).map_err(step("hold the init process"))?;
    let record = |child: Option<Pid>| -> io::Result<Identity> {
        let child = child.map(ProcessId::of).transpose().unwrap_or_default();
        let cgroup = cgroup.as_ref().map(|group| group.path().to_owned());
        let identity =
            Identity { version: 1, boot_id: boot_id()?, init: ProcessId::of(init)?, cgroup, child };
        dir::write_json(launch, dir::IDENTITY, &identity, Sync::No)?;
        Ok(identity)
    };
    let identity = record(None).map_err(step("record the init process"))?;
    say_go.write_all(b"g").map_err(step("start the init process"))?;
    let mut line = String::new();
    BufReader::new(hear_report).read_line(&mut line).map_err(step("hear from the init process"))?;
    match serde_json::from_str(&line) {
        Ok(Report::Started(child)) => {
            let child = if namespaces == 0 { Pid::from_raw(child) } else { child_of(init) };
            // Who the child is, is good to know; who the init process is, is needed and known.
            Ok((record(child).unwrap_or(identity), pidfd, journal))
        }
        Ok(Report::Failed(why)) => Err(ShimError::NotStarted(why)),
        Err(_) => Err(ShimError::NotStarted("the init process ended before it started anything".to_owned())),
    }
}

/// The only child of an init process that has just started it, by the id that it has out here.
fn child_of(init: Pid) -> Option<Pid> {
    let init = init.as_raw_nonzero();
    let children = std::fs::read_to_string(format!("/proc/{init}/task/{init}/children")).ok()?;
    children.split_ascii_whitespace().next()?.parse().ok().and_then(Pid::from_raw)
}

fn pipe() -> io::Result<(File, File)> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    Ok((read.into(), write.into()))
}

/// Gives up standard output, on which the daemon waits for the first line.
fn close_output() -> io::Result<()> {
    let null = File::options().write(true).open("/dev/null")?;
    Ok(rustix::stdio::dup2_stdout(null)?)
}

fn tell(ready: &Ready) {
    let mut out = io::stdout();
    // If the daemon was killed meanwhile, there is nobody to tell.
    drop(out.write_all(&super::wire::encode(ready)).and_then(|()| out.flush()));
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}
