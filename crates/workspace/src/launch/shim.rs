//! The shim process: how it comes to be, and how it makes or finds the init process.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
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

/// Instead of a launch: be the process that makes shims.
pub(super) const FORK_SERVER: &str = "--fork-server";
/// Before a launch: take it over.
pub(super) const ADOPT: &str = "--adopt";

const ENTER: &str = "enter the launch directory";

/// What a shim tells the daemon that started it, as one line on its standard output. Where that is a socket, it is the
/// first connection from then on, greeted and subscribed, so that nobody has to connect to know how it goes.
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

/// The life of a shim: `divisi shim [--adopt] DIR`, or of the process that makes them: `divisi shim --fork-server`.
/// `args` are those after `shim`; 2 is the answer to others.
///
/// Call it first thing in `main`, before any thread is started and any runtime is built: it forks. It returns at once
/// in the process that was called, and in the shim itself when the launch is over. Without `--adopt` it starts what
/// `spec.json` says; with it, it takes over a launch whose shim was killed.
pub fn shim_main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    match args.as_slice() {
        [only] if only == FORK_SERVER => super::fork_server::main(),
        [first, launch] if first == ADOPT => executed(Path::new(launch), true),
        [launch] => executed(Path::new(launch), false),
        _ => ExitCode::from(2),
    }
}

/// The shim of one launch, from the beginning of the program.
fn executed(launch: &Path, adopt: bool) -> ExitCode {
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
    let enter = || std::env::set_current_dir(launch).map_err(step(ENTER));
    live(stand_alone().and_then(|()| enter()), adopt, &place)
}

/// Everything that a shim does for itself before it knows its launch.
pub(super) fn stand_alone() -> Result<(), ShimError> {
    rustix::process::setsid().map_err(step("open a session"))?;
    rustix::thread::set_name(c"divisi-shim").ok();
    rustix::process::set_child_subreaper(Some(getpid())).map_err(step("become a sub-reaper"))?;
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGXFSZ, libc::SIGPIPE] {
        os::ignore(signal);
    }
    os::block(&init::SIGNALS).map_err(step("block signals"))?;
    Ok(())
}

/// Goes to the launch directory. It is named by a short relative name from here on: a socket's path may have 107 bytes
/// only.
pub(super) fn enter(launch: OwnedFd) -> Result<(), ShimError> {
    rustix::process::fchdir(launch).map_err(step(ENTER))
}

/// The rest of the life of a shim, in its launch directory, once it has `entered` that.
pub(super) fn live(entered: Result<(), ShimError>, adopt: bool, place: &CgroupPlace) -> ExitCode {
    let (ready, server) = match entered.and_then(|()| begin(adopt, place)) {
        Ok(server) => (Ready::Listening, Some(server)),
        Err(ShimError::Taken) => (Ready::Taken, None),
        Err(ShimError::Again) => (Ready::Again, None),
        Err(ShimError::Gone) => (Ready::Gone, None),
        Err(error) => (Ready::Failed { why: chain(&error) }, None),
    };
    tell(&ready);
    let Some(mut server) = server else { return ExitCode::FAILURE };
    match hand_over_output() {
        Ok(stream) => server.welcome_first(stream),
        Err(error) => os::complain(&format!("{error}")),
    }
    server.run();
    ExitCode::SUCCESS
}

