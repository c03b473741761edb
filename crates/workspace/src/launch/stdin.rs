//! Standard input, each byte exactly once.
//!
//! The shim only *accepts*: it appends a message to `in.journal` and then replaces `in.length`, which makes the
//! message count, whole or not at all. The init process *sends*: it follows `in.length` and writes to the pipe, and
//! remembers in its memory how far it is. That memory cannot be out of step with the pipe, because the child does
//! not outlive the init process; and a shim may be killed at any instruction, because it never touches the pipe.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};

use super::dir::{self, Sync};
use super::wire::Refusal;

/// Bytes accepted over the life of a launch.
pub const STDIN_BYTES_MAX: u64 = 4 << 30;
/// Bytes written to the pipe at a time; a pipe usually holds 64 KiB.
const SEND_BYTES: usize = 64 << 10;

/// The shim's half.
pub(super) struct Accepting {
    launch: PathBuf,
    journal: File,
    /// Bytes that count.
    pub(super) len: u64,
    /// Whether more may come.
    pub(super) open: bool,
}

impl Accepting {
    /// Opens what is there and drops the half message of a shim that was killed while accepting it.
    pub(super) fn open(launch: &Path) -> io::Result<Accepting> {
        let journal = dir::open_journal(&launch.join(dir::IN_JOURNAL))?;
        let len = accepted(launch)?;
        journal.set_len(len)?;
        let open = !launch.join(dir::IN_EOF).exists();
        Ok(Accepting { launch: launch.to_owned(), journal, len, open })
    }

    /// Accepts a message, if it is the next one.
    pub(super) fn accept(&mut self, offset: u64, bytes: &[u8]) -> Result<u64, Refusal> {
        self.require_next(offset)?;
        let len = self.len + bytes.len() as u64;
        if len > STDIN_BYTES_MAX {
            return Err(Refusal::Full {
                why: format!("standard input is limited to {STDIN_BYTES_MAX} bytes"),
            });
        }
        let written = self
            .journal
            .write_all_at(bytes, self.len)
            .and_then(|()| dir::replace(&self.launch, dir::IN_LENGTH, len.to_string().as_bytes(), Sync::No));
        if let Err(error) = written {
            // The next message overwrites the rest of this one if even that fails.
            drop(self.journal.set_len(self.len));
            return Err(Refusal::Full { why: error.to_string() });
        }
        self.len = len;
        Ok(len)
    }

    /// Ends the input after `offset` bytes.
    pub(super) fn close(&mut self, offset: u64) -> Result<u64, Refusal> {
        if !self.open && offset == self.len {
            return Ok(self.len);
        }
        self.require_next(offset)?;
        dir::replace(&self.launch, dir::IN_EOF, b"", Sync::No)
            .map_err(|error| Refusal::Full { why: error.to_string() })?;
        self.open = false;
        Ok(self.len)
    }

    fn require_next(&self, offset: u64) -> Result<(), Refusal> {
        match self.open {
            false => Err(Refusal::Closed { stdin_len: self.len }),
            true if offset != self.len => Err(Refusal::Offset { stdin_len: self.len }),
            true => Ok(()),
        }
    }
}

/// The init process's half.
pub(super) struct Sending {
    launch: PathBuf,
    journal: File,
    pipe: Option<OwnedFd>,
    sent: u64,
    accepted: u64,
    ends: bool,
}

impl Sending {
    /// The half that sends, and the end of the pipe that the child reads from.
    pub(super) fn new(launch: &Path) -> io::Result<(Sending, OwnedFd)> {
        let journal = dir::open_journal(&launch.join(dir::IN_JOURNAL))?;
        let (child, pipe) = pipe_with(PipeFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&pipe, true)?;
        let pipe = Some(pipe);
        Ok((Sending { launch: launch.to_owned(), journal, pipe, sent: 0, accepted: 0, ends: false }, child))
    }

