//! The process that makes a daemon's shims.
//!
//! A program of this size takes longer to load and to link than all else that a launch needs, so that is done once, and
//! shims are forked:
//!
//! ```text
//! daemon ──(socket: a launch directory, its connection, its log)──► waiting shim
//!                                                                       ▲ forked ahead
//!                                                                  fork server
//! ```
//!
//! The shim that waits takes the next launch from the socket itself, and the fork server makes the next one to wait. It
//! ends when the daemon has closed the socket, and so does the one that waits; the shims at work go on. It holds nothing:
//! wherever it was killed, the daemon executes the shim that does not answer, and starts another fork server.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::ExitCode;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};

use super::cgroup::CgroupPlace;
use super::init::timespec;
use super::os::{self, Fork};
use super::shim;

/// Time that a launch has the processors before the next shim is forked, unless the next launch waits already.
const FORK_AFTER: Duration = Duration::from_millis(10);

const START: u8 = b's';
const ADOPT: u8 = b'a';

/// What a shim works with: its launch directory, its standard output and its standard error.
type Things<T> = [T; 3];

/// Gives a launch to the shim that waits. Does not wait itself.
pub(super) fn hand_over(socket: &OwnedFd, adopt: bool, things: Things<BorrowedFd<'_>>) -> io::Result<()> {
    let word = [if adopt { ADOPT } else { START }];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&things));
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    retry_on_intr(|| sendmsg(socket, &[IoSlice::new(&word)], &mut control, flags))?;
    Ok(())
}

/// The life of the fork server, whose socket is its standard input.
pub(super) fn main() -> ExitCode {
    // The second process is not the child of the daemon, and so no shim is below the daemon.
    match os::fork() {
        Ok(Fork::Child) => {}
        Ok(Fork::Parent(_)) => return ExitCode::SUCCESS,
        Err(_) => return ExitCode::FAILURE,
    }
    os::close_inherited();
    // What a terminal or a shell sends to the daemon's group is for the daemon.
    rustix::process::setsid().ok();
    rustix::thread::set_name(c"divisi-shims").ok();
    // Nobody waits for a shim.
    os::ignore(libc::SIGCHLD);
    loop {
        let place = CgroupPlace::find();
        let Ok((taken, take)) = shim::pipe() else { return ExitCode::FAILURE };
        let group = place.open();
        match os::fork_into(group.as_ref().map(AsFd::as_fd)) {
            Ok(Fork::Child) => {
                drop((taken, group));
                os::stop_ignoring(libc::SIGCHLD);
                return wait_for_launch(take, &place);
            }
            Ok(Fork::Parent(_)) => drop(take),
            // The daemon will say why, when it cannot execute a shim either.
            Err(_) => return ExitCode::FAILURE,
        }
        // It ends without having taken anything when the daemon is gone.
        if !matches!(retry_on_intr(|| rustix::io::read(&taken, &mut [0])), Ok(1)) {
            return ExitCode::SUCCESS;
        }
        let stdin = io::stdin();
        poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&timespec(FORK_AFTER))).ok();
    }
}

/// The life of a shim that was forked ahead.
fn wait_for_launch(mut take: File, place: &CgroupPlace) -> ExitCode {
    let alone = shim::stand_alone();
    let Some((adopt, [launch, output, log])) = receive(io::stdin().as_fd()) else {
        return ExitCode::SUCCESS;
    };
    // A fork server that was killed needs to know nothing.
    drop(take.write_all(b"t"));
    drop(take);
    let taken = || -> io::Result<()> {
        rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
        rustix::stdio::dup2_stderr(log)?;
        Ok(rustix::stdio::dup2_stdout(output)?)
    };
    match taken() {
        Ok(()) => shim::live(alone.and_then(|()| shim::enter(launch)), adopt, place),
        // Its connection closes, and another is executed.
        Err(_) => ExitCode::FAILURE,
    }
}

/// Waits for a launch. Nothing when the daemon is gone.
fn receive(socket: BorrowedFd<'_>) -> Option<(bool, Things<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut word = [0];
    let got = retry_on_intr(|| {
        recvmsg(socket, &mut [IoSliceMut::new(&mut word)], &mut control, RecvFlags::CMSG_CLOEXEC)
    });
    if got.ok()?.bytes != 1 {
        return None;
    }
    let descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let things: Vec<OwnedFd> = descriptors.flatten().collect();
    Some((word == [ADOPT], things.try_into().ok()?))
}