/// Why there is no shim.
#[derive(Debug, thiserror::Error)]
pub(super) enum ShimError {
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
fn begin(adopt: bool, place: &CgroupPlace) -> Result<Server, ShimError> {
    let launch = Path::new(".");
    let Some(journal) = dir::lock_journal(launch).map_err(step("open the journal"))? else {
        return Err(ShimError::Taken);
    };
    let spec: Spec = dir::read_json(launch, dir::SPEC)?.ok_or(ShimError::NoSpec)?;
    spec.check()?;
    let identity: Option<Identity> = dir::read_json(launch, dir::IDENTITY)?;
    match (adopt, identity) {
        (true, Some(identity)) => {
            let init = identity.open_init().map_err(step("find the init process"))?.ok_or(ShimError::Gone)?;
            serve(launch, spec, identity.cgroup.as_deref().and_then(Cgroup::named), init, journal)
        }
        (true, None) => Err(ShimError::Gone),
        (false, None) if !launch.join(dir::EXIT).exists() => start(launch, spec, journal, place),
        (false, _) => Err(ShimError::Again),
    }
}

/// Opens what a shim works with while the init process starts the child.
fn start(launch: &Path, spec: Spec, journal: File, place: &CgroupPlace) -> Result<Server, ShimError> {
    let (started, journal) = start_init(launch, &spec, journal, place)?;
    let init = started.pidfd.try_clone().map_err(step("hold the init process"))?;
    let cgroup = started.identity.cgroup.clone().map(Cgroup::at);
    let server = serve(launch, spec, cgroup, init, journal).inspect_err(|_| {
        // Without a shim from the beginning nobody would know of it.
        pidfd_send_signal(&started.pidfd, init::KILL).ok();
    })?;
    started.hear(launch).inspect_err(|_| Server::leave(launch))?;
    Ok(server)
}

/// Opens what a shim works with.
fn serve(
    launch: &Path,
    spec: Spec,
    cgroup: Option<Cgroup>,
    init: OwnedFd,
    journal: File,
) -> Result<Server, ShimError> {
    let cap = dir::read_json(launch, dir::CAP)?.unwrap_or(spec.journal_cap);
    let drain = Drain::journal(launch, journal, cap).map_err(step("open the output"))?;
    let log = match spec.stderr {
        Stderr::Log => Some(Drain::log(launch, spec.err_cap).map_err(step("open the error output"))?),
        Stderr::Journal => None,
    };
    Server::new(launch, spec, cgroup, init, drain, log).map_err(step("listen on the socket"))
}

/// An init process that is about to start the child.
struct Started {
    init: Pid,
    pidfd: OwnedFd,
    identity: Identity,
    report: File,
    /// It is the first process of a process namespace.
    apart: bool,
}

/// Forks the init process and records who it is before it may start anything. Gives the journal back; the copy in
/// the init process is closed.
fn start_init(
    launch: &Path,
    spec: &Spec,
    journal: File,
    place: &CgroupPlace,
) -> Result<(Started, File), ShimError> {
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
    let cgroup = cgroup.as_ref().map(|group| group.path().to_owned());
    let record = || -> io::Result<Identity> {
        let id = ProcessId::of(init)?;
        let identity = Identity { version: 1, boot_id: boot_id()?, init: id, cgroup, child: None };
        dir::write_json(launch, dir::IDENTITY, &identity, Sync::No)?;
        Ok(identity)
    };
    let identity = record().map_err(step("record the init process"))?;
    say_go.write_all(b"g").map_err(step("start the init process"))?;
    Ok((Started { init, pidfd, identity, report: hear_report, apart: namespaces != 0 }, journal))
}

impl Started {
    /// Waits until the child runs, and records who it is. The init process may have ended by then: the child of a short
    /// command has.
    fn hear(self, launch: &Path) -> Result<(), ShimError> {
        let Started { init, mut identity, report, apart, .. } = self;
        let mut line = String::new();
        BufReader::new(report).read_line(&mut line).map_err(step("hear from the init process"))?;
        let child = match serde_json::from_str(&line) {
            Ok(Report::Started(_)) if apart => child_of(init),
            Ok(Report::Started(child)) => Pid::from_raw(child),
            Ok(Report::Failed(why)) => return Err(ShimError::NotStarted(why)),
            Err(_) => {
                let why = "the init process ended before it started anything".to_owned();
                return Err(ShimError::NotStarted(why));
            }
        };
        // Who the child is, is good to know; who the init process is, is needed and recorded.
        identity.child = child.map(ProcessId::of).transpose().unwrap_or_default();
        if identity.child.is_some() {
            drop(dir::write_json(launch, dir::IDENTITY, &identity, Sync::No));
        }
        Ok(())
    }
}

/// The only child of an init process that has just started it, by the id that it has out here.
fn child_of(init: Pid) -> Option<Pid> {
    let init = init.as_raw_nonzero();
    let children = std::fs::read_to_string(format!("/proc/{init}/task/{init}/children")).ok()?;
    children.split_ascii_whitespace().next()?.parse().ok().and_then(Pid::from_raw)
}

/// A pipe, the end to read from first.
pub(super) fn pipe() -> io::Result<(File, File)> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    Ok((read.into(), write.into()))
}

/// Takes standard output away as what the daemon made it, perhaps a connection.
fn hand_over_output() -> io::Result<UnixStream> {
    let stream = io::stdout().as_fd().try_clone_to_owned()?;
    close_output()?;
    Ok(stream.into())
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