    /// Looks at what was accepted since the last time, and sends what the pipe takes.
    pub(super) fn refresh(&mut self) -> io::Result<()> {
        self.ends = self.launch.join(dir::IN_EOF).exists();
        self.accepted = accepted(&self.launch)?;
        self.send()
    }

    /// Sends until the pipe is full or nothing is left.
    pub(super) fn send(&mut self) -> io::Result<()> {
        let mut buffer = Vec::new();
        while let Some(pipe) = self.pipe.as_ref().filter(|_| self.sent < self.accepted) {
            buffer.resize(SEND_BYTES.min((self.accepted - self.sent) as usize), 0);
            self.journal.read_exact_at(&mut buffer, self.sent)?;
            match rustix::io::write(pipe, &buffer) {
                Ok(written) => self.sent += written as u64,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                // The child has closed its input. That is its right; there is nobody to send to any more.
                Err(Errno::PIPE) => self.pipe = None,
                Err(error) => return Err(error.into()),
            }
        }
        if self.ends && self.sent == self.accepted {
            self.pipe = None;
        }
        Ok(())
    }

    /// The pipe, while there is something that waits for room in it.
    pub(super) fn waits_for(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().filter(|_| self.sent < self.accepted).map(AsFd::as_fd)
    }
}

/// How many bytes of `in.journal` count.
pub(super) fn accepted(launch: &Path) -> io::Result<u64> {
    match fs::read_to_string(launch.join(dir::IN_LENGTH)) {
        Ok(text) => text.parse().map_err(|_| io::Error::other(format!("{} holds no number", dir::IN_LENGTH))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_message_counts_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let mut shim = Accepting::open(dir.path()).unwrap();
        assert_eq!(shim.accept(0, b"one\n").unwrap(), 4);
        // A shim that is killed after appending and before replacing the length leaves this behind.
        shim.journal.write_all_at(b"half a mess", 4).unwrap();
        let mut next = Accepting::open(dir.path()).unwrap();
        assert_eq!(next.len, 4);
        assert_eq!(fs::read(dir.path().join(dir::IN_JOURNAL)).unwrap(), b"one\n");
        assert_eq!(next.accept(0, b"one\n"), Err(Refusal::Offset { stdin_len: 4 }));
        assert_eq!(next.accept(4, b"two\n").unwrap(), 8);
        assert_eq!(next.close(4), Err(Refusal::Offset { stdin_len: 8 }));
        assert_eq!(next.close(8).unwrap(), 8);
        assert_eq!(next.close(8).unwrap(), 8, "closing again is the same");
        assert_eq!(next.accept(8, b"x"), Err(Refusal::Closed { stdin_len: 8 }));
        assert!(!Accepting::open(dir.path()).unwrap().open);
    }

    #[test]
    fn more_than_a_pipe_holds_arrives_in_order_and_then_ends() {
        let dir = tempfile::tempdir().unwrap();
        let mut shim = Accepting::open(dir.path()).unwrap();
        let (mut init, child) = Sending::new(dir.path()).unwrap();
        let message: Vec<u8> = (0..300_000u32).map(|n| (n % 251) as u8).collect();
        shim.accept(0, &message).unwrap();
        shim.close(message.len() as u64).unwrap();
        init.refresh().unwrap();
        assert!(init.waits_for().is_some());
        let mut child = File::from(child);
        let mut got = vec![0; 1000];
        child.read_exact(&mut got).unwrap();
        while init.waits_for().is_some() {
            init.send().unwrap();
            let mut more = vec![0; 4096];
            let read = child.read(&mut more).unwrap();
            got.extend_from_slice(&more[..read]);
        }
        child.read_to_end(&mut got).unwrap();
        assert_eq!(got, message);
    }

    #[test]
    fn a_child_that_closed_its_input_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        let mut shim = Accepting::open(dir.path()).unwrap();
        let (mut init, child) = Sending::new(dir.path()).unwrap();
        drop(child);
        shim.accept(0, b"to nobody").unwrap();
        init.refresh().unwrap();
        assert!(init.waits_for().is_none());
    }
}
