//! One connection to a shim, as the shim sees it.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use rustix::event::PollFlags;

use super::wire::{LINE_BYTES_MAX, Line, PAYLOAD_BYTES_MAX, Progress, Request, encode};

/// Answers that wait for a client that does not read; one that lets them grow further is dropped.
const OUTPUT_BYTES_MAX: usize = 256 << 10;
/// Bytes taken in one look.
const READ_BYTES: usize = 64 << 10;

pub(super) struct Client {
    stream: UnixStream,
    input: Vec<u8>,
    output: Vec<u8>,
    subscribed: bool,
    /// The progress it was told last is not the present one. One flag and no queue: only the newest counts.
    outdated: bool,
    open: bool,
}

impl Client {
    pub(super) fn new(stream: UnixStream) -> io::Result<Client> {
        stream.set_nonblocking(true)?;
        let peer = rustix::net::sockopt::socket_peercred(&stream)?;
        if peer.uid != rustix::process::geteuid() && !peer.uid.is_root() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let (input, output) = (Vec::new(), Vec::new());
        Ok(Client { stream, input, output, subscribed: false, outdated: false, open: true })
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    pub(super) fn wants_progress(&self) -> bool {
        self.subscribed && self.open
    }

    pub(super) fn has_output(&self) -> bool {
        !self.output.is_empty() || self.outdated
    }

    /// What to poll for.
    pub(super) fn interest(&self) -> PollFlags {
        if self.output.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT }
    }

    pub(super) fn subscribe(&mut self) {
        self.subscribed = true;
        self.outdated = true;
    }

    pub(super) fn outdated(&mut self) {
        self.outdated = self.subscribed;
    }

    pub(super) fn say(&mut self, line: &Line) {
        self.output.extend_from_slice(&encode(line));
        if self.output.len() > OUTPUT_BYTES_MAX {
            self.open = false;
        }
    }

    /// Takes what the client has sent.
    pub(super) fn read(&mut self) {
        let mut buffer = [0; READ_BYTES];
        // One request at most waits here; the rest waits in the socket.
        while self.open && self.input.len() <= LINE_BYTES_MAX + PAYLOAD_BYTES_MAX {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.open = false,
                Ok(read) => self.input.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.open = false,
            }
        }
    }

    /// The next request with its payload, once all of it is here. An error is told, and ends the connection.
    pub(super) fn next_request(&mut self) -> Option<Result<(Request, Vec<u8>), String>> {
        let Some(end) = self.input.iter().position(|byte| *byte == b'\n') else {
            return (self.input.len() > LINE_BYTES_MAX).then(|| self.give_up("a request line without end"));
        };
        let request: Request = match serde_json::from_slice(&self.input[..end]) {
            Ok(request) => request,
            Err(error) => return Some(self.give_up(&format!("not a request: {error}"))),
        };
        if request.len > PAYLOAD_BYTES_MAX {
            return Some(self.give_up("a payload larger than allowed"));
        }
        let all = end + 1 + request.len;
        if self.input.len() < all {
            return None;
        }
        let payload = self.input[end + 1..all].to_vec();
        self.input.drain(..all);
        if self.input.is_empty() {
            // A large prompt must not stay in the memory of the shim.
            self.input = Vec::new();
        }
        Some(Ok((request, payload)))
    }

    /// Sends what waits, and the progress after it.
    pub(super) fn flush(&mut self, progress: &Progress) {
        loop {
            if self.output.is_empty() {
                if !self.outdated {
                    return;
                }
                self.outdated = false;
                self.say(&Line::Progress(*progress));
            }
            match self.stream.write(&self.output) {
                Ok(0) => self.open = false,
                Ok(written) => drop(self.output.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.open = false,
            }
            if !self.open {
                return;
            }
        }
    }

    fn give_up<T>(&mut self, why: &str) -> Result<T, String> {
        self.input.clear();
        drop(self.stream.shutdown(std::net::Shutdown::Read));
        Err(why.to_owned())
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
