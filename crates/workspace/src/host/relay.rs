//! The life of a relay: bytes from here to there and back, and nothing else.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::net::sockopt::socket_peercred;
use rustix::process::getuid;

use super::{SOCKET, WHY};
use crate::launch::ERR_LOG;

/// How long a host may take until it listens.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Pause between two tries.
const CONNECT_AGAIN: Duration = Duration::from_millis(20);
/// How much of the end of the agent's standard error is passed on when it has ended, in bytes.
const ERROR_BYTES: u64 = 4000;
/// How much is read at once, in bytes.
const BUFFER_BYTES: usize = 16 * 1024;
/// Stack of the thread for the one direction; there are as many relays as sessions.
const STACK_BYTES: usize = 64 * 1024;

/// The life of a relay: `divisi relay HOST`, where `HOST` is the launch folder of a host. `args` are those after
/// `relay`; 2 is the answer to others. It ends well when its input has ended, and with 1 when the host is gone: then
/// its standard error says why, as that of the agent would.
pub fn relay_main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let [host] = args.as_slice() else { return ExitCode::from(2) };
    let host = PathBuf::from(host);
    match connect(&host).and_then(relay) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            pass_on(&host);
            ExitCode::FAILURE
        }
        Err(error) => {
            say(format!("divisi relay: {error}\n").as_bytes());
            pass_on(&host);
            ExitCode::FAILURE
        }
    }
}

/// Connects to the host, which may only just have been started.
fn connect(host: &Path) -> io::Result<UnixStream> {
    // A socket's path may have 107 bytes only; this one is short however deep the folder is.
    let folder = rustix::fs::open(host, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let path = format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd());
    let began = Instant::now();
    loop {
        match UnixStream::connect(&path) {
            Ok(stream) if socket_peercred(stream.as_fd())?.uid == getuid() => return Ok(stream),
            Ok(_) => return Err(io::Error::other("the socket is another user's")),
            Err(error) if began.elapsed() > CONNECT_MAX || host.join(WHY).exists() => return Err(error),
            Err(_) => thread::sleep(CONNECT_AGAIN),
        }
    }
}

/// Whether it was our input that ended, and not the host.
fn relay(stream: UnixStream) -> io::Result<bool> {
    let stream = Arc::new(stream);
    let is_over = Arc::new(AtomicBool::new(false));
    let (to_host, told) = (Arc::clone(&stream), Arc::clone(&is_over));
    let mut input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
        if copy(&mut input, &mut &*to_host).is_ok() {
            told.store(true, Ordering::Release);
        }
        drop(to_host.shutdown(Shutdown::Write));
    })?;
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let copied = copy(&mut &*stream, &mut output);
    let is_over = is_over.load(Ordering::Acquire);
    if is_over { Ok(true) } else { copied.map(|_| false) }
}

/// Passes on what there is as soon as it is there. `io::copy` would not: it splices, and the kernel keeps bytes back
/// that are spliced into a socket until more come.
fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = match from.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..read])?;
    }
}

/// What the agent last said on its standard error, and why it ended.
fn pass_on(host: &Path) {
    if let Ok(log) = File::open(host.join(ERR_LOG)) {
        let len = log.metadata().map_or(0, |found| found.len());
        let mut end = vec![0; usize::try_from(len.min(ERROR_BYTES)).unwrap_or(0)];
        if log.read_exact_at(&mut end, len.saturating_sub(ERROR_BYTES)).is_ok() {
            say(&end);
        }
    }
    if let Ok(why) = fs::read_to_string(host.join(WHY)) {
        say(format!("{why}\n").as_bytes());
    }
}

fn say(text: &[u8]) {
    drop(io::stderr().write_all(text));
}
