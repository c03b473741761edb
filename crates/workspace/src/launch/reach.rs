//! Getting in touch with a launch, whatever is left of it.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, timeout};

use super::cgroup::Cgroup;
use super::dir::{self, ReadError, Sync};
use super::exit::{Exit, Outcome};
use super::identity::{Identity, boot_id};
use super::leftovers::end_leftovers;
use super::shim::Ready;
use super::shim_command::ShimCommand;
use super::spec::{Spec, SpecError};
use super::wire::{LINE_BYTES_MAX, Line};

/// Time for a shim to say that it listens.
const SHIM_TIMEOUT: Duration = Duration::from_secs(20);
/// Time for a forked shim to do so before another is executed beside it. It takes a few milliseconds unless its fork server, or it
/// itself, is stopped, hangs, or has to wait for the processors.
const FORKED_TIMEOUT: Duration = Duration::from_secs(1);
/// Time for a shim to greet a connection.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// Time to come to a connection or to the certainty that there is nothing to connect to.
const REACH_TIMEOUT: Duration = Duration::from_secs(30);
/// Shims that may end at their beginning before it is taken for more than an accident.
const SILENT_MAX: u32 = 10;
/// Pause between two looks at a launch that another process is about to serve.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Why a launch cannot be started or attached to.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The spec makes no process.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A file of the launch directory is unreadable or damaged.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no `spec.json`.
    #[error("{0} is not a launch directory")]
    NotALaunch(PathBuf),
    /// It was written but never started; `start` may be called for it.
    #[error("the launch in {0} was never started")]
    NeverStarted(PathBuf),
    /// A launch runs in its directory once.
    #[error("the launch in {0} was started before")]
    StartedBefore(PathBuf),
    /// The child could not be started.
    #[error("{0}")]
    NotStarted(String),
    /// The launch directory cannot be made or used.
    #[error("cannot use the launch directory {path}")]
    Dir {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The shim program cannot be run.
    #[error("cannot run the shim {program}")]
    Shim {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The shim neither listened nor said why not.
    #[error("the shim of {0} said nothing; its shim.log may say more")]
    Silent(PathBuf),
    /// The launch stayed in the hands of another process that does not answer.
    #[error("the launch in {0} is held by a process that does not answer")]
    Held(PathBuf),
}

/// A connection to a shim.
pub(super) type Connection = BufReader<UnixStream>;

/// What was reached.
pub(super) enum Reached {
    /// A shim that has said hello.
    Live(Connection),
    /// Nothing runs any more.
    Ended(Exit),
}

/// Starts what a launch directory was prepared for. Gives the connection to its shim where that is there already.
pub(super) async fn start(
    launch: &Path,
    spec: &Spec,
    shim: &ShimCommand,
) -> Result<Option<Connection>, LaunchError> {
    spec.check()?;
    let failed = |source| LaunchError::Dir { path: launch.to_owned(), source };
    make_private(launch).map_err(failed)?;
    if launch.join(dir::IDENTITY).exists() || launch.join(dir::EXIT).exists() {
        return Err(LaunchError::StartedBefore(launch.to_owned()));
    }
    dir::write_json(launch, dir::SPEC, spec, Sync::No).map_err(failed)?;
    match run_shim(launch, shim, false).await {
        Ok((Ready::Listening, stream)) => Ok(greeted(stream).await.ok()),
        Ok((Ready::Taken | Ready::Again, _)) => Err(LaunchError::StartedBefore(launch.to_owned())),
        Ok((Ready::Gone, _)) => Err(LaunchError::Silent(launch.to_owned())),
        Ok((Ready::Failed { why }, _)) => Err(LaunchError::NotStarted(why)),
        // The shim was killed after it had started the init process: that goes on, and will be adopted.
        Err(LaunchError::Silent(_)) if launch.join(dir::IDENTITY).exists() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The spec of a launch directory, which makes it one.
pub(super) fn spec(launch: &Path) -> Result<Spec, LaunchError> {
    let spec: Option<Spec> = dir::read_json(launch, dir::SPEC)?;
    let spec = spec.ok_or_else(|| LaunchError::NotALaunch(launch.to_owned()))?;
    spec.check()?;
    Ok(spec)
}

/// Connects to the shim; makes a new one if it was killed; finds out how it ended if all is over.
pub(super) async fn reach(launch: &Path, spec: &Spec, shim: &ShimCommand) -> Result<Reached, LaunchError> {
    let until = Instant::now() + REACH_TIMEOUT;
    let mut silent = 0;
    let failed = |source| LaunchError::Dir { path: launch.to_owned(), source };
    while Instant::now() < until {
        if let Ok(stream) = connect(launch).await {
            return Ok(Reached::Live(stream));
        }
        let Some(lock) = dir::lock_journal(launch).map_err(failed)? else {
            // A shim has it that is just beginning or just ending.
            sleep(LOOK_AGAIN).await;
            continue;
        };
        let Some(identity) = dir::read_json::<Identity>(launch, dir::IDENTITY)? else {
            let exit: Option<Exit> = dir::read_json(launch, dir::EXIT)?;
            let never = || LaunchError::NeverStarted(launch.to_owned());
            return exit.map(Reached::Ended).ok_or_else(never);
        };
        if identity.open_init().map_err(failed)?.is_some() {
            drop(lock);
            match run_shim(launch, shim, true).await {
                Ok((Ready::Failed { why }, _)) => return Err(LaunchError::NotStarted(why)),
                Ok((Ready::Listening, stream)) => {
                    if let Ok(stream) = greeted(stream).await {
                        return Ok(Reached::Live(stream));
                    }
                }
                // Killed while it began. One that can never begin is not tried for long.
                Err(LaunchError::Silent(_)) if silent < SILENT_MAX => {
                    silent += 1;
                    sleep(LOOK_AGAIN * silent).await;
                }
                result => drop(result?),
            }
            continue;
        }
        return match dir::read_json(launch, dir::EXIT)? {
            Some(exit) => Ok(Reached::Ended(exit)),
            None => lost(launch, spec, &identity).await.map(Reached::Ended).map_err(failed),
        };
    }
    Err(LaunchError::Held(launch.to_owned()))
}

/// Connects and waits for the greeting.
async fn connect(launch: &Path) -> io::Result<Connection> {
    // A socket's path may have 107 bytes only; this one is short however deep the directory is.
    let directory =
        rustix::fs::open(launch, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let path = format!("/proc/self/fd/{}/{}", directory.as_raw_fd(), dir::SOCKET);
    greeted(BufReader::new(UnixStream::connect(path).await?)).await
}

/// Waits for the greeting.
async fn greeted(mut stream: Connection) -> io::Result<Connection> {
    let mut line = Vec::new();
    let limit = LINE_BYTES_MAX as u64;
    timeout(HELLO_TIMEOUT, (&mut stream).take(limit).read_until(b'\n', &mut line)).await??;
    match serde_json::from_slice(&line) {
        // Any version is welcome: what this one asks for exists since the first.
        Ok(Line::Hello { .. }) => Ok(stream),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Runs a shim and hears its first line. The rest of what it says is the first connection to it; it has an end at once
/// where the program is of a version that does not know that.
async fn run_shim(
    launch: &Path,
    shim: &ShimCommand,
    adopt: bool,
) -> Result<(Ready, Connection), LaunchError> {
    let failed = |source| LaunchError::Shim { program: shim.program().to_owned(), source };
    let log =
        fs::File::options().create(true).append(true).open(launch.join(dir::SHIM_LOG)).map_err(failed)?;
    let silent = || LaunchError::Silent(launch.to_owned());
    let execute = async || {
        let (ours, its) = pair().map_err(failed)?;
        shim.execute(launch, adopt, its, log.try_clone().map_err(failed)?).map_err(failed)?;
        timeout(SHIM_TIMEOUT, hear(launch, ours)).await.map_err(|_| silent())?
    };
    let (ours, its) = pair().map_err(failed)?;
    if !shim.fork(launch, adopt, &its, &log) {
        return execute().await;
    }
    // Its end is to be open in the shim alone.
    drop(its);
    let mut forked = pin!(timeout(SHIM_TIMEOUT, hear(launch, ours)));
    let is_over = match timeout(FORKED_TIMEOUT, &mut forked).await {
        Ok(Ok(Err(LaunchError::Silent(_)))) => true,
        Ok(heard) => return heard.map_err(|_| silent())?,
        Err(_) => false,
    };
    let executed = execute().await;
    let forked_has_it = matches!(executed, Ok((Ready::Taken | Ready::Again, _)));
    if forked_has_it
        && !is_over
        && let Ok(Ok(heard)) = forked.await
    {
        // It was only slow.
        return Ok(heard);
    }
    shim.forget_fork_server();
    // Otherwise it began something before it was killed.
    if forked_has_it { Err(silent()) } else { executed }
}

/// The first line of a shim, and the connection that it is the beginning of.
async fn hear(launch: &Path, stream: UnixStream) -> Result<(Ready, Connection), LaunchError> {
    let silent = || LaunchError::Silent(launch.to_owned());
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    let mut first = (&mut stream).take(LINE_BYTES_MAX as u64);
    first.read_until(b'\n', &mut line).await.map_err(|_| silent())?;
    Ok((serde_json::from_slice(&line).map_err(|_| silent())?, stream))
}

/// Both ends of a connection: ours, and that of a shim.
fn pair() -> io::Result<(UnixStream, std::os::unix::net::UnixStream)> {
    let (ours, its) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, its))
}

/// The init process ended without a record: what it left is ended, and the record says what is known.
async fn lost(launch: &Path, spec: &Spec, identity: &Identity) -> io::Result<Exit> {
    let same_boot = identity.boot_id == boot_id()?;
    let id = spec.id.clone();
    let ended = if same_boot {
        let cgroup = identity.cgroup.as_deref().and_then(Cgroup::named);
        let end = move || end_leftovers(&id, cgroup.as_ref(), None);
        tokio::task::spawn_blocking(end).await.unwrap_or_default()
    } else {
        0
    };
    let why = if same_boot { "its init process was killed" } else { "the machine was restarted" };
    let exit =
        Exit { strays_ended: ended as u32, ..Exit::without_start(Outcome::Lost { why: why.to_owned() }) };
    dir::write_json(launch, dir::EXIT, &exit, Sync::Disk)?;
    Ok(exit)
}

/// The directory holds a socket that commands a process and a transcript, so nobody else gets in.
fn make_private(launch: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(launch)?;
    fs::set_permissions(launch, fs::Permissions::from_mode(0o700))
}
