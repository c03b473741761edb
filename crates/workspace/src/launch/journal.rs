//! Moving a child's output from its FIFO into a file.
//!
//! `splice` moves the bytes inside the kernel and by as many as the file took, so there is no moment at which they
//! are only in the memory of a process, and whoever drains may be killed at any instruction.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pipe::{SpliceFlags, splice};
use serde::{Deserialize, Serialize};

use super::dir;

/// Bytes asked for in one splice; a pipe usually holds 64 KiB.
const SPLICE_BYTES: u64 = 1 << 20;
/// Splices in one turn, so that a flood does not starve the socket.
const SPLICES_PER_TURN: usize = 16;

/// Why the output is not taken at the moment. The child waits in its write; nothing is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// The file system takes no more: full, over quota, or failing.
    NoSpace,
    /// `out.journal` has reached its bound.
    Cap,
}

/// What a turn of draining found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drained {
    /// The FIFO is empty.
    Empty,
    /// There is more at once.
    More,
    /// There is more, but it cannot be taken.
    Paused(Pause),
}

/// What happens at the bound.
pub(super) enum AtCap {
    Pause,
    Rotate { to: PathBuf },
}

/// The one writer of a file that is filled from a FIFO.
pub(super) struct Drain {
    fifo: OwnedFd,
    file: File,
    path: PathBuf,
    at_cap: AtCap,
    /// Bytes in the file.
    pub(super) len: u64,
    /// Bytes at which it pauses or rotates.
    pub(super) cap: u64,
}

impl Drain {
    /// For standard output; `file` is the locked journal.
    pub(super) fn journal(launch: &Path, file: File, cap: u64) -> io::Result<Drain> {
        let fifo = open_fifo(&launch.join(dir::STDOUT_FIFO), OFlags::RDONLY | OFlags::NONBLOCK)?;
        Drain::new(fifo, file, launch.join(dir::OUT_JOURNAL), AtCap::Pause, cap)
    }

    /// For standard error.
    pub(super) fn log(launch: &Path, cap: u64) -> io::Result<Drain> {
        let path = launch.join(dir::ERR_LOG);
        let file = dir::open_journal(&path)?;
        let fifo = open_fifo(&launch.join(dir::STDERR_FIFO), OFlags::RDONLY | OFlags::NONBLOCK)?;
        Drain::new(fifo, file, path, AtCap::Rotate { to: launch.join(dir::ERR_OLD_LOG) }, cap)
    }

    fn new(fifo: OwnedFd, file: File, path: PathBuf, at_cap: AtCap, cap: u64) -> io::Result<Drain> {
        let len = file.metadata()?.len();
        Ok(Drain { fifo, file, path, at_cap, len, cap: cap.max(1) })
    }

    /// Takes what is there, up to a bound per turn.
    pub(super) fn turn(&mut self) -> io::Result<Drained> {
        for _ in 0..SPLICES_PER_TURN {
            if self.len >= self.cap {
                match &self.at_cap {
                    AtCap::Pause => return Ok(Drained::Paused(Pause::Cap)),
                    AtCap::Rotate { to } => {
                        fs::rename(&self.path, to)?;
                        self.file = dir::open_journal(&self.path)?;
                        self.len = 0;
                    }
                }
            }
            let wanted = SPLICE_BYTES.min(self.cap - self.len) as usize;
            let mut offset = self.len;
            match splice(&self.fifo, None, &self.file, Some(&mut offset), wanted, SpliceFlags::NONBLOCK) {
                Ok(0) | Err(Errno::AGAIN) => return Ok(Drained::Empty),
                Ok(moved) => self.len += moved as u64,
                Err(Errno::INTR) => {}
                Err(Errno::NOSPC | Errno::DQUOT | Errno::FBIG | Errno::IO | Errno::ROFS) => {
                    return Ok(Drained::Paused(Pause::NoSpace));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Drained::More)
    }
}

impl AsFd for Drain {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fifo.as_fd()
    }
}

/// Makes a FIFO if it is not there.
pub(super) fn make_fifo(path: &Path) -> io::Result<()> {
    let mode = Mode::RUSR | Mode::WUSR;
    match rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Opens a FIFO, and nothing but a FIFO.
pub(super) fn open_fifo(path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    let fifo = rustix::fs::open(path, flags | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty())?;
    let kind = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&fifo)?.st_mode);
    if kind == rustix::fs::FileType::Fifo {
        Ok(fifo)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{} is not a FIFO", path.display())))
    }
}
